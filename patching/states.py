"""The state machines: an enum and a table of transitions each. `storage` moves rows by compare-and-set along them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar


class RunState(StrEnum):
    REQUESTED = "requested"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    DEVIATED = "deviated"
    FAILED = "failed"
    CANCELLED = "cancelled"
    NEEDS_HUMAN = "needs_human"

    @property
    def ended(self) -> bool:
        """`needs_human` is not an end: it keeps the environment locked until an admin settles it."""
        return self in {RunState.SUCCEEDED, RunState.DEVIATED, RunState.FAILED, RunState.CANCELLED}


class StepState(StrEnum):
    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    DONE = "done"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        return self in {StepState.DONE, StepState.FAILED}


class ChangeState(StrEnum):
    PREPARING = "preparing"
    BLOCKED = "blocked"
    PENDING = "pending"
    APPROVED = "approved"
    WAITING = "waiting"
    HELD = "held"
    USED = "used"
    DONE = "done"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"

    @property
    def ended(self) -> bool:
        return not CHANGE_TRANSITIONS[self]


class OrderState(StrEnum):
    """Of an order to make or change a maintenance window at AWS."""

    REQUESTED = "requested"
    DONE = "done"
    FAILED = "failed"


class NoticeState(StrEnum):
    DUE = "due"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"


RUN_TRANSITIONS: Final[Mapping[RunState, frozenset[RunState]]] = {
    RunState.REQUESTED: frozenset({RunState.RUNNING, RunState.FAILED, RunState.CANCELLED}),
    RunState.RUNNING: frozenset(
        {
            RunState.PAUSED,
            RunState.SUCCEEDED,
            RunState.DEVIATED,
            RunState.FAILED,
            RunState.CANCELLED,
            RunState.NEEDS_HUMAN,
        }
    ),
    RunState.PAUSED: frozenset(
        {
            RunState.RUNNING,
            RunState.SUCCEEDED,
            RunState.DEVIATED,
            RunState.FAILED,
            RunState.CANCELLED,
            RunState.NEEDS_HUMAN,
        }
    ),
    RunState.NEEDS_HUMAN: frozenset({RunState.RUNNING, RunState.FAILED}),
    RunState.SUCCEEDED: frozenset(),
    RunState.DEVIATED: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.CANCELLED: frozenset(),
}

# sending → planned only after a definite refusal; nothing leaves `unknown` towards a second send (I2). In a database
# that was replaced by an older copy, what is planned may have been sent: planned → unknown.
STEP_TRANSITIONS: Final[Mapping[StepState, frozenset[StepState]]] = {
    StepState.PLANNED: frozenset({StepState.SENDING, StepState.UNKNOWN, StepState.FAILED}),
    StepState.SENDING: frozenset({StepState.SENT, StepState.PLANNED, StepState.UNKNOWN}),
    StepState.UNKNOWN: frozenset({StepState.SENT, StepState.FAILED}),
    StepState.SENT: frozenset({StepState.DONE, StepState.FAILED}),
    StepState.DONE: frozenset(),
    StepState.FAILED: frozenset(),
}

_STOPPED = {ChangeState.REJECTED, ChangeState.WITHDRAWN, ChangeState.EXPIRED, ChangeState.SUPERSEDED}

CHANGE_TRANSITIONS: Final[Mapping[ChangeState, frozenset[ChangeState]]] = {
    ChangeState.PREPARING: frozenset({ChangeState.BLOCKED, ChangeState.PENDING, *_STOPPED}),
    ChangeState.BLOCKED: frozenset({ChangeState.SUPERSEDED, ChangeState.WITHDRAWN, ChangeState.EXPIRED}),
    ChangeState.PENDING: frozenset({ChangeState.APPROVED, *_STOPPED}),
    ChangeState.APPROVED: frozenset({ChangeState.WAITING, ChangeState.HELD, ChangeState.USED, *_STOPPED}),
    ChangeState.WAITING: frozenset({ChangeState.APPROVED, ChangeState.HELD, *_STOPPED}),
    ChangeState.HELD: frozenset({ChangeState.APPROVED, ChangeState.WAITING, *_STOPPED}),
    ChangeState.USED: frozenset({ChangeState.DONE, ChangeState.SUPERSEDED}),
    ChangeState.DONE: frozenset(),
    ChangeState.REJECTED: frozenset(),
    ChangeState.WITHDRAWN: frozenset(),
    ChangeState.EXPIRED: frozenset(),
    ChangeState.SUPERSEDED: frozenset(),
}

ORDER_TRANSITIONS: Final[Mapping[OrderState, frozenset[OrderState]]] = {
    OrderState.REQUESTED: frozenset({OrderState.DONE, OrderState.FAILED}),
    OrderState.DONE: frozenset(),
    OrderState.FAILED: frozenset(),
}

# A card that must show something new is owed again: sent → due.
NOTICE_TRANSITIONS: Final[Mapping[NoticeState, frozenset[NoticeState]]] = {
    NoticeState.DUE: frozenset({NoticeState.SENDING, NoticeState.DEAD}),
    NoticeState.SENDING: frozenset({NoticeState.SENT, NoticeState.DUE, NoticeState.DEAD}),
    NoticeState.SENT: frozenset({NoticeState.DUE}),
    NoticeState.DEAD: frozenset({NoticeState.DUE}),
}

State = TypeVar("State", bound=StrEnum)


class IllegalTransition(Exception):
    """A state machine was asked for a move that its table does not have."""


def require(table: Mapping[State, frozenset[State]], old: State, new: State) -> None:
    if new not in table[old]:
        raise IllegalTransition(f"{type(old).__name__}: {old} → {new} is not a transition")
