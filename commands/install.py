"""`/patch install APP ENV`: on non-production an Install at once; on production a change that people approve."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from commands import grammar
from commands.command import Actor, Command, Context, expect
from commands.errors import Refused
from commands.ports import Role
from commands.replies import Accepted, Reply
from commands.requests import open_change, request_run
from patching.config import Configuration
from patching.model import Operation
from patching.nodes import EnvironmentKey


@dataclass(frozen=True, slots=True)
class Install(Command):
    name: ClassVar[str] = "install"
    usage: ClassVar[str] = "APP ENV [window]"
    summary: ClassVar[str] = "Install patches; on production this asks for approval first."
    detail: ClassVar[str] = (
        "On a non-production environment: AWS-RunPatchBaseline with Operation=Install, then a verification Scan. "
        "On production it opens a change: both environments are scanned where that is due, the gate's checks are "
        "shown, an approver decides, both are scanned again, and only the proven list is installed. With `window` it "
        "is sent at the next maintenance window of that environment, and those affected are told."
    )
    role: ClassVar[Role | None] = Role.OPERATOR

    key: EnvironmentKey
    at_window: bool = False

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        at_window = len(words) == 3 and words[2].lower() == "window"
        expect(words[:2] if at_window else words, 2, cls)
        return cls(grammar.environment(words[0], words[1], config), at_window)

    def perform(self, context: Context, actor: Actor) -> Reply:
        application, environment = self.key
        if context.config.applications[application].environments[environment].production:
            change = open_change(context, actor, self.key, timing="window" if self.at_window else "now")
            return Accepted(
                change.ref,
                change.subject,
                f"{change.ref} is recorded: {change.source} and {environment} of {application} are compared, "
                "and an approver is asked if the gate lets it pass. Nothing is installed before that.",
            )
        if self.at_window:
            raise Refused(
                f"{environment} of {application} is not production, and is installed at once; nothing was done. "
                f"Leave `window` out: `/patch install {application} {environment}`."
            )
        run = request_run(context, actor, self.key, Operation.INSTALL)
        return Accepted(
            run.ref, run.subject, f"{run.ref} is recorded: patches are installed on {application} {environment}."
        )


@dataclass(frozen=True, slots=True)
class InstallPart(Command):
    """The button Install the ready part: production takes what is proven and has soaked; the rest stays behind."""

    name: ClassVar[str] = "install-part"
    summary: ClassVar[str] = "Ask for what is proven and has soaked, and leave the rest."
    role: ClassVar[Role | None] = Role.OPERATOR
    in_slash: ClassVar[bool] = False

    key: EnvironmentKey
    at_window: bool = False

    def perform(self, context: Context, actor: Actor) -> Reply:
        change = open_change(context, actor, self.key, part=True, timing="window" if self.at_window else "now")
        return Accepted(
            change.ref, change.subject, f"{change.ref} is recorded: an approver is asked for the ready part alone."
        )
