"""When a change can be sent: at once, after those affected had their time, or at a maintenance window."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from commands.agenda import AgendaUnknown, next_opening, openings
from patching.agenda import Opening
from patching.config import Configuration
from patching.nodes import EnvironmentKey
from storage import outbox
from storage.changes import Change

ANNOUNCED = "change-announced"
"""The kind of the notices with which those affected are told that a change will come."""


@dataclass(frozen=True, slots=True)
class Start:
    """The soonest moment for a change. `at` is None where no window is planned, or nobody can tell the windows."""

    at: datetime | None
    opening: Opening | None = None
    unknown: str = ""  # why the windows can't be told, as a sentence


def notify_before(config: Configuration, change: Change) -> timedelta:
    """How long before the send those affected must know of it. An emergency waits for nobody."""
    return timedelta(0) if change.emergency else config.notices.notify_before


def soonest(
    db: Database,
    config: Configuration,
    change: Change,
    now: datetime,
    after: Opening | None = None,
    *,
    told_anew: bool = False,
) -> Start:
    """When `change` may be let go; at a later window than `after`, and than the one that it was postponed from.

    `told_anew`: those affected are told only now, whatever they heard before.
    """
    needed = notify_before(config, change)
    told = None if told_anew else told_at(db, change)
    earliest = max(now, (told or now) + needed)
    if change.timing != "window":
        return Start(earliest)
    key = EnvironmentKey(change.application, change.environment)
    passed = filter(None, (after, change.postponed_from))
    after = max(passed, key=lambda each: each.opens, default=None)
    try:
        opening = next_opening(db, config, key, now, after, earliest=earliest)
    except AgendaUnknown as unknown:
        return Start(None, unknown=str(unknown))
    return Start(max(opening.opens, earliest) if opening else None, opening)


def as_planned(db: Database, config: Configuration, opening: Opening, change: Change, now: datetime) -> Opening | None:
    """The execution `opening` of a change as AWS plans it by now; None where it doesn't any more.

    Its cutoff may be another one than it was. Raises AgendaUnknown.
    """
    key = EnvironmentKey(change.application, change.environment)
    soon_after = opening.opens + timedelta(seconds=1)
    planned = openings(db, config, key, opening.opens, soon_after, now)
    return next((each for each in planned if each.key == opening.key), None)


def told_at(db: Database, change: Change) -> datetime | None:
    """When the last of those affected was told of a change; None while a word to any of them is still owed.

    Whom nothing reaches any more (a dead notice) holds nothing up, as long as somebody was reached.
    """
    return outbox.all_sent_at(db, change.subject, ANNOUNCED)


def objecting_until(config: Configuration, change: Change) -> datetime | None:
    """Until when somebody may object; None where the send itself is the deadline, or no start is known yet."""
    until = config.notices.object_until
    if change.starts_at is None or until <= timedelta(0):
        return None
    return change.starts_at - until
