"""Telling those affected by a change that waits: that it comes, that it moves, is held, or does not come (I7).

The caller owes them in the transaction of what causes it. Their words are made from the change as it is when they are
sent (I5); nobody hears of a change's move who was not told that it comes.
"""

from datetime import datetime

from sqlite_utils import Database

from commands.affected import owe_to_affected
from commands.timing import ANNOUNCED
from patching.config import Configuration
from patching.states import ChangeState
from storage import outbox
from storage.changes import Change
from storage.database import to_text


def announce(tx: Database, now: datetime, config: Configuration, change: Change) -> None:
    """It was approved and waits."""
    _owe(tx, now, config, change, ANNOUNCED, "announced", {})


def tell_moved(
    tx: Database, now: datetime, config: Configuration, change: Change, before: Change, why: str, by: str | None = None
) -> None:
    """To another time than `before` had; `by` whom, where somebody asked for that."""
    _follow(tx, now, config, change, "change-moved", {"from": to_text(before.starts_at), "why": why, "by": by})


def tell_missed(tx: Database, now: datetime, config: Configuration, change: Change, before: Change, why: str) -> None:
    """The window that `before` waited for has closed to new work."""
    opening = before.opening
    if opening:
        payload = {"window": opening.name, "opened": to_text(opening.opens), "why": why}
        _owe(tx, now, config, change, "change-missed", f"missed:{to_text(opening.opens)}", payload)


def tell_held(tx: Database, now: datetime, config: Configuration, change: Change, why: str) -> None:
    """By an objection or a freeze."""
    _follow(tx, now, config, change, "change-held", {"why": why})


def tell_resumed(tx: Database, now: datetime, config: Configuration, change: Change, why: str) -> None:
    _follow(tx, now, config, change, "change-resumed", {"why": why})


def call_off(tx: Database, now: datetime, config: Configuration, change: Change, why: str) -> None:
    """`change` as it was before it ended without an Install."""
    if change.state in {ChangeState.APPROVED, ChangeState.WAITING, ChangeState.HELD}:
        _follow(tx, now, config, change, "change-off", {"why": why})


def call_off_without_configuration(tx: Database, now: datetime, change: Change, why: str) -> None:
    """To each who was owed the word that it comes: a database is put back where nobody knows whom it concerns."""
    for told in outbox.about(tx, change.subject):
        if told.kind == ANNOUNCED:
            outbox.owe(
                tx,
                now,
                key=f"{change.subject}:change-off:{to_text(now)}:{told.medium}:{told.recipient}",
                kind="change-off",
                medium=told.medium,
                recipient=told.recipient,
                subject=change.subject,
                payload={"why": why},
            )


def _follow(
    tx: Database, now: datetime, config: Configuration, change: Change, kind: str, payload: dict[str, str | None]
) -> None:
    if outbox.is_owed(tx, change.subject, ANNOUNCED):
        _owe(tx, now, config, change, kind, f"{kind}:{to_text(now)}", payload)


def _owe(
    tx: Database,
    now: datetime,
    config: Configuration,
    change: Change,
    kind: str,
    moment: str,
    payload: dict[str, str | None],
) -> None:
    owe_to_affected(
        tx,
        now,
        config,
        application=change.application,
        environment=change.environment,
        kind=kind,
        subject=change.subject,
        moment=moment,
        payload=payload,
    )
