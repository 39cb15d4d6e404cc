"""`/patch plan APP ENV`: what exactly would an Install do?"""

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
class Plan(Command):
    name: ClassVar[str] = "plan"
    usage: ClassVar[str] = "APP ENV"
    summary: ClassVar[str] = "Show what an install on an environment would do, step by step."
    detail: ClassVar[str] = (
        "Backups, waves with their nodes, gates, hooks, health checks and verification in order, each with its "
        "document, its times and what happens when it fails. It is made from the nodes and documents as they are now; "
        "nothing is asked for and nothing is sent."
    )

    key: EnvironmentKey

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        expect(words, 2, cls)
        return cls(grammar.environment(words[0], words[1], config))

    def perform(self, context: Context, actor: Actor) -> Reply:
        with context.commit() as tx:
            inquiries.ask(tx, context.now, "plan", self.key, actor.user_id, context.channel)
        context.wake("inquiries")
        return Done(f"The plan for {self.key} is being made; the answer comes here.")
