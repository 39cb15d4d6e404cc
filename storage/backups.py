"""Backups that a plan takes: for each node of a step the requests, and what came of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from patching.backups import Kind
from storage import audit
from storage.database import to_json, to_text, to_time


@dataclass(frozen=True, slots=True)
class NodeBackup:
    """One node's part of a step that takes backups."""

    step_id: str
    node_id: str
    kind: Kind
    asked: int  # requests that may have been taken
    asked_at: datetime | None  # the newest of them; None where the last one was definitely refused
    ids: tuple[str, ...]  # of snapshots, or of one image; empty until EC2 has named them
    devices: tuple[str, ...]  # of complete snapshots, in the order of `ids`: what each is a volume of
    zone: str  # of a complete one: the node's Availability Zone, where a volume made of a snapshot must be
    started_at: datetime | None
    complete: bool


def of_step(db: Database, step_id: str) -> dict[str, NodeBackup]:
    """By node id; a node for which nothing was requested is not there."""
    return {each.node_id: each for each in _select(db, "WHERE step_id = ?", step_id)}


def of_run(db: Database, run_id: int) -> dict[str, NodeBackup]:
    """By node id: what a run took and EC2 has named, complete or not."""
    found = _select(db, "WHERE step_id IN (SELECT id FROM step WHERE run_id = ?) AND ids != '[]'", run_id)
    return {each.node_id: each for each in found}


def ask(tx: Database, step_id: str, node_id: str, kind: Kind, now: datetime) -> None:
    """Commit to a request (I1)."""
    tx.execute(
        """INSERT INTO backup (step_id, node_id, kind, asked, asked_at) VALUES (?, ?, ?, 1, ?)
           ON CONFLICT (step_id, node_id) DO UPDATE SET asked = asked + 1, asked_at = excluded.asked_at""",
        [step_id, node_id, kind, to_text(now)],
    )


def refused(tx: Database, step_id: str, node_id: str) -> None:
    """The newest request definitely came to nothing."""
    tx.execute(
        "UPDATE backup SET asked = asked - 1, asked_at = NULL WHERE step_id = ? AND node_id = ?", [step_id, node_id]
    )


def keep(
    tx: Database,
    now: datetime,
    ref: str,
    step_id: str,
    node_id: str,
    kind: Kind,
    ids: Sequence[str],
    started_at: datetime,
) -> None:
    """EC2 has taken it and named it; `ref` is the run's, for the audit row."""
    tx.execute(
        """INSERT INTO backup (step_id, node_id, kind, ids, started_at) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (step_id, node_id) DO UPDATE SET ids = excluded.ids, started_at = excluded.started_at""",
        [step_id, node_id, kind, to_json(ids), to_text(started_at)],
    )
    audit.append(tx, now, "clock", ref, "backup taken", {"step": step_id, "node": node_id, "ids": list(ids)})


def complete(tx: Database, step_id: str, node_id: str, ids: Sequence[str], devices: Sequence[str], zone: str) -> None:
    """The node can be restored from it; `ids` in the order of `devices`, where there are any."""
    tx.execute(
        "UPDATE backup SET complete = 1, ids = ?, devices = ?, zone = ? WHERE step_id = ? AND node_id = ?",
        [to_json(ids), to_json(devices), zone, step_id, node_id],
    )


def _select(db: Database, rest: str, *arguments: object) -> list[NodeBackup]:
    return [_backup(row) for row in db.execute(f"SELECT * FROM backup {rest} ORDER BY node_id", list(arguments))]


def _backup(row: Any) -> NodeBackup:  # noqa: ANN401 - sqlite3.Row is untyped
    values = dict(row)
    values["kind"] = Kind(values["kind"])
    for name in ("ids", "devices"):
        values[name] = tuple(json.loads(values[name]))
    values["complete"] = bool(values["complete"])
    for name in ("asked_at", "started_at"):
        values[name] = to_time(values[name])
    return NodeBackup(**values)
