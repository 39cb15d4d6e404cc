"""What AWS plans in each account and Region, as it was last read, and how old that is."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlite_utils import Database

from patching.planned import Agenda, as_json, from_json
from storage.database import to_text, to_time

Where = tuple[str, str, str]
"""(account, Region, role ARN or "" for the base credentials)."""

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reading:
    agenda: Agenda | None  # the last good one
    read_at: datetime | None  # when that began
    tried_at: datetime
    error: str  # the newest try's one sentence; empty where it went well


def keep(tx: Database, where: Where, now: datetime, agenda: Agenda, since: Reading | None) -> bool:
    """False, and nothing is kept, where the row is no longer `since`, on which the reading was built."""
    current = reading(tx, where)
    if (current and current.tried_at) != (since and since.tried_at):
        return False
    tx.execute(
        "INSERT OR REPLACE INTO agenda_reading VALUES (?, ?, ?, ?, ?, ?, '')",
        [*where, as_json(agenda), to_text(now), to_text(now)],
    )
    return True


def failed(tx: Database, where: Where, now: datetime, error: str) -> None:
    """What was read before stays, with its age."""
    tx.execute(
        """INSERT INTO agenda_reading (account, region, role, content, tried_at, error) VALUES (?, ?, ?, '', ?, ?)
           ON CONFLICT (account, region, role) DO UPDATE SET tried_at = excluded.tried_at, error = excluded.error""",
        [*where, to_text(now), error],
    )


def reading(db: Database, where: Where) -> Reading | None:
    """None where it was never tried."""
    row = db.execute(
        "SELECT * FROM agenda_reading WHERE account = ? AND region = ? AND role = ?", list(where)
    ).fetchone()
    if row is None:
        return None
    tried_at = datetime.fromisoformat(row["tried_at"])
    return Reading(_agenda(row["content"]), to_time(row["read_at"]), tried_at, row["error"])


def _agenda(content: str) -> Agenda | None:
    """What another version wrote in another shape is as good as never read: AWS tells it again."""
    try:
        return from_json(content) if content else None
    except ValueError:
        return None


def tries(db: Database) -> dict[Where, tuple[datetime, bool]]:
    """(when it was last tried, whether that went well) for each that ever was."""
    return {
        (row["account"], row["region"], row["role"]): (datetime.fromisoformat(row["tried_at"]), not row["error"])
        for row in db.execute("SELECT account, region, role, tried_at, error FROM agenda_reading")
    }


def look_again(tx: Database, where: Where, window_id: str) -> None:
    """Have everything read at the next tick and this window looked into, because we have changed it ourselves."""
    found = reading(tx, where)
    if found is None or found.agenda is None:
        return
    windows = (
        replace(window, looked_at=_LONG_AGO) if window.id == window_id else window for window in found.agenda.windows
    )
    tx.execute(
        "UPDATE agenda_reading SET content = ?, tried_at = ? WHERE account = ? AND region = ? AND role = ?",
        [as_json(replace(found.agenda, windows=tuple(windows))), to_text(_LONG_AGO), *where],
    )
