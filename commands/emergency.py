"""`/patch emergency APP ENV REASON`: production before the soak is over, with two approvers and everybody told."""

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
from patching.nodes import EnvironmentKey


@dataclass(frozen=True, slots=True)
class Emergency(Command):
    name: ClassVar[str] = "emergency"
    usage: ClassVar[str] = "APP ENV REASON"
    summary: ClassVar[str] = "Ask for production before the soak is over; two others approve."
    detail: ClassVar[str] = (
        "Only the soak and the checks that the policy calls waivable may be passed; everything else holds as always. "
        "Two approvers are needed, neither of them you, and the emergency is marked in every message and record."
    )
    role: ClassVar[Role | None] = Role.ADMIN

    key: EnvironmentKey
    reason: str

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        if len(words) < 3:
            raise Refused(
                "An emergency needs an application, an environment and a reason; nothing was done. "
                f"Usage: `/patch emergency {cls.usage}`."
            )
        return cls(grammar.environment(words[0], words[1], config), reason_from(" ".join(words[2:])))

    def perform(self, context: Context, actor: Actor) -> Reply:
        change = open_change(context, actor, self.key, emergency=self.reason)
        return Accepted(
            change.ref,
            change.subject,
            f"{change.ref} is recorded as an emergency: both environments are scanned where that is due, and two "
            "approvers are asked. Nothing is installed before that.",
        )
