"""How a change that is not carried out ends, and what its judgement leaves on record."""

from collections.abc import Collection
from datetime import datetime

from sqlite_utils import Database

from aws.errors import AwsError, Throttled
from commands.announcing import call_off
from commands.ports import DirectoryError
from patching.nodes import EnvironmentKey
from patching.states import ChangeState
from scheduler.evaluation import Evaluation
from scheduler.parts import Parts, gone
from storage import changes
from storage.changes import Change, checks_to_json
from storage.database import to_text


def supersede(parts: Parts, change: Change, reasons: Collection[str], evaluation: Evaluation | None = None) -> None:
    """Nothing is installed by it, for these reasons, sentences. Who was told that it comes is told that it does not."""
    note = "\n".join(reasons)
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        judged = {}
        if evaluation:
            record(tx, now, change, "send", evaluation)
            judged = {"checks": checks_to_json(evaluation.checks), "evaluated_at": to_text(evaluation.at)}
        if changes.transition(tx, change, ChangeState.SUPERSEDED, now, "clock", note=note, **judged):
            call_off(tx, now, parts.config, change, note)
    parts.wake("deliver")


def record(tx: Database, now: datetime, change: Change, moment: str, evaluation: Evaluation) -> None:
    changes.record_evaluation(
        tx,
        now,
        change,
        moment,
        passed=evaluation.passed,
        digest=evaluation.digest,
        parts=evaluation.parts,
        checks=evaluation.checks,
    )


def unconfigured(parts: Parts, change: Change) -> bool:
    """A change whose environments are no longer configured as they were can't go on: it has ended."""
    application = parts.config.applications.get(change.application)
    known = application is not None and change.environment in application.environments
    if known and application and application.source_of(change.environment) == change.source:
        return False
    supersede(parts, change, (gone(EnvironmentKey(change.application, change.environment)),))
    return True


def trouble(parts: Parts, change: Change, error: AwsError | ValueError | DirectoryError) -> None:
    """We can't look: what passes by itself is tried again, anything else ends the change, which fails closed."""
    if isinstance(error, Throttled | DirectoryError):
        with parts.store.transaction() as tx:
            changes.set_note(tx, change, str(error))
        return
    supersede(parts, change, (str(error),))
