"""The button Send again: a notice that was given up is owed again."""

from dataclasses import dataclass
from typing import ClassVar

from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.ports import Role
from commands.replies import Done, Reply
from storage import audit, waiting


@dataclass(frozen=True, slots=True)
class SendAgain(Command):
    name: ClassVar[str] = "send-again"
    summary: ClassVar[str] = "Try again to send a message that was given up."
    role: ClassVar[Role | None] = Role.ADMIN
    in_slash: ClassVar[bool] = False

    notice_id: int

    def perform(self, context: Context, actor: Actor) -> Reply:
        with context.commit() as tx:
            notice = waiting.find_dead(tx, self.notice_id)
            if notice is None or not waiting.revive(tx, notice.id):
                raise Refused(
                    "That message is not given up any more; nothing was done. `/patch jobs` shows those that are."
                )
            detail = {"kind": notice.kind, "recipient": notice.recipient, "subject": notice.subject, "why": notice.why}
            audit.append(tx, context.now, actor.user_id, f"notice-{notice.id}", "send again", detail)
        context.wake("deliver")
        return Done(
            "The message is owed again and goes out in its turn, with what is so by then; "
            "`/patch jobs` lists it if it is given up once more."
        )
