"""Freezes of the configuration: their periods across changes of clocks, and what a mistake is answered with."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from patching.config import ConfigurationError, validate
from patching.freezes import DatesFreeze, Freeze, Period, RuleFreeze
from patching.moments import parse_when

_ENTRY: TypeAdapter[Any] = TypeAdapter(Freeze)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",  # clocks go back over midnight
    "Africa/Cairo",  # clocks go forward at midnight
    "Australia/Lord_Howe",  # by half an hour
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Sao_Paulo",
)


def entry(**keys: Any) -> Any:
    keys = {"name": "the freeze", "applications": "all", "timezone": "UTC", **keys}
    return _ENTRY.validate_python({("from" if key == "first" else key): value for key, value in keys.items()})


def utc(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)  # type: ignore[misc, arg-type]


def of(freeze: Any, after: datetime, before: datetime) -> list[tuple[datetime, datetime]]:
    return [(each.starts_at, each.ends_at) for each in freeze.periods(after, before)]


YEAR = (utc(2026, 1, 1), utc(2027, 1, 1))


def test_dates_include_both_ends_in_their_own_zone() -> None:
    freeze = entry(first="2026-12-20", to=date(2027, 1, 3), timezone="Europe/Berlin", name="year end")
    assert isinstance(freeze, DatesFreeze)
    (period,) = freeze.periods(utc(2026, 12, 24), utc(2026, 12, 24, 1))
    assert period == Period("config:year end:2026-12-19T23:00+00:00", utc(2026, 12, 19, 23), utc(2027, 1, 3, 23))
    assert of(freeze, utc(2026, 12, 1), utc(2026, 12, 19, 23)) == []
    assert of(freeze, utc(2027, 1, 3, 23), utc(2027, 2, 1)) == []


@pytest.mark.parametrize(
    ("rule", "first_few"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=-1", [(1, 31), (2, 28), (3, 31), (4, 30)]),
        ("FREQ=MONTHLY;BYDAY=-1FR", [(1, 30), (2, 27), (3, 27), (4, 24)]),
        ("RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20260119", [(1, 5), (1, 12), (1, 19)]),
        ("freq=yearly;bymonth=12;bymonthday=24,25", [(12, 24), (12, 25)]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;BYMONTH=1,2", [(1, 30), (2, 27)]),
    ],
)
def test_a_rule_names_whole_days(rule: str, first_few: list[tuple[int, int]]) -> None:
    found = of(entry(rrule=rule, duration="1d"), *YEAR)[: len(first_few)]
    assert found == [(utc(2026, *day), utc(2026, *day) + timedelta(days=1)) for day in first_few]


def test_a_leap_day_comes_every_four_years() -> None:
    freeze = entry(rrule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", duration="1d")
    assert of(freeze, utc(2025, 1, 1), utc(2033, 1, 1)) == [
        (utc(2028, 2, 29), utc(2028, 3, 1)),
        (utc(2032, 2, 29), utc(2032, 3, 1)),
    ]


def test_interval_and_count_are_counted_from_the_first_day() -> None:
    fortnight = entry(rrule="FREQ=WEEKLY;INTERVAL=2;BYDAY=FR;BYHOUR=18;BYMINUTE=30", duration="4h", first="2026-01-02")
    assert [start for start, _ in of(fortnight, *YEAR)][:3] == [
        utc(2026, 1, 2, 18, 30),
        utc(2026, 1, 16, 18, 30),
        utc(2026, 1, 30, 18, 30),
    ]
    twice = entry(rrule="FREQ=MONTHLY;COUNT=2", duration="1d", first="2026-03-05")
    assert [start for start, _ in of(twice, *YEAR)] == [utc(2026, 3, 5), utc(2026, 4, 5)]


@pytest.mark.parametrize(
    ("timezone", "day", "start", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), utc(2026, 3, 28, 23), 23),
        ("Europe/Berlin", date(2026, 10, 25), utc(2026, 10, 24, 22), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), utc(2026, 4, 4, 13), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), utc(2026, 10, 3, 13, 30), 23.5),
        ("Africa/Cairo", date(2026, 4, 24), utc(2026, 4, 23, 22), 23),
        ("America/Havana", date(2026, 11, 1), utc(2026, 11, 1, 4), 25),
    ],
)
def test_a_day_on_which_clocks_change_is_frozen_as_a_whole(
    timezone: str, day: date, start: datetime, hours: float
) -> None:
    expected = [(start, start + timedelta(hours=hours))]
    by_rule = entry(rrule=f"FREQ=YEARLY;BYMONTH={day.month};BYMONTHDAY={day.day}", duration="1d", timezone=timezone)
    assert of(by_rule, *YEAR) == expected
    assert of(entry(first=str(day), to=str(day), timezone=timezone), *YEAR) == expected


def test_hours_pass_while_days_are_local() -> None:
    nightly = entry(rrule="FREQ=DAILY;BYHOUR=22", duration="8h", timezone="Europe/Berlin")
    night = of(nightly, utc(2026, 3, 28, 22), utc(2026, 3, 28, 23))
    assert night == [(utc(2026, 3, 28, 21), utc(2026, 3, 29, 5))]


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2033, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC)),  # noqa: DTZ001
    st.sampled_from(ZONES),
    st.sampled_from(["MONTHLY;BYMONTHDAY=-1", "WEEKLY;BYDAY=SU", "YEARLY;BYMONTH=2;BYMONTHDAY=29", "DAILY"]),
    st.integers(1, 3),
)
def test_a_moment_is_frozen_exactly_when_its_local_day_is(
    moment: datetime, timezone: str, rule: str, days: int
) -> None:
    """The oracle knows the calendar of the zone and nothing of rules or periods."""
    freeze = entry(rrule=f"FREQ={rule}", duration=f"{days}d", timezone=timezone)
    today = moment.astimezone(ZoneInfo(timezone)).date()
    begun = [today - timedelta(days=back) for back in range(days)]
    expected = any(_named(rule, day) for day in begun)
    found = of(freeze, moment, moment + timedelta(microseconds=1))
    assert bool(found) == expected
    assert all(start <= moment < end for start, end in found)


def _named(rule: str, day: date) -> bool:
    return {
        "MONTHLY;BYMONTHDAY=-1": (day + timedelta(days=1)).day == 1,
        "WEEKLY;BYDAY=SU": day.weekday() == 6,
        "YEARLY;BYMONTH=2;BYMONTHDAY=29": (day.month, day.day) == (2, 29),
        "DAILY": True,
    }[rule]


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2033, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC)),  # noqa: DTZ001
    st.integers(1, 60),
    st.sampled_from(ZONES),
)
def test_where_somebody_begins_to_look_changes_no_period(moment: datetime, days: int, timezone: str) -> None:
    freeze = entry(rrule="FREQ=WEEKLY;BYDAY=TU,SA;BYHOUR=1,13;BYMINUTE=30", duration="26h", timezone=timezone)
    end = moment + timedelta(days=days)
    middle = moment + timedelta(days=days) / 2
    whole = list(freeze.periods(moment, end))
    parts = list(dict.fromkeys([*freeze.periods(moment, middle), *freeze.periods(middle, end)]))
    assert parts == whole
    assert all(period.starts_at < period.ends_at for period in whole)


# --- Mistakes


def problems(*freezes: Any) -> list[str]:
    environment = {"account": "111111111111", "region": "eu-west-1", "targets": {"tag:PatchGroup": ["db"]}}
    document = {
        "slack": {"channel": "C0PATCHING"},
        "applications": {"orders-db": {"environments": {"nonprod": environment}}},
        "freezes": list(freezes),
    }
    with pytest.raises(ConfigurationError) as refused:
        validate(document)
    return refused.value.problems


DATES = {"name": "year end", "from": "2026-12-20", "to": "2027-01-03", "timezone": "UTC", "applications": "all"}
RULE = {"name": "month end", "rrule": "FREQ=DAILY", "duration": "1d", "timezone": "UTC", "applications": "all"}
CALENDAR = {
    "name": "ours",
    "calendar": "arn:aws:ssm:eu-west-1:111111111111:document/YearEnd",
    "applications": ["orders-db"],
}


@pytest.mark.parametrize(
    ("freeze", "sentence"),
    [
        ("year end", "freezes.0 is 'year end'; allowed is a list of mappings"),
        ({**DATES, "until": 1}, "freezes.0.until is not a known key"),
        ({key: value for key, value in DATES.items() if key != "to"}, "freezes.0.to is missing."),
        ({**DATES, "name": "*"}, "freezes.0.name: '*' is not a name; allowed are at most 60 letters"),
        ({**DATES, "to": "2026-12-19"}, "freezes.0: to (2026-12-19) is before from (2026-12-20)."),
        ({**DATES, "to": 20270103}, "freezes.0.to: 20270103 is not a day; allowed is one such as 2026-12-20."),
        ({**DATES, "timezone": "Europe/Bonn"}, "freezes.0.timezone: 'Europe/Bonn' is not a time zone"),
        ({**DATES, "applications": []}, "freezes.0.applications: [] is neither all nor a list of applications."),
        ({**DATES, "applications": None}, "freezes.0.applications: None is neither all nor a list"),
        ({**DATES, "applications": ["ordrs-db"]}, "which is not configured, perhaps orders-db is meant."),
        ({**RULE, "rrule": "FREQ=HOURLY"}, "freezes.0.rrule: FREQ=HOURLY is not allowed in a rule."),
        ({**RULE, "rrule": "BYDAY=MO"}, "freezes.0.rrule: a rule needs FREQ=DAILY, WEEKLY, MONTHLY or YEARLY."),
        ({**RULE, "rrule": "FREQ=DAILY;EXDATE=1"}, "'EXDATE' is not a part of a rule; allowed are FREQ, UNTIL"),
        ({**RULE, "rrule": "FREQ=DAILY;INTERVAL=0"}, "INTERVAL=0 is not allowed"),
        ({**RULE, "rrule": "FREQ=DAILY;FREQ=DAILY"}, "a part of the rule stands there twice"),
        ({**RULE, "rrule": "FREQ=DAILY;UNTIL=20261231T000000Z"}, "so without Z"),
        ({**RULE, "rrule": "FREQ=DAILY;UNTIL=20269931"}, "is not a rule of RFC 5545"),
        ({**RULE, "rrule": "FREQ=WEEKLY;BYDAY=1MO"}, "BYDAY=1MO with a number needs FREQ=MONTHLY or YEARLY."),
        (
            {**RULE, "rrule": "FREQ=MONTHLY"},
            "freezes.0: rrule FREQ=MONTHLY needs from, the first day: no day is named.",
        ),
        ({**RULE, "rrule": "FREQ=DAILY;INTERVAL=2"}, "INTERVAL and COUNT count from a first day."),
        ({**RULE, "rrule": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}, "never happens."),
        ({**RULE, "duration": "1 day"}, "freezes.0.duration is '1 day'; allowed is a duration such as 8h or 1d"),
        ({**RULE, "duration": "400d"}, "freezes.0.duration is '400d'; allowed is a duration such as 8h or 1d"),
        (
            {**CALENDAR, "calendar": "YearEnd"},
            "freezes.0.calendar is 'YearEnd'; allowed is the ARN of a Change Calendar",
        ),
        ({**CALENDAR, "timezone": "UTC"}, "freezes.0.timezone is not a known key"),
        (
            {**CALENDAR, "calendar": "arn:aws:ssm:eu-west-1:999999999999:document/YearEnd"},
            "is in account 999999999999, eu-west-1, where no environment is configured",
        ),
    ],
)
def test_a_mistake_is_one_sentence(freeze: Any, sentence: str) -> None:
    (problem,) = problems(freeze)
    assert sentence in problem


def test_names_are_unique_whatever_their_case() -> None:
    assert problems(DATES, RULE, {**CALENDAR, "name": "Year  End"}) == ["freezes: 'Year End' is there twice."]


def test_a_freeze_concerns_all_or_those_that_it_names() -> None:
    everywhere, one = _ENTRY.validate_python(DATES), _ENTRY.validate_python(CALENDAR)
    assert everywhere.concerns("billing-db")
    assert (one.concerns("orders-db"), one.concerns("billing-db")) == (True, False)
    assert (one.account, one.region) == ("111111111111", "eu-west-1")
    assert isinstance(_ENTRY.validate_python(RULE), RuleFreeze)


# --- Moments that people type

NOW = utc(2026, 11, 20, 12)


@pytest.mark.parametrize(
    ("text", "starts", "ends"),
    [
        ("48h", utc(2026, 11, 22, 12), utc(2026, 11, 22, 12)),
        ("2026-12-20", utc(2026, 12, 20), utc(2026, 12, 21)),
        ("2026-12-20T18:00", utc(2026, 12, 20, 18), utc(2026, 12, 20, 18)),
        ("2026-12-20T18:00Z", utc(2026, 12, 20, 18), utc(2026, 12, 20, 18)),
        ("2026-12-20T18:00:30+05:45", utc(2026, 12, 20, 12, 15, 30), utc(2026, 12, 20, 12, 15, 30)),
        ("2026-12-20 18:00 America/New_York", utc(2026, 12, 20, 23), utc(2026, 12, 20, 23)),
        ("2026-10-25 Europe/Berlin", utc(2026, 10, 24, 22), utc(2026, 10, 25, 23)),
    ],
)
def test_a_moment_as_people_type_it(text: str, starts: datetime, ends: datetime) -> None:
    when = parse_when(text)
    assert (when.starts(NOW), when.ends(NOW)) == (starts, ends)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tomorrow", "is not a moment; write one such as 2026-12-20"),
        ("2026-02-30", "is not a moment"),
        ("2026-12-20T25:00", "is not a moment"),
        ("2026-12-20T18:00+99:00", "is not a moment"),
        ("9999-12-31", "is not a moment"),
        ("0001-01-01 Asia/Tokyo", "is not a moment"),
        ("3651d", "is not a moment"),
        ("2026-12-20 18:00 Mars/Base", "'Mars/Base' is not a time zone"),
    ],
)
def test_no_moment_is_told_with_what_is_allowed(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"moment|time zone") as refused:
        parse_when(text)
    assert words in str(refused.value)
