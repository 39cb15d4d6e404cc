"""Steps: one command each, sent at most once (I2)."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from patching.model import Operation
from patching.outcomes import NodeOutcome
from patching.plan import PlanStep, StepKind
from patching.sequence import Progress
from patching.states import STEP_TRANSITIONS, StepState, require
from storage import audit, outbox
from storage.database import compare_and_set, to_json, to_text, to_time


@dataclass(frozen=True, slots=True)
class Step:
    id: str  # UUID made at planning: in the command's Comment, and its SnapshotId (I2, I8)
    run_id: int
    position: int
    kind: StepKind
    operation: Operation | None  # None where the document is the application's own, or there is none
    document: str  # empty: a step without a command
    document_version: str
    document_hash: str
    parameters: Mapping[str, tuple[str, ...]]
    node_ids: tuple[str, ...]
    max_concurrency: str
    max_errors: str
    delivery_timeout: int  # seconds
    wave: int
    settings: Mapping[str, Any]  # as `patching.plan.PlanStep` says
    state: StepState
    command_id: str | None
    attempts: int
    not_before: datetime | None
    sending_at: datetime | None
    sent_at: datetime | None
    cancelled_at: datetime | None
    ended_at: datetime | None
    note: str

    @property
    def what(self) -> str:
        """For people: what is sent or done."""
        return self.operation.value if self.operation else self.document or str(self.kind)


def plan(tx: Database, run_id: int, steps: Sequence[PlanStep], new_id: Callable[[], str]) -> None:
    """Write a run's steps, to be sent in order of position."""
    for step in steps:
        tx.execute(
            """INSERT INTO step (id, run_id, position, kind, operation, document, document_version, document_hash,
                                 parameters, node_ids, max_concurrency, max_errors, delivery_timeout, wave, settings,
                                 state)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [
                new_id(),
                run_id,
                step.position,
                step.kind,
                step.operation,
                step.document.name,
                step.document.version,
                step.document.hash,
                to_json(step.parameters),
                to_json(step.node_ids),
                step.max_concurrency,
                step.max_errors,
                step.delivery_timeout,
                step.wave,
                to_json(step.settings),
                StepState.PLANNED,
            ],
        )


def get(db: Database, step_id: str) -> Step:
    return _select(db, "WHERE id = ?", step_id)[0]


def of_run(db: Database, run_id: int) -> list[Step]:
    return _select(db, "WHERE run_id = ? ORDER BY position, id", run_id)


def in_state(db: Database, *states: StepState) -> list[Step]:
    marks = ", ".join("?" for _ in states)
    return _select(db, f"WHERE state IN ({marks}) ORDER BY run_id, position, id", *states)


def unsettled(db: Database, run_id: int) -> bool:
    """Whether nobody knows of some command of a run whether it was sent."""
    return any(step.state is StepState.UNKNOWN for step in of_run(db, run_id))


def transition(
    tx: Database, step: Step, new: StepState, now: datetime, ref: str, *, note: str = "", **columns: Any
) -> Step | None:
    """Compare-and-set the step's state; None when it has moved on since `step` was read."""
    require(STEP_TRANSITIONS, step.state, new)
    if new is StepState.SENDING:
        columns = {"sending_at": to_text(now), "attempts": step.attempts + 1, **columns}
    if new is StepState.SENT:
        columns["sent_at"] = to_text(now)
    if new.ended:
        columns["ended_at"] = to_text(now)
    columns["state"], columns["note"] = new, note
    if not compare_and_set(tx, "step", step.id, step.state, columns):
        return None
    detail = {"step": step.id, "from": step.state, "command": columns.get("command_id", step.command_id), "note": note}
    audit.append(tx, now, "clock", ref, f"step {new}", detail)
    outbox.touch(tx, f"run:{step.run_id}")
    return get(tx, step.id)


def progress(db: Database, run_id: int) -> list[Progress]:
    """A run's steps as far as they decide about each other."""
    failed: dict[str, set[str]] = {}
    for row in db.execute(
        """SELECT i.step_id, i.node_id FROM invocation i JOIN step s ON s.id = i.step_id
           WHERE s.run_id = ? AND i.outcome IS NOT NULL AND i.outcome != ?""",
        [run_id, NodeOutcome.SUCCEEDED],
    ):
        failed.setdefault(row["step_id"], set()).add(row["node_id"])
    return [_progress(step, failed.get(step.id, set())) for step in of_run(db, run_id)]


def _progress(step: Step, failed: Collection[str]) -> Progress:
    if step.state is StepState.FAILED and not failed:
        failed = step.node_ids  # given up, or a person says that it did not run
    # Rows of an older Patchgate know no rate of a wave, and were approved for one batch after the other.
    at_once = int(step.settings.get("at_once", len(step.node_ids)))
    return Progress(
        position=step.position,
        kind=step.kind,
        wave=step.wave,
        document=step.document,
        state=step.state,
        node_ids=frozenset(step.node_ids),
        sent=step.sending_at is not None,
        failed=frozenset(failed),
        at_once=at_once,
        errors=int(step.settings.get("errors", 0)),
        concurrency=min(at_once, len(step.node_ids)),
    )


def postpone(tx: Database, step: Step, until: datetime) -> None:
    """A planned step is not tried again before."""
    planned = [to_text(until), step.id, StepState.PLANNED]
    tx.execute("UPDATE step SET not_before = ? WHERE id = ? AND state = ?", planned)


def mark_cancelled(tx: Database, step: Step, ref: str, note: str, now: datetime) -> None:
    """CancelCommand was asked for; the step goes on being watched until its invocations are terminal (I9)."""
    tx.execute("UPDATE step SET cancelled_at = ? WHERE id = ?", [to_text(now), step.id])
    audit.append(tx, now, "clock", ref, "step cancelled", {"step": step.id, "note": note})


def _select(db: Database, rest: str, *arguments: object) -> list[Step]:
    return [_step(row) for row in db.execute(f"SELECT * FROM step {rest}", list(arguments))]


def _step(row: Any) -> Step:  # noqa: ANN401 - sqlite3.Row is untyped
    values = dict(row)
    values["kind"] = StepKind(values["kind"])
    values["operation"] = Operation(values["operation"]) if values["operation"] else None
    values["settings"] = json.loads(values["settings"])
    values["state"] = StepState(values["state"])
    values["parameters"] = {name: tuple(items) for name, items in json.loads(values["parameters"]).items()}
    values["node_ids"] = tuple(json.loads(values["node_ids"]))
    for name in ("not_before", "sending_at", "sent_at", "cancelled_at", "ended_at"):
        values[name] = to_time(values[name])
    return Step(**values)
