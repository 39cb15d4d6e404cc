"""When a schedule that AWS does not know yet would open: a preview for the form, and for nothing else.

AWS tells the executions of windows that exist (facts/patch-manager.md section 5), and only those are announced and
waited for. Here APScheduler's CronTrigger reckons, a library with other roots than what AWS uses; this module only
translates the notation, and says so where there is no translation.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.cron import CronTrigger

COUNT: Final = 5
HORIZON: Final = timedelta(days=5 * 366)  # so that a schedule which never falls due doesn't search for ever
LATER: Final = "When it opens, AWS tells once it exists."

_WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")  # AWS counts them from 1
_POSITIONS: Final = ("1st", "2nd", "3rd", "4th", "5th")
_NUMBERS = re.compile(r"(?:\*|[0-9]+(?:-[0-9]+)?)(?:/[0-9]+)?", re.ASCII)
_MONTHS = re.compile(r"[A-Z]{3}(?:-[A-Z]{3})?", re.ASCII)


class NoPreview(Exception):
    """One sentence: why nobody can tell before AWS does, or what is wrong with the schedule."""


def preview(schedule: str, timezone: str, offset_days: int, now: datetime, count: int = COUNT) -> tuple[datetime, ...]:
    """The next openings after `now`, aware, in the schedule's own zone. Raises NoPreview."""
    zone = _zone(timezone)
    form = re.fullmatch(r"(cron|rate|at)\((.*)\)", schedule.strip(), re.ASCII)
    if form is None:
        raise NoPreview("An expression is written cron(…), rate(…) or at(…).")
    kind, inner = form.groups()
    if kind == "rate":
        raise NoPreview(f"A rate counts from the window's creation. {LATER}")
    if kind == "at":
        found = tuple(each for each in [_moment(inner, zone)] if each > now)
    else:
        found = tuple(islice(_openings(_trigger(inner, zone, now), timedelta(days=offset_days), now), count))
    if not found:
        raise NoPreview("By this schedule it would not open in the next five years.")
    return found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NoPreview("That time zone is not known; an IANA name is written as in Europe/Dublin.") from None


def _moment(inner: str, zone: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(inner.strip())
    except ValueError:
        raise NoPreview("A moment is written as in at(2027-01-31T02:00:00).") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(zone)


def _openings(trigger: CronTrigger, offset: timedelta, now: datetime) -> Iterator[datetime]:
    """The offset counts days of the calendar from the day that the expression names, at the same time of day."""
    after = now - offset - timedelta(days=1)
    while (found := trigger.get_next_fire_time(None, after)) is not None:
        opening: datetime = found + offset  # of a zone: days of the calendar
        if opening > now:
            yield opening
        after = found.astimezone(UTC) + timedelta(seconds=1)


def _trigger(inner: str, zone: ZoneInfo, now: datetime) -> CronTrigger:
    fields = inner.upper().split()
    if len(fields) != 6:
        raise NoPreview("cron(…) has six fields: minute, hour, day of the month, month, weekday and year.")
    minute, hour, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise NoPreview("Of day of the month and weekday, exactly one is a question mark.")
    positioned = _positions(weekday)
    try:
        return CronTrigger(
            year=_numbers(year),
            month=",".join(part if _MONTHS.fullmatch(part) else _numbers(part) for part in month.split(",")),
            day=positioned or _days(day),
            day_of_week="*" if positioned else _weekdays(weekday),
            hour=_numbers(hour),
            minute=_numbers(minute),
            second="0",
            timezone=zone,
            end_date=now + HORIZON,
        )
    except ValueError:
        raise NoPreview(f"cron({inner}) can't be read here. {LATER}") from None


def _numbers(field: str) -> str:
    """`5`, `1-5`, `*/15`, `0,30`: written alike on both sides."""
    if not all(_NUMBERS.fullmatch(part) for part in field.split(",")):
        raise ValueError(field)
    return field


def _days(field: str) -> str:
    if field == "?":
        return "*"
    return ",".join("last" if part == "L" else _numbers(part) for part in field.split(","))


def _positions(field: str) -> str:
    """`TUE#2` is the `2nd tue` of the month, `FRIL` or `6L` its `last fri`; empty for other weekdays."""
    found = re.fullmatch(r"([A-Z]{3}|[1-7])(?:#([1-5])|(L))", field, re.ASCII)
    if found is None:
        return ""
    position = "last" if found[3] else _POSITIONS[int(found[2]) - 1]
    try:
        return f"{position} {_WEEKDAYS[_place(found[1])].lower()}"
    except ValueError:
        raise NoPreview(f"{found[1]} is no weekday; they are written {', '.join(_WEEKDAYS)}.") from None


def _weekdays(field: str) -> str:
    """By name, each by itself: the two sides count weekdays differently and begin the week on another day."""
    if field in ("?", "*"):
        return "*"
    named: list[str] = []
    for part in field.split(","):
        first, dash, last = part.partition("-")
        at, end = _place(first), _place(last if dash else first)
        named += [_WEEKDAYS[(at + step) % 7].lower() for step in range((end - at) % 7 + 1)]
    return ",".join(named)


def _place(word: str) -> int:
    """Of a weekday in AWS's week, from 0. Raises ValueError."""
    return int(word) - 1 if re.fullmatch(r"[1-7]", word, re.ASCII) else _WEEKDAYS.index(word)
