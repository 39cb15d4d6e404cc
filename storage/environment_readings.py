"""The nodes of each environment as they were last resolved: whom a notice concerns is read from their tags."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from patching.model import Node
from storage.database import to_json, to_text


@dataclass(frozen=True, slots=True)
class NodeReading:
    id: str
    name: str
    tags: dict[str, str]


def keep(tx: Database, now: datetime, application: str, environment: str, nodes: Sequence[Node]) -> None:
    content = [{"id": node.id, "name": node.name or node.id, "tags": dict(node.tags)} for node in nodes]
    tx.execute(
        "INSERT OR REPLACE INTO environment_reading VALUES (?, ?, ?, ?)",
        [application, environment, to_json(content), to_text(now)],
    )


def of_environment(db: Database, application: str, environment: str) -> tuple[datetime | None, tuple[NodeReading, ...]]:
    """(when, nodes); (None, ()) where they were never resolved."""
    row = db.execute(
        "SELECT nodes, read_at FROM environment_reading WHERE application = ? AND environment = ?",
        [application, environment],
    ).fetchone()
    if row is None:
        return None, ()
    return datetime.fromisoformat(row["read_at"]), tuple(NodeReading(**each) for each in json.loads(row["nodes"]))
