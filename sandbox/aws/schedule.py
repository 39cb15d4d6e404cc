"""When a maintenance window opens: `cron()`, `rate()` and `at()` (facts/patch-manager.md section 5)."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterBadCronError, CroniterBadDateError, CroniterNotAlphaError, croniter

_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


class BadSchedule(ValueError):
    """The expression or the time zone means nothing; the message says which."""


def openings(expression: str, timezone: str, offset_days: int, first: datetime, after: datetime) -> Iterator[datetime]:
    """Aware UTC times after `after`, without end for cron and rate. `first` is when the window began to exist,
    from which a rate counts. Raises BadSchedule."""
    try:
        zone = ZoneInfo(timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError) as unknown:
        raise BadSchedule(f"Invalid time zone: {timezone}") from unknown
    form = re.fullmatch(r"(cron|rate|at)\((.+)\)", expression.strip())
    if form is None:
        raise BadSchedule(f"Invalid schedule expression: {expression}")
    kind, inner = form.groups()
    if kind == "cron":
        return _cron(inner, zone, offset_days, after)
    if kind == "rate":
        return _rate(inner, first, after)
    return _at(inner, zone, after)


def _cron(inner: str, zone: ZoneInfo, offset_days: int, after: datetime) -> Iterator[datetime]:
    fields = inner.split()
    if len(fields) != 6:
        raise BadSchedule(f"Invalid cron expression: {inner}")
    minute, hour, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise BadSchedule(f"Invalid cron expression: {inner}")
    # croniter wants seconds sixth and the year seventh, and counts weekdays from 0.
    adapted = f"{minute} {hour} {day.replace('?', '*')} {month} {_weekday(weekday)} 0 {year}"
    offset = timedelta(days=offset_days)
    try:
        times = croniter(adapted, (after - offset).astimezone(zone))
    except (CroniterBadCronError, CroniterNotAlphaError) as bad:
        raise BadSchedule(f"Invalid cron expression: {inner}") from bad
    return _until_the_last(times, offset)


def _until_the_last(times: croniter, offset: timedelta) -> Iterator[datetime]:
    while True:
        try:
            found: datetime = times.get_next(datetime)
        except CroniterBadDateError:  # a year field that lies in the past
            return
        yield (found + offset).astimezone(UTC)


def _weekday(field: str) -> str:
    """AWS counts 1 to 7 from Sunday and writes the last Friday `6L` or `FRIL`."""
    if field == "?":
        return "*"
    last = re.fullmatch(r"([A-Z]{3})L", field.upper())
    if last and last[1] in _WEEKDAYS:
        return f"L{_WEEKDAYS.index(last[1])}"
    counted = re.sub(r"(?<![#\d])[1-7](?!\d)", lambda found: str(int(found[0]) - 1), field)
    return re.sub(r"([0-6])L", r"L\1", counted)


def _rate(inner: str, first: datetime, after: datetime) -> Iterator[datetime]:
    found = re.fullmatch(r"(\d+) (minute|hour|day)s?", inner.strip())
    if found is None or int(found[1]) < 1:
        raise BadSchedule(f"Invalid rate expression: {inner}")
    step = int(found[1]) * _UNITS[found[2]]
    passed = max((after - first) // step, 0)
    return _every(first + (passed + 1) * step, step)


def _every(start: datetime, step: timedelta) -> Iterator[datetime]:
    while True:
        yield start
        start += step


def _at(inner: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    try:
        moment = datetime.fromisoformat(inner.strip())
    except ValueError as bad:
        raise BadSchedule(f"Invalid at expression: {inner}") from bad
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return iter([aware.astimezone(UTC)] if aware > after else [])
