"""When people are reminded of a window, and when what they were told is corrected."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patching.agenda import Opening
from patching.reminding import Correction, Told, corrections, lead_due

OPENS = datetime(2026, 11, 28, 2, tzinfo=UTC)
WEEK, DAY, HOUR = timedelta(days=7), timedelta(days=1), timedelta(hours=1)
LEADS = (WEEK, DAY, HOUR)
NOW = OPENS - timedelta(hours=20)


def opening(shift: timedelta = timedelta(0), window: str = "mw-1", name: str = "weekly") -> Opening:
    at = OPENS + shift
    return Opening(window, name, at, at + 3 * HOUR, at + 4 * HOUR, "Europe/Berlin")


@pytest.mark.parametrize(
    ("before", "told", "expected"),
    [
        (8 * DAY, None, None),
        (WEEK, None, WEEK),
        (2 * DAY, None, WEEK),
        (2 * DAY, WEEK, WEEK),  # again: somebody may be affected who was not then
        (DAY, WEEK, DAY),
        (3 * HOUR, None, DAY),  # first seen then
        (HOUR, WEEK, HOUR),  # after downtime: not the day before's as well
        (timedelta(0), None, HOUR),
        (-HOUR, DAY, HOUR),
        (3 * HOUR, HOUR, None),  # other leads, or another clock: nothing longer after a shorter one
    ],
)
def test_the_newest_applicable_lead(before: timedelta, told: timedelta | None, expected: timedelta | None) -> None:
    assert lead_due(LEADS, OPENS, OPENS - before, told) == expected


def test_without_leads_nobody_is_reminded() -> None:
    assert lead_due((), OPENS, OPENS) is None


@given(
    st.lists(st.integers(1, 10_000), max_size=5, unique=True),
    st.lists(st.integers(-20_000, 100), min_size=1, max_size=9),
)
def test_I7_however_the_ticks_fall_leads_only_shrink_and_the_last_word_is_the_newest(
    minutes: list[int], ticks: list[int]
) -> None:
    leads = sorted((timedelta(minutes=each) for each in minutes), reverse=True)
    told: list[timedelta] = []
    for tick in sorted(ticks):
        now = OPENS + timedelta(minutes=tick)
        due = lead_due(leads, OPENS, now, told[-1] if told else None)
        assert due == min((lead for lead in leads if OPENS - lead <= now), default=None)
        if due is not None and due not in told:
            told.append(due)
    assert told == sorted(told, reverse=True)


@pytest.mark.parametrize(
    ("told", "planned", "expected"),
    [
        ([Told(opening())], [opening()], []),
        ([Told(opening())], [opening(name="renamed")], []),
        ([], [opening()], []),
        ([Told(opening(), off=True)], [], []),
        ([Told(opening())], [], [Correction(opening())]),
        ([Told(opening())], [opening(2 * HOUR)], [Correction(opening(), moved_to=opening(2 * HOUR))]),
        ([Told(opening())], [opening(2 * HOUR, window="mw-2")], [Correction(opening())]),
        ([Told(opening(), off=True)], [opening()], [Correction(opening(), back=True)]),
        # The next week's is no stand-in for this week's, whether people know of it or not.
        ([Told(opening())], [opening(WEEK), opening(2 * WEEK)], [Correction(opening())]),
        ([Told(opening()), Told(opening(WEEK))], [opening(WEEK)], [Correction(opening())]),
        (
            [Told(opening()), Told(opening(WEEK))],
            [opening(HOUR), opening(WEEK + HOUR), opening(2 * WEEK + HOUR)],
            [
                Correction(opening(), moved_to=opening(HOUR)),
                Correction(opening(WEEK), moved_to=opening(WEEK + HOUR)),
            ],
        ),
        # Moved, and moved back: one word, not "it is back" as well.
        (
            [Told(opening(), off=True), Told(opening(2 * HOUR))],
            [opening(), opening(WEEK)],
            [Correction(opening(2 * HOUR), moved_to=opening())],
        ),
        # It has begun: nothing is to be corrected, and nothing is moved into the past.
        ([Told(opening(-DAY)), Told(opening(-DAY - HOUR), off=True)], [opening(-DAY - HOUR)], []),
        ([Told(opening())], [opening(-DAY)], [Correction(opening())]),
    ],
)
def test_corrections(told: list[Told], planned: list[Opening], expected: list[Correction]) -> None:
    assert list(corrections(told, planned, NOW)) == expected


def after(told: Sequence[Told], found: Sequence[Correction]) -> list[Told]:
    """What people know once they have read the corrections."""
    known = {each.opening.key: each for each in told}
    for each in found:
        known[each.opening.key] = Told(each.opening, off=not each.back)
    for each in found:
        if each.moved_to:
            known[each.moved_to.key] = Told(each.moved_to)
    return list(known.values())


SHIFTS = st.integers(-30, 30).map(lambda hours: timedelta(hours=11 * hours))
OPENINGS = st.builds(opening, SHIFTS, st.sampled_from(["mw-1", "mw-2"]))


@given(
    st.lists(st.builds(Told, OPENINGS, st.booleans()), max_size=6, unique_by=lambda each: each.opening.key),
    st.lists(OPENINGS, max_size=6, unique_by=lambda each: each.key),
)
def test_after_corrections_people_know_what_is_planned_and_hear_it_once(
    told: list[Told], planned: list[Opening]
) -> None:
    found = corrections(told, planned, NOW)
    known = after(told, found)
    ahead = {each.opening.key: each.off for each in known if each.opening.opens > NOW}
    assert all(off == (key not in {each.key for each in planned}) for key, off in ahead.items())
    assert corrections(known, planned, NOW) == ()
    assert len({each.opening.key for each in found}) == len(found)
    assert all(each.opening.key in {each.opening.key for each in told} for each in found)
    targets = [each.moved_to.key for each in found if each.moved_to]
    assert len(set(targets)) == len(targets)
