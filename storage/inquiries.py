"""Inquiries: questions that only AWS can answer, asked by somebody and answered to them alone."""

from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from patching.nodes import EnvironmentKey
from storage import audit
from storage.database import to_text


@dataclass(frozen=True, slots=True)
class Inquiry:
    id: int
    kind: str
    key: EnvironmentKey
    user_id: str
    channel: str
    page: int  # of the answer, from 0
    about: str = ""  # the id of what it asks about, where that is not the whole environment

    @property
    def subject(self) -> str:
        return f"inquiry:{self.id}"


def ask(
    tx: Database,
    now: datetime,
    kind: str,
    key: EnvironmentKey,
    user_id: str,
    channel: str,
    *,
    page: int = 0,
    about: str = "",
) -> int:
    """Commit to an answer; the inquiry's number. `kind`: backups, plan, preflight or window."""
    cursor = tx.execute(
        """INSERT INTO inquiry (kind, application, environment, user_id, channel, asked_at, page, about)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        [kind, key.application, key.environment, user_id, channel, to_text(now), page, about],
    )
    asked = int(cursor.lastrowid or 0)
    audit.append(
        tx, now, user_id, f"inquiry-{asked}", f"{kind} asked", {"of": str(key), **({"about": about} if about else {})}
    )
    return asked


def unanswered(db: Database) -> list[Inquiry]:
    rows = db.execute(
        """SELECT id, kind, application, environment, user_id, channel, page, about
           FROM inquiry WHERE answered_at IS NULL ORDER BY id"""
    )
    return [Inquiry(row[0], row[1], EnvironmentKey(row[2], row[3]), row[4], row[5], row[6], row[7]) for row in rows]


def answered(tx: Database, now: datetime, inquiry: Inquiry) -> bool:
    """Settle it once; False when it was answered already."""
    done = tx.execute(
        "UPDATE inquiry SET answered_at = ? WHERE id = ? AND answered_at IS NULL", [to_text(now), inquiry.id]
    )
    return done.rowcount == 1
