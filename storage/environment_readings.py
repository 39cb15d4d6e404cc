"""The nodes of each environment as they were last resolved: whom a notice concerns is read from their tags."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlite_utils import Database

from patching.model import Node
from patching.nodes import EnvironmentKey
from patching.targets import NodeIndex
from storage.database import to_json, to_text

_KEPT = 64  # parsed: sweeps ask for the same thousands of nodes every few seconds


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


def read_times(db: Database) -> dict[EnvironmentKey, str]:
    """When each was resolved, as it is stored."""
    rows = db.execute("SELECT application, environment, read_at FROM environment_reading")
    return {EnvironmentKey(row["application"], row["environment"]): str(row["read_at"]) for row in rows}


def of_environment(db: Database, application: str, environment: str) -> tuple[datetime | None, tuple[NodeReading, ...]]:
    """(when, nodes); (None, ()) where they were never resolved."""
    read_at, text = _row(db, application, environment)
    return read_at, _nodes(text)


def tags_of_environment(db: Database, application: str, environment: str) -> tuple[datetime | None, NodeIndex]:
    """(when, {node id: its tags}); None and nothing where they were never resolved."""
    read_at, text = _row(db, application, environment)
    return read_at, _index(text)


def _row(db: Database, application: str, environment: str) -> tuple[datetime | None, str]:
    row = db.execute(
        "SELECT nodes, read_at FROM environment_reading WHERE application = ? AND environment = ?",
        [application, environment],
    ).fetchone()
    return (datetime.fromisoformat(row["read_at"]), str(row["nodes"])) if row else (None, "[]")


@lru_cache(_KEPT)
def _nodes(text: str) -> tuple[NodeReading, ...]:
    return tuple(NodeReading(**each) for each in json.loads(text))


@lru_cache(_KEPT)
def _index(text: str) -> NodeIndex:
    return NodeIndex({node.id: node.tags for node in _nodes(text)})
