"""`/patch backups APP ENV [PAGE]`: what could each node be restored from?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from commands import grammar
from commands.command import Actor, Command, Context, expect
from commands.errors import Refused
from commands.replies import Done, Reply
from patching.config import Configuration
from patching.nodes import EnvironmentKey
from storage import inquiries

PAGE = 10  # nodes a page
_MOST_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Backups(Command):
    name: ClassVar[str] = "backups"
    usage: ClassVar[str] = "APP ENV [PAGE]"
    summary: ClassVar[str] = "List what each node of an environment could be restored from, and how."
    detail: ClassVar[str] = (
        "For every node its newest backup of all attached volumes: a set of snapshots of one moment, an image, or a "
        "recovery point of AWS Backup, with its age and the way to restore it. Nothing is changed."
    )

    key: EnvironmentKey
    page: int = 0

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        page = 1
        if len(words) == 3:
            if not (words[2].isascii() and words[2].isdigit() and 1 <= int(words[2]) <= _MOST_PAGES):
                raise Refused(
                    f"{words[2]} is no page; nothing was done. Give a number from 1, or leave it out: "
                    f"`/patch backups {cls.usage}`."
                )
            words, page = words[:2], int(words[2])
        expect(words, 2, cls)
        return cls(grammar.environment(words[0], words[1], config), page - 1)

    def perform(self, context: Context, actor: Actor) -> Reply:
        with context.commit() as tx:
            inquiries.ask(tx, context.now, "backups", self.key, actor.user_id, context.channel, page=self.page)
        context.wake("inquiries")
        return Done(f"The backups of {self.key} are being looked up; the answer comes here.")
