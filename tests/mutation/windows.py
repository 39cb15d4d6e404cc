"""Mutants of what holds a change that waits: windows, freezes, objections, and the time of those affected."""

from typing import Any

from scheduler import permits, waiting
from storage import runs
from tests.mutation.mutant import Mutant, swap

WAITING = "tests/integration/test_waiting.py"


def _nothing_holds_the_send() -> None:
    swap(permits, "_held", lambda true: lambda parts, tx, change, planned, step, now: "")


def _scans_of_a_missed_window_count() -> None:
    def broken(true: Any) -> Any:
        return lambda db, change_id, purpose, since=None: true(db, change_id, purpose)

    swap(runs, "of_change", broken)


def _a_freeze_opens_its_window() -> None:
    """The gate still refuses, so nothing is sent, and the window is lost."""
    swap(waiting, "in_force", lambda true: lambda db, config, application, at, now: ())


def _nobody_has_to_be_told() -> None:
    swap(waiting, "_untold", lambda true: lambda tx, parts, change, now: "")


def _windows_stay_where_they_were() -> None:
    swap(waiting, "_window_moved", lambda true: lambda parts, change: "")


WINDOW_MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "freezes, objections and cutoffs overlooked before the send",
        _nothing_holds_the_send,
        (
            f"{WAITING}::test_I3_an_objection_a_moment_before_the_send_stops_it",
            f"{WAITING}::test_I3_a_freeze_a_moment_before_the_send_stops_it",
            f"{WAITING}::test_I3_a_window_that_closes_a_moment_before_the_send_stops_it",
        ),
    ),
    Mutant(
        "scans of a missed window taken for those of the send",
        _scans_of_a_missed_window_count,
        (f"{WAITING}::test_a_second_before_the_cutoff_it_begins_no_more_when_the_scans_end_after_it",),
    ),
    Mutant(
        "freezes overlooked at the opening",
        _a_freeze_opens_its_window,
        (f"{WAITING}::test_a_freeze_holds_the_window_and_its_owners_hear_of_it_and_lifting_lets_it_go",),
    ),
    Mutant(
        "those affected not waited for",
        _nobody_has_to_be_told,
        (f"{WAITING}::test_those_affected_have_their_time_before_a_change_without_a_window",),
    ),
    Mutant(
        "a moved window overlooked",
        _windows_stay_where_they_were,
        (f"{WAITING}::test_a_window_that_moves_takes_its_change_along_and_one_that_goes_ends_it",),
    ),
)
