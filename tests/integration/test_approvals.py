"""Approvals by several, reminders, expiry, withdrawal and receipts: what is owed to whom, and what is sent (I3, I4)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from commands.decide import Decide
from commands.errors import Refused
from commands.ports import Role
from commands.record import record_of
from commands.withdraw import Withdraw
from patching.digest import digest_of
from patching.states import ChangeState, RunState
from storage import audit, decisions, runs
from tests.integration.small_house import (
    approve,
    asked,
    card,
    decide_refused,
    installs,
    modal,
    newest,
    owed,
    proven,
    recipients,
    refused,
    words,
)
from tests.stateful.house import House
from tests.stateful.street import Street

MINUTES_15, HOUR, HOURS_4 = timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("approvals"))
    yield opened
    opened.close()


def reminded(house: House) -> list[tuple[str, str]]:
    """(who, after how many seconds), in order."""
    return [
        (each.recipient, each.key.split(":")[2].removeprefix("waited-")) for each in owed(house, "approval-reminder")
    ]


# --- Two people


def test_I4_two_distinct_people_approve_where_the_policy_asks_for_two(street: Street) -> None:
    house = proven(street, approvals_required=2)
    asked(house)
    assert "0 of 2 approvals" in card(house)
    approve(house, "U0OLA")
    assert "Approve clicked by <@U0OLA>" in card(house)
    house.settle()
    assert (newest(house).state, installs(house)) == (ChangeState.PENDING, [])
    assert "1 of 2 approvals" in card(house)
    assert "1 of 2 approvals given, by <@U0OLA>" in modal(house)
    assert "counts already; it waits for somebody else's" in decide_refused(house, "U0OLA")
    assert "You asked for change-1" in decide_refused(house, "U0ANN")
    house.settle()
    assert installs(house) == []
    approve(house, "U0KIM")
    house.settle()
    assert newest(house).state is ChangeState.DONE
    assert len(installs(house)) == 1


def test_I4_two_who_click_at_once_both_count_where_two_are_wanted(street: Street) -> None:
    house = proven(street, approvals_required=2)
    asked(house)
    approve(house, "U0OLA")
    approve(house, "U0KIM")
    house.settle()
    assert newest(house).state is ChangeState.DONE
    assert decisions.approvers(house.store.db, newest(house)) == {"U0OLA", "U0KIM"}


def test_I4_of_two_who_click_at_once_the_second_is_told_who_was_first(street: Street) -> None:
    house = proven(street)
    asked(house)
    approve(house, "U0KIM")
    approve(house, "U0OLA")
    house.settle()
    (told,) = owed(house, "refusal")
    assert told.recipient.endswith("U0OLA")
    assert "change-1 was already approved by <@U0KIM>" in words(house, told)
    assert len(installs(house)) == 1


def test_I4_an_approver_who_leaves_after_approving_does_not_count_at_the_send(street: Street) -> None:
    house = proven(street, approvals_required=2)
    asked(house)
    approve(house, "U0OLA")
    house.settle()
    house.people.held[Role.APPROVER].discard("U0OLA")
    approve(house, "U0KIM")
    house.settle()
    assert installs(house) == []
    (run,) = runs.of_change(house.store.db, 1, runs.Purpose.CHANGE)
    assert run.state is RunState.FAILED
    assert "1 of 2 approvers needed for change-1 hold the role now; nothing was sent" in run.note


def test_I4_approvers_are_recorded_when_asked_and_checked_again_when_they_answer(street: Street) -> None:
    house = proven(street)
    assert asked(house).eligible == ("U0ADA", "U0KIM", "U0LEE", "U0OLA")
    assert recipients(house, "approval-asked") == ["U0ADA", "U0KIM", "U0LEE", "U0OLA"]
    house.people.held[Role.APPROVER] = {"U0NEW"}
    approve(house, "U0OLA")  # the click is taken in, and judged by the group as it is now
    house.settle()
    (told,) = owed(house, "refusal")
    assert "don't hold the approver role" in words(house, told)
    assert newest(house).state is ChangeState.PENDING
    approve(house, "U0NEW")
    house.settle()
    assert newest(house).state is ChangeState.DONE


def test_I4_who_may_approve_and_asked_is_not_asked_to_approve(street: Street) -> None:
    house = proven(street)
    house.people.held[Role.OPERATOR].add("U0KIM")
    assert "U0KIM" not in asked(house, "U0KIM").eligible
    assert "U0KIM" not in recipients(house, "approval-asked")


def test_nobody_is_asked_while_slack_does_not_tell_who_approves(street: Street) -> None:
    house = proven(street)
    house.people.readable = False
    assert asked(house).state is ChangeState.PREPARING
    assert "Slack did not say who is in S0ONCALL" in card(house)
    house.people.readable = True
    house.settle()
    assert newest(house).state is ChangeState.PENDING


def test_a_click_that_waits_to_be_judged_survives_a_restart(street: Street) -> None:
    house = proven(street)
    asked(house)
    approve(house, "U0OLA")
    house.restart()
    house.settle()
    assert newest(house).state is ChangeState.DONE
    assert len(installs(house)) == 1


# --- Reminders and expiry


def test_I7_each_who_has_not_answered_is_reminded_once_after_15_minutes_1_hour_and_4_hours(street: Street) -> None:
    house = proven(street, approvals_required=2)
    asked(house)
    house.jump(MINUTES_15 - timedelta(minutes=1))
    house.round()
    assert reminded(house) == []
    house.jump(timedelta(minutes=1))
    for _ in range(3):
        house.round()
    everybody = ["U0ADA", "U0KIM", "U0LEE", "U0OLA"]
    assert reminded(house) == [(user, "900") for user in everybody]
    approve(house, "U0OLA")
    house.jump(HOUR - MINUTES_15)
    house.round()
    assert reminded(house)[4:] == [(user, "3600") for user in ("U0ADA", "U0KIM", "U0LEE")]
    house.restart()
    house.jump(HOURS_4 - HOUR)
    house.round()
    assert reminded(house)[7:] == [(user, "14400") for user in ("U0ADA", "U0KIM", "U0LEE")]
    house.jump(timedelta(hours=10))
    house.round()
    assert len(reminded(house)) == 10
    assert "1 of 2 approvals given, by <@U0OLA>" in words(house, owed(house, "approval-reminder")[-1])


def test_I7_after_a_long_silence_only_the_newest_reminder_comes(street: Street) -> None:
    house = proven(street)
    asked(house)
    house.jump(timedelta(hours=9))
    house.round()
    assert {after for _, after in reminded(house)} == {"14400"}
    assert len(reminded(house)) == 4


def test_a_click_that_was_refused_is_no_answer_and_its_sender_is_reminded(street: Street) -> None:
    house = proven(street)
    asked(house)
    house.people.readable = False
    approve(house, "U0OLA")
    house.jump(timedelta(minutes=2))
    house.round()
    house.people.readable = True
    house.jump(MINUTES_15)
    house.round()
    assert ("U0OLA", "900") in reminded(house)


def test_reminders_are_the_policys(street: Street) -> None:
    house = proven(street, approval_reminders=["2h"])
    asked(house)
    house.jump(HOUR)
    house.round()
    assert reminded(house) == []
    house.jump(HOUR)
    house.round()
    assert {after for _, after in reminded(house)} == {"7200"}


def test_I3_what_nobody_approves_expires_and_is_never_sent(street: Street) -> None:
    house = proven(street)
    change = asked(house)
    house.jump(timedelta(hours=24, minutes=1))
    assert "too old to approve" in decide_refused(house, "U0OLA")  # before the sweep has come by
    house.round()
    assert newest(house).state is ChangeState.EXPIRED
    assert "Nobody approved it in time; nothing was sent" in card(house)
    assert "change-1 is expired" in decide_refused(house, "U0OLA")
    house.settle()
    assert installs(house) == []
    assert asked(house).requesters == ("U0ANN",)
    assert newest(house).id == change.id + 1


def test_I3_a_first_approval_does_not_keep_a_request_alive(street: Street) -> None:
    house = proven(street, approvals_required=2, approval_expiry="2h")
    asked(house)
    approve(house, "U0OLA")
    house.settle()
    house.jump(timedelta(hours=2, minutes=1))
    house.round()
    assert newest(house).state is ChangeState.EXPIRED
    assert installs(house) == []


# --- Withdrawal


def test_only_those_who_asked_withdraw(street: Street) -> None:
    house = proven(street)
    change = asked(house)
    for user in ("U0BEN", "U0OLA", "U0ADA"):
        assert "Only those who asked for change-1 can withdraw it" in refused(house, Withdraw(change.id), user)
    house.ask(Withdraw(change.id), "U0ANN")
    assert newest(house).state is ChangeState.WITHDRAWN
    assert "change-1 is withdrawn" in decide_refused(house, "U0OLA")
    house.settle()
    assert installs(house) == []


def test_I4_everybody_of_a_chain_may_withdraw_and_none_of_them_approve(street: Street) -> None:
    house = proven(street, soaked=timedelta(days=6, hours=23))
    assert asked(house).state is ChangeState.BLOCKED
    house.jump(timedelta(hours=2))
    change = asked(house, "U0BEN")
    assert change.requesters == ("U0ANN", "U0BEN")
    house.people.held[Role.APPROVER] |= {"U0ANN", "U0BEN"}
    for user in change.requesters:
        assert f"You asked for {change.ref}" in decide_refused(house, user)
    house.ask(Withdraw(change.id), "U0ANN")
    assert newest(house).state is ChangeState.WITHDRAWN


def test_what_is_approved_is_withdrawn_until_it_is_sent_and_not_afterwards(street: Street) -> None:
    house = proven(street)
    change = asked(house)
    approve(house, "U0OLA")
    house.round()
    assert newest(house).state is ChangeState.APPROVED
    house.ask(Withdraw(change.id), "U0ANN")
    house.settle()
    assert (newest(house).state, installs(house)) == (ChangeState.WITHDRAWN, [])
    again = asked(house)
    approve(house, "U0OLA")
    house.settle()
    assert newest(house).state is ChangeState.DONE
    assert "nothing to withdraw" in refused(house, Withdraw(again.id), "U0ANN")


# --- Rejection and receipts


def test_one_rejection_ends_a_request_that_one_has_approved_already(street: Street) -> None:
    house = proven(street, approvals_required=2)
    change = asked(house)
    approve(house, "U0OLA")
    house.settle()
    house.ask(Decide(change.id, "reject", change.digest or "", "not on a Friday"), "U0KIM")
    house.settle()
    assert (newest(house).state, installs(house)) == (ChangeState.REJECTED, [])
    with pytest.raises(Refused, match="already"):
        approve(house, "U0LEE")


def test_I6_receipts_go_to_who_asked_and_who_approved_with_the_digest_and_the_chains_head(street: Street) -> None:
    house = proven(street, approvals_required=2)
    change = asked(house)
    approve(house, "U0OLA")
    approve(house, "U0KIM")
    house.settle()
    assert recipients(house, "receipt") == ["U0ANN", "U0KIM", "U0OLA"]
    hashes = {row.hash for row in audit.rows(house.store.db)}
    for receipt in owed(house, "receipt"):
        assert receipt.payload["head"] in hashes
        told = words(house, receipt)
        assert receipt.payload["head"] in told
        assert str(change.digest) in told
        assert "Approved by <@U0OLA>" in told
        assert "Backup: snapshot of last night" in told


# --- Without a list


def test_a_list_that_is_not_pinned_is_marked_everywhere_and_is_another_digest(street: Street) -> None:
    house = proven(street, pin="off")
    change = asked(house)
    assert change.state is ChangeState.PENDING
    for shown in (card(house), modal(house), words(house, owed(house, "approval-asked")[0])):
        assert "NOT PINNED" in shown
    parts = dict(change.parts or {})
    assert parts["policy"]["pin"] == "off"
    assert digest_of({**parts, "policy": {**parts["policy"], "pin": "required"}}) != change.digest
    assert record_of(house.store, change)["change"]["digest_parts"]["policy"]["pin"] == "off"
    approve(house, "U0OLA")
    house.settle()
    assert newest(house).state is ChangeState.DONE
    (call,) = installs(house)
    assert "InstallOverrideList" not in call.params["Parameters"]
    assert all("NOT PINNED" in words(house, receipt) for receipt in owed(house, "receipt"))
