"""Decisions: every click on Approve and Reject, and the judgement of each."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from storage import audit, changes, outbox
from storage.changes import Change
from storage.database import to_text, to_time


@dataclass(frozen=True, slots=True)
class Decision:
    """Somebody's click on Approve or Reject: judged in `scheduler/decisions.py`."""

    id: int
    change_id: int
    user_id: str
    kind: str  # approve, reject
    digest: str
    reason: str
    channel: str
    state: str  # checking, accepted, refused
    at: datetime
    judged_at: datetime | None
    note: str
    backup: str = ""  # where the database backup is, in the approver's words


def decide(
    tx: Database,
    now: datetime,
    change: Change,
    user_id: str,
    kind: str,
    digest: str,
    reason: str,
    channel: str,
    backup: str = "",
) -> int:
    """Keep a click, to be judged at once by the sweep that may ask Slack (ADR 0006)."""
    cursor = tx.execute(
        """INSERT INTO decision (change_id, user_id, kind, digest, reason, channel, state, at, backup)
           VALUES (?, ?, ?, ?, ?, ?, 'checking', ?, ?)""",
        [change.id, user_id, kind, digest, reason, channel, to_text(now), backup],
    )
    audit.append(
        tx, now, user_id, change.ref, f"{kind} clicked", {"digest": digest, "reason": reason, "backup": backup}
    )
    outbox.touch(tx, change.subject)
    return int(cursor.lastrowid or 0)


def judge(
    tx: Database, now: datetime, decision: Decision, accepted: bool, note: str, rights: Collection[str] = ()
) -> bool:
    """Settle a decision once, with its audit row; False when it was settled already.

    `rights`: the roles that the person held, read afresh.
    """
    done = tx.execute(
        "UPDATE decision SET state = ?, note = ?, judged_at = ? WHERE id = ? AND state = 'checking'",
        ["accepted" if accepted else "refused", note, to_text(now), decision.id],
    )
    if done.rowcount != 1:
        return False
    change = changes.get(tx, decision.change_id)
    verdict = "counts" if accepted else "refused"
    detail = {"note": note, "digest": decision.digest, "rights": sorted(rights)}
    audit.append(tx, now, decision.user_id, change.ref, f"{decision.kind} {verdict}", detail)
    outbox.touch(tx, change.subject)
    return True


def made(db: Database, change_id: int | None = None, state: str | None = None) -> list[Decision]:
    rows = db.execute(
        "SELECT * FROM decision WHERE (:change IS NULL OR change_id = :change) AND (:state IS NULL OR state = :state)"
        " ORDER BY id",
        {"change": change_id, "state": state},
    )
    return [_decision(row) for row in rows]


def approvers(db: Database, change: Change) -> frozenset[str]:
    """Distinct people whose approval of exactly this digest counts; who asked in its chain never does (I4)."""
    accepted = [each for each in made(db, change.id, "accepted") if each.kind == "approve"]
    return frozenset(each.user_id for each in accepted if each.digest == change.digest) - set(change.requesters)


def _decision(row: Any) -> Decision:  # noqa: ANN401 - sqlite3.Row is untyped
    values = dict(row)
    for name in ("at", "judged_at"):
        values[name] = to_time(values[name])
    return Decision(**values)
