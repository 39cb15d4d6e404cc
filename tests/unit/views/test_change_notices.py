"""What those affected are told of a change that waits: as it is when the message is sent (I5)."""

from datetime import timedelta
from typing import Any

import pytest

from bot.views.change_notices import KINDS, change_notice, email_change_notice
from bot.views.text import when
from commands.reports import ChangeReport
from patching.states import ChangeState, RunState
from storage.objections import Objection
from tests.unit.views.made import (
    ALL_CHANGE_STATES,
    ANN,
    BEN,
    EVE,
    NOW,
    change,
    change_report,
    decision,
    opening,
    production_run,
    report,
)
from tests.unit.views.seen import assert_accepted, buttons, shown

STARTS = NOW + timedelta(hours=18)
PAYLOAD = {
    "from": (NOW + timedelta(hours=4)).isoformat(),
    "window": "weekly patching",
    "opened": NOW.isoformat(),
    "why": "The freeze year end covers it.",
}
LATE = "*This message is late.*"


def told(state: ChangeState = ChangeState.WAITING, **changed: Any) -> ChangeReport:
    of = change(state=state, timing="window", starts_at=STARTS, opening=opening(opens=STARTS))
    return change_report(of, decisions=(decision(),), **changed)


def test_an_announcement_says_what_when_and_what_one_can_do() -> None:
    rendered = change_notice(told(seen_by=(EVE,)), "change-announced", {}, NOW, groups=("S0ONCALL",))
    assert_accepted(rendered)
    assert rendered[0] == "A change will be installed: change-4, PRODUCTION orders-db prod"
    text = shown(rendered)
    assert "`change-4`, 31 patches on 3 nodes of PRODUCTION *orders-db prod*. Nodes may reboot." in text
    assert f"Asked for by <@{ANN}>, approved by <@{BEN}>." in text
    assert f"starts {when(STARTS)}" in text
    assert "can object until" in text
    assert "For <!subteam^S0ONCALL>." in text
    assert f"Seen by <@{EVE}>" in text
    assert LATE not in text
    assert set(buttons(rendered)) == {"acknowledge", "object", "postpone"}


@pytest.mark.parametrize(
    ("kind", "state", "expected"),
    [
        ("change-moved", ChangeState.WAITING, f"It was to start {when(NOW + timedelta(hours=4))}. The freeze"),
        ("change-missed", ChangeState.WAITING, f"*Missed its window* weekly patching, {when(NOW)}"),
        ("change-held", ChangeState.HELD, "*Held*, nothing is sent: `change-4`"),
        ("change-resumed", ChangeState.WAITING, "*No longer held*: `change-4`"),
        ("change-off", ChangeState.WITHDRAWN, "*Will not be installed*: `change-4`"),
    ],
)
def test_each_says_what_happened_and_why(kind: str, state: ChangeState, expected: str) -> None:
    rendered = change_notice(told(state), kind, PAYLOAD, NOW)
    assert_accepted(rendered)
    assert expected in shown(rendered)
    assert PAYLOAD["why"] in shown(rendered)
    assert LATE not in shown(rendered)
    assert (f"starts {when(STARTS)}" in shown(rendered)) is (state is ChangeState.WAITING)
    assert bool(buttons(rendered)) is (kind != "change-off")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", ALL_CHANGE_STATES)
def test_I5_none_promises_what_is_no_longer_so(kind: str, state: ChangeState) -> None:
    rendered = change_notice(told(state), kind, PAYLOAD, NOW)
    assert_accepted(rendered)
    waits = state in {ChangeState.WAITING, ChangeState.HELD, ChangeState.APPROVED}
    assert (LATE in shown(rendered)) is (not waits and kind != "change-off")
    assert (f"starts {when(STARTS)}" in shown(rendered)) is (state is ChangeState.WAITING and kind != "change-off")
    if kind == "change-held":
        assert ("That is over since." in shown(rendered)) is (waits and state is not ChangeState.HELD)


def test_one_that_comes_after_the_start_says_that_it_is_late() -> None:
    assert LATE in shown(change_notice(told(), "change-announced", {}, STARTS))
    install = report(production_run(id=15, state=RunState.RUNNING))
    text = shown(change_notice(told(ChangeState.USED), "change-announced", {}, STARTS, install=install))
    assert f"{LATE} `install-15`" in text


def test_what_a_freeze_holds_at_its_time_is_not_late() -> None:
    of = change(state=ChangeState.WAITING, timing="window", starts_at=NOW, opening=opening(opens=NOW), note="Frozen.")
    rendered = change_notice(change_report(of), "change-held", {"why": "Frozen."}, NOW + timedelta(minutes=1))
    assert_accepted(rendered)
    assert "goes on when no freeze is in force any more, until" in shown(rendered)
    assert LATE not in shown(rendered)
    assert "That is over since." not in shown(rendered)


def test_a_move_says_who_asked_for_it() -> None:
    assert f"*Moved* by <@{EVE}>: `change-4`" in shown(
        change_notice(told(), "change-moved", {**PAYLOAD, "by": EVE}, NOW)
    )


def test_what_is_held_shows_the_objection_and_how_to_end_it() -> None:
    objection = Objection(1, 4, EVE, "Month-end closing", NOW, None, None, None)
    rendered = change_notice(told(ChangeState.HELD, objections=(objection,)), "change-held", {"why": "x"}, NOW)
    assert_accepted(rendered)
    assert f"<@{EVE}> objects" in shown(rendered)
    assert {"acknowledge", "overrule", "take-back"} <= set(buttons(rendered))


@pytest.mark.parametrize("kind", KINDS)
def test_by_e_mail_the_same_words_without_markup(kind: str) -> None:
    email = email_change_notice(told(), kind, PAYLOAD, NOW)
    assert email.subject.endswith("change-4, PRODUCTION orders-db prod")
    assert not any(mark in email.text for mark in ("<!date", "<@", "`", "*", ":warning:", ":x:"))
    assert "/patch status change-4 in Slack" in email.text
