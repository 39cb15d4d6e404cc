"""What those affected are told of a maintenance window, in time and late."""

from datetime import timedelta

import pytest

from bot.views import window_notices
from bot.views.text import when
from commands.window_report import Corrected, CorrectionReport
from patching.nodes import EnvironmentKey
from patching.states import ChangeState
from tests.unit.views.made import EVE, OPENS, change, opening, window_report
from tests.unit.views.seen import assert_accepted, buttons, shown

HOUR = timedelta(hours=1)
KEY = EnvironmentKey("orders-db", "prod")


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (timedelta(days=7), "in 7 d"),
        (timedelta(hours=24) - timedelta(seconds=4), "in 1 d"),
        (timedelta(minutes=59), "in 59 min"),
        (timedelta(seconds=20), "in less than a minute"),
    ],
)
def test_the_words_come_from_the_time_that_is_left(before: timedelta, expected: str) -> None:
    rendered = window_notices.reminder(window_report(), OPENS - before)
    assert_accepted(rendered)
    assert rendered[0] == f"PRODUCTION · Maintenance window {expected}: orders-db prod"
    text = shown(rendered)
    assert f"`weekly patching` (`mw-0c50858d01EXAMPLE`) of *orders-db prod* opens {when(OPENS)}" in text
    assert "(Sun 29 Nov 04:00 Europe/Berlin)" in text
    assert f"ends {when(OPENS + 3 * HOUR)}; nothing new begins in it after {when(OPENS + 2 * HOUR)}" in text
    assert "late" not in text
    assert buttons(rendered)["acknowledge"]["value"] == f'{{"subject":"{window_report().subject}"}}'


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        (("Install",), "*Its own tasks install patches* by themselves: 3 nodes may be patched and rebooted."),
        (("Scan", "unknown"), "*Its own tasks may install patches*"),
        (("Scan",), "Its own tasks scan: they install nothing on the 3 nodes."),
        ((), "None of its own tasks patches"),
        (None, "3 nodes may be patched and rebooted in it."),
    ],
)
def test_a_reminder_says_what_its_tasks_do(operations: tuple[str, ...] | None, expected: str) -> None:
    assert expected in shown(window_notices.reminder(window_report(operations=operations), OPENS - HOUR))


def test_a_reminder_names_what_waits_for_it_what_freezes_it_who_has_seen_it_and_who_owns_it() -> None:
    report = window_report(
        changes=(change(state=ChangeState.WAITING),), freezes=("year end is in force until Monday.",), seen_by=(EVE,)
    )
    rendered = window_notices.reminder(report, OPENS - HOUR, groups=("S0ONCALL",))
    assert_accepted(rendered)
    text = shown(rendered)
    assert "`change-4` waits for it" in text
    assert "year end is in force" in text
    assert f":eyes: Seen by <@{EVE}>." in text
    assert "For <!subteam^S0ONCALL>." in text
    assert "Seen" not in window_notices.email_reminder(report, OPENS - HOUR).text


@pytest.mark.parametrize(
    ("after", "is_shown", "expected", "late"),
    [
        (timedelta(0), False, f"began {when(OPENS)} and ends {when(OPENS + 3 * HOUR)}.", True),
        (2 * HOUR, False, f"began {when(OPENS)} and ends", True),
        (4 * HOUR, False, f"began {when(OPENS)} and ended {when(OPENS + 3 * HOUR)}.", True),
        (2 * HOUR, True, f"began {when(OPENS)} and ends", False),  # brought up to date, it was in time
    ],
)
def test_a_late_reminder_says_so(after: timedelta, is_shown: bool, expected: str, late: bool) -> None:
    rendered = window_notices.reminder(window_report(), OPENS + after, shown=is_shown)
    assert_accepted(rendered)
    assert expected in shown(rendered)
    assert ("*This reminder is late.*" in shown(rendered)) is late
    assert bool(buttons(rendered)) is (after < 3 * HOUR)


@pytest.mark.parametrize(("after", "late"), [(timedelta(seconds=9), False), (timedelta(minutes=11), True)])
def test_the_word_that_a_window_has_opened(after: timedelta, late: bool) -> None:
    rendered = window_notices.started(window_report(), OPENS + after)
    assert_accepted(rendered)
    assert rendered[0] == "PRODUCTION · Maintenance window open: orders-db prod"
    assert "*Its own tasks install patches*" in shown(rendered)
    assert ("late" in shown(rendered)) is late


@pytest.mark.parametrize(
    ("to", "expected"),
    [(OPENS + 2 * HOUR, f"*It was moved* to {when(OPENS + 2 * HOUR)}."), (None, "*It does not take place then*")],
)
def test_a_reminder_of_what_is_off_by_now_does_not_promise_it(to: object, expected: str) -> None:
    rendered = window_notices.reminder(window_report(gone=True, moved_to=to), OPENS - HOUR)
    assert_accepted(rendered)
    assert f"was to open {when(OPENS)}. {expected}" in shown(rendered)
    assert buttons(rendered) == {}
    assert "This message is late" in shown(window_notices.reminder(window_report(gone=True), OPENS))


def corrected(*items: Corrected, production: bool = True) -> CorrectionReport:
    return CorrectionReport(KEY, production, items, ())


MOVED = Corrected(opening(), False, opening(opens=OPENS + 2 * HOUR), False)
OFF = Corrected(opening(), False, None, False)
BACK = Corrected(opening(), True, None, False)


@pytest.mark.parametrize(
    ("item", "expected", "button"),
    [
        (MOVED, f"*was moved* from {when(OPENS)} to {when(OPENS + 2 * HOUR)}", True),
        (OFF, f"*does not take place* {when(OPENS)}", False),
        (BACK, f"*takes place after all*, {when(OPENS)}", True),
        (Corrected(opening(), True, None, True), "That has changed once more since", False),
    ],
)
def test_corrections(item: Corrected, expected: str, button: bool) -> None:
    rendered = window_notices.correction(corrected(item), OPENS - HOUR)
    assert_accepted(rendered)
    assert expected in shown(rendered)
    assert "late" not in shown(rendered)
    assert bool(buttons(rendered)) is button
    late = window_notices.correction(corrected(item), OPENS + HOUR)
    assert "*This correction is late.*" in shown(late)


def test_many_corrections_are_one_message() -> None:
    rendered = window_notices.correction(corrected(*[MOVED] * 14), OPENS - HOUR)
    assert_accepted(rendered)
    assert shown(rendered).count("*was moved*") == 10
    assert "and 4 more: `/patch windows orders-db`." in shown(rendered)
    assert buttons(rendered) == {}


def test_by_e_mail_the_same_words_without_markup() -> None:
    for email in (
        window_notices.email_reminder(window_report(), OPENS - HOUR),
        window_notices.email_started(window_report(), OPENS),
        window_notices.email_correction(corrected(MOVED), OPENS - HOUR),
    ):
        assert "2026-11-29 03:00 UTC" in email.text
        assert not any(mark in email.text for mark in ("<!date", "`", "*", ":warning:"))
        assert email.subject.startswith("[Patchgate] Maintenance window")
        assert "PRODUCTION orders-db prod" in email.subject
