"""The buttons Approve and Reject: a click is kept here and judged by the sweep `decisions` (I3, I4, ADR 0006)."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlite_utils import Database

from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.replies import Done, Reply
from patching.config import Configuration
from patching.gate import Outcome
from patching.gate_backups import is_attestation_asked
from patching.gate_source import NO_PROBLEM
from patching.states import ChangeState
from storage import changes, decisions, problems
from storage.changes import Change
from storage.problems import Problem


@dataclass(frozen=True, slots=True)
class ApprovalForm:
    """What an approver fills in, so that an approval is more than a click."""

    has_read: bool
    backup: str  # where the database backup is, and from when; empty where the gate has that answer already
    application: str  # its name, typed

    def check(self, change: Change) -> None:
        """Raises Refused for what is missing."""
        if not self.has_read:
            raise Refused("Please read what the patches address before you approve.", field="read")
        if is_attestation_asked(change.checks) and not self.backup.strip():
            raise Refused("Please say where the database backup is, and from when.", field="backup")
        if self.application.strip() != change.application:
            raise Refused(f"That is not {change.application}; type its name to approve.", field="application")


@dataclass(frozen=True, slots=True)
class Decide(Command):
    name: ClassVar[str] = "decide"
    summary: ClassVar[str] = "Approve or reject a change."
    in_slash: ClassVar[bool] = False

    change_id: int
    kind: str  # approve, reject
    digest: str  # of what the person saw
    reason: str = ""
    form: ApprovalForm | None = None

    def perform(self, context: Context, actor: Actor) -> Reply:
        with context.commit() as tx:
            change = changes.find(tx, self.change_id)
            if change is None:
                raise Refused(f"There is no change-{self.change_id}; nothing was done.")
            refusal = refusal_of(tx, context.config, context.now, change, actor.user_id, self.kind, self.digest)
            if refusal:
                raise refusal
            if self.kind == "approve":
                if self.form is None:
                    raise Refused(f"An approval of {change.ref} needs its form filled in; nothing was changed.")
                self.form.check(change)
            waiting = [each for each in decisions.made(tx, change.id, "checking") if each.user_id == actor.user_id]
            if waiting:
                raise Refused(f"Your click on {change.ref} is being checked already; once is enough.")
            backup = self.form.backup.strip() if self.form else ""
            decisions.decide(
                tx, context.now, change, actor.user_id, self.kind, self.digest, self.reason, context.channel, backup
            )
        context.wake("decisions")
        return Done("")  # the change's message shows it


def refusal_of(
    db: Database, config: Configuration, now: datetime, change: Change, user_id: str, kind: str, digest: str
) -> Refused | None:
    """Why somebody's decision does not count, on stored evidence and apart from their role; None when it does."""
    if change.state is not ChangeState.PENDING:
        return _too_late(db, change)
    if digest != change.digest:
        return Refused(f"What {change.ref} would install has changed since that message; decide on the newest one.")
    if kind == "reject":
        return None
    if user_id in decisions.approvers(db, change):
        return Refused(f"Your approval of {change.ref} counts already; it waits for somebody else's.")
    if user_id in change.requesters:
        return Refused(f"You asked for {change.ref}, so somebody else has to approve it; nothing was changed.")
    problem = problem_in_the_way(db, change)
    if problem:
        return Refused(
            f"{{person}} has reported a problem with {change.application}; nothing was approved. "
            "An operator clears it first.",
            problem.reported_by,
        )
    if change.configuration != config.version:
        return Refused(f"The configuration has changed since {change.ref} was judged; nothing was approved. Ask again.")
    policy = config.policy_of(change.application)
    if change.evaluated_at is None or now - change.evaluated_at > min(policy.approval_expiry, policy.scan_max_age):
        return Refused(f"The evidence behind {change.ref} is too old to approve; nothing was approved. Ask again.")
    return None


def problem_in_the_way(db: Database, change: Change) -> Problem | None:
    """The application's open problem, unless it is the one that was waived in the sight of those who approve."""
    problem = problems.open_problem(db, change.application)
    if problem is None or change.evaluated_at is None or problem.reported_at > change.evaluated_at:
        return problem
    waived = any(each.name == NO_PROBLEM.name and each.outcome is Outcome.WAIVED for each in change.checks or ())
    return None if waived else problem


def _too_late(db: Database, change: Change) -> Refused:
    """Who settled a change, for the one who came second."""
    accepted = [each for each in decisions.made(db, change.id) if each.state == "accepted"]
    if accepted:
        word = "approved" if accepted[0].kind == "approve" else "rejected"
        return Refused(
            f"{change.ref} was already {word} by {{person}} and is {change.state}. Your click changed nothing.",
            accepted[0].user_id,
        )
    return Refused(f"{change.ref} is {change.state}, no longer waiting for a decision. Your click changed nothing.")
