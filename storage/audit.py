"""The audit trail: append-only, each row's hash covering the row before it (I6)."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from storage.database import to_json, to_text

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditRow:
    id: int
    at: str
    actor: str
    subject: str
    action: str
    detail: str
    previous: str
    hash: str


def append(
    tx: Database, now: datetime, actor: str, subject: str, action: str, detail: Mapping[str, Any] | None = None
) -> str:
    """Write a row in the caller's transaction and return the chain's new head.

    `actor` is a Slack user id or "clock"; `subject` an id people see, such as "scan-12".
    """
    at, text, previous = to_text(now), to_json(detail or {}), head(tx)
    digest = _hash(previous, str(at), actor, subject, action, text)
    tx.execute(
        "INSERT INTO audit (at, actor, subject, action, detail, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [at, actor, subject, action, text, previous, digest],
    )
    return digest


def head(db: Database) -> str:
    row = db.execute("SELECT hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    return str(row["hash"]) if row else GENESIS


def rows(db: Database, subject: str | None = None) -> Iterator[AuditRow]:
    """The trail in order, all of it or one subject's."""
    where, arguments = ("WHERE subject = ?", [subject]) if subject else ("", [])
    for row in db.execute(f"SELECT * FROM audit {where} ORDER BY id", arguments):
        yield AuditRow(**dict(row))


def first_broken(db: Database) -> int | None:
    """The id of the first row whose hash or link is wrong; None when the chain holds."""
    previous = GENESIS
    for row in rows(db):
        if row.previous != previous:
            return row.id
        if row.hash != _hash(previous, row.at, row.actor, row.subject, row.action, row.detail):
            return row.id
        previous = row.hash
    return None


def _hash(*fields: str) -> str:
    # Lengths keep ("ab", "c") and ("a", "bc") apart.
    return hashlib.sha256("".join(f"{len(field)}:{field}" for field in fields).encode()).hexdigest()
