"""`/patch compare APP [FROM TO]`: would production get what non-production got?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from commands import grammar
from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.replies import Compared, Reply
from commands.reports import newest_time
from commands.ripeness import ripen
from patching.config import Configuration
from patching.nodes import EnvironmentKey
from storage import evidence


@dataclass(frozen=True, slots=True)
class Compare(Command):
    name: ClassVar[str] = "compare"
    usage: ClassVar[str] = "APP [FROM TO]"
    summary: ClassVar[str] = "Compare the newest evidence of two environments, patch by patch."
    detail: ClassVar[str] = (
        "Every patch that TO would get is judged by what the nodes of FROM have, version by version and per platform. "
        "Without FROM and TO: the first production environment and the one that gates it. Nothing is scanned."
    )
    deferred: ClassVar[bool] = True

    application: str
    source: str
    target: str
    page: int = 0

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        if len(words) not in {1, 3}:
            raise Refused(
                "`/patch compare` takes an application and either no environment or two; nothing was done. "
                f"Usage: `/patch compare {cls.usage}`."
            )
        application = grammar.application(words[0], config)
        if len(words) == 3:
            source, target = (grammar.environment(application, word, config).environment for word in words[1:])
            if source == target:
                raise Refused(f"{source} can't be compared with itself; nothing was done. Name two environments.")
            return cls(application, source, target)
        settings = config.applications[application]
        target = next((name for name, item in settings.environments.items() if item.production), "")
        if not target:
            raise Refused(
                f"{application} has no production environment; nothing was done. "
                f"Name two environments: `/patch compare {application} FROM TO`."
            )
        return cls(application, settings.source_of(target), target)

    def perform(self, context: Context, actor: Actor) -> Reply:
        db = context.store.db
        sides = [evidence.newest(db, self.application, name) for name in (self.source, self.target)]
        for name, side in zip((self.source, self.target), sides, strict=True):
            if not side:
                raise Refused(
                    f"There is no evidence of {self.application} {name} yet; nothing was compared. "
                    f"Scan it first: `/patch scan {self.application} {name}`."
                )
        source, target = sides
        key = EnvironmentKey(self.application, self.source)
        now = context.now
        ripe = ripen(context.store, context.config, key, tuple(source.values()), tuple(target.values()), now)
        return Compared(
            application=self.application,
            source=self.source,
            target=self.target,
            source_at=newest_time(source),
            target_at=newest_time(target),
            source_nodes=len(source),
            target_nodes=len(target),
            comparison=ripe.comparison,
            page=max(0, self.page),
            readiness=ripe.readiness,
            now=now,
        )
