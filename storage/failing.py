"""Which sweeps, and which work of theirs, the channel was told to be failing: read from the notices themselves."""

import json
from datetime import datetime
from typing import NamedTuple

from sqlite_utils import Database


class Source(NamedTuple):
    """What fails: `sweep:track`, or `work:track` for what a sweep hands to a pool."""

    part: str  # sweep or work
    name: str

    def __str__(self) -> str:
        return f"{self.part}:{self.name}"


def told(db: Database) -> dict[Source, datetime]:
    """What the channel was told to be failing and not yet to work again → since when it fails."""
    known: dict[Source, datetime] = {}
    for row in db.execute(
        "SELECT kind, payload FROM notice WHERE kind IN ('sweep-failing', 'sweep-recovered') ORDER BY id"
    ):
        payload = json.loads(row["payload"])
        source = Source(payload["part"], payload["name"])
        if row["kind"] == "sweep-failing":
            known[source] = datetime.fromisoformat(payload["since"])
        else:
            known.pop(source, None)
    return known
