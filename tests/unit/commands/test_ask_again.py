"""Ask again: the same request anew, and who may ask for an emergency or for waivers anew (I4)."""

from collections.abc import Mapping

import pytest

from commands.ask_again import AskAgain
from commands.command import Actor, Command
from commands.emergency import Emergency
from commands.install import InstallPart
from commands.replies import Accepted
from patching.nodes import EnvironmentKey
from patching.policy import Policy
from patching.states import ChangeState
from storage import audit, changes
from storage.changes import Change
from tests.unit.commands.desk import ADA, ANN, BEN, EVE, OLA, Desk

REASON, TESTED = "the exploit is public", "the vendor has tested this"
WAIVABLE = ["soak-over", "no-problem"]


def asked(
    desk: Desk,
    state: ChangeState = ChangeState.SUPERSEDED,
    *,
    part: bool = False,
    emergency: str = "",
    waivers: Mapping[str, str] | None = None,
) -> Change:
    """What Ada asked for, in the state in which it is now."""
    with desk.store.transaction() as tx:
        change = changes.create(
            tx,
            desk.clock.now(),
            application="orders-db",
            environment="prod",
            source="nonprod",
            requested_by="U0ADA",
            configuration=desk.config.version,
            part=part,
            emergency=emergency,
            waivers=waivers,
        )
        tx.execute("UPDATE change SET state = ? WHERE id = ?", [state, change.id])
    return changes.get(desk.store.db, change.id)


def let_waive(desk: Desk, *names: str) -> None:
    desk.config = desk.config.model_copy(update={"policy": Policy(waivable=names)})


@pytest.mark.parametrize("part", [False, True])
def test_an_ordinary_change_is_asked_for_again_by_an_operator(desk: Desk, part: bool) -> None:
    before = asked(desk, part=part)
    assert "needs the operator role" in desk.refused(AskAgain(before.id), ADA).sentence
    desk.ask(AskAgain(before.id), BEN)
    again = changes.get(desk.store.db, 2)
    assert (again.part, again.emergency, again.waivers) == (part, "", {})
    assert (again.supersedes, again.requesters) == (before.id, ("U0ADA", "U0BEN"))


@pytest.mark.parametrize("state", [ChangeState.SUPERSEDED, ChangeState.BLOCKED])
@pytest.mark.parametrize("part", [False, True])
@pytest.mark.parametrize(
    ("emergency", "waivers"),
    [
        (REASON, {}),
        ("", {"soak-over": TESTED}),
        (REASON, {"no-problem": TESTED}),
        ("", dict.fromkeys(WAIVABLE, TESTED)),
    ],
)
def test_an_admin_asks_again_in_the_same_lane_for_the_same_reasons(
    desk: Desk, state: ChangeState, part: bool, emergency: str, waivers: dict[str, str]
) -> None:
    let_waive(desk, *WAIVABLE)
    before = asked(desk, state, part=part, emergency=emergency, waivers=waivers)
    reply = desk.ask(AskAgain(before.id), ADA)
    assert isinstance(reply, Accepted)
    assert reply.ref == "change-2"
    assert ("as an emergency, for the same reason" in reply.sentence) == bool(emergency)
    assert all(check in reply.sentence for check in waivers)
    again = changes.get(desk.store.db, 2)
    assert (again.part, again.emergency, again.waivers) == (part, emergency, waivers)
    assert (again.supersedes, again.requesters, again.requested_by) == (before.id, ("U0ADA",), "U0ADA")
    assert changes.get(desk.store.db, before.id).state is ChangeState.SUPERSEDED
    (row,) = (row for row in audit.rows(desk.store.db, again.ref) if row.action == "requested")
    assert row.actor == "U0ADA"
    for recorded in (emergency, *waivers, *waivers.values(), '"supersedes":"change-1"', '"rights":["admin"]'):
        assert recorded in row.detail


@pytest.mark.parametrize("actor", [ANN, OLA, EVE], ids=lambda actor: str(actor.user_id))
@pytest.mark.parametrize(
    ("emergency", "waivers", "told"),
    [
        (REASON, {}, "type `/patch emergency orders-db prod REASON`"),
        (REASON, {"soak-over": TESTED}, "type `/patch emergency orders-db prod REASON`"),
        ("", {"soak-over": TESTED}, "has soak-over waived, so only an admin asks for it again"),
    ],
)
def test_I4_anybody_else_is_told_what_to_do_and_nothing_happens(
    desk: Desk, actor: Actor, emergency: str, waivers: dict[str, str], told: str
) -> None:
    let_waive(desk, *WAIVABLE)
    before = asked(desk, emergency=emergency, waivers=waivers)
    said = desk.refused(AskAgain(before.id), actor).sentence
    assert told in said
    assert "only an admin" in said
    assert "nothing was done" in said
    assert "or ask the ordinary way: `/patch install orders-db prod`." in said


def test_what_the_policy_lets_no_longer_be_waived_is_not(desk: Desk) -> None:
    let_waive(desk, "no-problem")
    asked(desk, waivers=dict.fromkeys(WAIVABLE, TESTED))
    reply = desk.ask(AskAgain(1), ADA)
    assert isinstance(reply, Accepted)
    assert "with no-problem waived" in reply.sentence
    assert "The policy no longer lets soak-over be waived." in reply.sentence
    assert changes.get(desk.store.db, 2).waivers == {"no-problem": TESTED}


def test_an_emergency_goes_on_without_a_waiver_that_is_none_any_more(desk: Desk) -> None:
    asked(desk, emergency=REASON, waivers={"no-problem": TESTED})
    desk.ask(AskAgain(1), ADA)
    again = changes.get(desk.store.db, 2)
    assert (again.emergency, again.waivers) == (REASON, {})


def test_I4_without_any_waiver_left_it_is_an_ordinary_request_for_which_no_admin_stands(desk: Desk) -> None:
    asked(desk, waivers={"soak-over": TESTED})
    said = desk.refused(AskAgain(1), ADA).sentence
    assert "The policy of orders-db no longer lets soak-over be waived; nothing was done." in said
    assert "Ask the ordinary way: `/patch install orders-db prod`." in said


@pytest.mark.parametrize(
    "state", [each for each in ChangeState if each not in (ChangeState.SUPERSEDED, ChangeState.BLOCKED)]
)
def test_the_reasons_of_what_is_open_or_ended_otherwise_are_not_used_again(desk: Desk, state: ChangeState) -> None:
    asked(desk, state, emergency=REASON)
    said = desk.refused(AskAgain(1), ADA).sentence
    assert f"change-1 is {state}, so it can't be asked for again as it was; nothing was done." in said
    assert "See `/patch status change-1`." in said


@pytest.mark.parametrize("state", list(ChangeState))
def test_the_reasons_of_what_was_followed_by_another_change_are_not_used_again(desk: Desk, state: ChangeState) -> None:
    asked(desk, emergency=REASON)
    asked(desk, state)
    said = desk.refused(AskAgain(1), ADA).sentence
    assert "change-1 was followed by change-2" in said
    assert "See `/patch status change-2`." in said


def test_a_second_click_opens_nothing(desk: Desk) -> None:
    asked(desk, emergency=REASON)
    desk.ask(AskAgain(1), ADA)
    assert "change-1 was followed by change-2" in desk.refused(AskAgain(1), ADA).sentence


def test_what_is_not_known_is_not_asked_for(desk: Desk) -> None:
    assert "That change is not known here; nothing was done." in desk.refused(AskAgain(9), ADA).sentence


def test_only_production_is_asked_for(desk: Desk) -> None:
    """The environment was production when the change was made."""
    change = asked(desk, emergency=REASON)
    with desk.store.transaction() as tx:
        tx.execute("UPDATE change SET environment = 'nonprod' WHERE id = ?", [change.id])
    nonprod = EnvironmentKey("orders-db", "nonprod")
    tries: list[tuple[Command, Actor]] = [
        (AskAgain(1), ADA),
        (Emergency(nonprod, REASON), ADA),
        (InstallPart(nonprod), ANN),
    ]
    for asked_for, actor in tries:
        said = desk.refused(asked_for, actor).sentence
        assert "nonprod of orders-db is not production; nothing was done." in said
        assert "Install there as always: `/patch install orders-db nonprod`." in said
