"""Problems reported after an install: they hold the soak of an application until an operator clears them."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from storage import audit
from storage.database import to_text, to_time


class ProblemOpen(Exception):
    """A problem is reported already; the exception carries it."""

    def __init__(self, problem: "Problem") -> None:
        super().__init__(f"a problem is reported on {problem.application} already")
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Problem:
    id: int
    application: str
    run_id: int
    reported_by: str
    reported_at: datetime
    reason: str


def report(tx: Database, now: datetime, application: str, run_id: int, ref: str, user_id: str, reason: str) -> None:
    """Raises ProblemOpen when the application has one."""
    try:
        tx.execute(
            "INSERT INTO problem (application, run_id, reported_by, reported_at, reason) VALUES (?, ?, ?, ?, ?)",
            [application, run_id, user_id, to_text(now), reason],
        )
    except sqlite3.IntegrityError:
        found = open_problem(tx, application)
        if found is None:
            raise
        raise ProblemOpen(found) from None
    audit.append(tx, now, user_id, ref, "problem reported", {"application": application, "reason": reason})


def clear(tx: Database, now: datetime, problem: Problem, ref: str, user_id: str, reason: str) -> bool:
    """False when somebody else cleared it first."""
    done = tx.execute(
        "UPDATE problem SET cleared_by = ?, cleared_at = ?, clear_reason = ? WHERE id = ? AND cleared_at IS NULL",
        [user_id, to_text(now), reason, problem.id],
    )
    if done.rowcount == 1:
        audit.append(tx, now, user_id, ref, "problem cleared", {"application": problem.application, "reason": reason})
    return done.rowcount == 1


def open_problem(db: Database, application: str) -> Problem | None:
    row = db.execute(
        "SELECT id, application, run_id, reported_by, reported_at, reason FROM problem"
        " WHERE application = ? AND cleared_at IS NULL",
        [application],
    ).fetchone()
    if row is None:
        return None
    reported_at = to_time(row["reported_at"])
    assert reported_at is not None
    return Problem(row["id"], row["application"], row["run_id"], row["reported_by"], reported_at, row["reason"])


def held(db: Database, application: str, since: datetime, until: datetime) -> timedelta:
    """For how long a reported problem stopped the soak's clock between two moments."""
    rows = db.execute("SELECT reported_at, cleared_at FROM problem WHERE application = ?", [application])
    total = timedelta()
    for row in rows:
        begun = max(datetime.fromisoformat(row["reported_at"]), since)
        ended = min(to_time(row["cleared_at"]) or until, until)
        total += max(ended - begun, timedelta())
    return total
