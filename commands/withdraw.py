"""The button Withdraw: who asked for a change takes it back; an admin does where it waits and blocks others."""

from dataclasses import dataclass
from typing import ClassVar

from commands.announcing import call_off
from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.ports import Role
from commands.replies import Done, Reply
from patching.states import ChangeState
from storage import changes

OPEN = frozenset(
    {
        ChangeState.PREPARING,
        ChangeState.BLOCKED,
        ChangeState.PENDING,
        ChangeState.APPROVED,
        ChangeState.WAITING,
        ChangeState.HELD,
    }
)
_APPROVED = frozenset({ChangeState.APPROVED, ChangeState.WAITING, ChangeState.HELD})


@dataclass(frozen=True, slots=True)
class Withdraw(Command):
    """What has been sent can't be withdrawn; what has not been sent never is.

    An approved change may wait for weeks, while nobody can ask for another one, an emergency neither.
    """

    name: ClassVar[str] = "withdraw"
    summary: ClassVar[str] = "Take back a change that you asked for."
    in_slash: ClassVar[bool] = False

    change_id: int

    def perform(self, context: Context, actor: Actor) -> Reply:
        with context.commit() as tx:
            change = changes.find(tx, self.change_id)
            if change is None:
                raise Refused(f"There is no change-{self.change_id}; nothing was done.")
            asked = actor.user_id in change.requesters
            if not asked and not (Role.ADMIN in actor.roles and change.state in _APPROVED):
                raise Refused(
                    f"Only those who asked for {change.ref} can withdraw it, and admins once it is approved; "
                    "nothing was done."
                )
            if change.state not in OPEN:
                raise Refused(f"{change.ref} is {change.state}, so there is nothing to withdraw; nothing was done.")
            why = "It was withdrawn by those who asked for it." if asked else "An admin withdrew it."
            changes.transition(tx, change, ChangeState.WITHDRAWN, context.now, actor.user_id)
            call_off(tx, context.now, context.config, change, why)
        context.wake("deliver")
        return Done("")  # the change's message shows it
