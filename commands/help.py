"""`/patch help [COMMAND]`: what there is, and what the asker may run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from commands import grammar, registry
from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.ports import Role
from commands.replies import Help, HelpLine, Reply
from patching.config import Configuration
from patching.suggest import did_you_mean


@dataclass(frozen=True, slots=True)
class ShowHelp(Command):
    name: ClassVar[str] = "help"
    usage: ClassVar[str] = "[COMMAND]"
    summary: ClassVar[str] = "Show the commands, and which of them you may run."

    topic: str | None = None

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        if len(words) > 1:
            raise Refused("`/patch help` takes one command at most; nothing was done. Usage: `/patch help [COMMAND]`.")
        return cls(words[0].lower() if words else None)

    def perform(self, context: Context, actor: Actor) -> Reply:
        known = registry.subcommands()
        if self.topic is not None and self.topic not in known:
            guess = did_you_mean(self.topic, list(known))
            hint = f"Did you mean {guess}?" if guess else "`/patch help` lists them."
            raise Refused(f"There is no subcommand {grammar.show(self.topic)}; nothing was done. {hint}")
        chosen = [known[self.topic]] if self.topic else list(known.values())
        return Help(
            lines=tuple(
                HelpLine(
                    name=command.name,
                    usage=f"/patch {command.name} {command.usage}".strip(),
                    summary=command.summary,
                    detail=command.detail,
                    permitted=command.role is None or command.role in actor.roles,
                    role=command.role,
                )
                for command in chosen
            ),
            topic=self.topic,
            roles={role.value: role in actor.roles for role in Role},
        )
