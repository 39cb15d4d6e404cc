"""Who has seen that a window or a change comes. `subject` as a notice's: "change:4", "window:mw-…"."""

from datetime import datetime

from sqlite_utils import Database

from storage.database import to_text


def add(tx: Database, now: datetime, subject: str, user_id: str) -> bool:
    """False when it is known already."""
    done = tx.execute("INSERT OR IGNORE INTO acknowledgement VALUES (?, ?, ?)", [subject, user_id, to_text(now)])
    return bool(done.rowcount)


def of_subject(db: Database, subject: str) -> tuple[tuple[str, datetime], ...]:
    """(user id, when), the first to see it first."""
    rows = db.execute("SELECT user_id, at FROM acknowledgement WHERE subject = ? ORDER BY at, user_id", [subject])
    return tuple((str(row["user_id"]), datetime.fromisoformat(row["at"])) for row in rows)
