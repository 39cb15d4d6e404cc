"""Mutants of what holds between and within the waves of an Install."""

from dataclasses import replace
from typing import Any

from patching import sequence
from patching.states import StepState
from scheduler import dispatch, permits
from tests.mutation.mutant import Mutant, swap

UNIT = "tests/unit/patching/test_sequence.py"
WALKS = "tests/unit/patching/test_sequence_walks.py::test_I2_I8_I9_whatever_goes_wrong_a_walk_keeps_its_rules_and_ends"
WAVES = "tests/integration/test_waves.py"
BATCHES = "tests/integration/test_wave_batches.py"
PAUSES = "tests/integration/test_cancel_and_pause.py"


def _rows_are_not_compared() -> None:
    swap(permits, "moved_rows", lambda true: lambda approved, now, pins: iter(()))


def _other_peoples_operations_do_not_count() -> None:
    swap(permits, "_touched", lambda true: lambda parts, run, node_ids, target: None)


def _deviations_stop_nothing() -> None:
    swap(permits, "_deviated", lambda true: lambda parts, run: None)


def _any_hook_will_do() -> None:
    swap(permits, "_another_hook", lambda true: lambda parts, step, target, sent: None)


def _all_batches_at_once() -> None:
    """Only a doubt still keeps them back."""

    def broken(true: Any) -> Any:
        return lambda install, batches: true(replace(install, at_once=10**6), batches)

    swap(sequence, "_may_begin_beside", broken)


def _a_doubt_keeps_nobody_back() -> None:
    """It counts as a command under way."""

    def broken(true: Any) -> Any:
        def may_begin(install: Any, batches: Any) -> Any:
            known = [
                replace(each, state=StepState.SENT) if each.state is StepState.UNKNOWN else each for each in batches
            ]
            return true(install, known)

        return may_begin

    swap(sequence, "_may_begin_beside", broken)


def _failures_are_not_counted() -> None:
    swap(sequence, "failed_in_wave", lambda true: lambda steps, wave: frozenset())


def _what_was_installed_is_not_verified() -> None:
    """Where something went wrong."""
    swap(sequence, "_verifies_an_install", lambda true: lambda step, steps: False)


def _a_pause_is_overlooked() -> None:
    swap(dispatch, "next_to_send", lambda true: lambda steps, *, paused=False: true(steps))


WAVE_MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "rows of a wave's gate not compared",
        _rows_are_not_compared,
        (
            f"{WAVES}::test_I3_what_happens_between_two_waves_stops_the_second[leaves_the_repository]",
            f"{WAVES}::test_I3_what_happens_between_two_waves_stops_the_second[somebody_installs_another]",
        ),
    ),
    Mutant(
        "somebody else's operation since a wave's gate overlooked",
        _other_peoples_operations_do_not_count,
        (f"{WAVES}::test_I3_somebody_else_s_command_on_a_node_is_waited_for_and_what_it_did_counts[ran]",),
    ),
    Mutant(
        "the next wave begun after a deviation",
        _deviations_stop_nothing,
        (f"{WAVES}::test_I3_what_came_to_the_first_wave_unproven_does_not_come_to_the_second",),
    ),
    Mutant(
        "hooks' hashes not compared before the send",
        _any_hook_will_do,
        (f"{WAVES}::test_I3_a_hook_that_is_changed_between_two_waves_is_not_run",),
    ),
    Mutant(
        "a wave's concurrency not held over its batches",
        _all_batches_at_once,
        (
            f"{UNIT}::test_batches_are_under_way_together_as_far_as_the_wave_s_rate_lets_them[50%-together2]",
            f"{BATCHES}::test_I9_no_more_nodes_than_the_rate_are_under_way_together_over_all_batches[50%]",
            WALKS,
        ),
    ),
    Mutant(
        "a batch begun beside one in doubt",
        _a_doubt_keeps_nobody_back,
        (f"{UNIT}::test_I2_no_install_begins_beside_one_in_doubt_and_what_is_under_way_goes_on",),
    ),
    Mutant(
        "a wave's failures not counted",
        _failures_are_not_counted,
        (f"{WAVES}::test_I9_a_canary_that_fails_is_verified_and_the_rest_is_left_alone", WALKS),
    ),
    Mutant(
        "what was installed not verified where something failed",
        _what_was_installed_is_not_verified,
        (f"{WAVES}::test_I9_a_canary_that_fails_is_verified_and_the_rest_is_left_alone", WALKS),
    ),
    Mutant(
        "a pause overlooked",
        _a_pause_is_overlooked,
        (f"{PAUSES}::test_I7_paused_between_waves_over_a_restart_it_waits_for_somebody_and_reminds",),
    ),
)
