"""The usual schedules of a maintenance window, and the expressions that AWS knows them by.

What an expression means is AWS's to say (facts/patch-manager.md section 5): `expression` writes the usual ones,
`usual` recognizes those that it writes, and nothing here tells when one falls due.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

WEEKDAYS: Final = {
    "MON": "Monday",
    "TUE": "Tuesday",
    "WED": "Wednesday",
    "THU": "Thursday",
    "FRI": "Friday",
    "SAT": "Saturday",
    "SUN": "Sunday",
}
POSITIONS: Final = {"1": "first", "2": "second", "3": "third", "4": "fourth", "L": "last"}
"""Which of the month's weekdays. A fifth one is not in every month."""
DAYS: Final = (*(str(day) for day in range(1, 29)), "L")
"""Of the month: those that every month has, and its last."""

_COUNTED: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
"""AWS counts weekdays from 1."""
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_CRON = re.compile(r"cron\(([0-9]{1,2}) ([0-9]{1,2}) (\S+) \* (\S+) \*\)", re.ASCII)


class Rhythm(StrEnum):
    WEEKLY = "weekly"  # weekday
    NTH_WEEKDAY = "nth-weekday"  # position and weekday, of the month
    DAY_OF_MONTH = "day-of-month"  # day
    DAILY = "daily"
    TYPED = "typed"  # the expression itself


@dataclass(frozen=True, slots=True)
class Usual:
    """A schedule as people say it. What its rhythm doesn't need is ignored; `time` is HH:MM in the window's zone."""

    rhythm: Rhythm = Rhythm.WEEKLY
    weekday: str = "SAT"
    position: str = "2"
    day: str = "1"
    time: str = "02:00"
    typed: str = ""


def expression(schedule: Usual) -> str:
    """As AWS writes it: `cron(0 2 ? * TUE#2 *)`. Raises ValueError with a sentence."""
    if schedule.rhythm is Rhythm.TYPED:
        return schedule.typed.strip()
    if not _TIME.fullmatch(schedule.time):
        raise ValueError("A time is written HH:MM, as in 02:30.")
    hour, minute = map(int, schedule.time.split(":"))
    match schedule.rhythm:
        case Rhythm.DAILY:
            days, weekdays = "?", "*"
        case Rhythm.DAY_OF_MONTH:
            days, weekdays = _one_of(schedule.day, DAYS, "a day of the month from 1 to 28, or its last"), "?"
        case Rhythm.WEEKLY:
            days, weekdays = "?", _weekday(schedule)
        case Rhythm.NTH_WEEKDAY:
            position = _one_of(schedule.position, POSITIONS, "the first, second, third, fourth or last")
            weekday = _weekday(schedule)
            days, weekdays = "?", f"{_COUNTED.index(weekday) + 1}L" if position == "L" else f"{weekday}#{position}"
    return f"cron({minute} {hour} {days} * {weekdays} *)"


def usual(written: str) -> Usual:
    """The schedule behind an expression; one that `expression` does not write is typed."""
    typed = Usual(rhythm=Rhythm.TYPED, typed=written)
    found = _CRON.fullmatch(written)
    if found is None or int(found[1]) > 59 or int(found[2]) > 23:
        return typed
    time, days, weekdays = f"{int(found[2]):02}:{int(found[1]):02}", found[3], found[4].upper()
    guess = typed
    if (days, weekdays) == ("?", "*"):
        guess = Usual(Rhythm.DAILY, time=time)
    elif weekdays == "?" and days in DAYS:
        guess = Usual(Rhythm.DAY_OF_MONTH, day=days, time=time)
    elif days == "?" and weekdays in WEEKDAYS:
        guess = Usual(Rhythm.WEEKLY, weekday=weekdays, time=time)
    elif days == "?" and (last := re.fullmatch(r"([1-7])L", weekdays)):
        guess = Usual(Rhythm.NTH_WEEKDAY, weekday=_COUNTED[int(last[1]) - 1], position="L", time=time)
    elif days == "?" and (nth := re.fullmatch(r"([A-Z]{3})#([1-4])", weekdays)) and nth[1] in WEEKDAYS:
        guess = Usual(Rhythm.NTH_WEEKDAY, weekday=nth[1], position=nth[2], time=time)
    return guess


def _weekday(schedule: Usual) -> str:
    return _one_of(schedule.weekday, WEEKDAYS, "a weekday")


def _one_of(value: str, allowed: object, what: str) -> str:
    if value not in allowed:  # type: ignore[operator]
        raise ValueError(f"Choose {what}.")
    return value
