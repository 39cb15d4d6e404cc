"""What those affected are told of a change that waits: that it comes, when, that it is held, that it does not come.

A notice's first line says what happened; what follows is the change as it is when the message is sent (I5).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from bot.views.blocks import Block, Rendered, header, message, sections
from bot.views.change import approvals, change_title, change_words
from bot.views.change_waiting import frozen_lines, held_lines, waiting_buttons, waiting_lines
from bot.views.facts import asked_part, extent, marks, warnings
from bot.views.mail import Email, email
from bot.views.run import run_state
from bot.views.seen_by import seen_by
from bot.views.text import code, command, place, prose, user, users, when
from bot.views.window_notices import mentioned
from commands.reports import ChangeReport, RunReport
from patching.states import ChangeState
from storage.changes import Change

_HEADLINES: Final = {
    "change-announced": "A change will be installed",
    "change-moved": "A change was moved",
    "change-missed": "A change missed its window",
    "change-held": "A change is held",
    "change-resumed": "A change goes on",
    "change-off": "A change will not be installed",
}
KINDS: Final = tuple(_HEADLINES)

_LATE: Final = ":warning: *This message is late.*"
_OVER: Final = "That is over since."


def change_notice(
    report: ChangeReport,
    kind: str,
    payload: Mapping[str, Any],
    now: datetime,
    *,
    install: RunReport | None = None,
    groups: Sequence[str] = (),
) -> Rendered:
    """`payload`: from (ISO 8601), why and by (None: nobody asked for it) of change-moved; window, opened and why of
    change-missed; why of the others.

    `install`: the run that the change has become; `groups`: user groups to mention.
    """
    change = report.change
    lines = [*_lines(report, kind, payload, now, install), *mentioned(groups), *seen_by(report.seen_by)]
    blocks: list[Block] = [header(change_title(change)), *sections(lines), *waiting_buttons(report)]
    where = place(change.application, change.environment)
    return message(f"{marks(change)}{_HEADLINES[kind]}: {change.ref}, PRODUCTION {where}", blocks)


def email_change_notice(
    report: ChangeReport, kind: str, payload: Mapping[str, Any], now: datetime, *, install: RunReport | None = None
) -> Email:
    change = report.change
    way = f"To object, postpone it or say that you have seen it: {command(f'status {change.ref}')} in Slack."
    ways = [way] if change.state in {ChangeState.WAITING, ChangeState.HELD} else []
    put_back = kind == "change-off" and change.state is ChangeState.EXPIRED
    headline = "A change counts no more" if put_back else _HEADLINES[kind]
    subject = f"{headline}: {change.ref}, PRODUCTION {change.application} {change.environment}"
    return email(subject, [*_lines(report, kind, payload, now, install), *ways])


def _lines(
    report: ChangeReport, kind: str, payload: Mapping[str, Any], now: datetime, install: RunReport | None
) -> list[str]:
    change = report.change
    what = f"{code(change.ref)}, {extent(change)} of PRODUCTION *{place(change.application, change.environment)}*"
    why = prose(str(payload.get("why") or ""), 600)
    because = f" {why}" if why else ""
    lines = [*warnings(change)]
    match kind:
        case "change-announced":
            lines.append(f"*Will be installed*: {what}. Nodes may reboot. {_asked(report)}")
            lines += asked_part(change, 0)
        case "change-moved":
            before = f" It was to start {when(_time(payload['from']))}." if payload.get("from") else ""
            by = f" by {user(str(payload['by']))}" if payload.get("by") else ""
            lines.append(f"*Moved*{by}: {what}.{before}{because}")
        case "change-missed":
            opened = when(_time(payload["opened"]))
            lines.append(
                f":warning: *Missed its window* {prose(str(payload['window']), 128)}, {opened}: {what}.{because}"
            )
        case "change-held":
            lines.append(f":warning: *Held*, nothing is sent: {what}.{because}")
        case "change-resumed":
            lines.append(f"*No longer held*: {what}.{because}")
        case _ if change.state is ChangeState.EXPIRED:  # in a database that was put back: it may have been installed
            lines.append(f":x: *Counts no more*: {what}.{because}")
        case _:
            lines.append(f":x: *Will not be installed*: {what}.{because}")
    if kind == "change-held" and change.state is ChangeState.WAITING and payload.get("why") == change.note:
        return [*lines, *frozen_lines(change)]
    return [*lines, *_as_it_is(report, kind, now, install)]


def _as_it_is(report: ChangeReport, kind: str, now: datetime, install: RunReport | None) -> list[str]:
    """Where the change stands now; that the message is late, where it has gone on since."""
    change = report.change
    if install:
        return [f"{_LATE} {code(install.run.ref)}: {run_state(install)}"]
    if kind == "change-off":
        again = f" {code(report.successor.ref)} asks for it again." if report.successor else ""
        return [f"{_now(change)}{again}"]
    match change.state:
        case ChangeState.HELD:
            return held_lines(report)
        case ChangeState.WAITING:
            overdue = change.starts_at is not None and change.starts_at <= now
            before = [_LATE] if overdue else [_OVER] if kind == "change-held" else []
            return [*before, *waiting_lines(report)]
        case ChangeState.APPROVED:
            return [_OVER, _now(change)] if kind == "change-held" else [_now(change)]
        case _:
            return [f"{_LATE} {_now(change)}"]


def _now(change: Change) -> str:
    return f"Now it is {change_words(change)}."


def _asked(report: ChangeReport) -> str:
    approved = [user(each.user_id) for each in approvals(report)[:5]]
    by = f", approved by {', '.join(approved)}" if approved else ""
    return f"Asked for by {users(report.change.requesters)}{by}."


def _time(text: object) -> datetime:
    return datetime.fromisoformat(str(text))
