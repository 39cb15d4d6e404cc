"""`/patch scan APP ENV`: which patches are missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from commands import grammar
from commands.command import Actor, Command, Context, expect
from commands.ports import Role
from commands.replies import Accepted, Reply
from commands.requests import request_run
from patching.config import Configuration
from patching.model import Operation
from patching.nodes import EnvironmentKey


@dataclass(frozen=True, slots=True)
class Scan(Command):
    name: ClassVar[str] = "scan"
    usage: ClassVar[str] = "APP ENV"
    summary: ClassVar[str] = "Find which patches are missing on an environment's nodes."
    detail: ClassVar[str] = (
        "Runs AWS-RunPatchBaseline with Operation=Scan on every node, follows each one and reports what is missing. "
        "A Scan changes nothing on a node."
    )
    role: ClassVar[Role | None] = Role.OPERATOR

    key: EnvironmentKey

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        expect(words, 2, cls)
        return cls(grammar.environment(words[0], words[1], config))

    def perform(self, context: Context, actor: Actor) -> Reply:
        run = request_run(context, actor, self.key, Operation.SCAN)
        return Accepted(
            run.ref, run.subject, f"{run.ref} is recorded: {self.key.application} {self.key.environment} is scanned."
        )
