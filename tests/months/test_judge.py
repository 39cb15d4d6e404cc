"""The judge and the oracle of the tale can fail: each is shown what it must see."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.months.almanac import Rule, Timeline
from tests.months.judge import Life, Owed, Told, Word, judge
from tests.months.oracle import Oracle

START = datetime(2027, 3, 28, 2, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CHANNEL, MAIL = ("channel", "C0ORDERS"), ("email", "team@example.com")
SOON, NOW = (Word("window-reminder", "berlin", START, stage) for stage in ("86400", "3600"))


def good() -> Life:
    """Two reminders in a channel, one by mail; the second of the channel came late and says so."""
    owed = [
        Owed(1, SOON, CHANNEL, "sent", START),
        Owed(2, SOON, MAIL, "sent", START),
        Owed(3, NOW, CHANNEL, "sent", START),
        Owed(4, NOW, MAIL, "sent", START),
    ]
    slack, mail = f"berlin opens <!date^{int(START.timestamp())}^…>", "berlin opens 2027-03-28 02:00 UTC"
    told = [
        Told(1, CHANNEL, START - DAY, slack),
        Told(3, CHANNEL, START + HOUR, f"This reminder is late: {slack}"),
        Told(2, MAIL, START - DAY, mail),
        Told(4, MAIL, START - HOUR, mail),
    ]
    places = frozenset({CHANNEL, MAIL})
    return Life({SOON: places, NOW: places}, owed, told, Counter())


def test_a_good_life_has_nothing_wrong_and_a_copy_is_explained_by_a_death() -> None:
    life = good()
    assert judge(life) == []
    assert judge(replace(life, told=[life.told[0], *life.told], doubts=Counter({1: 1}))) == []


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        (lambda life: replace(life, told=life.told[1:]), "is lost: C0ORDERS never got it"),
        (lambda life: replace(life, owed=life.owed[1:], told=life.told[1:]), "was never owed to C0ORDERS"),
        (lambda life: replace(life, owed=[*life.owed[:3], replace(life.owed[3], state="dead")]), "is left dead"),
        (lambda life: replace(life, told=[life.told[0], *life.told]), "came to C0ORDERS 2 times; 1 could be explained"),
        (lambda life: replace(life, told=[*life.told, replace(life.told[0], owed=None)]), "that is on no record"),
        (lambda life: replace(life, owed=[*life.owed, replace(life.owed[0], id=5)]), "was owed to C0ORDERS 2 times"),
        (lambda life: replace(life, told=[life.told[1], life.told[0], *life.told[2:]]), "came to C0ORDERS after"),
        (lambda life: replace(life, told=[*life.told[:3], replace(life.told[3], at=START)]), "does not say"),
        (lambda life: replace(life, told=[replace(life.told[0], words="It is late."), *life.told[1:]]), "says that it"),
        (lambda life: replace(life, told=[replace(life.told[0], words="berlin opens."), *life.told[1:]]), "not say so"),
        (lambda life: replace(life, must={SOON: life.must[SOON]}), "ought not to be"),
        (lambda life: replace(life, must={**life.must, NOW: frozenset({MAIL})}), "whom it does not concern"),
        (lambda life: replace(life, doubts=Counter({1: 1})), "came to C0ORDERS 1 times; 2 had to"),
    ],
)
def test_whatever_is_wrong_is_seen(spoilt: Callable[[Life], Life], words: str) -> None:
    assert [each for each in judge(spoilt(good())) if words in each]


@pytest.mark.parametrize(
    ("rule", "timezone", "after", "expression", "start"),
    [
        (Rule("last sun", 4, 0), "Europe/Berlin", "2027-03-01", "cron(0 4 ? * SUNL *)", "2027-03-28T02:00"),
        (Rule("last sun", 4, 0), "Europe/Berlin", "2027-10-01", "cron(0 4 ? * SUNL *)", "2027-10-31T03:00"),
        (Rule("2nd sun", 4, 30), "America/New_York", "2027-03-01", "cron(30 4 ? * SUN#2 *)", "2027-03-14T08:30"),
        (Rule("1st sun", 5, 0), "Australia/Lord_Howe", "2026-10-01", "cron(0 5 ? * SUN#1 *)", "2026-10-03T18:00"),
        (Rule("1st sun", 5, 0), "Australia/Lord_Howe", "2027-04-01", "cron(0 5 ? * SUN#1 *)", "2027-04-03T18:30"),
        (Rule("last", 22, 15), "Asia/Kathmandu", "2028-02-01", "cron(15 22 L * ? *)", "2028-02-29T16:30"),
    ],
)
def test_the_almanac_knows_daylight_saving_odd_offsets_and_leap_days(
    rule: Rule, timezone: str, after: str, expression: str, start: str
) -> None:
    """By hand, from the zones' own rules."""
    begin, expected = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (after, start))
    assert next(rule.executions(timezone, begin, begin + 40 * DAY)) == expected
    assert rule.expression == expression


def test_the_oracle_wants_the_newest_lead_alone_and_corrects_what_was_said() -> None:
    """Told a day before; moved, moved back, disabled and enabled; then the bot is down until the window has opened."""
    rule, moved = Rule("last sun", 4, 0), Rule("last sun", 6, 0)
    line = Timeline("Europe/Berlin", [(START - 20 * DAY, rule)])
    oracle = Oracle({"berlin": line}, {"berlin": frozenset({CHANNEL})}, START)
    said: list[str] = []
    for before, change in (
        (timedelta(days=8), "as it was"),
        (timedelta(hours=23), "as it was"),
        (timedelta(hours=22), moved),
        (timedelta(hours=21), rule),
        (timedelta(hours=20), None),
        (timedelta(hours=19), rule),
        (-timedelta(minutes=30), "as it was"),
        (-timedelta(hours=4), "as it was"),
    ):
        at = START - before
        if not isinstance(change, str):
            line.change(at, change)
        known = set(oracle.must)
        oracle.read(at)
        oracle.look(at)
        said += [word.stage for word in oracle.must if word not in known and word.kind != "digest"]
    assert said == [
        "86400",
        "moved to 2027-03-28 04:00 #1",
        "moved to 2027-03-28 02:00 #1",
        "off #1",
        "back #1",
        "3600",
    ]
