"""Objecting to a change, taking that back, and an admin's overruling it: each where everybody sees it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlite_utils import Database

from commands.announcing import tell_held
from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.ports import Role
from commands.reasons import reason_from
from commands.replies import Done, Reply
from commands.timing import objecting_until
from patching.config import Configuration
from patching.plan import StepKind
from patching.states import ChangeState
from storage import changes, objections, runs, steps
from storage.changes import Change
from storage.objections import Objection
from storage.runs import Purpose

OPEN = frozenset({ChangeState.APPROVED, ChangeState.WAITING, ChangeState.HELD, ChangeState.USED})


@dataclass(frozen=True, slots=True)
class Object(Command):
    """The button Object: the change is held until the objection is taken back or overruled."""

    name: ClassVar[str] = "object"
    summary: ClassVar[str] = "Object to a change that waits; it is held."
    in_slash: ClassVar[bool] = False

    change_id: int
    reason: str

    def perform(self, context: Context, actor: Actor) -> Reply:
        reason = reason_from(self.reason)
        with context.commit() as tx:
            now = context.now
            change = _change(tx, self.change_id)
            refused = refusal_of(tx, context.config, now, change)
            if refused:
                raise refused
            if any(each.user_id == actor.user_id for each in objections.standing(tx, change.id)):
                raise Refused(f"Your objection to {change.ref} stands already; once is enough.")
            objections.add(tx, now, change, actor.user_id, reason)
            if change.state in {ChangeState.APPROVED, ChangeState.WAITING}:
                held = changes.transition(tx, change, ChangeState.HELD, now, actor.user_id, note=f"Objection: {reason}")
                if held:
                    tell_held(tx, now, context.config, held, f"Somebody objects: {reason}")
        context.wake("waiting")
        context.wake("deliver")
        return Done("")  # the change's message shows it


@dataclass(frozen=True, slots=True)
class TakeBack(Command):
    """The button Take back: who objected does so no longer."""

    name: ClassVar[str] = "take-back"
    summary: ClassVar[str] = "Take back your objection to a change."
    in_slash: ClassVar[bool] = False

    objection_id: int

    def perform(self, context: Context, actor: Actor) -> Reply:
        with context.commit() as tx:
            objection, change = _standing(tx, self.objection_id)
            if objection.user_id != actor.user_id:
                raise Refused(
                    "Only {person} can take this objection back; nothing was changed. An admin can overrule it.",
                    objection.user_id,
                )
            objections.end(tx, context.now, change, objection, actor.user_id, "taken back")
        context.wake("waiting")
        context.wake("deliver")
        return Done("")


@dataclass(frozen=True, slots=True)
class Overrule(Command):
    """The button Overrule: an admin, with a reason; nobody who asked for the change."""

    name: ClassVar[str] = "overrule"
    summary: ClassVar[str] = "Overrule an objection to a change, with a reason."
    role: ClassVar[Role | None] = Role.ADMIN
    in_slash: ClassVar[bool] = False

    objection_id: int
    reason: str

    def perform(self, context: Context, actor: Actor) -> Reply:
        reason = reason_from(self.reason)
        with context.commit() as tx:
            objection, change = _standing(tx, self.objection_id)
            if actor.user_id in change.requesters:
                raise Refused(
                    f"You asked for {change.ref}, so another admin has to overrule objections to it; "
                    "nothing was changed."
                )
            if objection.user_id == actor.user_id:
                raise Refused("That is your own objection; take it back instead. Nothing was changed.")
            objections.end(tx, context.now, change, objection, actor.user_id, reason)
        context.wake("waiting")
        context.wake("deliver")
        return Done("")


def refusal_of(db: Database, config: Configuration, now: datetime, change: Change) -> Refused | None:
    """Why nobody can object to a change any more; None where somebody can."""
    if change.state not in OPEN or _anything_sent(db, change):
        return Refused(
            f"{change.ref} is {change.state}, so an objection changes nothing; none was recorded. "
            "A run that is under way can be paused or cancelled in its message."
        )
    until = objecting_until(config, change)
    if until is not None and now >= until:
        return Refused(
            f"The time for objections to {change.ref} is over; none was recorded. "
            "Postpone it in its message, or let those who asked for it, or an admin, withdraw it."
        )
    return None


def standing_objection(db: Database, objection_id: int) -> Objection:
    """Raises Refused."""
    return _standing(db, objection_id)[0]


def _anything_sent(db: Database, change: Change) -> bool:
    if change.state is not ChangeState.USED:
        return False
    return any(
        step.sending_at is not None
        for run in runs.of_change(db, change.id, Purpose.CHANGE)
        for step in steps.of_run(db, run.id)
        if step.kind is StepKind.INSTALL
    )


def _change(db: Database, change_id: int) -> Change:
    change = changes.find(db, change_id)
    if change is None:
        raise Refused(f"There is no change-{change_id}; nothing was done.")
    return change


def _standing(db: Database, objection_id: int) -> tuple[Objection, Change]:
    objection = objections.find(db, objection_id)
    if objection is None:
        raise Refused("That objection is not known here; nothing was done.")
    if not objection.stands:
        raise Refused("That objection does not stand any more; nothing was changed.")
    return objection, changes.get(db, objection.change_id)
