"""Freezes: the list that somebody asked for, and the line that tells a channel of one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.views.blocks import Rendered, context, header, message, pager, section, sections
from bot.views.text import code, command, listed, plural, prose, user, when
from commands.freezes import FreezeList, FreezePeriod, Origin

_NAMED = 10  # applications of one freeze


def freeze_list(reply: FreezeList) -> Rendered:
    """Those in force first, then those to come, soonest first."""
    current = [each for each in reply.periods if each.is_in_force(reply.now)]
    coming = [each for each in reply.periods if not each.is_in_force(reply.now)]
    blocks = [header("Freezes")]
    if current:
        blocks += sections(["*In force*", *(_line(each, reply.now) for each in current)])
    if coming:
        blocks += sections(["*To come*", *(_line(each, reply.now) for each in coming)])
    if not reply.periods:
        blocks.append(section("None is there." if reply.page else "No freeze is in force, and none is to come."))
    blocks += pager("freezes-page", reply.page, reply.more, {})
    blocks.append(
        context(
            f"The next {plural(reply.ahead.days, 'day')}. An admin lifts one: {command('freeze lift NAME REASON')}."
        )
    )
    counts = f"{len(current):,} in force" if current else "none in force" if not reply.page else "page of the list"
    return message(f"Freezes: {counts}", blocks)


def freeze_told(kind: str, payload: Mapping[str, Any]) -> Rendered:
    """To a channel: a freeze was added or lifted.

    `payload`: name, applications (a list, or None for all), starts_at and ends_at (ISO, or None where nobody knows),
    reason, by (a Slack user id), recurs (whether it may come again after this).
    """
    name, who = prose(str(payload["name"]), 80), user(str(payload["by"]))
    of = _applications(payload["applications"])
    starts, ends = (
        datetime.fromisoformat(text) if text else None for text in (payload["starts_at"], payload["ends_at"])
    )
    reason = prose(str(payload["reason"]), 700)
    if kind == "freeze-lifted":
        end = "" if reason.endswith(".") else "."
        period = (
            f" That is the period until {when(ends)}; what comes later stays." if ends and payload["recurs"] else ""
        )
        words = f"{who} lifted the freeze *{name}* of {of}: {reason}{end}{period}"
        return f"Freeze lifted: {name}", [section(words)]
    until = f"until {when(ends)}" if ends else "until an admin lifts it"
    since = f"from {when(starts)} " if starts else ""
    words = f"{who} added the freeze *{name}*: production of {of} is left alone {since}{until}. Reason: {reason}"
    return f"Freeze added: {name}", [section(words)]


def _line(period: FreezePeriod, now: datetime) -> str:
    parts = [f"• *{prose(period.name, 80)}* · {_applications(period.applications)}: {_span(period, now)}"]
    if period.reason:
        parts.append(prose(period.reason, 300).rstrip("."))
    if period.error:
        parts.append(prose(period.error, 300).rstrip("."))
    if period.added_by:
        parts.append(f"added by {user(period.added_by)}")
    return " · ".join(parts)


def _span(period: FreezePeriod, now: datetime) -> str:
    if period.origin is Origin.CALENDAR and period.reason:
        return "counts as closed"
    ends = f"until {when(period.ends_at)}" if period.ends_at else "until an admin lifts it"
    if period.origin is Origin.CALENDAR and not period.ends_at:
        ends = "while its Change Calendar is closed"
    begins = f"from {when(period.starts_at)} " if period.starts_at and period.starts_at > now else ""
    zone = f" ({code(period.timezone)})" if period.timezone != "UTC" else ""
    return f"{begins}{ends}{zone}"


def _applications(names: object) -> str:
    """The first few by name; None is all."""
    if not isinstance(names, list | tuple):
        return "every application"
    shown = [prose(str(name), 60) for name in names[:_NAMED]]
    rest = len(names) - len(shown)
    return f"{', '.join(shown)} and {rest:,} more" if rest else listed(shown)
