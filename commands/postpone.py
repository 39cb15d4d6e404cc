"""The button Postpone: a change that waits for a window goes at the next one instead."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from commands.affected import affected
from commands.announcing import tell_moved
from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.freezes import written
from commands.replies import Done, Reply
from commands.timing import soonest
from patching.states import ChangeState
from storage import changes
from storage.changes import Change
from storage.outbox import Medium


@dataclass(frozen=True, slots=True)
class Postpone(Command):
    """For everybody with a role here and for those affected. `starts_at` is what the person saw."""

    name: ClassVar[str] = "postpone"
    summary: ClassVar[str] = "Let a waiting change go at the next window instead."
    in_slash: ClassVar[bool] = False

    change_id: int
    starts_at: datetime

    def perform(self, context: Context, actor: Actor) -> Reply:
        with context.commit() as tx:
            now = context.now
            change = changes.find(tx, self.change_id)
            if change is None:
                raise Refused(f"There is no change-{self.change_id}; nothing was done.")
            if change.state is not ChangeState.WAITING or change.opening is None:
                raise Refused(f"{change.ref} waits for no window now; nothing was changed.")
            if change.starts_at != self.starts_at:
                raise Refused(f"{change.ref} starts at another time by now; nothing was changed. See its message.")
            if not _may(context, actor, change):
                raise Refused(
                    f"Only those affected by {change.ref}, and who has a role here, can postpone it; nothing was "
                    "changed. You can object to it instead."
                )
            start = soonest(tx, context.config, change, now, after=change.opening)
            if start.unknown:
                raise Refused(f"{start.unknown} Nothing was changed.")
            if start.at is None:
                raise Refused(
                    f"No later window of {change.environment} is planned; nothing was changed. "
                    "Object to it, or let those who asked withdraw it."
                )
            opening = change.opening
            why = f"Postponed from the window {opening.name} of {written(opening.opens, opening.timezone)}."
            moved = changes.reschedule(
                tx, change, now, actor.user_id, start.opening, start.at, why, "postponed", postponed_from=opening
            )
            if moved:
                tell_moved(tx, now, context.config, moved, change, why, by=actor.user_id)
        context.wake("deliver")
        return Done("")  # the change's message shows it


def _may(context: Context, actor: Actor, change: Change) -> bool:
    told = affected(context.store.db, context.config, change.application, change.environment)
    return bool(actor.roles) or (Medium.USER, actor.user_id) in told
