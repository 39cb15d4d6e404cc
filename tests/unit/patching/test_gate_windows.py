"""The moment of a send: windows to the second, how long it takes, who was told; and what an emergency passes."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from patching.gate import CheckResult, Outcome, evaluate, waive
from tests.unit.patching.build import NOW, gate_input, moment
from tests.unit.patching.gate_cases import OPENING, at, opening

OPEN = opening(NOW - timedelta(hours=1))  # an hour before its cutoff
DAY = timedelta(hours=24)

ANSWERS: Mapping[str, tuple[str, dict[str, object], Outcome, str]] = {
    "planned": (
        "inside-window",
        {"at_window": True, "opening": OPENING},
        Outcome.PASS,
        "Sent at the window monthly of prod,",
    ),
    "open": (
        "inside-window",
        {"at_window": True, "sending": True, "opening": OPEN},
        Outcome.PASS,
        "The window monthly is open; nothing begins after",
    ),
    "opens this second": (
        "inside-window",
        {"at_window": True, "sending": True, "opening": opening(NOW)},
        Outcome.PASS,
        "is open",
    ),
    "a second before the cutoff": (
        "inside-window",
        {"at_window": True, "sending": True, "opening": opening(NOW - timedelta(hours=2) + timedelta(seconds=1))},
        Outcome.PASS,
        "is open",
    ),
    "an emergency": ("inside-window", {"emergency": True}, Outcome.PASS, "An emergency waits for no window."),
    "to the second": (
        "fits-window",
        {"at_window": True, "sending": True, "opening": OPEN, "estimate": timedelta(hours=1)},
        Outcome.PASS,
        "It takes about 1 h (as install-13 of nonprod took), with 1 h before the cutoff.",
    ),
    "a second too long": (
        "fits-window",
        {"at_window": True, "sending": True, "opening": OPEN, "estimate": timedelta(hours=1, seconds=1)},
        Outcome.FAIL,
        "It would take about 1 h",
    ),
    "told in time": (
        "affected-told",
        {"sending": True, "notify_before": DAY, "told_at": NOW - DAY},
        Outcome.PASS,
        "They were told 1 d ago.",
    ),
    "told later": (
        "affected-told",
        {"notify_before": DAY},
        Outcome.PASS,
        "They are told when it is approved, and it goes 1 d later at least.",
    ),
    "an emergency tells nobody first": (
        "affected-told",
        {"emergency": True, "sending": True, "notify_before": DAY},
        Outcome.PASS,
        "An emergency waits for nobody",
    ),
}


@pytest.mark.parametrize(("name", "changes", "outcome", "words"), ANSWERS.values(), ids=ANSWERS)
def test_a_check_of_the_moment(name: str, changes: dict[str, object], outcome: Outcome, words: str) -> None:
    found = result(name, changes)
    assert (found.outcome, words in found.evidence) == (outcome, True), found


def test_dates_are_the_window_s() -> None:
    assert result("inside-window", {"at_window": True, "opening": OPENING}).at == OPENING.opens
    assert result("inside-window", {"at_window": True, "sending": True, "opening": OPEN}).at == OPEN.closes


def test_the_soak_is_judged_for_the_window() -> None:
    """A soak that ends before the window opens is over then; the Install is judged again on its own moment."""
    soaking = gate_input(
        last_change=NOW - timedelta(days=5), planned_start=OPENING.opens, moment=moment(at_window=True, opening=OPENING)
    )
    assert next(each for each in evaluate(soaking) if each.name == "soak-over").outcome is Outcome.PASS


def test_an_emergency_passes_a_freeze_marked_and_an_objection_never() -> None:
    frozen = at(freezes=("The freeze year end is in force.",), objections=("Not tonight.",))
    reasons = dict.fromkeys(("no-freeze", "no-objection"), "emergency: a hole that is used")
    waived = {each.name: each for each in waive(evaluate(frozen), reasons, ("soak-over", "no-freeze", "no-objection"))}
    assert waived["no-freeze"].outcome is Outcome.WAIVED
    assert waived["no-freeze"].waiver == "emergency: a hole that is used"
    assert waived["no-objection"].outcome is Outcome.FAIL


def result(name: str, changes: dict[str, object]) -> CheckResult:
    return next(each for each in evaluate(at(**changes)) if each.name == name)
