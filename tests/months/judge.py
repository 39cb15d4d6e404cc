"""What may be said of everything that was told: a sentence for each thing that is wrong. Pure; it can be shown to fail.

What must be told comes from the oracle, what was told from Slack and the mail server, and of the bot's own rows only
which message belongs to which.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

LATE = re.compile(r"\blate\b", re.IGNORECASE)
Place = tuple[str, str]  # medium and recipient: ("channel", "C0ORDERS"), ("email", "…")


@dataclass(frozen=True, slots=True, order=True)
class Word:
    """What is owed to several people at once: a reminder, a correction, a digest.

    `about` is the window (or the channel of a digest), `moment` its execution (or the digest's week), `stage` what
    of it: the lead in seconds, or a correction's number.
    """

    kind: str
    about: str
    moment: datetime
    stage: str


@dataclass(frozen=True, slots=True)
class Owed:
    """A row of the outbox, in the order of their ids."""

    id: int
    word: Word
    place: Place
    state: str
    late_from: datetime | None  # from when on it must say that it is late


@dataclass(frozen=True, slots=True)
class Told:
    """A message that Slack or the mail server took, in the order of their arrival."""

    owed: int | None  # the row that it belongs to; None: to none
    place: Place
    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Life:
    must: Mapping[Word, Collection[Place]]
    owed: Sequence[Owed]
    told: Sequence[Told]
    doubts: Counter[int]  # rows → how often the bot died between acceptance and commit


def judge(life: Life) -> list[str]:
    return [
        *_nothing_lost(life),
        *_nothing_made_up(life),
        *_doubled_by_death_alone(life),
        *_in_order(life),
        *_truthful(life),
        *_to_the_minute(life),
    ]


def _nothing_lost(life: Life) -> Iterator[str]:
    rows = {(each.word, each.place): each for each in life.owed}
    arrived = {(each.owed, each.place) for each in life.told}
    for word, places in sorted(life.must.items()):
        for place in sorted(places):
            row = rows.get((word, place))
            if row is None:
                yield f"{_named(word)} was never owed to {place[1]}"
            elif (row.id, place) not in arrived:
                yield f"{_named(word)} is lost: {place[1]} never got it, and its notice is {row.state}"
    for row in life.owed:
        if row.state != "sent":
            yield f"{_named(row.word)} to {row.place[1]} is left {row.state}"


def _nothing_made_up(life: Life) -> Iterator[str]:
    for row in life.owed:
        if row.word not in life.must:
            yield f"{_named(row.word)} was told to {row.place[1]}, and ought not to be"
        elif row.place not in life.must[row.word]:
            yield f"{_named(row.word)} was told to {row.place[1]}, whom it does not concern"
    for each in life.told:
        if each.owed is None:
            yield f"{each.place[1]} got something at {each.at:%Y-%m-%d %H:%M} that is on no record: {each.words[:80]!r}"


def _doubled_by_death_alone(life: Life) -> Iterator[str]:
    """Each row once, and once more for each time that the bot died between acceptance and commit: not fewer either."""
    copies = Counter(each.owed for each in life.told if each.owed is not None)
    for row in life.owed:
        allowed = 1 + life.doubts[row.id]
        if copies[row.id] > allowed:
            yield f"{_named(row.word)} came to {row.place[1]} {copies[row.id]} times; {allowed} could be explained"
        elif row.state == "sent" and 0 < copies[row.id] < allowed:
            yield f"{_named(row.word)} came to {row.place[1]} {copies[row.id]} times; {allowed} had to, after a death"
    said = Counter((each.word, each.place) for each in life.owed)
    for (word, place), times in said.items():
        if times > 1:
            yield f"{_named(word)} was owed to {place[1]} {times} times"


def _in_order(life: Life) -> Iterator[str]:
    last: dict[Place, int] = defaultdict(int)
    rows = {each.id: each for each in life.owed}
    for each in life.told:
        if each.owed is None:
            continue
        if each.owed < last[each.place]:
            yield f"{_named(rows[each.owed].word)} came to {each.place[1]} after {_named(rows[last[each.place]].word)}"
        last[each.place] = max(last[each.place], each.owed)


def _truthful(life: Life) -> Iterator[str]:
    """What comes when its window has begun says that it is late, and nothing else does."""
    rows = {each.id: each for each in life.owed}
    for each in life.told:
        row = rows.get(each.owed or 0)
        if row is None or row.late_from is None:
            continue
        late = each.at >= row.late_from
        if late != bool(LATE.search(each.words)):
            pretends = "does not say that it is late" if late else "says that it is late"
            yield f"{_named(row.word)}, told to {each.place[1]} at {each.at:%Y-%m-%d %H:%M}, {pretends}"


def _to_the_minute(life: Life) -> Iterator[str]:
    """A reminder names its window and when that opens: in each reader's zone in Slack, in UTC by mail."""
    rows = {each.id: each for each in life.owed}
    for each in life.told:
        row = rows.get(each.owed or 0)
        if row is None or row.word.kind != "window-reminder":
            continue
        moment = row.word.moment
        mail = each.place[0] == "email"
        date = f"{moment:%Y-%m-%d %H:%M} UTC" if mail else f"<!date^{int(moment.timestamp())}^"
        if row.word.about not in each.words or date not in each.words:
            yield f"{_named(row.word)}, told to {each.place[1]}, does not say so: {each.words[:200]!r}"


def _named(word: Word) -> str:
    return f"{word.kind} {word.stage} of {word.about} at {word.moment:%Y-%m-%d %H:%M}".replace("  ", " ")
