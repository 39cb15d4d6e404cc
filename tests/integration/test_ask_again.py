"""Ask again on an emergency and on a change with waivers, from what moved to what is installed (issue 3, 4)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from commands.ask_again import AskAgain
from commands.emergency import Emergency
from commands.record import record_of
from commands.waive import Waive
from patching.gate import Outcome
from patching.states import ChangeState
from storage.changes import Change
from tests.integration.small_house import (
    approve,
    asked,
    card,
    decide_refused,
    failing,
    installs,
    newest,
    outcome,
    proven,
    refused,
)
from tests.stateful.house import House
from tests.stateful.street import Street

HOURS = timedelta(hours=5)
REASON = "CVE-2026-90001 is being exploited"


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("again"))
    yield opened
    opened.close()


def superseded(house: House, *approvers: str) -> Change:
    """A node of production is away when the approved change is about to be sent, and then it is back."""
    for user in approvers:
        approve(house, user)
    node = min(house.node_ids("prod"))
    house.world.set_agent(node, "lost")
    house.settle()
    house.world.set_agent(node, "back")
    assert (newest(house).state, installs(house)) == (ChangeState.SUPERSEDED, [])
    return newest(house)


def test_I4_a_superseded_emergency_is_an_emergency_again_with_two_new_approvals(street: Street) -> None:
    house = proven(street, soaked=HOURS)
    asked(house)
    asked(house, "U0ADA", Emergency(house.prod, REASON))
    before = superseded(house, "U0OLA", "U0KIM")
    assert (
        f"An admin asks again, for the same reasons; the ordinary way is `/patch install {house.name} prod`."
        in card(house)
    )
    for user in ("U0ANN", "U0OLA", "U0EVE"):
        said = refused(house, AskAgain(before.id), user)
        assert f"`/patch emergency {house.name} prod REASON`" in said

    again = asked(house, "U0ADA", AskAgain(before.id))
    assert (again.state, again.emergency, again.required) == (ChangeState.PENDING, REASON, 2)
    assert (again.supersedes, again.requesters) == (before.id, ("U0ADA", "U0ANN"))
    assert outcome(again, "soak-over") is Outcome.WAIVED
    for words in ("EMERGENCY", REASON, f"asks again for `{before.ref}`"):
        assert words in card(house)
    assert f"`{again.ref}` asks again" in card(house, before)
    assert record_of(house.store, again)["change"]["emergency"] == REASON
    assert f"You asked for {again.ref}" in decide_refused(house, "U0ADA")
    approve(house, "U0OLA")
    house.settle()
    assert installs(house) == []
    approve(house, "U0KIM")
    house.settle()
    assert newest(house).state is ChangeState.DONE
    assert len(installs(house)) == 1


def test_a_superseded_change_is_waived_again_by_an_admin_and_asked_for_in_the_ordinary_way_by_others(
    street: Street,
) -> None:
    house = proven(street, soaked=HOURS, waivable=["soak-over"])
    asked(house)
    waived = asked(house, "U0ADA", Waive(1, "soak-over", REASON))
    before = superseded(house, "U0OLA")
    assert "An admin asks again, for the same reasons" in card(house)
    assert "has soak-over waived, so only an admin asks for it again" in refused(house, AskAgain(before.id), "U0ANN")

    again = asked(house, "U0ADA", AskAgain(before.id))
    assert (again.state, again.waivers, again.required) == (ChangeState.PENDING, {"soak-over": REASON}, 1)
    assert (again.digest, again.requesters) == (waived.digest, ("U0ADA", "U0ANN"))
    assert f"Waived by one of <@U0ADA> and <@U0ANN>: {REASON}" in card(house)
    approve(house, "U0OLA")
    house.settle()
    assert newest(house).state is ChangeState.DONE
    assert len(installs(house)) == 1


def test_a_waiver_that_the_policy_has_taken_back_is_not_given_again(street: Street) -> None:
    house = proven(street, soaked=HOURS, waivable=["soak-over"])
    asked(house)
    asked(house, "U0ADA", Waive(1, "soak-over", REASON))
    before = superseded(house, "U0OLA")
    house.restart({"waivable": []})
    assert "no longer lets soak-over be waived; nothing was done" in refused(house, AskAgain(before.id), "U0ADA")
    house.restart({"waivable": ["soak-over"]})
    assert asked(house, "U0ADA", AskAgain(before.id)).waivers == {"soak-over": REASON}


def test_a_blocked_emergency_is_asked_for_again_when_what_stopped_it_is_gone(street: Street) -> None:
    house = proven(street, soaked=HOURS)
    node = min(house.node_ids("prod"))
    house.world.set_agent(node, "lost")
    before = asked(house, "U0ADA", Emergency(house.prod, REASON))
    assert before.state is ChangeState.BLOCKED
    assert "soak-over" not in failing(before)
    house.world.set_agent(node, "back")
    again = asked(house, "U0ADA", AskAgain(before.id))
    assert (again.state, again.emergency, again.supersedes) == (ChangeState.PENDING, REASON, before.id)
