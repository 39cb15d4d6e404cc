"""Environments in which AWS may know of later commands than the database: looked at once in each life of the bot.

Only between two lives can a database be replaced by an older copy of itself.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from patching.nodes import EnvironmentKey
from patching.states import ChangeState, RunState
from storage.database import to_time

DECIDING = (
    ChangeState.PREPARING,
    ChangeState.PENDING,
    ChangeState.APPROVED,
    ChangeState.WAITING,
    ChangeState.HELD,
)
"""A change in one of these has sent no Install yet, and may become one."""
GOING_ON = (RunState.REQUESTED, RunState.RUNNING, RunState.PAUSED)


@dataclass(frozen=True, slots=True)
class Recheck:
    key: EnvironmentKey
    since: datetime  # the oldest request that is still open there


def owe(tx: Database) -> None:
    """At a start: wherever production has something open."""
    tx.execute("DELETE FROM recheck")
    tx.execute(
        f"""INSERT INTO recheck (application, environment, since)
            SELECT application, environment, min(requested_at) FROM (
                SELECT application, environment, requested_at FROM run
                WHERE production AND state IN ({_marks(GOING_ON)})
                UNION ALL
                SELECT application, environment, requested_at FROM change WHERE state IN ({_marks(DECIDING)}, 'used'))
            GROUP BY application, environment""",
        [*GOING_ON, *DECIDING],
    )


def owed(db: Database) -> list[Recheck]:
    rows = db.execute("SELECT application, environment, since FROM recheck ORDER BY since")
    found = [(EnvironmentKey(row["application"], row["environment"]), to_time(row["since"])) for row in rows]
    return [Recheck(key, since) for key, since in found if since]


def is_owed(db: Database, application: str, environment: str) -> bool:
    """Whether nothing may be installed there before AWS was asked."""
    return bool(db["recheck"].count_where("application = ? AND environment = ?", [application, environment]))


def done(tx: Database, key: EnvironmentKey) -> None:
    tx.execute("DELETE FROM recheck WHERE application = ? AND environment = ?", [key.application, key.environment])


def _marks(values: tuple[str, ...]) -> str:
    return ", ".join("?" for _ in values)
