"""The preview of a schedule beside croniter, which reckons for the simulated AWS."""

from datetime import UTC, datetime, timedelta
from itertools import islice, product

import pytest

from bot.schedule_preview import COUNT, NoPreview, preview
from patching.schedules import DAYS, POSITIONS, WEEKDAYS, Rhythm, Usual, expression
from sandbox.aws.schedule import openings

NOW = datetime(2026, 11, 21, 10, 50, tzinfo=UTC)
ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
USUAL = [
    *(Usual(Rhythm.WEEKLY, weekday, time="12:15") for weekday in WEEKDAYS),
    *(Usual(Rhythm.NTH_WEEKDAY, weekday, position, time="23:45") for weekday in WEEKDAYS for position in POSITIONS),
    *(Usual(Rhythm.DAY_OF_MONTH, day=day, time="04:00") for day in DAYS),
    Usual(Rhythm.DAILY, time="00:00"),
]
TYPED = [
    "cron(0/20 8-18 ? * MON-FRI *)",
    "cron(0 4 ? * 2,4,6 *)",
    "cron(0 4 ? JAN-MAR,7 THU#3 *)",
    "cron(0 4 ? * 7L *)",
    "cron(0 4 ? * FRIL *)",
    "cron(15,45 4 1,15 */2 ? 2026-2028)",
]


@pytest.mark.parametrize("zone", ZONES)
def test_it_agrees_with_another_library_over_a_year(zone: str) -> None:
    for schedule, offset in product([*map(expression, USUAL), *TYPED], (0, 4)):
        expected = list(islice(openings(schedule, zone, offset, NOW, NOW), 13))
        assert [at.astimezone(UTC) for at in preview(schedule, zone, offset, NOW, 13)] == expected, (schedule, offset)


def test_times_are_in_the_window_s_zone_whatever_the_season() -> None:
    found = preview("cron(0 2 L * ? *)", "Europe/Dublin", 0, NOW)
    assert len(found) == COUNT
    assert [f"{at:%m-%d %H:%M %Z}" for at in found] == [
        "11-30 02:00 GMT",
        "12-31 02:00 GMT",
        "01-31 02:00 GMT",
        "02-28 02:00 GMT",
        "03-31 02:00 IST",
    ]
    assert found[-1].astimezone(UTC).hour == 1


def test_an_offset_counts_days_of_the_calendar() -> None:
    """Patch Tuesday and four days; in October the second Tuesday's Saturday follows another week's."""
    found = preview("cron(30 1 ? * TUE#2 *)", "Europe/Berlin", 4, NOW)
    assert [f"{at:%a %m-%d %H:%M}" for at in found[:3]] == ["Sat 12-12 01:30", "Sat 01-16 01:30", "Sat 02-13 01:30"]
    begun = datetime(2026, 12, 9, tzinfo=UTC)  # after the Tuesday, before its Saturday
    assert preview("cron(30 1 ? * TUE#2 *)", "Europe/Berlin", 4, begun)[0] == found[0]


def test_a_moment_is_previewed_once() -> None:
    (only,) = preview("at(2027-01-31T02:00:00)", "Asia/Kolkata", 0, NOW)
    assert only - datetime(2027, 1, 30, 20, 30, tzinfo=UTC) == timedelta(0)
    (with_zone,) = preview("at(2027-01-31T02:00:00+01:00)", "Asia/Kolkata", 0, NOW)
    assert with_zone.astimezone(UTC) == datetime(2027, 1, 31, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "zone", "words"),
    [
        ("rate(7 days)", "UTC", "A rate counts from the window's creation. When it opens, AWS tells once it exists."),
        ("cron(0 2 15W * ? *)", "UTC", "can't be read here. When it opens, AWS tells once it exists."),
        ("cron(0 2 ? * XXX *)", "UTC", "can't be read here"),
        ("cron(99 2 ? * MON *)", "UTC", "can't be read here"),
        ("cron(0 2 ? * XXX#2 *)", "UTC", "XXX is no weekday"),
        ("cron(0 2 ? * MON)", "UTC", "has six fields"),
        ("cron(0 2 * * * *)", "UTC", "exactly one is a question mark"),
        ("cron(0 2 ? * ? *)", "UTC", "exactly one is a question mark"),
        ("cron(0 0 30 2 ? *)", "UTC", "would not open in the next five years"),
        ("cron(0 0 1 1 ? 2020)", "UTC", "would not open in the next five years"),
        ("at(2020-01-31T02:00:00)", "UTC", "would not open in the next five years"),
        ("at(soon)", "UTC", "A moment is written as in"),
        ("every week", "UTC", "An expression is written"),
        ("", "UTC", "An expression is written"),
        ("cron(0 2 ? * MON *)", "Mars/Base", "That time zone is not known"),
        ("cron(0 2 ? * MON *)", "../../etc/passwd", "That time zone is not known"),
    ],
)
def test_why_there_is_none(schedule: str, zone: str, words: str) -> None:
    with pytest.raises(NoPreview) as refused:
        preview(schedule, zone, 0, NOW)
    assert words in str(refused.value)
    assert str(refused.value).endswith(".")
