"""What a terminal shows: whole tables, local times, no markup, and nothing that a terminal would obey (I10)."""

from datetime import timedelta, timezone

import pytest

from bot.views.terminal import Screen
from commands.replies import Done
from patching.compare import Verdict
from patching.states import ChangeState
from tests.unit.views.made import (
    ALL_CHANGE_STATES,
    ALL_RUN_STATES,
    HOSTILE,
    NOW,
    change,
    change_report,
    comparison,
    finding,
    missing,
    node,
    report,
    run,
)

SCREEN = Screen(timezone(timedelta(hours=9)), ("scan", "install", "status"))
ESCAPE = "\x1b[2J\x1b]0;title\x07\u202e\r"


def test_a_comparison_is_shown_whole_and_uncut() -> None:
    name = "a-package-with-a-very-long-name-" * 4
    findings = [finding(Verdict.UNTESTED, f"package-{number:03}") for number in range(150)]
    shown = SCREEN.reply(comparison([*findings, finding(Verdict.UNTESTED, name)]))
    assert all(f"package-{number:03}" in shown for number in range(150))
    assert name in shown


def test_a_runs_nodes_and_patches_are_shown_whole() -> None:
    nodes = tuple(node(number, f"db-{number:04}") for number in range(1, 301))
    of = report(run(nodes=nodes), missing=tuple(missing(f"package-{number:03}") for number in range(150)))
    shown = SCREEN.run(of)
    assert all(each.name in shown for each in of.nodes)
    assert all(f"package-{number:03}" in shown for number in range(150))


def test_times_are_local_with_their_offset() -> None:
    ended = NOW + timedelta(minutes=5)
    assert f"{ended + timedelta(hours=9):%Y-%m-%d %H:%M}+09:00" in SCREEN.run(report(run()))
    assert " UTC" not in SCREEN.run(report(run()))


@pytest.mark.parametrize("state", ALL_RUN_STATES)
def test_a_run_is_plain_text_in_every_state(state: str) -> None:
    assert_plain(SCREEN.run(report(run(state=state, note="it waits"))))


@pytest.mark.parametrize("state", ALL_CHANGE_STATES)
def test_a_change_is_plain_text_in_every_state(state: ChangeState) -> None:
    assert_plain(SCREEN.change(change_report(change(state=state))))


def assert_plain(shown: str) -> None:
    assert shown.strip()
    assert not any(mark in shown for mark in ("<@", "<!", "`", ":white_check_mark:", ":warning:", ":x:", "\n\n\n"))


def test_what_can_be_typed_here_is_said_as_it_is_typed_here() -> None:
    said = SCREEN.sentence("Usage: `/patch scan APP ENV`. `/patch waive` and `/patch scanner` are for Slack.")
    assert said == "Usage: patchgate scan APP ENV. /patch waive and /patch scanner are for Slack."


def test_a_person_in_a_sentence_is_named_by_their_id() -> None:
    assert SCREEN.sentence("{person} has reported it.", "U0EVE") == "U0EVE has reported it."


@pytest.mark.parametrize("hostile", [ESCAPE, f"{HOSTILE}{ESCAPE}"])
def test_I10_text_from_outside_moves_no_cursor_and_turns_no_line(hostile: str) -> None:
    nodes = tuple(node(number, hostile) for number in (1, 2, 3))
    shown = [
        SCREEN.run(report(run(nodes=nodes, note=hostile), missing=(missing(hostile),))),
        SCREEN.change(change_report(change(note=hostile, application=hostile))),
        SCREEN.reply(comparison([finding(Verdict.UNTESTED, hostile, detail=hostile)])),
        SCREEN.reply(Done(hostile)),
        SCREEN.sentence(hostile),
    ]
    for text in shown:
        assert all(letter == "\n" or letter.isprintable() for letter in text)
