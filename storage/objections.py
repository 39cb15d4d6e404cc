"""Objections to a change: each stands until who made it takes it back, or an admin overrules it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from storage import audit, outbox
from storage.changes import Change
from storage.database import to_text, to_time


@dataclass(frozen=True, slots=True)
class Objection:
    id: int
    change_id: int
    user_id: str
    reason: str
    at: datetime
    ended_by: str | None
    ended_at: datetime | None
    end_reason: str | None

    @property
    def stands(self) -> bool:
        return self.ended_at is None

    @property
    def was_overruled(self) -> bool:
        """Ended by somebody else than who made it."""
        return self.ended_by is not None and self.ended_by != self.user_id


def add(tx: Database, now: datetime, change: Change, user_id: str, reason: str) -> Objection:
    cursor = tx.execute(
        "INSERT INTO objection (change_id, user_id, reason, at) VALUES (?, ?, ?, ?)",
        [change.id, user_id, reason, to_text(now)],
    )
    audit.append(tx, now, user_id, change.ref, "objected", {"reason": reason})
    outbox.touch(tx, change.subject)
    return get(tx, int(cursor.lastrowid or 0))


def end(tx: Database, now: datetime, change: Change, objection: Objection, user_id: str, reason: str) -> bool:
    """Taken back by its maker or overruled by another; False when it has ended already."""
    done = tx.execute(
        "UPDATE objection SET ended_by = ?, ended_at = ?, end_reason = ? WHERE id = ? AND ended_at IS NULL",
        [user_id, to_text(now), reason, objection.id],
    )
    if done.rowcount != 1:
        return False
    action = "objection taken back" if user_id == objection.user_id else "objection overruled"
    audit.append(tx, now, user_id, change.ref, action, {"of": objection.user_id, "reason": reason})
    outbox.touch(tx, change.subject)
    return True


def get(db: Database, objection_id: int) -> Objection:
    found = find(db, objection_id)
    if found is None:
        raise KeyError(f"objection {objection_id}")
    return found


def find(db: Database, objection_id: int) -> Objection | None:
    return next(iter(_select(db, "WHERE id = ?", objection_id)), None)


def of_change(db: Database, change_id: int) -> list[Objection]:
    """Oldest first, those that have ended too."""
    return _select(db, "WHERE change_id = ? ORDER BY id", change_id)


def standing(db: Database, change_id: int) -> list[Objection]:
    return [each for each in of_change(db, change_id) if each.stands]


def _select(db: Database, rest: str, *arguments: object) -> list[Objection]:
    return [_objection(row) for row in db.execute(f"SELECT * FROM objection {rest}", list(arguments))]


def _objection(row: Any) -> Objection:  # noqa: ANN401 - sqlite3.Row is untyped
    values = dict(row)
    for name in ("at", "ended_at"):
        values[name] = to_time(values[name])
    return Objection(**values)
