"""The outbox as admins see it: what waits, what is dead, and sending a dead one again."""

from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from patching.states import NOTICE_TRANSITIONS, NoticeState, require
from storage.database import to_time
from storage.outbox import Medium


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one medium still has to carry, cards that must be shown anew among it."""

    medium: Medium
    count: int
    oldest: datetime | None  # when the oldest that never went out was owed; None where each did once


@dataclass(frozen=True, slots=True)
class DeadNotice:
    """Given up for good."""

    id: int
    kind: str
    medium: Medium
    recipient: str
    subject: str
    why: str
    owed_at: datetime


def by_medium(db: Database) -> tuple[Waiting, ...]:
    rows = db.execute(
        """SELECT medium, count(*) AS count, min(CASE WHEN sent_at IS NULL THEN created_at END) AS oldest
           FROM notice WHERE state IN ('due', 'sending') GROUP BY medium ORDER BY medium"""
    )
    return tuple(Waiting(Medium(row["medium"]), row["count"], to_time(row["oldest"])) for row in rows)


def count_dead(db: Database) -> int:
    return int(db.execute("SELECT count(*) AS count FROM notice WHERE state = 'dead'").fetchone()["count"])


def dead(db: Database, limit: int, offset: int) -> tuple[DeadNotice, ...]:
    """Newest first."""
    rows = db.execute(
        "SELECT * FROM notice WHERE state = 'dead' ORDER BY id DESC LIMIT ? OFFSET ?",
        [limit, offset],
    )
    return tuple(_dead(row) for row in rows)


def find_dead(db: Database, notice_id: int) -> DeadNotice | None:
    row = db.execute("SELECT * FROM notice WHERE id = ? AND state = 'dead'", [notice_id]).fetchone()
    return _dead(row) if row else None


def revive(tx: Database, notice_id: int) -> bool:
    """Due again, as if it had never been tried; False when it is not dead any more."""
    require(NOTICE_TRANSITIONS, NoticeState.DEAD, NoticeState.DUE)
    done = tx.execute(
        "UPDATE notice SET state = ?, attempts = 0, not_before = NULL, note = '' WHERE id = ? AND state = ?",
        [NoticeState.DUE, notice_id, NoticeState.DEAD],
    )
    return done.rowcount == 1


def _dead(row: dict[str, str]) -> DeadNotice:
    return DeadNotice(
        id=int(row["id"]),
        kind=row["kind"],
        medium=Medium(row["medium"]),
        recipient=row["recipient"],
        subject=row["subject"],
        why=row["note"],
        owed_at=datetime.fromisoformat(row["created_at"]),
    )
