"""A change's message: approvals, withdrawal, emergencies, waivers, pinning, the ready part, issues."""

import json
from datetime import timedelta
from typing import Any

import pytest

from bot.views.change import change_card, change_details
from bot.views.text import when
from commands.reports import ChangeReport
from patching.gate import Action
from patching.states import ChangeState
from storage.decisions import Decision
from tests.unit.views.made import (
    ALL_CHANGE_STATES,
    ANN,
    BEN,
    EVE,
    NOW,
    change,
    change_report,
    checks,
    decision,
    fails,
    part_facts,
    unevaluated,
    unpinned_parts,
    waived,
)
from tests.unit.views.seen import assert_accepted, buttons, shown

STATES = pytest.mark.parametrize("state", ALL_CHANGE_STATES)


def blocked(action: Action = Action.NONE, **changed: Any) -> ChangeReport:
    failing = checks(soak_over=fails("soak-over", action))
    return change_report(change(state=ChangeState.BLOCKED, checks=failing, **changed))


@STATES
def test_withdraw_stands_where_it_works(state: ChangeState) -> None:
    offered = buttons(change_card(change_report(change(state=state)))).get("withdraw")
    assert (offered is not None) is (state in {"preparing", "blocked", "pending", "approved", "waiting", "held"})
    if offered:
        assert json.loads(offered["value"]) == {"change": 4}
        assert offered["confirm"]["title"]["text"] == "Withdraw change-4?"


def test_withdraw_goes_with_the_request() -> None:
    of = change(state=ChangeState.BLOCKED, checks=checks(soak_over=fails("soak-over")))
    assert buttons(change_card(change_report(of, successor=change(id=5)))) == {}


@pytest.mark.parametrize(
    ("required", "decisions", "expected"),
    [
        (2, (), ["*0 of 2 approvals*."]),
        (2, (decision(),), ["*1 of 2 approvals*.", f"Approved by <@{BEN}>"]),
        (
            2,
            (decision(), decision(state="checking", user_id=EVE), decision(state="refused", user_id=ANN)),
            ["*1 of 2 approvals*.", f"Approve clicked by <@{EVE}>"],
        ),
        (1, (decision(backup="s3://backups/orders, 02:00"),), ["> Backup: s3://backups/orders, 02:00"]),
    ],
)
def test_approvals_are_counted_and_named_i4(
    required: int, decisions: tuple[Decision, ...], expected: list[str]
) -> None:
    rendered = change_card(change_report(change(required=required), decisions=decisions))
    assert_accepted(rendered)
    for words in expected:
        assert words in shown(rendered)
    assert f"Approved by <@{ANN}>" not in shown(rendered)
    assert rendered[0].endswith("waits for 2 approvals" if required == 2 else "waits for approval")


def test_one_approval_that_is_enough_is_not_counted_before_it_is_given() -> None:
    assert "of 1 approval" not in shown(change_card(change_report(change())))


@STATES
def test_an_emergency_is_marked_in_every_state(state: ChangeState) -> None:
    rendered = change_card(change_report(change(state=state, emergency="Exploited in the wild.")))
    assert_accepted(rendered)
    assert rendered[1][0]["text"]["text"] == ":rotating_light: EMERGENCY · PRODUCTION · orders-db prod"
    assert rendered[0].startswith(":rotating_light: EMERGENCY · PRODUCTION change-4")
    assert "*EMERGENCY*: it may pass the soak" in shown(rendered)
    assert "\n> Exploited in the wild." in shown(rendered)


@STATES
def test_a_list_that_is_not_pinned_is_marked_in_every_state(state: ChangeState) -> None:
    report = change_report(change(state=state, parts=unpinned_parts()))
    rendered = change_card(report)
    assert_accepted(rendered)
    assert ":warning: *NOT PINNED*" in shown(rendered)
    details, _ = change_details(report)
    assert "*NOT PINNED*" in shown(details)
    assert "Nothing else is asked for" not in shown(details)


def test_what_is_pinned_and_no_emergency_says_neither() -> None:
    parts = {"nodes": ["i-1"], "policy": {"pin": "required"}}
    text = shown(change_card(change_report(change(parts=parts))))
    assert "NOT PINNED" not in text
    assert "EMERGENCY" not in text


def test_a_waived_check_says_by_whom_and_why() -> None:
    given = checks(other_patchers=waived("other-patchers", "A patch policy of ours."))
    rendered = change_card(change_report(change(requested_by=EVE, requesters=(ANN, EVE), checks=given)))
    assert_accepted(rendered)
    assert (
        ":ballot_box_with_check: *Other-patchers*: other-patchers does not hold.\n"
        f"→ Waived by <@{EVE}>: A patch policy of ours."
    ) in shown(rendered)
    assert "Mend other-patchers" not in shown(rendered)
    assert "approve" in buttons(rendered)


@pytest.mark.parametrize(
    ("before", "by"),
    [
        ({"waivers": {"other-patchers": "Ours."}}, f"one of <@{ANN}> and <@{EVE}>"),
        ({"emergency": "Exploited."}, f"one of <@{ANN}> and <@{EVE}>"),
        ({"waivers": {"soak-over": "Ours."}}, f"<@{EVE}>"),
    ],
)
def test_a_waiver_from_an_earlier_request_is_not_laid_on_who_asked_again(before: dict[str, Any], by: str) -> None:
    earlier = change(id=3, state=ChangeState.SUPERSEDED, **before)
    of = change(requested_by=EVE, requesters=(ANN, EVE), checks=checks(other_patchers=waived("other-patchers")))
    assert f"Waived by {by}:" in shown(change_card(change_report(of, superseded=earlier)))


def test_the_ready_part_is_offered_beside_what_mends_the_rest() -> None:
    later = NOW + timedelta(days=2, hours=4)
    report = blocked(Action.ASK_AGAIN, facts=part_facts(31, 34, 2, all_ready_at=later.isoformat()))
    rendered = change_card(report)
    assert_accepted(rendered)
    for words in (
        "*The ready part*: 31 of 34 patches.",
        "2 of them proven, not the newest",
        "3 patches stay behind:\n• `late0.amd64`: Soaks for another 2 d 4 h.",
        f"All are ready {when(later)}.",
    ):
        assert words in shown(rendered)
    found = buttons(rendered)
    assert list(found) == ["install-part", "ask-again", "withdraw"]
    assert json.loads(found["install-part"]["value"]) == {"change": 4}
    assert found["install-part"]["text"]["text"] == "Install the ready part (31 of 34)"
    assert [name for name, each in found.items() if each.get("style") == "primary"] == ["install-part"]


@pytest.mark.parametrize(
    ("state", "facts"),
    [
        (ChangeState.BLOCKED, part_facts(0, 34)),
        (ChangeState.BLOCKED, part_facts(34, 34)),  # the part is the whole, and the whole is blocked
        (ChangeState.BLOCKED, {}),
        (ChangeState.BLOCKED, None),
        *((state, part_facts()) for state in ALL_CHANGE_STATES if state is not ChangeState.BLOCKED),
    ],
)
def test_no_part_is_offered_where_it_would_not_help(state: ChangeState, facts: Any) -> None:
    assert "install-part" not in buttons(change_card(change_report(change(state=state, facts=facts))))


def test_of_many_that_stay_behind_ten_are_named() -> None:
    rendered = change_card(blocked(facts=part_facts(1, 500)))
    assert_accepted(rendered)
    assert "499 patches stay behind:" in shown(rendered)
    assert "`late9.amd64`" in shown(rendered)
    assert "and 489 more" in shown(rendered)


@STATES
def test_a_request_for_the_part_says_so_in_every_state(state: ChangeState) -> None:
    text = shown(change_card(change_report(change(state=state, part=True, facts=part_facts()))))
    assert "*Only the ready part*: 31 of 34 patches.\n3 patches stay behind" in text


@pytest.mark.parametrize("state", [ChangeState.PREPARING, ChangeState.BLOCKED, ChangeState.WITHDRAWN])
def test_a_request_for_the_part_says_so_before_it_is_judged(state: ChangeState) -> None:
    before = shown(change_card(change_report(unevaluated(state, part=True))))
    assert "*Only the ready part* is asked for: what is proven and has soaked." in before


def test_a_request_for_the_whole_that_is_not_blocked_names_no_part() -> None:
    assert "ready part" not in shown(change_card(change_report(change(facts=part_facts()))))


def test_the_thread_links_the_issues() -> None:
    issues = [
        {"label": f"CVE-2026-{number} (openssl)", "url": f"https://nvd.nist.gov/vuln/detail/CVE-2026-{number}"}
        for number in range(1000, 1070)
    ]
    rendered, _ = change_details(change_report(change(facts={"advisories": issues})))
    assert_accepted(rendered)
    text = shown(rendered)
    assert "<https://nvd.nist.gov/vuln/detail/CVE-2026-1000|CVE-2026-1000 (openssl)>" in text
    assert "and 10 more in the thread of the newest scan" in text
