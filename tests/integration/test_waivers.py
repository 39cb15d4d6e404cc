"""Waivers: only an admin, only what the policy names, in the digest and in everybody's sight (issue 3, 3 and 4)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from commands.errors import Refused
from commands.install import Install
from commands.ports import Role
from commands.problem import ReportProblem
from commands.record import record_of
from commands.waive import Waive
from patching.config import ConfigurationError, validate
from patching.gate import CHECKS, NEVER_WAIVABLE, Outcome
from patching.states import ChangeState
from storage import audit
from tests.integration.small_house import (
    approve,
    asked,
    card,
    decide_refused,
    failing,
    installs,
    modal,
    newest,
    outcome,
    owed,
    proven,
    refused,
    words,
)
from tests.stateful.house import House
from tests.stateful.street import Street

REASON = "the vendor has tested this combination"
HOURS = timedelta(hours=5)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("waivers"))
    yield opened
    opened.close()


@pytest.fixture
def house(street: Street) -> House:
    """Blocked by nothing but the soak, which the policy lets be waived; so could a pending reboot be."""
    house = proven(street, soaked=HOURS, waivable=["soak-over", "no-pending-reboot"])
    assert failing(asked(house)) == {"soak-over"}
    return house


@pytest.mark.parametrize("user", ["U0ANN", "U0OLA", "U0EVE"])
def test_I4_only_an_admin_waives(house: House, user: str) -> None:
    assert "waive needs the admin role" in refused(house, Waive(1, "soak-over", REASON), user)


@pytest.mark.parametrize(
    ("change", "check", "words_of_it"),
    [
        (1, "no-pending-reboot", "does not fail in change-1; nothing was done. Failing: soak-over."),
        (1, "made-up", "does not fail in change-1"),
        (9, "soak-over", "There is no change-9"),
    ],
)
def test_only_what_fails_can_be_waived(house: House, change: int, check: str, words_of_it: str) -> None:
    assert words_of_it in refused(house, Waive(change, check, REASON), "U0ADA")


def test_what_the_policy_does_not_name_is_not_waived(street: Street) -> None:
    house = proven(street, soaked=HOURS)
    asked(house)
    sentence = refused(house, Waive(1, "soak-over", REASON), "U0ADA")
    assert "does not let soak-over be waived; nothing was done. Waivable: none." in sentence


def test_only_a_blocked_change_is_waived(street: Street) -> None:
    house = proven(street, waivable=["soak-over"])
    asked(house)
    assert "change-1 is pending, not blocked" in refused(house, Waive(1, "soak-over", REASON), "U0ADA")


@pytest.mark.parametrize("name", sorted(NEVER_WAIVABLE & CHECKS.keys()))
def test_no_policy_makes_these_waivable(house: House, name: str) -> None:
    document = house.parts.config.model_dump(mode="json", by_alias=True)
    document["policy"] = {"waivable": [name]}
    with pytest.raises(ConfigurationError) as error:
        validate(document)
    assert any(f"'{name}' may never be waived" in problem for problem in error.value.problems)


@pytest.mark.parametrize("text", ["change-1", "change-1 soak-over", "scan-1 soak-over why", "change-x soak-over why"])
def test_a_waiver_needs_a_change_a_check_and_a_reason(house: House, text: str) -> None:
    with pytest.raises(Refused, match="nothing was done"):
        Waive.parse(text.split(), house.parts.config)


def test_I3_a_waiver_asks_anew_with_another_digest_in_everybodys_sight(house: House) -> None:
    blocked = newest(house)
    change = asked(house, "U0ADA", Waive(1, "soak-over", REASON))
    assert (change.state, change.requesters) == (ChangeState.PENDING, ("U0ADA", "U0ANN"))
    assert outcome(change, "soak-over") is Outcome.WAIVED
    assert change.digest != blocked.digest
    assert (change.parts or {})["waivers"] == [f"soak-over: {REASON}"]
    for shown in (card(house), modal(house)):
        assert f"Waived by <@U0ADA>: {REASON}" in shown
    assert record_of(house.store, change)["change"]["waivers"] == {"soak-over": REASON}
    (requested,) = (row for row in audit.rows(house.store.db, change.ref) if row.action == "requested")
    assert REASON in requested.detail


def test_I4_who_waives_cannot_approve_and_another_can(house: House) -> None:
    change = asked(house, "U0ADA", Waive(1, "soak-over", REASON))
    house.people.held[Role.APPROVER].add("U0ANN")
    for user in ("U0ADA", "U0ANN"):
        assert f"You asked for {change.ref}" in decide_refused(house, user)
    approve(house, "U0OLA")
    house.settle()
    assert newest(house).state is ChangeState.DONE
    assert len(installs(house)) == 1
    assert all(f"Waived by <@U0ADA>: {REASON}" in words(house, each) for each in owed(house, "receipt"))


def test_I3_a_waiver_covers_one_check_and_no_other(house: House) -> None:
    """After the approval a node of production goes away."""
    asked(house, "U0ADA", Waive(1, "soak-over", REASON))
    approve(house, "U0OLA")
    house.world.set_agent(min(house.node_ids("prod")), "lost")
    house.settle()
    assert (newest(house).state, installs(house)) == (ChangeState.SUPERSEDED, [])
    assert "Every node seen" in newest(house).note


def test_a_waiver_is_for_one_request_and_not_for_the_next(house: House) -> None:
    change = asked(house, "U0ADA", Waive(1, "soak-over", REASON))
    approve(house, "U0OLA")
    house.world.move_repository(house.name)
    house.settle()
    assert newest(house).state is ChangeState.SUPERSEDED
    again = asked(house, "U0BEN", Install(house.prod))
    assert again.state is ChangeState.BLOCKED
    assert (again.waivers, again.requesters) == ({}, ("U0ADA", "U0ANN", "U0BEN"))
    assert again.supersedes == change.id


def test_a_second_waiver_keeps_the_first(street: Street) -> None:
    house = proven(street, soaked=HOURS, waivable=["soak-over", "no-problem"])
    house.ask(ReportProblem(1, "queries hang"), "U0EVE")
    assert failing(asked(house)) == {"soak-over", "no-problem"}
    assert failing(asked(house, "U0ADA", Waive(1, "no-problem", "known, and fixed by this"))) == {"soak-over"}
    change = asked(house, "U0ADA", Waive(2, "soak-over", REASON))
    assert change.state is ChangeState.PENDING
    assert set(change.waivers) == {"no-problem", "soak-over"}
    approve(house, "U0OLA")
    house.settle()
    assert len(installs(house)) == 1
