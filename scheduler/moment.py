"""The gate's facts about the moment of a send: the window, how long it takes, freezes, who was told, who objects."""

from datetime import datetime, timedelta

from commands.agenda import AgendaUnknown
from commands.freezes import in_force
from commands.timing import Start, as_planned, notify_before, soonest, told_at
from patching.gate import Moment
from patching.model import Operation
from scheduler.parts import Parts
from storage import objections, runs
from storage.changes import Change

COUNTED = 3  # earlier runs, of which the longest counts


def moment_of(parts: Parts, change: Change, now: datetime) -> tuple[Moment, datetime]:
    """The facts, and the planned start: the moment for which the soak and freezes are judged."""
    db, config = parts.store.db, parts.config
    sending = change.released_at is not None
    start = _as_let_go(parts, change, now) if sending else soonest(db, config, change, now)
    at = start.at or now
    estimate, of = _estimate(parts, change)
    moment = Moment(
        sending=sending,
        emergency=bool(change.emergency),
        at_window=change.timing == "window",
        opening=start.opening,
        windows_unknown=start.unknown,
        estimate=estimate,
        estimated_from=of,
        notify_before=notify_before(config, change),
        told_at=told_at(db, change),
        freezes=tuple(each.sentence for each in in_force(db, config, change.application, at, now)),
        objections=tuple(each.reason for each in objections.standing(db, change.id)),
    )
    return moment, at


def _as_let_go(parts: Parts, change: Change, now: datetime) -> Start:
    """Now, in the window that it was let go in, if that is still there."""
    if change.opening is None:
        return Start(now)
    try:
        return Start(now, as_planned(parts.store.db, parts.config, change.opening, change, now))
    except AgendaUnknown as unknown:
        return Start(now, change.opening, str(unknown))


def _estimate(parts: Parts, change: Change) -> tuple[timedelta | None, str]:
    """The longest of the newest Installs of production, else of the environment that gates it; and which those are."""
    for environment in (change.environment, change.source):
        ended = runs.newest_ended(parts.store.db, change.application, environment, Operation.INSTALL, COUNTED)
        lasted = [(run.ended_at - run.started_at, run.ref) for run in ended if run.started_at and run.ended_at]
        if lasted:
            longest, ref = max(lasted)
            return longest, f"as {ref} of {environment} took"
    return None, ""
