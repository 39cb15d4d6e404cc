"""Freezes that admins added, periods of any freeze that they lifted, and what Change Calendars last said."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from storage import audit
from storage.database import to_json, to_text, to_time

OPEN, CLOSED = "OPEN", "CLOSED"


@dataclass(frozen=True, slots=True)
class AddedFreeze:
    id: int
    name: str
    applications: tuple[str, ...] | None  # None: all
    starts_at: datetime
    ends_at: datetime | None  # None: until it is lifted
    reason: str
    added_by: str
    added_at: datetime

    @property
    def key(self) -> str:
        """What a lift of it names."""
        return f"added:{self.id}"


@dataclass(frozen=True, slots=True)
class CalendarReading:
    """The newest answer for a calendar, and how the newest attempt went. All but the attempt is None before the first.

    `since`: when the state is known to have begun; `next_at`: when AWS says that it changes.
    """

    calendar: str
    state: str | None
    since: datetime | None
    next_at: datetime | None
    read_at: datetime | None
    tried_at: datetime
    error: str  # one sentence, where the newest attempt failed


def add(
    tx: Database,
    now: datetime,
    name: str,
    applications: tuple[str, ...] | None,
    starts_at: datetime,
    ends_at: datetime | None,
    reason: str,
    added_by: str,
) -> AddedFreeze:
    cursor = tx.execute(
        "INSERT INTO freeze (name, applications, starts_at, ends_at, reason, added_by, added_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [name, to_json(applications), to_text(starts_at), to_text(ends_at), reason, added_by, to_text(now)],
    )
    detail = {
        "applications": applications or "all",
        "from": to_text(starts_at),
        "until": to_text(ends_at),
        "reason": reason,
    }
    audit.append(tx, now, added_by, _subject(name), "freeze added", detail)
    row = tx.execute("SELECT * FROM freeze WHERE id = ?", [cursor.lastrowid]).fetchone()
    return _freeze(row)


def lift(tx: Database, now: datetime, name: str, key: str, lifted_by: str, reason: str) -> bool:
    """End one period for good; False where somebody did already."""
    done = tx.execute("INSERT OR IGNORE INTO freeze_lift VALUES (?, ?, ?, ?)", [key, lifted_by, to_text(now), reason])
    if done.rowcount:
        audit.append(tx, now, lifted_by, _subject(name), "freeze lifted", {"period": key, "reason": reason})
    return bool(done.rowcount)


def lifted(db: Database) -> frozenset[str]:
    """The keys of all periods that were lifted."""
    return frozenset(row["key"] for row in db.execute("SELECT key FROM freeze_lift"))


def added(db: Database, after: datetime) -> list[AddedFreeze]:
    """Those that end after a moment, or not at all, and were not lifted; by their beginning."""
    rows = db.execute(
        """SELECT * FROM freeze WHERE (ends_at IS NULL OR ends_at > ?)
           AND 'added:' || id NOT IN (SELECT key FROM freeze_lift) ORDER BY starts_at, id""",
        [to_text(after)],
    )
    return [_freeze(row) for row in rows]


def reading(db: Database, calendar: str) -> CalendarReading | None:
    """None where nobody has tried yet."""
    row = db.execute("SELECT * FROM calendar_reading WHERE calendar = ?", [calendar]).fetchone()
    if row is None:
        return None
    values = dict(row)
    for name in ("since", "next_at", "read_at", "tried_at"):
        values[name] = to_time(values[name])
    return CalendarReading(**values)


def keep(tx: Database, now: datetime, calendar: str, state: str, next_at: datetime | None) -> bool:
    """What AWS said of a calendar; True where another time of being open or closed has begun since it was last read."""
    before = reading(tx, calendar)
    since = now
    if before and before.since and before.state:
        if before.next_at and before.next_at <= now:
            since = before.next_at  # as AWS had said, whatever came after it
        elif before.state == state:
            since = before.since
    tx.execute(
        "INSERT OR REPLACE INTO calendar_reading VALUES (?, ?, ?, ?, ?, ?, '')",
        [calendar, state, to_text(since), to_text(next_at), to_text(now), to_text(now)],
    )
    moved = before is None or (before.state, before.since) != (state, since)
    if moved:
        detail = {"state": state, "since": to_text(since), "next": to_text(next_at)}
        audit.append(tx, now, "clock", calendar.rpartition("/")[2], "calendar read", detail)
    return moved


def failed(tx: Database, now: datetime, calendar: str, error: str) -> None:
    """The newest attempt to read a calendar was in vain; what it said before stays."""
    tx.execute(
        """INSERT INTO calendar_reading (calendar, tried_at, error) VALUES (?, ?, ?)
           ON CONFLICT (calendar) DO UPDATE SET tried_at = excluded.tried_at, error = excluded.error""",
        [calendar, to_text(now), error],
    )


def _subject(name: str) -> str:
    return f"freeze {name}"


def _freeze(row: Any) -> AddedFreeze:  # noqa: ANN401 - sqlite3.Row is untyped
    values = dict(row)
    names = json.loads(values["applications"])
    values["applications"] = None if names is None else tuple(names)
    for name in ("starts_at", "ends_at", "added_at"):
        values[name] = to_time(values[name])
    return AddedFreeze(**values)
