"""What `--json` prints, as a script reads it."""

import json
from typing import Any

import pytest

from bot.views.documents import change_document, inquiry_document, reply_document, run_document
from commands.replies import Approvals, ChangeStatus, RunStatus, StatusList
from patching.compare import Verdict
from patching.gate import Outcome
from patching.states import ChangeState, RunState
from tests.unit.views.made import (
    ALL_CHANGE_STATES,
    ALL_RUN_STATES,
    NOW,
    change,
    change_report,
    checks,
    comparison,
    decision,
    fails,
    finding,
    missing,
    production_run,
    report,
    result,
    run,
)


def read(document: Any) -> Any:
    return json.loads(json.dumps(document))


@pytest.mark.parametrize("state", ALL_RUN_STATES)
def test_a_run_in_every_state(state: RunState) -> None:
    found = read(run_document(report(run(state=state), missing=(missing("openssl", nodes=(1, 2)),))))
    assert (found["id"], found["state"]) == ("scan-12", state)
    assert (found["application"], found["environment"]) == ("orders-db", "nonprod")
    assert len(found["nodes"]) == 3
    assert [each["id"] for each in found["missing"]] == ["openssl.amd64"]
    assert found["requested_at"] == NOW.isoformat()


def test_a_production_install_says_what_each_node_got() -> None:
    found = read(run_document(report(production_run(), results=(result(),))))
    (only,) = found["results"]
    assert found["change"] == "change-4"
    assert only["installed"] == ["openssl.amd64", "curl.amd64"]
    assert {name for name, items in only.items() if items == []} == {
        *("dependencies", "unproven", "missing", "gone", "hidden", "unconfirmed", "failed", "removed")
    }


@pytest.mark.parametrize("state", ALL_CHANGE_STATES)
def test_a_change_in_every_state(state: ChangeState) -> None:
    failing = checks(**{"soak-over": fails("soak-over")})
    asked = change_report(change(state=state, checks=failing), decisions=(decision(),))
    found = read(change_document(asked, None))
    assert (found["id"], found["state"], found["production"]) == ("change-4", state, True)
    assert [each["name"] for each in found["checks"] if each["outcome"] == Outcome.FAIL] == ["soak-over"]
    assert {each["state"] for each in found["nodes"]} == {"planned"}
    assert [each["kind"] for each in found["decisions"]] == ["approve"]
    installing = read(change_document(asked, report(production_run(state=RunState.RUNNING))))
    assert [each["name"] for each in installing["nodes"]] == ["db-1", "db-2", "db-3"]


def test_a_comparison_has_every_patch_with_its_verdict() -> None:
    found = read(reply_document(comparison([finding(Verdict.UNTESTED, "bash"), finding(Verdict.TESTED, "openssl")])))
    assert (found["tested"], found["mismatches"]) == (1, 1)
    assert {each["id"]: each["verdict"] for each in found["patches"]} == {
        "bash.amd64": "untested",
        "openssl.amd64": "tested",
    }


def test_lists_and_single_ones_have_the_same_shapes() -> None:
    asked, scan = change_report(change()), report(run())
    listed = StatusList((asked.change,), (scan.run,), 2, (scan.run,), 0, False)
    found = read(reply_document(listed))
    assert [each["id"] for each in found["changes"]] == ["change-4"]
    assert [each["id"] for each in found["runs"]] == ["scan-12"]
    assert read(reply_document(Approvals((asked,), 0, False)))["changes"] == [read(change_document(asked, None))]
    assert reply_document(RunStatus(scan)) == run_document(scan)
    assert reply_document(ChangeStatus(asked)) == change_document(asked, None)


@pytest.mark.parametrize(
    ("payload", "state", "note"),
    [
        (None, "requested", None),
        ({"application": "orders-db", "checks": [{"outcome": "pass"}]}, "answered", ""),
        ({"application": "orders-db", "error": "AWS refused it."}, "failed", "AWS refused it."),
    ],
)
def test_an_inquiry(payload: dict[str, Any] | None, state: str, note: str | None) -> None:
    found = read(inquiry_document("inquiry-3", payload))
    assert (found["id"], found["state"], found.get("note")) == ("inquiry-3", state, note)
