"""Who asked to be told of an application's windows and installs."""

from datetime import datetime

from sqlite_utils import Database

from storage import audit
from storage.database import to_text


def add(tx: Database, now: datetime, application: str, user_id: str) -> bool:
    """False when it stands already."""
    done = tx.execute("INSERT OR IGNORE INTO subscription VALUES (?, ?, ?)", [application, user_id, to_text(now)])
    if done.rowcount:
        audit.append(tx, now, user_id, application, "subscribed")
    return bool(done.rowcount)


def remove(tx: Database, now: datetime, application: str, user_id: str) -> bool:
    """False when there was none."""
    done = tx.execute("DELETE FROM subscription WHERE application = ? AND user_id = ?", [application, user_id])
    if done.rowcount:
        audit.append(tx, now, user_id, application, "unsubscribed")
    return bool(done.rowcount)


def states(db: Database) -> dict[str, tuple[int, str]]:
    """By application, how many there are and when the newest was made: another state where one was added."""
    rows = db.execute("SELECT application, count(*) AS n, max(at) AS newest FROM subscription GROUP BY application")
    return {str(row["application"]): (int(row["n"]), str(row["newest"])) for row in rows}


def of_application(db: Database, application: str) -> tuple[str, ...]:
    rows = db.execute("SELECT user_id FROM subscription WHERE application = ? ORDER BY user_id", [application])
    return tuple(str(row["user_id"]) for row in rows)
