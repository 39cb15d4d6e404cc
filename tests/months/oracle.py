"""What people must be told, worked out beside the bot: from the windows' own rules and from when the bot could look.

At a look, of the leads that have come the newest is told and no earlier one; an execution that people were told of
and that is planned no longer is corrected, to them and to nobody else.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.months.almanac import Rule, Timeline
from tests.months.judge import Place, Word
from tests.months.weather import LEADS, NEAR

REACH = timedelta(days=35)  # that AWS is asked for
TRUSTED = timedelta(minutes=30)  # a reading, and no longer: from then on nobody knows what is planned
OPEN_FOR = timedelta(hours=3)  # each of the windows
DIGEST_KEEPS = timedelta(days=3)

Committed = Callable[[Word, Place], bool]


@dataclass(slots=True)
class Execution:
    """What people believe of it."""

    lead: timedelta | None  # the newest that they were told
    off: bool = False


@dataclass(slots=True)
class Seen:
    """A window as AWS was last read."""

    rule: Rule | None = None
    executions: tuple[datetime, ...] = ()  # those that have begun and not ended included


@dataclass(slots=True)
class Oracle:
    timelines: Mapping[str, Timeline]
    places: Mapping[str, frozenset[Place]]  # whom each window concerns
    began: datetime  # when there was first something to tell in a digest
    must: dict[Word, frozenset[Place]] = field(default_factory=dict)
    executions: set[tuple[str, datetime]] = field(default_factory=set)
    corrections: int = 0
    _read_at: datetime | None = None
    _seen: dict[str, Seen] = field(default_factory=dict)
    _told: dict[str, dict[datetime, Execution]] = field(default_factory=dict)
    _said: Counter[tuple[str, datetime, str]] = field(default_factory=Counter)

    def read(self, now: datetime) -> None:
        """The bot has read AWS."""
        self._read_at = now
        for name, timeline in self.timelines.items():
            rule, before = timeline.rule(now), self._seen.get(name, Seen())
            begun = [at for at in before.executions if at <= now < at + OPEN_FOR and rule == before.rule]
            self._seen[name] = Seen(rule, (*begun, *timeline.ahead(now, REACH)))

    def look(self, now: datetime, committed: Committed | None = None) -> None:
        """The bot has looked to the end; or it died on the way, and `committed` says what it had owed by then.

        What belongs to one window is owed at once, so one word of it stands for all.
        """
        known = self._read_at is not None and now - self._read_at <= TRUSTED
        for name, seen in self._seen.items() if known else ():
            told = {at: Execution(each.lead, each.off) for at, each in self._told.get(name, {}).items()}
            planned = [at for at in seen.executions if now < at + OPEN_FOR]
            words = [*self._corrections(name, planned, told, now), *self._reminders(name, planned, told, now)]
            if words and (committed is None or committed(words[0], min(self.places[name]))):
                self._told[name] = told
                self.executions.update((name, word.moment) for word in words)
                self.corrections += sum(word.kind == "window-correction" for word in words)
                self._said.update((word.about, word.moment, word.stage.rpartition(" #")[0]) for word in words)
                self.must |= dict.fromkeys(words, self.places[name])
        for channel in sorted({place for places in self.places.values() for place in places if place[0] == "channel"}):
            word = Word("digest", channel[1], _monday(now), "")
            due = self.began <= word.moment and now - word.moment < DIGEST_KEEPS and word not in self.must
            if due and (committed is None or committed(word, channel)):
                self.must[word] = frozenset({channel})

    def _corrections(
        self, name: str, planned: list[datetime], told: dict[datetime, Execution], now: datetime
    ) -> list[Word]:
        """One word for all that has changed of a window; it stands for the reminder that would be due by now."""
        standing = {at for at, each in told.items() if not each.off and at in planned}
        changes: list[tuple[datetime, str]] = []
        taken: set[datetime] = set()
        for at in sorted(at for at, each in told.items() if at > now and not each.off and at not in planned):
            free = [each for each in planned if each > now and each not in standing | taken and abs(each - at) <= NEAR]
            target = min(free, key=lambda each: abs(each - at), default=None)
            told[at].off = True
            changes.append((at, f"moved to {target:%Y-%m-%d %H:%M}" if target else "off"))
            if target:
                taken.add(target)
                told[target] = Execution(_newest(target, now))
        for at, each in list(told.items()):
            if at > now and each.off and at in planned and at not in taken:
                told[at] = Execution(_newest(at, now))
                changes.append((at, "back"))
        if not changes:
            return []
        changes.sort()
        stage = "; ".join(what for _, what in changes)
        number = self._said[name, changes[0][0], stage] + 1
        return [Word("window-correction", name, changes[0][0], f"{stage} #{number}")]

    def _reminders(
        self, name: str, planned: list[datetime], told: dict[datetime, Execution], now: datetime
    ) -> list[Word]:
        words = []
        for at in planned:
            lead, known = _newest(at, now), told.get(at)
            if lead is not None and (known is None or known.lead is None or lead < known.lead):
                told[at] = Execution(lead)
                words.append(Word("window-reminder", name, at, str(int(lead.total_seconds()))))
        return words


def _newest(at: datetime, now: datetime) -> timedelta | None:
    return min((lead for lead in LEADS if at - lead <= now), default=None)


def _monday(now: datetime) -> datetime:
    """09:00 UTC of the newest Monday."""
    monday = (now - timedelta(days=now.weekday())).replace(hour=9, minute=0, second=0, microsecond=0)
    return monday if monday <= now else monday - timedelta(days=7)
