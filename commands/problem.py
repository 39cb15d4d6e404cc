"""The buttons Report a problem and Clear the problem: a reported problem holds an application's soak."""

from dataclasses import dataclass
from typing import ClassVar

from sqlite_utils import Database

from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.ports import Role
from commands.reasons import reason_from
from commands.replies import Done, Reply
from patching.model import Operation
from storage import outbox, problems, runs
from storage.problems import ProblemOpen


@dataclass(frozen=True, slots=True)
class ReportProblem(Command):
    """Anybody may: who sees the damage is not always who holds a role."""

    name: ClassVar[str] = "report-problem"
    summary: ClassVar[str] = "Report a problem after an install; the application's soak is held."
    in_slash: ClassVar[bool] = False

    run_id: int
    reason: str

    def perform(self, context: Context, actor: Actor) -> Reply:
        reason = reason_from(self.reason)
        with context.commit() as tx:
            run = runs.find(tx, self.run_id)
            if run is None or run.operation is not Operation.INSTALL or run.production or not run.state.ended:
                raise Refused("A problem is reported on a non-production install that has ended; nothing was done.")
            try:
                problems.report(tx, context.now, run.application, run.id, run.ref, actor.user_id, reason)
            except ProblemOpen as known:
                raise Refused(
                    f"{{person}} has reported a problem with {run.application} already; its soak is held. "
                    "Nothing more was recorded.",
                    known.problem.reported_by,
                ) from None
            outbox.touch(tx, run.subject)
        context.wake("deliver")
        return Done(f"The problem is recorded; the soak of {run.application} is held until an operator clears it.")


@dataclass(frozen=True, slots=True)
class ClearProblem(Command):
    name: ClassVar[str] = "clear-problem"
    summary: ClassVar[str] = "Clear a reported problem with a reason; the soak goes on."
    role: ClassVar[Role | None] = Role.OPERATOR
    in_slash: ClassVar[bool] = False

    application: str
    reason: str

    def perform(self, context: Context, actor: Actor) -> Reply:
        reason = reason_from(self.reason)
        with context.commit() as tx:
            problem = problems.open_problem(tx, self.application)
            if problem is None:
                raise Refused(f"No problem is reported on {self.application} any more; nothing was changed.")
            run = runs.get(tx, problem.run_id)
            problems.clear(tx, context.now, problem, run.ref, actor.user_id, reason)
            _show_again(tx, self.application)
        context.wake("deliver")
        return Done(f"The problem with {self.application} is cleared; its soak goes on.")


def _show_again(tx: Database, application: str) -> None:
    """Every card of the application that may show the problem."""
    newest = [run for run in runs.recent(tx, 50) if run.application == application]
    for run in newest:
        outbox.touch(tx, run.subject)
