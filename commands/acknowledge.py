"""The button Acknowledge: somebody has seen that a maintenance window or a change comes, and everybody sees who."""

from dataclasses import dataclass
from typing import ClassVar

from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.replies import Done, Reply
from storage import acknowledgements, outbox
from storage.outbox import Medium, Notice


@dataclass(frozen=True, slots=True)
class Acknowledge(Command):
    """Anybody may; it decides nothing. `subject`: as a notice's, `change:4` or `window:mw-…:2026-…`."""

    name: ClassVar[str] = "acknowledge"
    summary: ClassVar[str] = "Say that you have seen that a maintenance window or a change comes."
    in_slash: ClassVar[bool] = False

    subject: str

    def perform(self, context: Context, actor: Actor) -> Reply:
        with context.commit() as tx:
            told = outbox.about(tx, self.subject) if self.subject.startswith(("change:", "window:")) else []
            if not told:
                raise Refused("Nobody was told of that by Patchgate; nothing was noted. Use the newest message.")
            if not acknowledgements.add(tx, context.now, self.subject, actor.user_id):
                return Done("You have acknowledged it already; everybody sees that.")
            outbox.touch(tx, self.subject)  # a change's card
            for notice in told:
                if _shows_it(notice, actor.user_id):
                    outbox.show_again(tx, notice)
        context.wake("deliver")
        return Done("Noted: everybody sees that you have seen it.")


def _shows_it(notice: Notice, user_id: str) -> bool:
    """A window's message in a channel, and their own; of a change its card shows it."""
    mine = notice.medium is Medium.CHANNEL or (notice.medium is Medium.USER and notice.recipient == user_id)
    return mine and notice.kind.startswith("window-")
