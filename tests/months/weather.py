"""What happens in a tale, worked out from a seed before it begins: outages, deaths, people who move windows, and the
moments at which the bot looks. Between two of them nothing would be done: that is what makes months short.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tests.months.almanac import Rule, Timeline

LEADS = (timedelta(days=7), timedelta(hours=24), timedelta(hours=1))
READ = timedelta(minutes=6)  # after which AWS is surely read again
NEAR = timedelta(days=3)  # how far a window is moved
_CALM = timedelta(days=8)  # between two outages of a kind, on average …
_SAFE = timedelta(days=2.5)  # … and between two deaths
_OUTAGES = (timedelta(minutes=20), timedelta(hours=3), timedelta(hours=14), timedelta(days=2), timedelta(days=9))
DOWNTIMES = (timedelta(), timedelta(minutes=2), timedelta(hours=2), timedelta(hours=30), timedelta(days=8))
OFTEN = (6, 4, 3, 2, 1)  # of sixteen, for either
_NOTICE = (timedelta(minutes=30), timedelta(hours=3), timedelta(hours=20), timedelta(days=3), timedelta(days=6))
_FOR = (timedelta(minutes=25), timedelta(hours=5), timedelta(days=2), timedelta(days=9))
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat")

What = Literal["look", "slack down", "slack up", "mail down", "mail up", "aws down", "aws up", "doom", "change"]


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    what: What
    window: str = ""  # of a change
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Weather:
    chance: random.Random
    begin: datetime
    end: datetime

    def events(self, windows: Mapping[str, Timeline]) -> list[Event]:
        """In order of time. The changes are written into the timelines too."""
        changes = [change for name, line in windows.items() for change in self._changes(name, line)]
        changes.sort(key=lambda each: each.at)
        starts = sorted(start for line in windows.values() for start, _, _ in self._executions(line))
        outages = [
            *self._outages("slack down", "slack up", starts),
            *self._outages("mail down", "mail up", starts),
            *self._outages("aws down", "aws up", starts),
        ]
        looks = {*self._moments(windows), *(each.at + READ for each in (*changes, *outages)), self.begin, self.end}
        events = [*changes, *outages, *self._dooms(), *(Event(at, "look") for at in looks)]
        return sorted((each for each in events if each.at <= self.end), key=lambda each: each.at)

    def _changes(self, name: str, line: Timeline) -> Iterator[Event]:
        """Now and then somebody moves or disables the window some time before it opens, and mostly thinks again."""
        now = self.begin + timedelta(days=self.chance.uniform(2, 20))
        while True:
            ahead = line.ahead(now, timedelta(days=40))
            rule = line.rule(now)
            assert ahead
            assert rule
            at = ahead[0] - self._jittered(self.chance.choice(_NOTICE))
            back = at + self._jittered(self.chance.choice(_FOR))
            if at <= max(now, line.parts[-1][0] + 2 * READ):
                now = ahead[0]
                continue
            if back + 2 * READ >= self.end:
                return
            changed = self.chance.choice((None, self._later(rule), self._another_day(rule, line.timezone, ahead[0])))
            line.change(at, changed)
            yield Event(at, "change", name, changed)
            line.change(back, rule)
            yield Event(back, "change", name, rule)
            now = back + timedelta(days=self.chance.uniform(1, 50))

    def _later(self, rule: Rule) -> Rule:
        return Rule(rule.day, (rule.hour + self.chance.choice((1, 2))) % 24, rule.minute)

    def _another_day(self, rule: Rule, timezone: str, start: datetime) -> Rule:
        """So near that nobody would take it for another execution."""
        which = rule.day.partition(" ")[0]
        days = [Rule(f"{which} {weekday}", rule.hour, rule.minute) for weekday in _WEEKDAYS]
        near = [day for day in days if any(day.executions(timezone, start - NEAR, start + NEAR))]
        return self.chance.choice(near) if near else self._later(rule)

    def _outages(self, down: What, up: What, starts: Sequence[datetime]) -> Iterator[Event]:
        """Every other one begins in the last two hours before a window opens."""
        free = self.begin
        while True:
            at = free + self.chance.expovariate(1) * _CALM
            soon = next((start for start in starts if start > at), None)
            if soon and self.chance.random() < 0.5:
                at = max(free, soon - timedelta(hours=self.chance.uniform(0.1, 2)))
            over = at + self._jittered(self.chance.choices(_OUTAGES, OFTEN)[0])
            if over >= self.end:
                return
            yield from (Event(at, down), Event(over, up))
            free = over + 2 * READ

    def _dooms(self) -> Iterator[Event]:
        at = self.begin
        while at < self.end:
            at += self.chance.expovariate(1) * _SAFE
            yield Event(at, "doom")

    def _moments(self, windows: Mapping[str, Timeline]) -> Iterator[datetime]:
        """Each lead of each execution, and its opening, as long as the window's rule is the one that it follows from;
        and a while before and after, and Monday mornings."""
        for line in windows.values():
            for start, since, until in self._executions(line):
                moments = [*(start - lead for lead in LEADS), start, start + timedelta(minutes=30)]
                yield from (at + self._moment() for at in moments if since <= at < until)
        monday = self.begin.replace(hour=9, minute=0, second=0) - timedelta(days=self.begin.weekday())
        while (monday := monday + timedelta(days=7)) < self.end:
            yield monday + self._moment()

    def _executions(self, line: Timeline) -> Iterator[tuple[datetime, datetime, datetime]]:
        """(start, since, until): those that AWS names from `since` to `until`, the ones that are moved later too."""
        for (since, rule), (until, _) in zip(line.parts, [*line.parts[1:], (self.end, None)], strict=True):
            first = max(since, self.begin)
            for start in rule.executions(line.timezone, first, until + LEADS[0]) if rule else ():
                yield start, first, until

    def _moment(self) -> timedelta:
        return timedelta(seconds=self.chance.uniform(0, 20))

    def _jittered(self, length: timedelta) -> timedelta:
        return length * self.chance.uniform(0.8, 1.2)
