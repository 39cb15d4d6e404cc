"""Pauses: who paused a run between two waves. The audit row of the transition is all that is kept of it (I6)."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from patching.states import RunState
from storage import runs
from storage.database import to_time
from storage.runs import Run

CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Pause:
    id: int  # another one for each pause of the same run
    by: str
    at: datetime  # when it was asked for; a wave that had begun goes on


def of_run(db: Database, run: Run) -> Pause | None:
    """The pause that a paused run stands in; None for any other."""
    if run.state is not RunState.PAUSED:
        return None
    row = db.execute(
        "SELECT id, actor, at FROM audit WHERE subject = ? AND action = ? AND actor != ? ORDER BY id DESC LIMIT 1",
        [run.ref, RunState.PAUSED, CLOCK],
    ).fetchone()
    at = to_time(row["at"]) if row else None
    return Pause(row["id"], row["actor"], at) if at else None


def go_on(tx: Database, run: Run, now: datetime, actor: str, note: str) -> Run | None:
    """A run that needed a person goes on where it stood: one that was paused is paused still.

    None when it has moved on since `run` was read, and nothing is written.
    """
    paused = _was_paused(tx, run)
    begun = runs.transition(tx, run, RunState.RUNNING, now, actor, note=note)
    return runs.transition(tx, begun, RunState.PAUSED, now, CLOCK, note=note) if begun and paused else begun


def going_since(db: Database, run: Run) -> datetime | None:
    """When the run began or last went on, after a pause or a doubt; None before it begins."""
    row = db.execute(
        "SELECT at FROM audit WHERE subject = ? AND action = ? ORDER BY id DESC LIMIT 1", [run.ref, RunState.RUNNING]
    ).fetchone()
    return to_time(row["at"]) if row else None


def _was_paused(db: Database, run: Run) -> bool:
    row = db.execute(
        "SELECT detail FROM audit WHERE subject = ? AND action = ? ORDER BY id DESC LIMIT 1",
        [run.ref, RunState.NEEDS_HUMAN],
    ).fetchone()
    return row is not None and json.loads(row["detail"]).get("from") == RunState.PAUSED
