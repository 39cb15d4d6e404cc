"""Who decides on production, and on what: clicks in a living town (I3, I4, ADR 0006)."""

import json
import threading
from collections.abc import Callable, Iterator

import pytest
from sqlite_utils import Database

from patching.states import ChangeState
from storage import audit, changes, decisions
from storage.changes import Change
from storage.decisions import Decision
from tests.integration.small_town import (
    CHANNEL,
    ask,
    heard,
    pending,
    planted,
    production_installs,
    proven_town,
    set_group,
    wait_for_words,
)
from tests.town import Message, Town, button_of, has_button, wait_for, words_of

APPLICATIONS = ("chain", "spare", "unread", "moved", "self", "twice", "race", "group")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Each test uses the application of its name; those that jump ahead come first, before anything is under way."""
    with proven_town(tmp_path_factory.mktemp("decisions"), APPLICATIONS) as opened:
        yield opened


def test_I4_nobody_of_a_superseded_chain_approves(town: Town) -> None:
    """Kim, an approver, asks first; what she asked for moves on; Ann asks again: neither of them may approve."""
    set_group(town, "S0PLATFORM", "U0BEN", "U0KIM")
    first, card = pending(town, "chain", "U0KIM")
    assert "You asked for" in town.click_and_hear("U0KIM", card, "approve")
    town.around.world.move_repository("chain")
    town.click("U0OLA", card, "approve")
    superseded = town.card(first, "Superseded", channel=CHANNEL)
    assert not has_button(superseded, "approve")

    ref = ask(town, "/patch install chain nonprod", "U0ANN")
    town.card(ref, "*Done*", channel=CHANNEL)
    town.jump(days=8)
    second, card = pending(town, "chain", "U0ANN")
    assert stored(town, second).requesters == ("U0ANN", "U0KIM")
    assert "You asked for" in town.click_and_hear("U0KIM", card, "approve")
    assert "You asked for" in town.click_and_hear("U0ANN", card, "approve")
    assert production_installs(town, "chain") == []
    town.click("U0OLA", card, "approve")
    town.card(second, "*Done.*", channel=CHANNEL)


def test_I3_a_change_that_nobody_approves_in_time_expires(town: Town) -> None:
    ref, card = pending(town, "spare")
    town.jump(hours=24, minutes=1)
    expired = town.card(ref, "*Expired.*", channel=CHANNEL)
    assert not has_button(expired, "approve")
    assert f"{ref} is expired" in old_click(town, "U0OLA", card, approve_value(card))


def test_I4_a_group_that_stays_unreadable_refuses_the_click(town: Town) -> None:
    ref, card = pending(town, "unread")
    fault = town.around.workspace.faults.add("usergroups.users.list", "server-error", times=None)
    town.click("U0OLA", card, "approve")
    wait_for(lambda: decided(town, ref), "the click to be kept")
    town.jump(minutes=2)
    wait_for_words(town, "U0OLA", "Your click was not counted; try again when Slack answers")
    town.around.workspace.faults.remove(fault)
    assert stored(town, ref).state is ChangeState.PENDING
    assert [each.state for each in decided(town, ref)] == ["refused"]
    town.click("U0OLA", card, "approve")
    wait_for(lambda: winners(town, ref), "the second click to count")


def test_I3_what_moved_after_the_approval_supersedes_it_and_says_what(town: Town) -> None:
    ref, card = pending(town, "moved")
    moved = town.around.world.move_repository("moved")
    town.click("U0OLA", card, "approve")
    superseded = town.card(ref, "Superseded", channel=CHANNEL)
    assert any(name in words_of(superseded) for name in moved)
    assert not has_button(superseded, "approve")
    assert has_button(superseded, "ask-again")


def test_I3_a_blocked_change_offers_no_approve_and_takes_none(town: Town) -> None:
    """Non-production of the application has not got what its repository moved to in the test before."""
    ref = ask(town, "/patch install moved prod")
    card = town.card(ref, "Blocked by the gate", channel=CHANNEL)
    assert not has_button(card, "approve")
    assert not has_button(card, "reject")
    change = stored(town, ref)
    _, approvable = the_pending(town, "spare")
    said = old_click(town, "U0OLA", approvable, {"change": change.id, "digest": change.digest})
    assert f"{ref} is blocked" in said
    assert decided(town, ref) == []


@pytest.mark.parametrize("digest", ["", "0" * 64, "None"])
def test_I3_a_forged_digest_is_refused(town: Town, digest: str) -> None:
    ref, card = the_pending(town, "spare")
    head = audit.head(store(town))
    said = old_click(town, "U0OLA", card, {"change": stored(town, ref).id, "digest": digest})
    assert "has changed since that message" in said
    assert (audit.head(store(town)), stored(town, ref).state) == (head, ChangeState.PENDING)


@pytest.mark.parametrize("value", [{}, {"change": "x", "digest": ""}, {"change": 1}, {"digest": "0"}, [], "text", None])
def test_I3_a_value_that_is_none_of_ours_is_refused(town: Town, value: object) -> None:
    ref, card = the_pending(town, "spare")
    head = audit.head(store(town))
    assert "not one of Patchgate's any more; nothing was done" in old_click(town, "U0OLA", card, value)
    assert (audit.head(store(town)), stored(town, ref).state) == (head, ChangeState.PENDING)


def test_a_rejection_needs_the_role_and_a_reason_and_ends_the_change(town: Town) -> None:
    ref, card = the_pending(town, "spare")
    town.click("U0EVE", card, "reject")
    town.submit("U0EVE", "I would rather not")
    wait_for_words(town, "U0EVE", "don't hold the approver role, so you can't reject")
    assert stored(town, ref).state is ChangeState.PENDING
    town.click("U0OLA", card, "reject")
    town.submit("U0OLA", "not on a <!channel> Friday & never")
    rejected = town.card(
        ref, "*Rejected.*", "<@U0OLA>", "not on a &lt;!channel&gt; Friday &amp; never", channel=CHANNEL
    )
    assert not has_button(rejected, "approve")
    assert not has_button(rejected, "reject")
    assert "was already rejected by <@U0OLA>" in old_click(town, "U0KIM", card, approve_value(card))


def test_I4_a_group_that_cannot_be_read_grants_nothing_until_it_can(town: Town) -> None:
    ref, card = pending(town, "group")
    fault = town.around.workspace.faults.add("usergroups.users.list", "outage", times=None)
    town.click("U0OLA", card, "approve")
    town.card(ref, "Approve clicked by <@U0OLA>", "is being checked", channel=CHANNEL)
    assert stored(town, ref).state is ChangeState.PENDING
    town.around.workspace.faults.remove(fault)
    wait_for(lambda: winners(town, ref), "the click to count once the group can be read")


def test_a_double_click_counts_once(town: Town) -> None:
    ref, card = pending(town, "twice")
    at_once(*[lambda: town.click("U0OLA", card, "approve")] * 2)
    wait_for(lambda: winners(town, ref), "one of the clicks to count")
    assert winners(town, ref) == ["U0OLA"]


def test_of_two_approvers_who_race_one_wins_and_the_other_is_told(town: Town) -> None:
    """Who clicks while the first is being judged is told by the sweep, who, or in the form, that somebody has."""
    ref, card = pending(town, "race")
    answers = at_once(lambda: town.click("U0OLA", card, "approve"), lambda: town.click("U0KIM", card, "approve"))
    wait_for(lambda: winners(town, ref), "a winner")
    (winner,) = winners(town, ref)
    loser = {"U0OLA": "U0KIM", "U0KIM": "U0OLA"}[winner]
    told = (f"{ref} was already approved by <@{winner}>", f"{ref} was already approved by Somebody")
    wait_for(lambda: heard(town, loser, told[0]) or told[1] in json.dumps(answers), f"{loser} to be told")
    assert winners(town, ref) == [winner]
    assert f"Approved by <@{winner}>" in words_of(town.card(ref, "Approved by", channel=CHANNEL))


def test_I4_who_asked_or_lacks_the_role_is_refused_and_an_approver_is_not(town: Town) -> None:
    ref, card = pending(town, "self")
    assert "somebody else has to approve" in town.click_and_hear("U0ANN", card, "approve")
    for user in ("U0EVE", "U0ADA", "U0BEN"):  # nobody, an admin, an operator: rights don't imply each other
        assert "don't hold the approver role" in town.click_and_hear(user, card, "approve")
    assert stored(town, ref).state is ChangeState.PENDING
    assert production_installs(town, "self") == []
    town.click("U0OLA", card, "approve")
    done = town.card(ref, "*Done.*", channel=CHANNEL)
    assert not has_button(done, "approve")
    said = old_click(town, "U0KIM", card, approve_value(card))
    assert f"{ref} was already approved by <@U0OLA> and is done" in said


def test_I2_after_all_of_this_each_approved_change_was_sent_once_and_no_other(town: Town) -> None:
    for application in ("chain", "unread", "self", "twice", "race", "group"):
        change = changes.newest(store(town), application, "prod")
        assert change
        town.card(change.ref, "*Done.*", channel=CHANNEL)
        assert production_installs(town, application) == ["ok"]
    for application in ("spare", "moved"):
        assert production_installs(town, application) == []
    assert audit.first_broken(store(town)) is None


def store(town: Town) -> Database:
    assert town.bot
    return town.bot.store.db


def stored(town: Town, ref: str) -> Change:
    return changes.get(store(town), int(ref.partition("-")[2]))


def the_pending(town: Town, application: str) -> tuple[str, Message]:
    """The application's pending change, asked for by the first test that wants it."""
    known = changes.newest(store(town), application, "prod")
    if known is None or known.state is not ChangeState.PENDING:
        return pending(town, application)
    return known.ref, town.card(known.ref, "Waits for approval", channel=CHANNEL)


def decided(town: Town, ref: str) -> list[Decision]:
    return decisions.made(store(town), stored(town, ref).id)


def winners(town: Town, ref: str) -> list[str]:
    return [each.user_id for each in decided(town, ref) if each.state == "accepted"]


def approve_value(card: Message) -> object:
    return json.loads(button_of(card, "approve")[1]["value"])


def old_click(town: Town, user: str, card: Message, value: object) -> str:
    """A click on Approve in a message that stands there with another value; the answer."""
    return town.click_and_hear(user, planted(town, card, "approve", value), "approve")


def at_once(*works: Callable[[], object]) -> list[object]:
    """What each gave that began in the same moment."""
    barrier, given = threading.Barrier(len(works)), list[object]()

    def one(work: Callable[[], object]) -> None:
        barrier.wait(10)
        given.append(work())

    threads = [threading.Thread(target=one, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(given) == len(works)
    return given
