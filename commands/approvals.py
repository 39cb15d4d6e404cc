"""`/patch approvals`: changes that wait for a decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from commands.command import Actor, Command, Context, expect
from commands.replies import Approvals, Reply
from commands.reports import change_report
from patching.config import Configuration
from patching.states import ChangeState
from storage import changes

PAGE = 5  # changes a page


@dataclass(frozen=True, slots=True)
class ListApprovals(Command):
    name: ClassVar[str] = "approvals"
    summary: ClassVar[str] = "List the changes that wait for an approver."

    page: int = 0

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        expect(words, 0, cls)
        return cls()

    def perform(self, context: Context, actor: Actor) -> Reply:
        pending = changes.in_state(context.store.db, ChangeState.PENDING)
        page = max(0, self.page)
        shown = pending[page * PAGE : (page + 1) * PAGE]
        return Approvals(
            pending=tuple(change_report(context.store, change, context.config) for change in shown),
            page=page,
            more=len(pending) > (page + 1) * PAGE,
        )
