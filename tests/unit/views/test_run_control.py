"""A run that people stop, pause and continue: what its message says and offers."""

import json
from datetime import timedelta
from typing import Any

import pytest

from bot.views.run import run_card
from bot.views.run_control import paused_reminder
from commands.reports import NodeLine, RunReport
from commands.waves import Paused, Reach, Wave
from patching.model import Operation
from patching.states import RunState
from tests.unit.views.made import ANN, BEN, HOSTILE, LONG, NOW, node, production_run, report, run
from tests.unit.views.seen import assert_accepted, buttons, shown

IDS = tuple(node(index).id for index in range(1, 5))
LINK = "https://acme.slack.com/archives/C0ORDERS/p1700000000000100"


def waves(*begun: int, name: str = "canary", under_way: int = 0) -> tuple[Wave, ...]:
    """Three; the numbers that have begun, of which one has not ended."""
    sizes = {1: (name, 1), 2: ("Role=replica", 2), 3: ("Role=primary", 1)}
    return tuple(
        Wave(number, 3, label, nodes, 0 if number == under_way else nodes, number in begun, number != under_way)
        for number, (label, nodes) in sizes.items()
    )


def install(
    state: RunState = RunState.RUNNING, *, states: str = "", cancelled: bool = False, **changed: Any
) -> RunReport:
    """`states`: of its four nodes, by their first letters."""
    words = {"d": "done", "f": "failed", "r": "running", "w": "waiting", "u": "untouched"}
    of = production_run(
        id=13,
        state=state,
        nodes=tuple(node(index) for index in range(1, 5)),
        cancelled_by=BEN if cancelled else None,
        cancelled_at=NOW if cancelled else None,
    )
    lines = tuple(
        NodeLine(each.id, each.name, words[letter], "") for each, letter in zip(of.nodes, states or "rwww", strict=True)
    )
    return report(of, **{"nodes": lines, "stage": "installing", "waves": waves(1, under_way=1), **changed})


@pytest.mark.parametrize(
    ("given", "expected", "not_said"),
    [
        (
            install(waves=waves(1, 2, under_way=2)),
            ["Installing. ", "Wave 2 of 3, `Role=replica`: installation ended on 0/2 nodes."],
            ["ause"],
        ),
        (install(waves=waves()), ["Before wave 1 of 3 (`canary`)."], []),
        (install(waves=waves()[:1]), [], ["ave 1"]),
        (
            install(RunState.PAUSED, paused=Paused(ANN, None, 1)),
            [":warning: *Pausing* after wave 1 of 3 (`canary`), asked by <@U0ANN>:", "Installing. ░░░░ 0/4 nodes"],
            ["since"],
        ),
        (
            install(RunState.PAUSED, paused=Paused(ANN, NOW, 1), waves=waves(1)),
            ["*Paused* after wave 1 of 3 (`canary`) by <@U0ANN>, since <!date^", "until somebody continues or cancels"],
            ["Installing. "],
        ),
        (
            install(RunState.PAUSED, paused=Paused(ANN, NOW, 1), waves=waves()),
            ["*Paused* before wave 1 of 3 (`canary`) by <@U0ANN>"],
            [],
        ),
        (
            install(cancelled=True, reach=Reach(IDS[:1], IDS[1:2], IDS[2:3], IDS[3:])),
            [
                "*Being cancelled*, asked by <@U0BEN>, <!date^",
                "1 node not begun will be patched too: `db-3`. A command that is with AWS is not stopped",
                "Left alone: `db-4`.",
            ],
            [],
        ),
        (
            install(RunState.CANCELLED, cancelled=True, states="dfuu"),
            [
                ":warning: *Cancelled.* By <@U0BEN>. Ended",
                "*Installed and verified*: `db-1`.\n*Left alone*: `db-3` and `db-4`.\n:x: `db-2` failed",
            ],
            ["Being cancelled", "Wave "],
        ),
    ],
)
def test_what_the_message_says(given: RunReport, expected: list[str], not_said: list[str]) -> None:
    rendered = run_card(given)
    assert_accepted(rendered)
    for words in expected:
        assert words in shown(rendered)
    for words in not_said:
        assert words not in shown(rendered)


def test_a_cancelled_scan_says_what_it_saw() -> None:
    lines = (NodeLine(IDS[0], "db-1", "done", ""), NodeLine(IDS[1], "db-2", "untouched", ""))
    ended = report(run(state=RunState.CANCELLED, cancelled_by=BEN, cancelled_at=NOW), nodes=lines)
    assert "*Scanned*: `db-1`.\n*Not scanned*: `db-2`." in shown(run_card(ended))
    going_on = report(run(state=RunState.RUNNING, cancelled_by=BEN, cancelled_at=NOW))
    assert "what was sent is cancelled at AWS and watched to its end" in shown(run_card(going_on))


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        ({}, set()),
        ({"may_cancel": True}, {"cancel-run"}),
        ({"may_cancel": True, "may_pause": True}, {"cancel-run", "pause-run"}),
        ({"may_cancel": True, "may_continue": True}, {"cancel-run", "continue-run"}),
    ],
)
def test_buttons_carry_the_run_and_ask_back_before_they_change_what_is_installed(
    offered: dict[str, Any], expected: set[str]
) -> None:
    found = buttons(run_card(install(reach=Reach(IDS[:1], IDS[1:2], IDS[2:3], IDS[3:]), **offered)))
    assert set(found) == expected
    assert {json.loads(each["value"])["run"] for each in found.values()} <= {"install-13"}
    assert all("confirm" in each for name, each in found.items() if name != "pause-run")
    if "cancel-run" in found:
        assert found["cancel-run"]["confirm"]["text"]["text"] == (
            "Nothing more of it is sent. 2 nodes whose command is with AWS will still be patched. It has ended on "
            "1 node. 1 node will be left alone."
        )
    if "continue-run" in found:
        assert found["continue-run"]["confirm"]["text"]["text"] == (
            "Wave 2 of 3 (Role=replica) begins: 2 nodes. Its nodes are scanned again before anything is sent."
        )


@pytest.mark.parametrize("name", [HOSTILE, LONG])
def test_I10_the_name_of_a_wave_is_escaped_and_cut(name: str) -> None:
    """A wave is named by its tags, which the configuration takes as they are."""
    found = (
        Wave(1, 2, name, 2, 0, False, False),
        Wave(2, 2, name, 2, 0, False, False),
    )
    given = install(RunState.PAUSED, paused=Paused(ANN, NOW, 1), waves=found, may_continue=True, may_cancel=True)
    assert_accepted(run_card(given))
    assert_accepted(run_card(install(waves=waves(1, name=name, under_way=1), may_pause=True)))
    assert_accepted(paused_reminder(given, timedelta(hours=1), LINK))


def test_the_reminder_says_how_long_by_whom_and_where() -> None:
    given = install(
        RunState.PAUSED, paused=Paused(ANN, NOW, 1), waves=waves(1), reach=Reach(ended=IDS[:1], untouched=IDS[1:])
    )
    rendered = paused_reminder(given, timedelta(hours=4), LINK)
    assert_accepted(rendered)
    assert rendered[0] == "Paused for 4 h: install-13 on PRODUCTION orders-db prod"
    assert "The new set is on 1 node and not on 3 nodes" in shown(rendered)
    assert f"<{LINK}|open its message>" in shown(rendered)
    assert "`/patch status install-13`" in shown(paused_reminder(given, timedelta(hours=4)))


def test_I5_a_reminder_that_comes_late_says_what_is_true_then() -> None:
    rendered = paused_reminder(install(), timedelta(hours=1), LINK)
    assert_accepted(rendered)
    assert "`install-13` was paused and is running now." in shown(rendered)
    assert rendered[0].startswith("install-13 was paused for 1 h and is running now")


def test_lists_say_that_a_run_is_being_cancelled() -> None:
    assert "install-13 on orders-db prod: being cancelled" in run_card(install(cancelled=True))[0]
    assert run_card(install(RunState.CANCELLED, cancelled=True, states="uuuu"))[0].endswith("cancelled")
    assert install().run.operation is Operation.INSTALL
