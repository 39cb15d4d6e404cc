"""Sweep `waiting`: an approved change waits for its window, or until those affected had their time; or it is held.

It waits in its row, so it waits through any restart. At its time it is `approved` again, and the sweep `changes`
passes it through the gate on fresh scans.
"""

from datetime import datetime, timedelta
from functools import partial

from sqlite_utils import Database

from commands import announcing
from commands.agenda import AgendaUnknown
from commands.freezes import in_force
from commands.timing import as_planned, notify_before, soonest, told_at
from patching.agenda import Opening
from patching.durations import words
from patching.phrases import counted
from patching.states import ChangeState
from scheduler.change_ends import supersede, unconfigured
from scheduler.parts import Parts
from storage import audit, changes, objections
from storage.changes import Change, opening_to_json
from storage.database import to_text

CARRIED_OUT_WITHIN = timedelta(hours=6)
"""Of its approval, or of its time: by then its environments must have been free, and the bot awake. Later than that
nobody expects it any more."""
TOO_LATE = "It could not be carried out within 6 hours of its approval, or of its time; nothing was sent. Ask again."
_FROZEN = "Held by a freeze: "
_UNTOLD = "Waits until those affected have "
_UNREAD = "Nobody can tell whether the window "
NO_WINDOW = "No maintenance window of {} is planned in the time that AWS was asked for; nothing was sent. Ask again."


def tick(parts: Parts, now: datetime) -> None:
    for change in changes.in_state(parts.store.db, ChangeState.WAITING, ChangeState.HELD):
        lane = parts.lane(change.application, change.environment)
        parts.pool.submit(("change", change.id), partial(look, parts, change), lane=lane)


def admit(parts: Parts, change: Change) -> None:
    """An approved change is let go at once, or begins to wait, and those affected are told when it comes."""
    late = False
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        if objections.standing(tx, change.id):
            held = changes.transition(tx, change, ChangeState.HELD, now, "clock", note=_objected(tx, change))
            if held:
                announcing.announce(tx, now, parts.config, held)
            parts.wake("deliver")
            return None
        start = soonest(tx, parts.config, change, now)
        if start.unknown:
            return changes.set_note(tx, change, start.unknown)
        if start.at is not None and start.at <= now:
            late = now - (change.approved_at or now) > CARRIED_OUT_WITHIN
            if not late:
                changes.release(tx, change, now, start.opening)
                parts.wake("changes")
        elif start.at is not None:
            waits = _wait(tx, now, change, start.at, start.opening)
            if waits:
                announcing.announce(tx, now, parts.config, waits)
    if late or start.at is None:
        return supersede(parts, change, (TOO_LATE if late else NO_WINDOW.format(change.environment),))
    parts.wake("deliver")
    return None


def look(parts: Parts, change: Change) -> None:
    """Whether it is time; whether its window moved or was missed; whether anything holds it."""
    if unconfigured(parts, change):
        return None
    if change.state is ChangeState.HELD:
        return _held(parts, change)
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        if objections.standing(tx, change.id):
            held = changes.transition(tx, change, ChangeState.HELD, now, "clock", note=_objected(tx, change))
            if held:
                announcing.tell_held(tx, now, parts.config, held, held.note)
            parts.wake("deliver")
            return None
    if change.opening and now >= change.opening.closes:
        # Other notes tell of what was before, such as that it was postponed: they are not why it was missed.
        return miss(parts, change, change.note if change.note.startswith((_FROZEN, _UNTOLD, _UNREAD)) else "")
    if change.opening and not stands(parts, change, change.opening):
        return None
    if change.starts_at is None or now < change.starts_at:
        return None
    return _open(parts, change)


def stands(parts: Parts, change: Change, opening: Opening) -> bool:
    """Whether the window that a change is for is still planned, or open. One that isn't is left for the next one; one
    that nobody can tell is kept, and nothing begins in it."""
    db = parts.store.db
    now = parts.clock.now()
    begun = opening.opens <= now
    try:
        planned = as_planned(db, parts.config, opening, change, now)
    except AgendaUnknown as unknown:
        if begun:
            with parts.store.transaction() as tx:
                changes.set_note(tx, change, f"{_UNREAD}{opening.name} is open. {unknown}")
            parts.wake("deliver")
        return not begun
    if planned is None:
        gone = "is not open any more" if begun else "does not open then any more"
        why = f"The window {opening.name} {gone}: it was moved, disabled or deleted."
        reschedule(parts, change, why, why=why)
        return False
    if planned != opening and change.state is ChangeState.WAITING:
        with parts.store.transaction() as tx:
            if changes.is_as_read(tx, change):
                another = "window has another cutoff"
                changes.reschedule(tx, change, now, "clock", planned, change.starts_at, change.note, another)
        return False  # looked at again as it is now
    return True


def miss(parts: Parts, change: Change, why: str) -> None:
    """Its window has closed to new work before anything was sent: it waits for the next one, and people are told."""
    if change.opening is None:
        raise ValueError(f"{change.ref} is for no window")
    what = f"The window {change.opening.name} was missed: {why or 'Patchgate did not get to it before its cutoff.'}"
    reschedule(parts, change, what, why=why, missed=True)


def reschedule(parts: Parts, change: Change, note: str, *, why: str, missed: bool = False) -> None:
    """To the next window after its own; where there is none the change ends."""
    after = change.opening if missed else None
    with parts.store.transaction() as tx:
        if not changes.is_as_read(tx, change):
            return None
        now = parts.clock.now()
        start = soonest(tx, parts.config, change, now, after)
        if start.at and change.starts_at and start.at < change.starts_at:
            start = soonest(tx, parts.config, change, now, after, told_anew=True)  # they know of a later moment
        if start.unknown:
            return changes.set_note(tx, change, start.unknown)
        if start.at is not None:
            again = _to(tx, now, change, start.at, start.opening, note, "window missed" if missed else "window moved")
            if again and missed:
                announcing.tell_missed(tx, now, parts.config, again, change, why)
            elif again:
                announcing.tell_moved(tx, now, parts.config, again, change, why)
    if start.at is None:
        return supersede(parts, change, (note, NO_WINDOW.format(change.environment)))
    parts.wake("deliver")
    return None


def _to(
    tx: Database, now: datetime, change: Change, at: datetime, opening: Opening | None, note: str, action: str
) -> Change | None:
    if change.state is not ChangeState.APPROVED:
        return changes.reschedule(tx, change, now, "clock", opening, at, note, action)
    return _wait(tx, now, change, at, opening, note)


def _wait(
    tx: Database, now: datetime, change: Change, at: datetime, opening: Opening | None, note: str = ""
) -> Change | None:
    return changes.transition(
        tx,
        change,
        ChangeState.WAITING,
        now,
        "clock",
        note=note,
        starts_at=to_text(at),
        window=opening_to_json(opening),
        released_at=None,
    )


def _open(parts: Parts, change: Change) -> None:
    """Its time has come: let it go, unless a freeze holds it or somebody has not been told long enough."""
    late = False
    with parts.store.transaction() as tx:
        if not changes.is_as_read(tx, change):
            return None
        now = parts.clock.now()
        freezes = () if change.emergency else in_force(tx, parts.config, change.application, now, now)
        if freezes:
            sentence = _FROZEN + " ".join(each.sentence for each in freezes)
            if change.note != sentence:
                changes.set_note(tx, change, sentence)
                audit.append(
                    tx, now, "clock", change.ref, "held by a freeze", {"freezes": [each.name for each in freezes]}
                )
                announcing.tell_held(tx, now, parts.config, change, sentence)
        elif waits := _untold(tx, parts, change, now):
            told = told_at(tx, change)
            if told and change.opening is None:
                start = told + notify_before(parts.config, change)
                changes.reschedule(tx, change, now, "clock", None, start, waits, "those affected told later")
            else:
                changes.set_note(tx, change, waits)
        elif change.opening is None and change.starts_at and now - change.starts_at > CARRIED_OUT_WITHIN:
            late = True
        else:
            changes.transition(tx, change, ChangeState.APPROVED, now, "clock", released_at=to_text(now))
            parts.wake("changes")
    if late:
        return supersede(parts, change, (TOO_LATE,))
    parts.wake("deliver")
    return None


def _untold(tx: Database, parts: Parts, change: Change, now: datetime) -> str:
    needed = notify_before(parts.config, change)
    if not needed:
        return ""
    told = told_at(tx, change)
    if told is None:
        return f"{_UNTOLD}been told; a message to somebody is still on its way."
    return f"{_UNTOLD}known of it for {words(needed)}." if now - told < needed else ""


def _held(parts: Parts, change: Change) -> None:
    """No objection stands any more: it waits again, for its own window if that is still ahead or open."""
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        if objections.standing(tx, change.id):
            return None
        start = soonest(tx, parts.config, change, now)
        if start.unknown:
            return changes.set_note(tx, change, start.unknown)
        if start.at is not None:
            waits = _wait(tx, now, change, start.at, start.opening)
            if waits:
                announcing.tell_resumed(tx, now, parts.config, waits, "No objection stands any more.")
    if start.at is None:
        return supersede(parts, change, (NO_WINDOW.format(change.environment),))
    parts.wake("waiting")
    parts.wake("deliver")
    return None


def _objected(db: Database, change: Change) -> str:
    standing = objections.standing(db, change.id)
    return f"{counted(len(standing), 'objection')}: {'; '.join(each.reason for each in standing)}"
