"""What installs past the gate, and since when that has been known: people are told of each once (I7)."""

from collections.abc import Sequence
from datetime import datetime

from sqlite_utils import Database

from patching.bypasses import Bypass
from patching.nodes import EnvironmentKey
from storage.database import to_text


def record(tx: Database, now: datetime, key: EnvironmentKey, found: Sequence[Bypass]) -> tuple[Bypass, ...]:
    """Keep what is there now; those of which people must be told, because they are new or do something else now.

    One that is gone is forgotten, so people are told again when it comes back. A window that will not open is not
    told of; one that was told of stays known until it is gone.
    """
    rows = tx.execute("SELECT source, fingerprint FROM bypass WHERE application = ? AND environment = ?", list(key))
    known = {row["source"]: row["fingerprint"] for row in rows}
    news = [
        each
        for each in found
        if known.get(each.id) != each.fingerprint
        and (each.id in known or each.next_at is not None or each.kind != "maintenance window")
    ]
    for source in known.keys() - {each.id for each in found}:
        tx.execute("DELETE FROM bypass WHERE application = ? AND environment = ? AND source = ?", [*key, source])
    for each in news:
        tx.execute(
            "INSERT OR REPLACE INTO bypass VALUES (?, ?, ?, ?, ?)", [*key, each.id, each.fingerprint, to_text(now)]
        )
    return tuple(news)


def stands(db: Database, key: EnvironmentKey, source: str, fingerprint: str) -> bool:
    """Whether it still does what people are told of."""
    row = db.execute(
        "SELECT fingerprint FROM bypass WHERE application = ? AND environment = ? AND source = ?", [*key, source]
    ).fetchone()
    return row is not None and row["fingerprint"] == fingerprint
