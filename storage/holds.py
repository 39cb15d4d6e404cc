"""What holds an application's soak: reported problems, and alarms that are on."""

from datetime import datetime

from sqlite_utils import Database

from patching.clocks import Holds
from storage.database import to_text, to_time


def record(tx: Database, application: str, alarm: str, on: bool, since: datetime, now: datetime) -> None:
    """Keep an alarm's state: one that is on holds from `since`; one that is off ends a hold at `since`, at most now."""
    if on:
        tx.execute(
            "INSERT OR IGNORE INTO alarm_hold (application, alarm, began_at) VALUES (?, ?, ?)",
            [application, alarm, to_text(min(since, now))],
        )
    else:
        tx.execute(
            """UPDATE alarm_hold SET ended_at = max(began_at, ?)
               WHERE application = ? AND alarm = ? AND ended_at IS NULL""",
            [to_text(min(since, now)), application, alarm],
        )


def of_application(db: Database, application: str) -> Holds:
    """(began, ended) of each hold; ended is None while it lasts."""
    rows = db.execute(
        """SELECT reported_at AS began, cleared_at AS ended FROM problem WHERE application = :name
           UNION ALL SELECT began_at, ended_at FROM alarm_hold WHERE application = :name""",
        {"name": application},
    )
    return [(datetime.fromisoformat(row["began"]), to_time(row["ended"])) for row in rows]
