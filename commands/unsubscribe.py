"""`/patch unsubscribe APP`: no more direct messages about an application."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from commands import grammar
from commands.command import Actor, Command, Context, expect
from commands.errors import Refused
from commands.replies import Done, Reply
from patching.config import Configuration
from storage import subscriptions


@dataclass(frozen=True, slots=True)
class Unsubscribe(Command):
    """Also from an application that is no longer configured."""

    name: ClassVar[str] = "unsubscribe"
    usage: ClassVar[str] = "APP"
    summary: ClassVar[str] = "End your subscription to an application."
    detail: ClassVar[str] = "Who owns it, by the configuration or by a node's tags, goes on being told."

    application: str

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        expect(words, 1, cls)
        return cls(words[0])

    def perform(self, context: Context, actor: Actor) -> Reply:
        with context.commit() as tx:
            if not subscriptions.remove(tx, context.now, self.application, actor.user_id):
                name = grammar.application(self.application, context.config)
                raise Refused(f"You have no subscription to {name}; nothing was changed.")
        return Done(f"Your subscription to {self.application} has ended; messages that were owed by now still come.")
