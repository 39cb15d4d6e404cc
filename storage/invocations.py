"""Invocations: what was seen last of each node of a step, and its outcome once it has ended."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from patching.outcomes import NodeOutcome
from storage.database import to_json, to_text


@dataclass(frozen=True, slots=True)
class Invocation:
    """One node's part of a step, as last seen."""

    step_id: str
    node_id: str
    status: str
    details: str
    outcome: NodeOutcome | None  # None while it may still run
    note: str


def ended_nodes(db: Database, step_ids: Collection[str]) -> dict[str, int]:
    """Step id → how many of its nodes have come to their end; steps without any are left out."""
    rows = db.execute(
        """SELECT step_id, count(*) AS ended FROM invocation
           WHERE outcome IS NOT NULL AND step_id IN (SELECT value FROM json_each(?)) GROUP BY step_id""",
        [to_json(sorted(step_ids))],
    )
    return {row["step_id"]: row["ended"] for row in rows}


def of_step(db: Database, step_id: str) -> dict[str, Invocation]:
    """Node id → what was seen of it last; nodes of which nothing was seen are left out."""
    rows = db.execute(
        "SELECT step_id, node_id, status, details, outcome, note FROM invocation WHERE step_id = ?", [step_id]
    )
    return {
        row["node_id"]: Invocation(
            row["step_id"],
            row["node_id"],
            row["status"],
            row["details"],
            NodeOutcome(row["outcome"]) if row["outcome"] else None,
            row["note"],
        )
        for row in rows
    }


def record(tx: Database, now: datetime, seen: Invocation) -> bool:
    """Keep what was seen of a node; True when it is news. A terminal outcome is never taken back."""
    old = tx.execute(
        "SELECT status, details, outcome, note FROM invocation WHERE step_id = ? AND node_id = ?",
        [seen.step_id, seen.node_id],
    ).fetchone()
    if old and tuple(old) == (seen.status, seen.details, seen.outcome, seen.note):
        return False
    if old and old["outcome"] and seen.outcome is None:
        return False
    tx.execute(
        """INSERT INTO invocation (step_id, node_id, status, details, outcome, note, updated_at)
           VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (step_id, node_id) DO UPDATE SET status = excluded.status, details = excluded.details,
               outcome = excluded.outcome, note = excluded.note, updated_at = excluded.updated_at""",
        [seen.step_id, seen.node_id, seen.status, seen.details, seen.outcome, seen.note, to_text(now)],
    )
    return True
