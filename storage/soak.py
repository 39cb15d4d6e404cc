"""The soak's clocks: per node, since when it has had a patch that one of our Installs brought it."""

from collections.abc import Mapping
from datetime import datetime

from sqlite_utils import Database

from patching.model import Evidence, Platform
from storage.database import to_text

Clocks = Mapping[tuple[str, str], datetime]  # (KBId, version) → running since


def of_node(db: Database, application: str, environment: str, node_id: str) -> Clocks:
    rows = db.execute(
        "SELECT kb_id, version, started_at FROM soak_clock WHERE application = ? AND environment = ? AND node_id = ?",
        [application, environment, node_id],
    )
    return {(row["kb_id"], row["version"]): datetime.fromisoformat(row["started_at"]) for row in rows}


def of_environment(db: Database, application: str, environment: str) -> dict[tuple[str, Platform], Clocks]:
    """{(node id, platform): its clocks}."""
    rows = db.execute("SELECT * FROM soak_clock WHERE application = ? AND environment = ?", [application, environment])
    found: dict[tuple[str, Platform], dict[tuple[str, str], datetime]] = {}
    for row in rows:
        node = (row["node_id"], Platform(row["os"], row["major"], row["arch"]))
        found.setdefault(node, {})[row["kb_id"], row["version"]] = datetime.fromisoformat(row["started_at"])
    return dict(found)


def replace(tx: Database, application: str, environment: str, item: Evidence, clocks: Clocks) -> None:
    """A node's clocks as they run now, in the transaction that keeps the evidence they follow from."""
    tx.execute(
        "DELETE FROM soak_clock WHERE application = ? AND environment = ? AND node_id = ?",
        [application, environment, item.node_id],
    )
    platform = item.platform
    tx.conn.executemany(
        "INSERT INTO soak_clock VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                application,
                environment,
                item.node_id,
                platform.os,
                platform.major,
                platform.arch,
                kb_id,
                version,
                to_text(started_at),
            )
            for (kb_id, version), started_at in clocks.items()
        ],
    )
