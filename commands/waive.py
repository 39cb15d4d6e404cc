"""`/patch waive CHANGE CHECK REASON`: an admin lets one failing check pass, where the policy allows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from commands import grammar
from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.ports import Role
from commands.reasons import reason_from
from commands.replies import Accepted, Reply
from commands.requests import open_change
from patching.config import Configuration
from patching.gate import Outcome
from patching.nodes import EnvironmentKey
from patching.states import ChangeState
from storage import changes
from storage.changes import Change


@dataclass(frozen=True, slots=True)
class Waive(Command):
    """The waiver is part of the digest, so it opens a new change that people approve with it in sight."""

    name: ClassVar[str] = "waive"
    usage: ClassVar[str] = "CHANGE CHECK REASON"
    summary: ClassVar[str] = "Waive a failing check of a blocked change, where the policy allows it."
    detail: ClassVar[str] = (
        "CHANGE is an id such as change-4, CHECK a check's name such as other-patchers. The change is asked for again "
        "with the waiver, which everybody sees and whose reason is recorded; who waives can't approve."
    )
    role: ClassVar[Role | None] = Role.ADMIN

    change_id: int
    check: str
    reason: str

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        if len(words) < 3:
            raise Refused(
                f"A waiver needs a change, a check and a reason; nothing was done. Usage: `/patch waive {cls.usage}`."
            )
        kind, _, number = words[0].lower().partition("-")
        if kind != "change" or not (number.isascii() and number.isdigit()) or len(number) > 9:
            raise Refused(f"{grammar.show(words[0])} is not a change; nothing was done. Ids look like change-4.")
        return cls(int(number), words[1].lower(), reason_from(" ".join(words[2:])))

    def perform(self, context: Context, actor: Actor) -> Reply:
        change = changes.find(context.store.db, self.change_id)
        if change is None:
            raise Refused(
                f"There is no change-{self.change_id}; nothing was done. `/patch status` lists what there is."
            )
        self._require_failing(change)
        allowed = context.config.policy_of(change.application).waivable
        if self.check not in allowed:
            names = ", ".join(sorted(allowed)) or "none"
            raise Refused(
                f"The policy of {change.application} does not let {self.check} be waived; nothing was done. "
                f"Waivable: {names}."
            )
        again = open_change(
            context,
            actor,
            EnvironmentKey(change.application, change.environment),
            part=change.part,
            emergency=change.emergency,
            waivers={**change.waivers, self.check: self.reason},
            follows=change,
            timing=change.timing,
        )
        return Accepted(
            again.ref,
            again.subject,
            f"{again.ref} asks again for {change.ref} with {self.check} waived, as everybody sees.",
        )

    def _require_failing(self, change: Change) -> None:
        if change.state is not ChangeState.BLOCKED:
            raise Refused(f"{change.ref} is {change.state}, not blocked; nothing was done.")
        failing = [check.name for check in change.checks or () if check.outcome is Outcome.FAIL]
        if self.check not in failing:
            raise Refused(
                f"{grammar.show(self.check)} does not fail in {change.ref}; nothing was done. "
                f"Failing: {', '.join(failing)}."
            )
