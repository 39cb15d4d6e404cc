"""Mutants of what those affected are told: the newest lead once, corrections to those who were told, lateness."""

from dataclasses import replace
from typing import Any

from bot.views import window_notices
from commands import window_report
from commands.agenda import AgendaUnknown
from patching import reminding
from scheduler import notices, reminders
from storage import outbox
from tests.mutation.mutant import Mutant, swap

REMINDERS = "tests/integration/test_reminders.py"


def _the_earliest_lead_is_told() -> None:
    def broken(true: Any) -> Any:
        return lambda leads, opens, now, told=None: max((lead for lead in leads if opens - lead <= now), default=None)

    swap(reminding, "lead_due", broken)


def _what_was_told_stays_said() -> None:
    swap(reminding, "corrections", lambda true: lambda told, openings, now: ())


def _what_nobody_reads_is_off() -> None:
    """A stale reading is taken for an empty one."""

    def broken(true: Any) -> Any:
        def openings(*arguments: Any) -> Any:
            try:
                return true(*arguments)
            except AgendaUnknown:
                return ()

        return openings

    swap(reminders, "openings", broken)


def _a_reminder_promises_what_is_off() -> None:
    def broken(true: Any) -> Any:
        return lambda *arguments: replace(true(*arguments), gone=False, moved_to=None)

    swap(window_report, "window_report", broken)


def _late_is_not_said() -> None:
    def broken(true: Any) -> Any:
        return lambda report, now, *, shown: true(report, now, shown=True)

    swap(window_notices, "_reminder", broken)


def _who_has_seen_it_is_kept_only() -> None:
    swap(outbox, "show_again", lambda true: lambda tx, notice: None)


def _failures_wait_for_the_end() -> None:
    swap(notices, "owe_if_failing", lambda true: lambda tx, now, config, run, outcomes: None)


_DOWN = "test_I7_after_downtime_only_the_newest_lead"
_MOVED = "test_what_is_moved_called_off_or_back_is_corrected_for_those_who_were_told"
_LATE = "test_who_has_seen_it_shows_and_a_reminder_that_comes_late_says_so"
_INSTALL = "test_everybody_affected_hears_of_an_install_its_first_failure_and_its_end"

NOTICE_MUTANTS: tuple[Mutant, ...] = (
    Mutant("the earliest lead is told", _the_earliest_lead_is_told, (f"{REMINDERS}::{_DOWN}[False]",)),
    Mutant("what was told of a window stays said", _what_was_told_stays_said, (f"{REMINDERS}::{_MOVED}",)),
    Mutant("windows that can't be read are called off", _what_nobody_reads_is_off, (f"{REMINDERS}::{_MOVED}",)),
    Mutant("a reminder promises what is off by now", _a_reminder_promises_what_is_off, (f"{REMINDERS}::{_MOVED}",)),
    Mutant("a late reminder pretends", _late_is_not_said, (f"{REMINDERS}::{_LATE}",)),
    Mutant("who has seen it does not show", _who_has_seen_it_is_kept_only, (f"{REMINDERS}::{_LATE}",)),
    Mutant("a failure is told at the end only", _failures_wait_for_the_end, (f"{REMINDERS}::{_INSTALL}",)),
)
