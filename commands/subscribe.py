"""`/patch subscribe APP`: hear of an application's windows and installs by direct message."""

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
class Subscribe(Command):
    name: ClassVar[str] = "subscribe"
    usage: ClassVar[str] = "APP"
    summary: ClassVar[str] = "Get direct messages about an application's windows and installs."
    detail: ClassVar[str] = (
        "Reminders of its maintenance windows, changes that wait, and how each install starts and ends, in every "
        "environment of it. Its owners get them anyway. `/patch unsubscribe APP` ends it."
    )

    application: str

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        expect(words, 1, cls)
        return cls(grammar.application(words[0], config))

    def perform(self, context: Context, actor: Actor) -> Reply:
        with context.commit() as tx:
            if not subscriptions.add(tx, context.now, self.application, actor.user_id):
                raise Refused(f"You are subscribed to {self.application} already; nothing was changed.")
        context.wake("reminders")
        return Done(
            f"You get direct messages about the windows and installs of {self.application} from now on. "
            f"`/patch unsubscribe {self.application}` ends that."
        )
