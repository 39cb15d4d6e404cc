import json
from datetime import timedelta
from typing import Any

import pytest

from bot.views.change import change_card, change_details
from bot.views.tables import Flavour
from bot.views.text import when
from commands.reports import ChangeReport
from patching.gate import CHECKS, Action, CheckResult, Outcome
from patching.states import ChangeState, RunState
from storage.runs import Purpose
from tests.unit.views.made import (
    ADA,
    ALL_CHANGE_STATES,
    ANN,
    BEN,
    DIGEST,
    EVE,
    NOW,
    OPENING,
    OPENS,
    change,
    change_report,
    checks,
    decision,
    fails,
    objection,
    pin,
    production_run,
    run,
    unevaluated,
)
from tests.unit.views.seen import assert_accepted, buttons, shown


def blocked(*failing: CheckResult, **changed: Any) -> ChangeReport:
    given = checks(**{each.name: each for each in failing})
    return change_report(change(state=ChangeState.BLOCKED, checks=given), **changed)


WITHDRAW = {"withdraw": {"change": 4}}


def values(report: ChangeReport) -> dict[str, Any]:
    return {name: json.loads(each["value"]) for name, each in buttons(change_card(report)).items()}


@pytest.mark.parametrize("state", ALL_CHANGE_STATES)
@pytest.mark.parametrize("evaluated", [True, False])
def test_every_state_renders(state: ChangeState, evaluated: bool) -> None:
    of = change(state=state) if evaluated else unevaluated(state)
    rendered = change_card(change_report(of))
    assert_accepted(rendered)
    assert rendered[1][0]["text"]["text"] == "PRODUCTION · orders-db prod"
    assert rendered[0].startswith("PRODUCTION change-4")
    assert (DIGEST[:12] in shown(rendered)) is evaluated


def test_pending_offers_approve_bound_to_the_digest_i3() -> None:
    report = change_report(change())
    bound = {"change": 4, "digest": DIGEST}
    assert values(report) == {"approve": bound, "reject": bound, **WITHDRAW}
    found = buttons(change_card(report))
    assert found["approve"]["style"] == "primary"
    assert found["reject"]["style"] == "danger"
    assert "confirm" not in found["approve"]  # it opens the decision


def test_pending_says_who_may_and_who_may_not_i4() -> None:
    text = shown(change_card(change_report(change(requesters=("U0ANN", EVE)))))
    assert "would install *31 patches on 3 nodes*" in text
    assert f"May approve: <!subteam^S0ONCALL> and <@{BEN}>." in text
    assert f"Not those who asked: <@U0ANN> and <@{EVE}>." in text


def test_pending_without_any_approver_says_what_an_admin_does() -> None:
    text = shown(change_card(change_report(change(), approvers="")))
    assert "Nobody may approve: an admin names people under `access.approver`" in text


@pytest.mark.parametrize("name", list(CHECKS))
def test_no_approve_beside_a_failing_check(name: str) -> None:
    report = change_report(change(checks=checks(**{name: fails(name)})))
    assert set(values(report)) == {"reject", "withdraw"}


@pytest.mark.parametrize("given", [None, (), checks()[:-1]])
def test_no_approve_where_a_check_was_not_asked(given: tuple[CheckResult, ...] | None) -> None:
    assert set(values(change_report(change(checks=given)))) == {"reject", "withdraw"}


@pytest.mark.parametrize("state", [state for state in ALL_CHANGE_STATES if state is not ChangeState.PENDING])
def test_no_approve_in_any_other_state(state: ChangeState) -> None:
    assert not {"approve", "reject"} & set(values(change_report(change(state=state))))


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Action.INSTALL_SOURCE, {"install-source": {"application": "orders-db", "environment": "nonprod"}}),
        (Action.SCAN_SOURCE, {"scan-source": {"application": "orders-db", "environment": "nonprod"}}),
        (Action.SCAN_TARGET, {"scan-target": {"application": "orders-db", "environment": "prod"}}),
        (Action.CLEAR_PROBLEM, {"clear-problem": {"application": "orders-db"}}),
        (Action.ASK_AGAIN, {"ask-again": {"change": 4}}),
        (Action.NONE, {}),
    ],
)
def test_one_button_where_one_thing_does_it(action: Action, expected: dict[str, Any]) -> None:
    report = blocked(fails("soak-over", action))
    assert values(report) == {**expected, **WITHDRAW}
    assert_accepted(change_card(report))


def test_no_single_button_where_people_must_do_more() -> None:
    assert values(blocked(fails("no-problem", Action.CLEAR_PROBLEM), fails("same-baseline"))) == WITHDRAW


def test_install_source_names_the_environment() -> None:
    found = buttons(change_card(blocked(fails("patches-tested", Action.INSTALL_SOURCE))))
    assert found["install-source"]["text"]["text"] == "Install the newest set into nonprod"


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (
            CheckResult("soak-over", "Soak over", Outcome.PASS, "8 d in nonprod; ready since", at=NOW),
            f":white_check_mark: *Soak over*: 8 d in nonprod; ready since {when(NOW)}.",
        ),
        (
            fails("soak-over", evidence="5 d are left; it is ready", remedy="Ask again then.", at=NOW),
            f":x: *Soak-over*: 5 d are left; it is ready {when(NOW)}.\n→ Ask again then.",
        ),
        (
            fails("patches-tested", evidence="1 patch differs.", remedy="Install; it would be ready", at=NOW),
            f":x: *Patches-tested*: 1 patch differs.\n→ Install; it would be ready {when(NOW)}.",
        ),
        (
            CheckResult("nodes-seen", "Every node seen", Outcome.WARN, "db-1 is away.", "Bring it online."),
            ":warning: *Every node seen*: db-1 is away.\n→ Bring it online.",
        ),
        (
            fails("no-problem", evidence="“U0VICTIM broke it”, reported by U0EVE", remedy="Clear it.", at=NOW),
            f"*No-problem*: “U0VICTIM broke it”, reported by <@U0EVE> {when(NOW)}.\n→ Clear it.",
        ),
        (
            CheckResult("backup-database", "Backed up", Outcome.PASS, "Where it is was attested by U0EVE", at=NOW),
            f":white_check_mark: *Backed up*: Where it is was attested by <@U0EVE> {when(NOW)}.",
        ),
    ],
)
def test_a_check_shows_mark_evidence_remedy_and_date(check: CheckResult, expected: str) -> None:
    rendered = change_card(change_report(change(checks=checks(**{check.name: check}))))
    assert_accepted(rendered)
    assert expected in shown(rendered)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (
            change_report(unevaluated(), scans=(run(state=RunState.RUNNING, purpose=Purpose.PREPARE, change_id=4),)),
            ["*Being checked.*", "`scan-12` nonprod: running"],
        ),
        (
            change_report(unevaluated(supersedes=3), superseded=change(id=3, state=ChangeState.SUPERSEDED)),
            ["It asks again for `change-3`."],
        ),
        (blocked(fails("same-baseline")), ["*Blocked by the gate*", "then `/patch install orders-db prod`."]),
        (blocked(fails("soak-over"), successor=change(id=5)), ["`change-5` asks again: waits for approval."]),
        (
            change_report(change(), decisions=(decision(state="checking"),)),
            [f"Approve clicked by <@{BEN}>", "Their right to is being checked."],
        ),
        (
            change_report(unevaluated(), scans=(run(id=14, state=RunState.NEEDS_HUMAN, purpose=Purpose.PREPARE),)),
            ["`scan-14` nonprod: needs a person. An admin settles it in `/patch status scan-14`."],
        ),
        (
            change_report(change(state=ChangeState.APPROVED), decisions=(decision(),), scans=(run(id=14),)),
            [f"Approved by <@{BEN}>", "scanned again before anything is sent", "`scan-14` nonprod: scan succeeded"],
        ),
        (
            change_report(
                change(state=ChangeState.USED),
                decisions=(decision(),),
                install=production_run(id=15, state=RunState.RUNNING),
            ),
            ["*Installing 31 patches on 3 nodes.*", "`install-15`: running.", "`/patch status install-15`"],
        ),
        (
            change_report(change(state=ChangeState.DONE), install=production_run(id=15)),
            [":white_check_mark: *Done.*", "`install-15`: succeeded."],
        ),
        (
            change_report(change(state=ChangeState.DONE), install=production_run(id=15, state=RunState.FAILED)),
            [":x: *Failed.*", "`install-15`: failed."],
        ),
        (
            change_report(change(state=ChangeState.DONE), install=production_run(id=15, state=RunState.DEVIATED)),
            ["*Ended, and not as approved.*", "`install-15`: ended, not as approved."],
        ),
        (
            change_report(
                change(state=ChangeState.REJECTED),
                decisions=(decision("reject", reason="Release is frozen until Monday."),),
            ),
            ["*Rejected.*", f"By <@{BEN}>", "> Release is frozen until Monday.", "`/patch install orders-db prod`"],
        ),
        (
            change_report(change(state=ChangeState.EXPIRED, note="Nobody approved it in time.")),
            ["*Expired.*", "Nobody approved it in time.", "`/patch install orders-db prod`"],
        ),
        (
            change_report(change(state=ChangeState.WITHDRAWN)),
            ["*Withdrawn.*", "Nothing was installed.", "`/patch install orders-db prod`"],
        ),
        (
            change_report(change(state=ChangeState.HELD), objections=(objection(),)),
            ["*Approved, and held*: nothing is sent.", f"<@{BEN}> objects", "> Month end runs that night.", "Overrule"],
        ),
        (
            change_report(
                change(state=ChangeState.HELD), objections=(objection(ended_by=ADA, end_reason="It moved to May."),)
            ),
            [f"overruled by <@{ADA}>", "It moved to May."],
        ),
        (
            change_report(change(state=ChangeState.WAITING, timing="window", starts_at=OPENS, opening=OPENING)),
            ["waits for the window *monthly*", "for the next maintenance window", "Acknowledge", "Object", "Postpone"],
        ),
        (
            change_report(change(state=ChangeState.WAITING, starts_at=OPENS), object_until=OPENS, seen_by=(ANN, BEN)),
            ["*Approved*, starts", "can object until", f":eyes: Seen by <@{ANN}> and <@{BEN}>."],
        ),
    ],
)
def test_what_a_card_says(report: ChangeReport, expected: list[str]) -> None:
    rendered = change_card(report)
    assert_accepted(rendered)
    for words in expected:
        assert words in shown(rendered)


def test_superseded_says_exactly_what_moved_and_offers_to_ask_again() -> None:
    note = "openssl.amd64 3.0.16 → 3.0.17\nnode i-0abc joined"
    report = change_report(change(state=ChangeState.SUPERSEDED, note=note), decisions=(decision(),))
    text = shown(change_card(report))
    assert "• openssl.amd64 3.0.16 → 3.0.17\n• node i-0abc joined" in text
    assert f"Approved by <@{BEN}>" in text
    assert values(report) == {"ask-again": {"change": 4}}


def test_superseded_by_a_newer_change_offers_nothing() -> None:
    report = change_report(change(state=ChangeState.SUPERSEDED, note="Asked again: change-5"), successor=change(id=5))
    assert values(report) == {}
    assert "`change-5` asks again" in shown(change_card(report))


def test_a_thousand_things_that_moved_fit() -> None:
    note = "\n".join(f"package{index}.amd64 1 → 2" for index in range(1000))
    rendered = change_card(change_report(change(state=ChangeState.SUPERSEDED, note=note)))
    assert_accepted(rendered)
    assert "and 988 more that moved" in shown(rendered)


def test_a_decision_that_was_refused_is_not_shown_as_an_approval() -> None:
    refused = decision(state="refused", note="asked for it", at=NOW + timedelta(hours=2))
    assert f"<@{BEN}>, <!date" not in shown(change_card(change_report(change(), decisions=(refused,))))


@pytest.mark.parametrize("flavour", list(Flavour))
def test_details_list_the_pins(flavour: Flavour) -> None:
    rendered, attached = change_details(change_report(change()), flavour)
    assert_accepted(rendered)
    assert attached is None
    for words in ("31 patches on 3 nodes", "package0.amd64", "package30.amd64", "3.0.17-1"):
        assert words in shown(rendered)


def test_details_of_a_long_list_go_into_a_file() -> None:
    pins = tuple(pin(f"package{index}") for index in range(10_000))
    rendered, attached = change_details(change_report(change(pins=pins)))
    assert_accepted(rendered)
    assert attached is not None
    assert attached.filename == "change-4-list.csv"
    assert attached.content.splitlines()[-1] == "package9999.amd64,3.0.17-1"


def test_details_without_a_list() -> None:
    rendered, attached = change_details(change_report(unevaluated()))
    assert attached is None
    assert shown(rendered) == "The list of change-4: no patch."


REFUSED = ["KB9000010", "it would not install on p2: the baseline rejects KB90000*"]
UNTOLD = ["KB890830", "can't be told"]
WINDOWS = {
    "none is listed": ({"listed": 0, "refused": [], "untold": []}, []),
    "an earlier release judged it": (None, []),
    "one, approved": (
        {"listed": 1, "refused": [], "untold": []},
        ["*Windows*: the baseline of the nodes approves the 1 listed KB."],
    ),
    "some kept out": (
        {"listed": 3, "refused": [REFUSED], "untold": [UNTOLD]},
        [
            "*Windows* installs a listed KB only where the node's baseline approves it, 3 listed KBs:",
            ":warning: `KB9000010`: it would not install on p2: the baseline rejects KB90000*.",
            "`KB890830`: can't be told.",
        ],
    ),
}


@pytest.mark.parametrize(("found", "expected"), WINDOWS.values(), ids=WINDOWS)
def test_listed_kbs_that_a_baseline_keeps_out_are_read_before_the_approval(
    found: dict[str, Any] | None, expected: list[str]
) -> None:
    facts = {} if found is None else {"windows": found}
    text = shown(change_card(change_report(change(facts=facts))))
    assert [line for line in text.splitlines() if "KB" in line] == expected
