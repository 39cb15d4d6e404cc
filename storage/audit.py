"""The audit trail: append-only, each row's hash covering the row before it (I6)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from patching.chain import GENESIS, Broken, Head, Link, link_hash
from patching.chain import first_broken as first_broken_link
from storage.database import to_json, to_text


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

    @property
    def fields(self) -> tuple[str, ...]:
        """What the hash covers beside the row before."""
        return (self.at, self.actor, self.subject, self.action, self.detail)

    @property
    def link(self) -> Link:
        return Link(self.id, self.previous, self.hash, self.fields)


def append(
    tx: Database, now: datetime, actor: str, subject: str, action: str, detail: Mapping[str, Any] | None = None
) -> str:
    """Write a row in the caller's transaction and return the chain's new head.

    `actor` is a Slack user id or "clock"; `subject` an id people see, such as "scan-12".
    """
    fields = (str(to_text(now)), actor, subject, action, to_json(detail or {}))
    previous = head(tx)
    digest = link_hash(previous, fields)
    cursor = tx.execute(
        "INSERT INTO audit (at, actor, subject, action, detail, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [*fields, previous, digest],
    )
    tx.execute("INSERT OR REPLACE INTO audit_head VALUES (1, ?, ?)", [cursor.lastrowid, digest])
    return digest


def head(db: Database) -> str:
    row = db.execute("SELECT hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    return str(row["hash"]) if row else GENESIS


def written_head(db: Database) -> Head | None:
    """Where the chain ended at the last commit, kept apart from it."""
    row = db.execute("SELECT id, hash FROM audit_head").fetchone()
    return Head(row["id"], row["hash"]) if row else None


def began(db: Database) -> datetime | None:
    """When the first row was written: before that nothing had happened."""
    row = db.execute("SELECT at FROM audit ORDER BY id LIMIT 1").fetchone()
    return datetime.fromisoformat(row["at"]) if row else None


def since(db: Database, head_: Head | None) -> Iterator[AuditRow]:
    """What was written after that head."""
    for row in db.execute("SELECT * FROM audit WHERE id > ? ORDER BY id", [head_.id if head_ else 0]):
        yield AuditRow(**dict(row))


def rows(db: Database, subject: str | None = None) -> Iterator[AuditRow]:
    """The trail in order, all of it or one subject's."""
    where, arguments = ("WHERE subject = ?", [subject]) if subject else ("", [])
    for row in db.execute(f"SELECT * FROM audit {where} ORDER BY id", arguments):
        yield AuditRow(**dict(row))


def first_broken(db: Database) -> int | None:
    """The id of the first row that is wrong; None when the chain holds."""
    broken = check(db)
    return broken.row if broken else None


def check(db: Database) -> Broken | None:
    """The chain from its first row to its written head, and the head that every receipt names."""
    broken = first_broken_link((row.link for row in rows(db)), written_head(db))
    if broken:
        return broken
    lost = db.execute(
        """SELECT key, json_extract(payload, '$.head') AS head FROM notice
           WHERE kind = 'receipt' AND json_extract(payload, '$.head') NOT IN (SELECT hash FROM audit) LIMIT 1"""
    ).fetchone()
    if lost is None:
        return None
    return Broken(0, f"The head {lost['head'][:12]}… that the receipt {lost['key']} names is no longer in the chain.")
