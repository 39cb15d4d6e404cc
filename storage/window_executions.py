"""Executions of maintenance windows that people were told of: to whom, how early, and whether that still holds."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from patching.agenda import Opening
from patching.nodes import EnvironmentKey
from storage.database import to_json, to_text, to_time
from storage.outbox import Medium

Recipient = tuple[Medium, str]


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution for one environment. `gone_at`: since when people are told that it does not take place then."""

    key: EnvironmentKey
    opening: Opening
    told: tuple[Recipient, ...]
    lead: timedelta | None  # the nearest to the opening at which they were reminded; None: of a correction alone
    gone_at: datetime | None = None
    moved_to: datetime | None = None

    def with_told(self, recipients: Iterable[Recipient]) -> "Execution":
        return replace(self, told=tuple(dict.fromkeys((*self.told, *recipients))))


def subject_of(opening: Opening) -> str:
    """Of every notice about an execution: `window:mw-…:2026-11-29T03:00:00.000000+00:00`."""
    return f"window:{opening.window_id}:{to_text(opening.opens)}"


def keep(tx: Database, now: datetime, execution: Execution) -> None:
    """Add it, or write what is new of it."""
    content = {
        "opening": execution.opening.as_json(),
        "told": [list(each) for each in execution.told],
        "lead": None if execution.lead is None else int(execution.lead.total_seconds()),
    }
    tx.execute(
        """INSERT INTO window_execution (application, environment, window_id, execution_time, content, first_seen_at,
                                         gone_at, moved_to)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (application, environment, window_id, execution_time) DO UPDATE
           SET content = excluded.content, gone_at = excluded.gone_at, moved_to = excluded.moved_to""",
        [
            execution.key.application,
            execution.key.environment,
            execution.opening.window_id,
            to_text(execution.opening.opens),
            to_json(content),
            to_text(now),
            to_text(execution.gone_at),
            to_text(execution.moved_to),
        ],
    )


def since(db: Database, key: EnvironmentKey, after: datetime) -> dict[tuple[str, datetime], Execution]:
    """Those of an environment that opened or open after a moment, by `Opening.key`."""
    rows = db.execute(
        "SELECT * FROM window_execution WHERE application = ? AND environment = ? AND execution_time > ?",
        [key.application, key.environment, to_text(after)],
    )
    return {each.opening.key: each for each in map(_execution, rows)}


def find(db: Database, key: EnvironmentKey, opening: Opening) -> Execution | None:
    row = db.execute(
        """SELECT * FROM window_execution
           WHERE application = ? AND environment = ? AND window_id = ? AND execution_time = ?""",
        [key.application, key.environment, opening.window_id, to_text(opening.opens)],
    ).fetchone()
    return _execution(row) if row else None


def _execution(row: Any) -> Execution:  # noqa: ANN401 - sqlite3.Row is untyped
    content = json.loads(row["content"])
    return Execution(
        EnvironmentKey(row["application"], row["environment"]),
        Opening.from_json(content["opening"]),
        tuple((Medium(medium), recipient) for medium, recipient in content["told"]),
        None if content["lead"] is None else timedelta(seconds=content["lead"]),
        to_time(row["gone_at"]),
        to_time(row["moved_to"]),
    )
