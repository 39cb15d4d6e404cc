from datetime import timedelta
from typing import Any

import pytest

from bot.views import notices
from bot.views.blocks import Rendered
from commands.reports import ChangeReport
from patching.states import ChangeState
from tests.unit.views.made import (
    ALL_CHANGE_STATES,
    ANN,
    BEN,
    EVE,
    HOSTILE,
    change,
    change_report,
    checks,
    decision,
    part_facts,
    unpinned_parts,
    waived,
)
from tests.unit.views.seen import assert_accepted, buttons, shown

CARD = "https://acme.slack.com/archives/C0ORDERS/p1795856400000100"
UNUSUAL: dict[str, Any] = {
    "emergency": "Exploited in the wild.",
    "part": True,
    "facts": part_facts(31, 34, 2),
    "parts": unpinned_parts(),
    "requested_by": EVE,
    "requesters": (ANN, EVE),
    "checks": checks(soak_over=waived("soak-over", "The vendor confirmed it.")),
    "required": 2,
}


def every_kind(report: ChangeReport) -> dict[str, Rendered]:
    return {
        "asked": notices.approval_asked(report, CARD),
        "reminder": notices.approval_reminder(report, timedelta(hours=4), CARD),
        "receipt": notices.receipt(report, "fedc"),
        "record": notices.record_message(report),
    }


@pytest.mark.parametrize("kind", ["asked", "reminder", "receipt", "record"])
@pytest.mark.parametrize("state", ALL_CHANGE_STATES)
def test_what_is_unusual_is_marked_in_all_of_them(kind: str, state: ChangeState) -> None:
    rendered = every_kind(change_report(change(state=state, **UNUSUAL)))[kind]
    assert_accepted(rendered)
    assert rendered[0].startswith(":rotating_light: EMERGENCY · ")
    text = shown(rendered)
    assert "EMERGENCY · PRODUCTION · orders-db prod" in text
    assert "> Exploited in the wild." in text
    assert "*NOT PINNED*" in text
    plain = every_kind(change_report(change(state=state)))[kind]
    assert "EMERGENCY" not in shown(plain) + plain[0]
    assert "NOT PINNED" not in shown(plain)


def test_an_approver_learns_what_where_and_how_to_answer() -> None:
    rendered = notices.approval_asked(change_report(change()), CARD)
    assert rendered[0] == "Your approval is asked for: PRODUCTION orders-db prod"
    text = shown(rendered)
    assert "*Your approval is asked for*: `change-4`, 31 patches on 3 nodes of PRODUCTION orders-db prod." in text
    assert f"Asked for by <@{ANN}>" in text
    assert f"Its checks, Approve and Reject: <{CARD}|open its message>." in text
    assert buttons(rendered) == {}  # Approve stands only beside the checks


@pytest.mark.parametrize("link", [None, "", "javascript:alert(1)", "https://x|<!channel>", HOSTILE])
def test_without_a_link_there_is_still_a_way(link: str | None) -> None:
    rendered = notices.approval_asked(change_report(change()), link)
    assert_accepted(rendered)
    assert "`/patch status change-4`" in shown(rendered)


def test_a_reminder_says_how_long_it_has_waited_and_who_has_approved() -> None:
    report = change_report(change(required=2), decisions=(decision(), decision(state="refused", user_id=EVE)))
    rendered = notices.approval_reminder(report, timedelta(hours=4), CARD)
    text = shown(rendered)
    assert rendered[0] == "Waiting for approval for 4 h: PRODUCTION orders-db prod"
    assert "*Waiting for approval for 4 h*: `change-4`" in text
    assert f"1 of 2 approvals given, by <@{BEN}>." in text
    assert EVE not in text


@pytest.mark.parametrize("state", [state for state in ALL_CHANGE_STATES if state is not ChangeState.PENDING])
def test_what_no_longer_waits_says_so_and_leads_nowhere(state: ChangeState) -> None:
    text = shown(notices.approval_asked(change_report(change(state=state)), CARD))
    assert "It no longer waits: " in text
    assert CARD not in text


def test_a_receipt_tells_of_waivers_the_part_and_the_backup() -> None:
    of = change(state=ChangeState.DONE, **UNUSUAL)
    report = change_report(of, decisions=(decision(backup="s3://backups/orders, 02:00"),))
    text = shown(notices.receipt(report, "fedc"))
    for words in (
        f":ballot_box_with_check: *Soak-over*: Waived by <@{EVE}>: The vendor confirmed it.",
        "*Only the ready part*: 31 of 34 patches.",
        "`late2.amd64`: Soaks for another 2 d 4 h.",
        "> Backup: s3://backups/orders, 02:00",
    ):
        assert words in text
    assert "ready part" not in shown(notices.receipt(change_report(change(facts=part_facts()))))


def test_the_record_says_what_the_files_are_and_how_to_check_them() -> None:
    text = shown(notices.record_message(change_report(change(state=ChangeState.DONE))))
    assert "*The record of `change-4`*: ended." in text
    assert "as JSON" in text
    assert "as CSV" in text
    assert "`patchgate verify FILE`" in text
