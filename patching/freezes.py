"""Freezes of the configuration: days, recurring times and Change Calendars in which production is left alone.

A period is half open: it includes its start and ends where the next may begin. Recurring times are RFC 5545's, through
dateutil (ADR 0012); they are counted in local wall-clock time, so that a whole local day is frozen also where it has 23
or 25 hours.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, StringConstraints, Tag, model_validator

from patching.notices import zone
from patching.policy import Duration
from patching.strict import Strict

FORMS: Final = frozenset({"[dates]", "[rule]", "[calendar]"})
"""How pydantic names the three forms in an error's place; people don't write them."""

_NAME = re.compile(r"\w[\w .-]{0,59}")
_LIST = "{0}(,{0})*"
_PARTS: Final = {
    "FREQ": "DAILY|WEEKLY|MONTHLY|YEARLY",
    "UNTIL": "[0-9]{8}(T[0-9]{6})?",
    "COUNT": "[1-9][0-9]{0,3}",
    "INTERVAL": "[1-9][0-9]{0,2}",
    "BYMINUTE": _LIST.format("([0-9]|[0-5][0-9])"),
    "BYHOUR": _LIST.format("([0-9]|[01][0-9]|2[0-3])"),
    "BYDAY": _LIST.format("([+-]?[1-9][0-9]?)?(MO|TU|WE|TH|FR|SA|SU)"),
    "BYMONTHDAY": _LIST.format("[+-]?([1-9]|[12][0-9]|3[01])"),
    "BYYEARDAY": _LIST.format("[+-]?[1-9][0-9]{0,2}"),
    "BYWEEKNO": _LIST.format("[+-]?[1-9][0-9]?"),
    "BYMONTH": _LIST.format("([1-9]|1[0-2])"),
    "BYSETPOS": _LIST.format("[+-]?[1-9][0-9]{0,2}"),
    "WKST": "MO|TU|WE|TH|FR|SA|SU",
}
_DAYS: Final = ("BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO")
_CENTURY: Final = datetime(9900, 1, 1)  # noqa: DTZ001 - the last before time ends: a search that finds nothing is short


@dataclass(frozen=True, slots=True)
class Period:
    """One time for which a freeze is in force; aware UTC. `key` names it for good: "config:NAME:START"."""

    key: str
    starts_at: datetime
    ends_at: datetime


def freeze_name(text: str) -> str:
    """A name as it is kept. Raises ValueError."""
    name = " ".join(text.split())
    if not _NAME.fullmatch(name):
        raise ValueError(f"{text!r} is not a name; allowed are at most 60 letters, digits, spaces and . _ -")
    return name


def in_utc(wall: datetime, timezone: ZoneInfo) -> datetime:
    """A naive wall-clock time. One that a clock skips is the moment of skipping, one that comes twice the first."""
    return wall.replace(tzinfo=timezone, fold=0).astimezone(UTC)


def _applications(value: object) -> object:
    if value == "all":
        return None
    if isinstance(value, list | tuple) and value and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise ValueError(f"{value!r} is neither all nor a list of applications")


def _day(value: object) -> object:
    """A number or a time of day would be a guess."""
    if isinstance(value, str) and re.fullmatch(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}", value):
        return date.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime) and 2000 <= value.year < 3000:
        return value
    raise ValueError(f"{value!r} is not a day; allowed is one such as 2026-12-20")


def _rrule(text: str) -> str:
    """A rule as RFC 5545 writes it, reduced to what a freeze can mean."""
    rule = text.strip().upper().removeprefix("RRULE:")
    parts = _parts(rule)
    for name, value in parts.items():
        if name not in _PARTS:
            raise ValueError(f"{name or rule!r} is not a part of a rule; allowed are {', '.join(_PARTS)}")
        if not re.fullmatch(_PARTS[name], value):
            hint = " (in the freeze's own time zone, so without Z)" if name == "UNTIL" else ""
            raise ValueError(f"{name}={value} is not allowed in a rule{hint}")
    if len(parts) != rule.count(";") + 1:
        raise ValueError("a part of the rule stands there twice")
    if "FREQ" not in parts:
        raise ValueError("a rule needs FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")
    if parts["FREQ"] in {"DAILY", "WEEKLY"} and re.search("[0-9]", parts.get("BYDAY", "")):
        raise ValueError(f"BYDAY={parts['BYDAY']} with a number needs FREQ=MONTHLY or YEARLY")
    return rule


def _parts(rule: str) -> dict[str, str]:
    return {name: value for name, _, value in (part.partition("=") for part in rule.split(";"))}


@cache
def _recurrence(rule: str, start: datetime) -> Any:  # noqa: ANN401 - dateutil has no types
    """dateutil's rule from a naive local start. A day as UNTIL is meant with all its hours."""
    return rrulestr(re.sub(r"(UNTIL=[0-9]{8})(?!T)", r"\1T235959", rule), dtstart=start)


Named = Annotated[str, AfterValidator(freeze_name)]
Applications = Annotated[tuple[str, ...] | None, BeforeValidator(_applications)]
Day = Annotated[date, BeforeValidator(_day)]
Zone = Annotated[str, AfterValidator(lambda name: zone(name).key)]
Rule = Annotated[str, AfterValidator(_rrule)]
CalendarArn = Annotated[
    str,
    StringConstraints(
        pattern=r"^arn:aws[a-z-]*:ssm:[a-z]{2}(-[a-z]+)+-[0-9]:[0-9]{12}:document/[A-Za-z0-9_.-]{3,128}$"
    ),
]


class _Entry(Strict):
    name: Named
    applications: Applications  # None: all

    def concerns(self, application: str) -> bool:
        return self.applications is None or application in self.applications

    def _period(self, starts_at: datetime, ends_at: datetime) -> Period:
        return Period(f"config:{self.name}:{starts_at.isoformat(timespec='minutes')}", starts_at, ends_at)


class DatesFreeze(_Entry):
    """Whole local days, both ends included."""

    first: Annotated[Day, Field(alias="from")]
    last: Annotated[Day, Field(alias="to")]
    timezone: Zone

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"to ({self.last}) is before from ({self.first})")
        return self

    def periods(self, after: datetime, before: datetime) -> Iterator[Period]:
        """The one period, where it ends after `after` and starts before `before`."""
        begins, ends = (
            in_utc(datetime(day.year, day.month, day.day), zone(self.timezone))  # noqa: DTZ001 - wall-clock time
            for day in (self.first, self.last + timedelta(days=1))
        )
        if begins < ends and ends > after and begins < before:
            yield self._period(begins, ends)


class RuleFreeze(_Entry):
    """Recurs by a rule of RFC 5545, from local midnight unless BYHOUR or BYMINUTE say otherwise.

    Of `duration`, whole days are local days; the rest is time that passes.
    """

    rrule: Rule
    duration: Annotated[Duration, Field(le=timedelta(days=366))]
    timezone: Zone
    first: Annotated[Day | None, Field(alias="from")] = None  # no period begins before

    @model_validator(mode="after")
    def _can_happen(self) -> Self:
        parts = _parts(self.rrule)
        open_day = parts["FREQ"] != "DAILY" and not any(name in parts for name in _DAYS)
        if self.first is None and (open_day or "COUNT" in parts or parts.get("INTERVAL", "1") != "1"):
            why = "no day is named" if open_day else "INTERVAL and COUNT count from a first day"
            raise ValueError(f"rrule {self.rrule} needs from, the first day: {why}")
        endless = ";".join(f"{name}={value}" for name, value in parts.items() if name not in {"UNTIL", "COUNT"})
        interval = parts.get("INTERVAL", "1") != "1"
        try:
            _recurrence(self.rrule, self._start(9999))
            found = next(iter(_recurrence(endless, self._start(9999) if interval else _CENTURY)), None)
        except ValueError as error:
            raise ValueError(f"rrule {self.rrule} is not a rule of RFC 5545: {error}") from None
        if found is None:
            raise ValueError(f"rrule {self.rrule} never happens")
        return self

    def periods(self, after: datetime, before: datetime) -> Iterator[Period]:
        """Those that end after `after` and start before `before`, in order."""
        timezone = zone(self.timezone)
        margin = timedelta(days=2)  # more than any offset from UTC, and any jump of a clock
        earliest = after.astimezone(UTC).replace(tzinfo=None) - self.duration - margin
        latest = before.astimezone(UTC).replace(tzinfo=None) + margin
        days = timedelta(days=self.duration.days)
        for start in _recurrence(self.rrule, self._start(earliest.year)).xafter(earliest, inc=True):
            if start > latest:
                return
            begins = in_utc(start, timezone)
            ends = (in_utc(start + days, timezone) if days else begins) + (self.duration - days)
            if begins < ends and ends > after and begins < before:
                yield self._period(begins, ends)

    def _start(self, year: int) -> datetime:
        """Where counting begins. Without a first day every start gives the same periods, so a late one is taken."""
        day = self.first or date(year - 1, 1, 1)
        return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - wall-clock time


class CalendarFreeze(_Entry):
    """In force while a Change Calendar of Systems Manager is closed; read by the sweep `calendars`."""

    calendar: CalendarArn

    @property
    def account(self) -> str:
        return self.calendar.split(":")[4]

    @property
    def region(self) -> str:
        return self.calendar.split(":")[3]


def _form(value: object) -> str:
    """Which of the three somebody means, by the key that only it has."""
    if isinstance(value, Mapping):
        return "[calendar]" if "calendar" in value else "[rule]" if "rrule" in value else "[dates]"
    return (
        "[calendar]" if isinstance(value, CalendarFreeze) else "[rule]" if isinstance(value, RuleFreeze) else "[dates]"
    )


Freeze = Annotated[
    Annotated[DatesFreeze, Tag("[dates]")]
    | Annotated[RuleFreeze, Tag("[rule]")]
    | Annotated[CalendarFreeze, Tag("[calendar]")],
    Discriminator(_form),
]
