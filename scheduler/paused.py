"""Sweep `paused`: a run that somebody paused is not forgotten (I7)."""

from datetime import datetime, timedelta
from typing import Final

from sqlite_utils import Database

from commands.waves import Paused, paused
from patching.states import RunState
from scheduler.parts import Parts
from storage import outbox, pauses, runs, steps
from storage.outbox import Medium
from storage.runs import Run

REMIND_AFTER: Final = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=12), timedelta(hours=24))
"""Since the wave that had begun came to its end, for the one pause; after downtime only the newest that is due."""


def tick(parts: Parts, now: datetime) -> None:
    for run in runs.in_state(parts.store.db, RunState.PAUSED):
        known = paused(parts.store.db, run, steps.of_run(parts.store.db, run.id))
        if known is None or known.since is None or run.cancelled_at is not None:
            continue
        due = [lead for lead in REMIND_AFTER if lead <= now - known.since]
        if due:
            _remind(parts, run, known, now, due[-1])


def _remind(parts: Parts, run: Run, known: Paused, now: datetime, lead: timedelta) -> None:
    recipients = [(Medium.CHANNEL, parts.config.channel_of(run.application)), (Medium.USER, known.by)]
    with parts.store.transaction() as tx:
        still = pauses.of_run(tx, runs.get(tx, run.id))
        if still is None or still.id != known.pause:
            return
        owed = [_owe(tx, now, run, known, lead, medium, recipient) for medium, recipient in recipients]
    if any(owed):
        parts.wake("deliver")


def _owe(tx: Database, now: datetime, run: Run, known: Paused, lead: timedelta, medium: Medium, recipient: str) -> bool:
    seconds = int(lead.total_seconds())
    return outbox.owe(
        tx,
        now,
        key=f"{run.subject}:paused:{known.pause}:{seconds}:{recipient}",
        kind="paused-reminder",
        medium=medium,
        recipient=recipient,
        subject=run.subject,
        payload={"waited": seconds},
    )
