"""The usual schedules as AWS writes them, and what is recognized again."""

import pytest

from patching.schedules import DAYS, POSITIONS, WEEKDAYS, Rhythm, Usual, expression, usual

WRITTEN = [
    (Usual(Rhythm.DAILY, time="23:05"), "cron(5 23 ? * * *)"),
    (Usual(Rhythm.WEEKLY, weekday="SUN", time="00:00"), "cron(0 0 ? * SUN *)"),
    (Usual(Rhythm.NTH_WEEKDAY, weekday="TUE", position="2", time="02:30"), "cron(30 2 ? * TUE#2 *)"),
    (Usual(Rhythm.NTH_WEEKDAY, weekday="SUN", position="L", time="02:30"), "cron(30 2 ? * 1L *)"),
    (Usual(Rhythm.NTH_WEEKDAY, weekday="FRI", position="L", time="02:30"), "cron(30 2 ? * 6L *)"),
    (Usual(Rhythm.DAY_OF_MONTH, day="28", time="02:30"), "cron(30 2 28 * ? *)"),
    (Usual(Rhythm.DAY_OF_MONTH, day="L", time="02:30"), "cron(30 2 L * ? *)"),
    (Usual(Rhythm.TYPED, typed=" rate(7 days) "), "rate(7 days)"),
]


@pytest.mark.parametrize(("schedule", "written"), WRITTEN)
def test_the_usual_ones_are_written_as_aws_does(schedule: Usual, written: str) -> None:
    assert expression(schedule) == written


def test_all_that_can_be_chosen_is_recognized_again() -> None:
    chosen = [
        Usual(Rhythm.DAILY, time="01:59"),
        *(Usual(Rhythm.WEEKLY, weekday=weekday) for weekday in WEEKDAYS),
        *(Usual(Rhythm.NTH_WEEKDAY, weekday, position) for weekday in WEEKDAYS for position in POSITIONS),
        *(Usual(Rhythm.DAY_OF_MONTH, day=day) for day in DAYS),
    ]
    assert [usual(expression(schedule)) for schedule in chosen] == chosen


@pytest.mark.parametrize(
    "written",
    [
        "rate(7 days)",
        "at(2027-01-31T02:00:00)",
        "cron(0 2 ? * MON-FRI *)",
        "cron(0 2 ? 1 MON *)",
        "cron(0 2 ? * MON 2027)",
        "cron(0 2 31 * ? *)",
        "cron(0 2 ? * TUE#5 *)",
        "cron(0 2 ? * XXX *)",
        "cron(0 2 1 * MON *)",
        "cron(60 2 ? * MON *)",
        "cron(0 24 ? * MON *)",
        "cron(*/5 2 ? * MON *)",
        "cron(0 2 15W * ? *)",
        "nonsense",
        "",
    ],
)
def test_anything_else_stays_as_it_was_typed(written: str) -> None:
    schedule = usual(written)
    assert (schedule.rhythm, expression(schedule)) == (Rhythm.TYPED, written)


@pytest.mark.parametrize(
    ("schedule", "sentence"),
    [
        (Usual(Rhythm.DAILY, time="2 am"), "A time is written HH:MM, as in 02:30."),
        (Usual(Rhythm.DAILY, time="24:00"), "A time is written HH:MM, as in 02:30."),
        (Usual(Rhythm.WEEKLY, weekday="2) rate(1"), "Choose a weekday."),
        (Usual(Rhythm.NTH_WEEKDAY, position="9"), "Choose the first, second, third, fourth or last."),
        (Usual(Rhythm.DAY_OF_MONTH, day="31"), "Choose a day of the month from 1 to 28, or its last."),
    ],
)
def test_what_is_not_offered_is_refused(schedule: Usual, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^.+$") as refused:
        expression(schedule)
    assert str(refused.value) == sentence
