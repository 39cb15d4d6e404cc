"""The outbox: notices owed to somebody, in the transaction that causes them, sent in order per recipient (I7).

A *card* is a notice that is shown again whenever its subject has moved (one message, updated): `touch` raises its
revision, and it is owed until the revision shown is the newest. Everything else is sent once.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlite_utils import Database

from patching.states import NOTICE_TRANSITIONS, NoticeState, require
from storage.database import to_json, to_text, to_time


class Medium(StrEnum):
    CHANNEL = "channel"  # recipient: a channel id
    THREAD = "thread"  # recipient: a channel id; posted under the subject's card
    USER = "user"  # recipient: a Slack user id or e-mail address, by direct message
    EPHEMERAL = "ephemeral"  # recipient: "CHANNEL USER"
    EMAIL = "email"  # recipient: an e-mail address


@dataclass(frozen=True, slots=True)
class Notice:
    id: int
    key: str
    kind: str
    medium: Medium
    recipient: str
    subject: str  # "run:12", "change:4", "window:…"
    payload: Mapping[str, Any]
    state: NoticeState
    revision: int
    shown_revision: int
    attempts: int
    not_before: datetime | None
    created_at: datetime
    sent_at: datetime | None
    channel: str | None  # where Slack put it
    ts: str | None
    note: str


def owe(
    tx: Database,
    now: datetime,
    *,
    key: str,
    kind: str,
    medium: Medium,
    recipient: str,
    subject: str,
    payload: Mapping[str, Any] | None = None,
) -> bool:
    """Owe a notice; False when its key is owed already, in which case nothing changes."""
    done = tx.execute(
        """INSERT INTO notice (key, kind, medium, recipient, subject, payload, state, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING""",
        [key, kind, medium, recipient, subject, to_json(payload or {}), NoticeState.DUE, to_text(now)],
    )
    return done.rowcount == 1


def touch(tx: Database, subject: str) -> None:
    """The subject's card must be shown again, and that of the change which a run belongs to.

    One that is being sent right now comes up again afterwards.
    """
    tx.execute(
        """UPDATE notice SET revision = revision + 1, state = CASE WHEN state = 'sent' THEN 'due' ELSE state END
           WHERE kind LIKE '%-card' AND state != 'dead' AND subject IN (
               SELECT :subject UNION
               SELECT 'change:' || change_id FROM run WHERE 'run:' || id = :subject AND change_id IS NOT NULL)""",
        {"subject": subject},
    )


def show_again(tx: Database, notice: Notice) -> None:
    """A message in Slack has something new to show. One that is being sent right now comes up again afterwards."""
    tx.execute(
        """UPDATE notice SET revision = revision + 1, state = CASE WHEN state = 'sent' THEN 'due' ELSE state END
           WHERE id = ? AND state IN ('sent', 'sending')""",
        [notice.id],
    )


def due(db: Database, now: datetime) -> list[Notice]:
    """What can be sent now, at most one for each recipient of a medium.

    New messages go first and in order; a card that is shown already is brought up to date when no new message
    waits, the one that was sent longest ago first, so that a busy card never holds up the others.
    """
    rows = db.execute(
        """SELECT * FROM (
               SELECT *, row_number() OVER (
                   PARTITION BY medium, recipient ORDER BY state = 'sending' DESC, ts IS NOT NULL, sent_at, id) AS turn
               FROM notice
               WHERE state = 'sending' OR state = 'due' AND (ts IS NULL OR not_before IS NULL OR not_before <= :now))
           WHERE turn = 1 AND state = 'due' AND (not_before IS NULL OR not_before <= :now) ORDER BY id""",
        {"now": to_text(now)},
    )
    return [_notice(row) for row in rows]


def begin_sending(tx: Database, notice: Notice) -> bool:
    return _move(tx, notice.id, NoticeState.DUE, NoticeState.SENDING)


def sent(tx: Database, notice: Notice, now: datetime, channel: str | None, ts: str | None) -> None:
    """Accepted by the other side. Owed again at once when the subject has moved since it was rendered."""
    if not _move(tx, notice.id, NoticeState.SENDING, NoticeState.SENT):
        return
    tx.execute(
        """UPDATE notice SET sent_at = ?, channel = coalesce(?, channel), ts = coalesce(?, ts), shown_revision = ?,
                  attempts = 0, not_before = NULL, note = '',
                  state = CASE WHEN revision > ? THEN 'due' ELSE 'sent' END
           WHERE id = ?""",
        [to_text(now), channel, ts, notice.revision, notice.revision, notice.id],
    )


def postpone(tx: Database, notice: Notice, not_before: datetime, note: str) -> None:
    """Not accepted for now: due again later."""
    if not _move(tx, notice.id, NoticeState.SENDING, NoticeState.DUE):
        return
    tx.execute(
        "UPDATE notice SET not_before = ?, note = ?, attempts = attempts + 1 WHERE id = ?",
        [to_text(not_before), note, notice.id],
    )


def bury(tx: Database, notice: Notice, note: str) -> None:
    """Never to be accepted: it is kept, with the reason, for people to see."""
    if not _move(tx, notice.id, NoticeState.SENDING, NoticeState.DEAD):
        return
    tx.execute("UPDATE notice SET note = ? WHERE id = ?", [note, notice.id])


def repost(tx: Database, notice: Notice) -> None:
    """The message is gone from Slack: forget its ts, so that it is posted anew."""
    tx.execute("UPDATE notice SET channel = NULL, ts = NULL WHERE id = ?", [notice.id])


def recover(tx: Database) -> int:
    """After a crash: what was being sent is due again. It may come twice; none is lost (I7)."""
    return tx.execute("UPDATE notice SET state = 'due' WHERE state = 'sending'").rowcount


def card(db: Database, subject: str) -> Notice | None:
    row = db.execute("SELECT * FROM notice WHERE subject = ? AND kind LIKE '%-card'", [subject]).fetchone()
    return _notice(row) if row else None


def by_key(db: Database, key: str) -> Notice | None:
    row = db.execute("SELECT * FROM notice WHERE key = ?", [key]).fetchone()
    return _notice(row) if row else None


def newest(db: Database, kind: str, recipient: str) -> Notice | None:
    """The one of this kind that was last owed to somebody, whatever became of it."""
    row = db.execute(
        "SELECT * FROM notice WHERE kind = ? AND recipient = ? ORDER BY id DESC LIMIT 1", [kind, recipient]
    ).fetchone()
    return _notice(row) if row else None


def about(db: Database, subject: str) -> list[Notice]:
    """Every notice about it, oldest first."""
    return [_notice(row) for row in db.execute("SELECT * FROM notice WHERE subject = ? ORDER BY id", [subject])]


def all_sent_at(db: Database, subject: str, kind: str) -> datetime | None:
    """When the last notice of this kind was sent; None while one of them is not, or where none was ever sent."""
    row = db.execute(
        """SELECT max(sent_at) AS newest, sum(sent_at IS NULL AND state != 'dead') AS waiting
           FROM notice WHERE subject = ? AND kind = ?""",
        [subject, kind],
    ).fetchone()
    return None if row["waiting"] else to_time(row["newest"])


def is_owed(db: Database, subject: str, kind: str) -> bool:
    """Whether anybody was ever owed a notice of this kind."""
    return db.execute("SELECT 1 FROM notice WHERE subject = ? AND kind = ?", [subject, kind]).fetchone() is not None


def dead(db: Database) -> list[Notice]:
    """Given up for good, each with its reason as its note."""
    return [_notice(row) for row in db.execute("SELECT * FROM notice WHERE state = 'dead' ORDER BY id")]


def _move(tx: Database, notice_id: int, old: NoticeState, new: NoticeState) -> bool:
    require(NOTICE_TRANSITIONS, old, new)
    done = tx.execute("UPDATE notice SET state = ? WHERE id = ? AND state = ?", [new, notice_id, old])
    return done.rowcount == 1


def _notice(row: Any) -> Notice:  # noqa: ANN401 - sqlite3.Row is untyped
    values = dict(row)
    values.pop("turn", None)
    values["medium"] = Medium(values["medium"])
    values["state"] = NoticeState(values["state"])
    values["payload"] = json.loads(values["payload"])
    for name in ("not_before", "created_at", "sent_at"):
        values[name] = to_time(values[name])
    return Notice(**values)
