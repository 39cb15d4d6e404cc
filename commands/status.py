"""`/patch status [ID]`: what is going on, or the story of one run or change."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from commands import grammar
from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.replies import ChangeStatus, Reply, RunStatus, StatusList
from commands.reports import change_report, run_report
from patching.config import Configuration
from patching.states import ChangeState, RunState
from storage import audit, changes, outbox, runs
from storage.changes import Change
from storage.outbox import Medium

PAGE = 10  # recent runs a page
OPEN = 15  # of what is open
_OPEN_RUNS = (RunState.REQUESTED, RunState.RUNNING, RunState.PAUSED, RunState.NEEDS_HUMAN)
_OPEN_CHANGES = (
    ChangeState.PREPARING,
    ChangeState.PENDING,
    ChangeState.APPROVED,
    ChangeState.WAITING,
    ChangeState.HELD,
    ChangeState.USED,
)
_REF = re.compile(r"(scan|install|change)-([0-9]{1,9})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Status(Command):
    name: ClassVar[str] = "status"
    usage: ClassVar[str] = "[ID]"
    summary: ClassVar[str] = "Show what is open and recent, or one run or change."
    detail: ClassVar[str] = "ID is what Patchgate named: scan-12, install-13, change-4."

    ref: str | None = None
    page: int = 0
    record: bool = True  # a change's whole story follows as files, by direct message

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        if len(words) > 1:
            raise Refused(
                f"`/patch status` takes one id at most; nothing was done. Usage: `/patch status {cls.usage}`."
            )
        if words and not _REF.fullmatch(words[0]):
            raise Refused(
                f"{grammar.show(words[0])} is not an id; nothing was done. Ids look like scan-12, install-13, change-4."
            )
        return cls(words[0].lower() if words else None)

    def perform(self, context: Context, actor: Actor) -> Reply:
        db = context.store.db
        if self.ref is None:
            page = max(0, self.page)
            recent = runs.recent(db, PAGE + 1, page * PAGE)
            open_changes = changes.in_state(db, *_OPEN_CHANGES, most=OPEN)
            return StatusList(
                open_changes=tuple(open_changes),
                open_runs=tuple(runs.in_state(db, *_OPEN_RUNS, most=OPEN - len(open_changes))),
                open_count=changes.count(db, *_OPEN_CHANGES) + runs.count(db, *_OPEN_RUNS),
                recent=tuple(recent[:PAGE]),
                page=page,
                more=len(recent) > PAGE,
            )
        kind, _, number = self.ref.partition("-")
        if kind == "change":
            change = changes.find(db, int(number))
            if change:
                if self.record:
                    self._owe_record(context, actor, change)
                return ChangeStatus(change_report(context.store, change, context.config))
        else:
            run = runs.find(db, int(number))
            if run and run.ref == self.ref:
                return RunStatus(run_report(context.store, run))
        raise Refused(f"There is no {self.ref}; nothing was done. `/patch status` lists what there is.")

    def _owe_record(self, context: Context, actor: Actor, change: Change) -> None:
        """The whole story as a file, by direct message: files can't be shown to one person in a channel."""
        with context.commit() as tx:
            head = audit.head(tx)
            outbox.owe(
                tx,
                context.now,
                key=f"{change.subject}:record:{actor.user_id}:{head}",  # asked again, it comes again once it has grown
                kind="record",
                medium=Medium.USER,
                recipient=actor.user_id,
                subject=change.subject,
            )
        context.wake("deliver")
