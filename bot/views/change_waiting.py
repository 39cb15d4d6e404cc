"""A change that waits for its time or is held: when it starts, who objects, who has seen it."""

from bot.views.blocks import Block, actions, button, confirmation
from bot.views.seen_by import acknowledge
from bot.views.text import own_zone, prose, user, when
from commands.reports import ChangeReport
from patching.states import ChangeState
from storage.changes import Change
from storage.objections import Objection

_OBJECTIONS_SHOWN = 5


def at_window_words(change: Change) -> str:
    """What is said of a request that goes at a window; nothing of any other."""
    return ", for the next maintenance window" if change.timing == "window" else ""


def waiting_lines(report: ChangeReport) -> list[str]:
    change = report.change
    starts = when(change.starts_at) if change.starts_at else "at a time that is not known yet"
    if change.opening is None:
        return [f":white_check_mark: *Approved*, starts {starts}: those affected were told.", *_until(report)]
    opening = change.opening
    own = own_zone(change.starts_at, opening.timezone) if change.starts_at else ""
    return [
        f":white_check_mark: *Approved*, waits for the window *{prose(opening.name, 128)}*: starts {starts}{own}, and "
        f"not after {when(opening.closes)}. Both environments are scanned again first.",
        *_until(report),
    ]


def held_lines(report: ChangeReport) -> list[str]:
    """Who objects and why; nothing is sent while an objection stands."""
    standing = [each for each in report.objections if each.stands]
    lines = [f"{user(each.user_id)} objects, {when(each.at)}:\n> {prose(each.reason, 600)}" for each in standing]
    ways = "Who objects can take it back; an admin who did not ask for it can overrule it."
    return [":warning: *Approved, and held*: nothing is sent.", *lines[:_OBJECTIONS_SHOWN], ways]


def frozen_lines(change: Change) -> list[str]:
    """Held by a freeze at its time, which is over when the freeze is."""
    line = "It goes on when no freeze is in force any more"
    if change.opening is None:
        return [f"{line}."]
    return [f"{line}, until {when(change.opening.closes)}; after that it waits for the next window."]


def overruled_lines(report: ChangeReport) -> list[str]:
    """Objections that were ended: by whom and why stays to be seen."""
    return [_ended(each) for each in report.objections if not each.stands][-_OBJECTIONS_SHOWN:]


def waiting_buttons(report: ChangeReport) -> list[Block]:
    """What those affected can do about it: rows of buttons."""
    change = report.change
    if change.state not in {ChangeState.WAITING, ChangeState.HELD}:
        return []
    mine = {"change": change.id}
    found = [acknowledge(change.subject), button("Object", "object", mine)]
    if change.state is ChangeState.WAITING and change.opening and change.starts_at:
        found.append(_postpone(change))
    return [actions(*found), *_objection_buttons(report)]


def _objection_buttons(report: ChangeReport) -> list[Block]:
    standing = [each for each in report.objections if each.stands][:_OBJECTIONS_SHOWN]
    return [actions(*_about(each, len(standing))) for each in standing]


def _about(objection: Objection, count: int) -> list[Block]:
    which = f" {objection.id}" if count > 1 else ""
    value = {"objection": objection.id}
    return [
        button(f"Overrule{which}", "overrule", value, style="danger"),
        button(f"Take back{which}", "take-back", value),
    ]


def _postpone(change: Change) -> Block:
    value = {"change": change.id, "starts_at": change.starts_at.isoformat() if change.starts_at else ""}
    dialog = confirmation(
        f"Postpone {change.ref}?",
        "It then goes at the next window, and everybody affected is told.",
        "Postpone",
        "Back",
    )
    return button("Postpone", "postpone", value, confirm=dialog)


def _until(report: ChangeReport) -> list[str]:
    until = report.object_until
    deadline = when(until) if until else "it is sent"
    return [f"Whoever is affected can object until {deadline}."]


def _ended(objection: Objection) -> str:
    by = f"overruled by {user(objection.ended_by or '')}"
    how = by if objection.was_overruled else "taken back"
    at = f", {when(objection.ended_at)}" if objection.ended_at else ""
    why = f": {prose(objection.end_reason or '', 300)}" if objection.was_overruled else "."
    return f"Objection of {user(objection.user_id)} ({prose(objection.reason, 200)}) {how}{at}{why}"
