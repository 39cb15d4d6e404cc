"""`/patch jobs`: do the sweeps run, and does what people are owed reach them?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from commands.command import Actor, Command, Context, expect
from commands.errors import Refused
from commands.ports import Role
from commands.replies import JobList, Reply
from patching.config import Configuration
from storage import waiting

PAGE = 5  # dead notices a page


@dataclass(frozen=True, slots=True)
class ShowJobs(Command):
    name: ClassVar[str] = "jobs"
    summary: ClassVar[str] = "Show whether everything that should happen by itself does, and what waits to be sent."
    detail: ClassVar[str] = (
        "For each sweep: how often it runs, when it last ran, how long that took and how late it began, since when it "
        "fails and why. Then the messages that wait to be sent, and those that were given up, which can be sent again. "
        "It is known since the start of the process."
    )
    role: ClassVar[Role | None] = Role.ADMIN

    page: int = 0  # of dead notices

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        expect(words, 0, cls)
        return cls()

    def perform(self, context: Context, actor: Actor) -> Reply:
        if context.jobs is None:
            raise Refused("Only the running bot knows of its sweeps; nothing was done. Type /patch jobs in Slack.")
        db = context.store.db
        dead = waiting.dead(db, PAGE + 1, PAGE * self.page)
        return JobList(
            jobs=context.jobs.snapshot(),
            waiting=waiting.by_medium(db),
            dead=dead[:PAGE],
            dead_count=waiting.count_dead(db),
            page=self.page,
            more=len(dead) > PAGE,
        )
