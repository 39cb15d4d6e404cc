"""`/patch preflight APP ENV`: can every node be patched at all?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from commands import grammar
from commands.command import Actor, Command, Context, expect
from commands.replies import Done, Reply
from patching.config import Configuration
from patching.nodes import EnvironmentKey
from storage import inquiries


@dataclass(frozen=True, slots=True)
class Preflight(Command):
    name: ClassVar[str] = "preflight"
    usage: ClassVar[str] = "APP ENV"
    summary: ClassVar[str] = "Check whether every node of an environment can be patched."
    detail: ClassVar[str] = (
        "Looks at every node's agent and its version, the operating system, other commands running on it, what the "
        "last scan proved, and who else patches it. Nothing is sent to a node."
    )

    key: EnvironmentKey

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        expect(words, 2, cls)
        return cls(grammar.environment(words[0], words[1], config))

    def perform(self, context: Context, actor: Actor) -> Reply:
        with context.commit() as tx:
            inquiries.ask(tx, context.now, "preflight", self.key, actor.user_id, context.channel)
        context.wake("inquiries")
        return Done(f"The nodes of {self.key} are being looked at; the answer comes here.")
