"""The emergency lane: who starts it, who approves it, what it may pass, and that everybody sees it (issue 3, 4)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.views.replies import render
from bot.views.tables import Flavour
from commands.approvals import ListApprovals
from commands.emergency import Emergency
from commands.errors import Refused
from commands.install import Install
from commands.ports import Role
from commands.problem import ReportProblem
from commands.record import record_of
from commands.status import Status
from patching.config import validate
from patching.gate import Outcome
from patching.nodes import EnvironmentKey
from patching.states import ChangeState
from storage import audit, runs
from storage.changes import Change
from storage.runs import Purpose
from tests.integration.small_house import (
    approve,
    asked,
    built,
    card,
    decide_refused,
    failing,
    installs,
    modal,
    newest,
    outcome,
    owed,
    proven,
    recipients,
    refused,
    words,
)
from tests.stateful.house import House
from tests.stateful.street import Street
from tests.town import words_of

HOURS = timedelta(hours=5)
REASON = "CVE-2026-90001 is being exploited"


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("emergency"))
    yield opened
    opened.close()


def emergency(house: House, user: str = "U0ADA") -> Change:
    return asked(house, user, Emergency(house.prod, REASON))


def test_I4_only_admins_start_one(street: Street) -> None:
    house = proven(street, soaked=HOURS)
    for user in ("U0ANN", "U0OLA", "U0EVE"):
        assert "emergency needs the admin role" in refused(house, Emergency(house.prod, REASON), user)


def test_it_needs_a_reason_and_is_for_production(street: Street) -> None:
    house = built(street)
    assert "is not production" in refused(house, Emergency(house.nonprod, REASON), "U0ADA")
    config = validate({**house.parts.config.model_dump(by_alias=True)})
    for words_given in ([house.name, "prod"], [house.name, "prod", "  "]):
        with pytest.raises(Refused, match="reason"):
            Emergency.parse(words_given, config)
    parsed = Emergency.parse([house.name, "prod", "the", "exploit", "is", "public"], config)
    assert parsed == Emergency(EnvironmentKey(house.name, "prod"), "the exploit is public")


def test_I4_two_others_approve_and_then_it_passes_the_soak(street: Street) -> None:
    """Ada holds the approver role too; five hours of seven days have passed."""
    house = proven(street, soaked=HOURS)
    ordinary = asked(house)
    assert (ordinary.state, failing(ordinary)) == (ChangeState.BLOCKED, {"soak-over"})
    change = emergency(house)
    assert (change.state, change.required, change.requesters) == (ChangeState.PENDING, 2, ("U0ADA", "U0ANN"))
    assert outcome(change, "soak-over") is Outcome.WAIVED
    house.people.held[Role.APPROVER].add("U0ANN")
    for user in ("U0ADA", "U0ANN"):
        assert f"You asked for {change.ref}" in decide_refused(house, user)
    approve(house, "U0OLA")
    house.settle()
    assert (newest(house).state, installs(house)) == (ChangeState.PENDING, [])
    approve(house, "U0KIM")
    house.settle()
    assert newest(house).state is ChangeState.DONE
    (call,) = installs(house)
    assert call.params["Parameters"]["InstallOverrideList"]


def test_three_approve_where_the_policy_asks_for_three(street: Street) -> None:
    house = proven(street, soaked=HOURS, approvals_required=3)
    assert emergency(house).required == 3


def test_it_is_marked_in_every_message_and_in_the_record(street: Street) -> None:
    house = proven(street, soaked=HOURS)
    change = emergency(house)
    marked = [card(house), modal(house), *(words(house, each) for each in owed(house, "approval-asked"))]
    approve(house, "U0OLA")
    approve(house, "U0KIM")
    house.settle()
    (run,) = runs.of_change(house.store.db, change.id, Purpose.CHANGE)
    of_the_install = [
        each
        for kind in ("run-card", "install-started", "install-ended")
        for each in owed(house, kind)
        if each.subject == run.subject
    ]
    assert len(of_the_install) >= 3
    marked += [card(house), *(words(house, each) for each in (*owed(house, "receipt"), *of_the_install))]
    for shown in marked:
        assert "EMERGENCY" in shown
        assert REASON in shown
    assert recipients(house, "receipt") == ["U0ADA", "U0KIM", "U0OLA"]
    assert record_of(house.store, change)["change"]["emergency"] == REASON
    (requested,) = (row for row in audit.rows(house.store.db, change.ref) if row.action == "requested")
    assert f'"emergency":"{REASON}"' in requested.detail
    assert '"rights":["admin","approver"]' in requested.detail


def test_it_is_marked_among_what_waits_for_an_approver(street: Street) -> None:
    house = proven(street, soaked=HOURS)
    emergency(house)
    for command in (ListApprovals(), Status(), Status("change-1")):
        text, blocks = render(house.ask(command, "U0OLA"), Flavour.TEXT)
        assert "EMERGENCY" in words_of({"text": text, "blocks": blocks}), command


def test_it_does_not_pass_patches_that_nobody_tested(street: Street) -> None:
    house = proven(street, soaked=HOURS)
    house.world.move_repository(house.name)
    change = emergency(house)
    assert change.state is ChangeState.BLOCKED
    assert "patches-tested" in failing(change)
    assert "is blocked" in decide_refused(house, "U0OLA")
    assert installs(house) == []


def test_I3_it_does_not_pass_what_moves_after_its_approval(street: Street) -> None:
    house = proven(street, soaked=HOURS)
    emergency(house)
    approve(house, "U0OLA")
    approve(house, "U0KIM")
    house.world.move_repository(house.name)
    house.settle()
    assert (newest(house).state, installs(house)) == (ChangeState.SUPERSEDED, [])


def test_a_reported_problem_stops_it_unless_the_policy_lets_that_be_waived(street: Street) -> None:
    stopped, waived = (proven(street, soaked=HOURS, waivable=names) for names in ([], ["no-problem"]))
    for house in (stopped, waived):
        house.ask(ReportProblem(1, "queries hang"), "U0EVE")
        emergency(house)
    assert failing(newest(stopped)) == {"no-problem"}
    assert newest(waived).state is ChangeState.PENDING
    assert outcome(newest(waived), "no-problem") is Outcome.WAIVED
    approve(waived, "U0OLA")
    approve(waived, "U0KIM")
    waived.settle()
    assert len(installs(waived)) == 1


def test_a_problem_reported_after_the_request_stops_it_all_the_same(street: Street) -> None:
    """Who approves has not seen it."""
    house = proven(street, soaked=HOURS, waivable=["no-problem"])
    emergency(house)
    house.jump(timedelta(minutes=1))
    house.ask(ReportProblem(1, "queries hang"), "U0EVE")
    assert "has reported a problem" in decide_refused(house, "U0OLA")
    house.settle()
    assert installs(house) == []


def test_the_ordinary_lane_is_not_marked(street: Street) -> None:
    house = proven(street)
    asked(house, "U0ANN", Install(house.prod))
    assert "EMERGENCY" not in card(house)
    assert newest(house).required == 1
