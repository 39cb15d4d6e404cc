"""Absences: nodes that were away in the middle of an Install, or of which nobody knows what it did there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from storage.database import to_text, to_time


@dataclass(frozen=True, slots=True)
class Absence:
    """One node of one Install."""

    run_id: int
    node_id: str
    power: str  # EC2's state when it was seen away last, "absent" where EC2 knows it no more; empty: not asked
    since: datetime | None  # when it was last heard of; None: it was never seen away
    told_at: datetime | None  # when people were told that it is away
    back_at: datetime | None  # when it was seen online again; None while it is away, as for the first time
    back_told_at: datetime | None  # when people were told so first
    reported_at: datetime | None  # when the node says that this Install ended there, as its newest report
    status: str  # what AWS says of its part of the Install since the run has ended, where that is another word
    late_at: datetime | None  # when people were told that the Install went on after the run's end
    closed_at: datetime | None  # nothing more is looked for


@dataclass(frozen=True, slots=True)
class Unaccounted:
    """A node of an ended run whose verification has no evidence of it."""

    run_id: int
    node_id: str
    step_id: str  # of the Install
    seen_since: bool  # a later run has given evidence of it
    new: bool  # nothing is kept of it yet


_NAMES = "run_id, node_id, power, since, told_at, back_at, back_told_at, reported_at, status, late_at, closed_at"
_TIMES = ("since", "told_at", "back_at", "back_told_at", "reported_at", "late_at", "closed_at")


def of_run(db: Database, run_id: int) -> dict[str, Absence]:
    """By node id."""
    rows = db.execute(f"SELECT {_NAMES} FROM absence WHERE run_id = ? ORDER BY node_id", [run_id])
    return {row["node_id"]: _absence(row) for row in rows}


def unaccounted(db: Database, since: datetime) -> list[Unaccounted]:
    """The nodes to which an Install was sent that ended at `since` or later without evidence from its verification.

    Without those of which nothing more is looked for.
    """
    rows = db.execute(
        """SELECT r.id AS run_id, n.value AS node_id, s.id AS step_id,
                  EXISTS (SELECT 1 FROM evidence e WHERE e.application = r.application
                          AND e.environment = r.environment AND e.node_id = n.value AND e.run_id > r.id) AS seen_since,
                  a.node_id IS NULL AS new
           FROM run r JOIN step s ON s.run_id = r.id AND s.kind = 'install' AND s.sent_at IS NOT NULL,
                json_each(s.node_ids) n
           LEFT JOIN absence a ON a.run_id = r.id AND a.node_id = n.value
           WHERE r.operation = 'Install' AND r.ended_at >= ? AND a.closed_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM step v JOIN evidence e ON e.step_id = v.id AND e.node_id = n.value
                             WHERE v.run_id = r.id AND v.kind = 'verify')
           ORDER BY r.id, n.value""",
        [to_text(since)],
    )
    return [
        Unaccounted(row["run_id"], row["node_id"], row["step_id"], bool(row["seen_since"]), bool(row["new"]))
        for row in rows
    ]


def verified(db: Database) -> list[Absence]:
    """Nodes that people were told are away, and of which their run's verification has evidence since."""
    rows = db.execute(
        f"""SELECT {_NAMES} FROM absence a
            WHERE told_at IS NOT NULL AND back_at IS NULL AND closed_at IS NULL
              AND EXISTS (SELECT 1 FROM step v JOIN evidence e ON e.step_id = v.id AND e.node_id = a.node_id
                          WHERE v.run_id = a.run_id AND v.kind = 'verify')"""
    )
    return [_absence(row) for row in rows]


def note(tx: Database, run_id: int, node_id: str, **columns: datetime | str | None) -> None:
    """Write what is known now of a node; its row begins with the first word about it."""
    values = {name: to_text(value) if isinstance(value, datetime) else value for name, value in columns.items()}
    names = ", ".join(values)
    sets = ", ".join(f"{name} = excluded.{name}" for name in values)
    tx.execute(
        f"""INSERT INTO absence (run_id, node_id, {names}) VALUES (?, ?, {", ".join("?" for _ in values)})
            ON CONFLICT (run_id, node_id) DO UPDATE SET {sets}""",
        [run_id, node_id, *values.values()],
    )


def _absence(row: Any) -> Absence:  # noqa: ANN401 - sqlite3.Row is untyped
    values = dict(row)
    for name in _TIMES:
        values[name] = to_time(values[name])
    return Absence(**values)
