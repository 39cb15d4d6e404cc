import json
from collections.abc import Mapping
from typing import Any

import pytest

from bot.views.run import run_card, run_details
from bot.views.tables import Flavour
from commands.reports import NodeLine, RunReport
from patching.model import Operation
from patching.states import RunState
from storage.runs import Purpose
from tests.unit.views.made import (
    ALL_RUN_STATES,
    ANN,
    missing,
    node,
    pin,
    problem,
    production_run,
    report,
    result,
    run,
    step,
)
from tests.unit.views.seen import assert_accepted, buttons, shown

SEVERITIES: Mapping[str, Mapping[str, int]] = {
    node(1).id: {"Critical": 2, "Low": 1},
    node(2).id: {"Critical": 2},
    node(3).id: {},
}


def install(**changed: Any) -> RunReport:
    of = run(operation=Operation.INSTALL, id=13, changed_rows=True, state=changed.pop("state", RunState.SUCCEEDED))
    return report(of, **changed)


def lines(count: int, *states: str) -> tuple[NodeLine, ...]:
    return tuple(
        NodeLine(node(index).id, f"db-{index}", states[index % len(states)], "Execution Timed Out")
        for index in range(count)
    )


@pytest.mark.parametrize("state", ALL_RUN_STATES)
@pytest.mark.parametrize("production", [False, True])
@pytest.mark.parametrize("operation", list(Operation))
def test_every_state_renders(state: RunState, production: bool, operation: Operation) -> None:
    rendered = run_card(report(run(state=state, production=production, operation=operation, note="A note.")))
    assert_accepted(rendered)
    assert "A note." in shown(rendered)
    assert ("PRODUCTION" in rendered[1][0]["text"]["text"]) is production
    assert ("PRODUCTION" in rendered[0]) is production
    assert f"<@{ANN}>" in shown(rendered)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (report(run(state=RunState.REQUESTED), stage="requested"), ["Waiting to start."]),
        (
            report(run(state=RunState.RUNNING), nodes=lines(3, "done", "running", "waiting")),
            ["Scanning. ▓░░ 1/3", "`db-0` done", "`db-1` running: Execution Timed Out", "`db-2` waiting"],
        ),
        (report(run(state=RunState.RUNNING), stage="installing"), ["Installing. ░░░ 0/3"]),
        (report(run(state=RunState.RUNNING), stage="verifying"), ["Verifying with a fresh scan."]),
        (
            report(run(state=RunState.RUNNING), nodes=lines(300, "done", "failed", "waiting")),
            ["100 done, 100 failed, 100 waiting", ":x: `db-1` failed: Execution Timed Out", "and 90 more that failed"],
        ),
        (report(run(state=RunState.PAUSED)), [":warning: *Paused*."]),
        (
            report(run(), by_severity=SEVERITIES, missing=(missing(), missing("curl"), missing("vim", "Low", [1]))),
            [
                "*Done* on 3 nodes",
                "*3 patches missing* on 2 of 3 nodes.",
                "`db-1` 3 missing: 2 Critical, 1 Low",
                "`db-2` 2 missing: 2 Critical",
                "`db-3` 0 missing",
                "Next: `/patch install orders-db nonprod`.",
            ],
        ),
        (
            report(
                run(), by_severity={f"i-{index}": {"Low": 1} for index in range(400)}, missing=(missing("vim", ""),)
            ),
            ["*1 patch missing* on 400 of 400 nodes.", "By severity: 1 Unspecified."],
        ),
        (report(run(), by_severity={node(1).id: {}}), ["*No patch is missing* on 1 node.", "Next: nothing to do."]),
        (
            report(run(state=RunState.FAILED), nodes=lines(2, "failed", "unreached")),
            [
                ":x: *Failed.*",
                ":x: `db-0` failed: Execution Timed Out",
                ":warning: `db-1` never reached",
                "Next: repair what is named here, then `/patch scan orders-db nonprod`.",
            ],
        ),
        (
            report(run(environment="prod", production=True), missing=(missing(),), by_severity=SEVERITIES),
            ["`/patch compare orders-db`", "`/patch install orders-db prod` asks for approval."],
        ),
        (report(run(state=RunState.CANCELLED)), ["*Cancelled.*", "`/patch scan orders-db nonprod`"]),
        (report(run(purpose=Purpose.PREPARE, change_id=4)), ["first check of `change-4`", "`/patch status change-4`"]),
        (
            report(run(purpose=Purpose.SEND, change_id=4)),
            ["`change-4` is approved: everything is scanned again before it is sent."],
        ),
        (
            install(installed={pin("openssl"): 1, pin("curl"): 1}),
            ["*2 patches installed*, on 1 node."],
        ),
        (
            install(installed={pin("openssl"): 3, pin("curl"): 2}),
            [
                "*2 patches installed*, on up to 3 nodes.",
                "Next: let it soak; `/patch compare orders-db` shows what production would get.",
            ],
        ),
        (report(run(operation=Operation.INSTALL, changed_rows=False)), ["*Nothing changed*"]),
        (
            install(pending_reboot={"db-2": ("bash.amd64", "curl.amd64", "openssl.amd64")}),
            [
                ":warning: `db-2` waits for a reboot (3 patches)",
                "Next: reboot `db-2`, then `/patch scan orders-db nonprod`.",
            ],
        ),
        (
            install(state=RunState.FAILED, missing=(missing(),), nodes=lines(1, "failed")),
            ["1 patch still missing: `openssl.amd64`.", "then `/patch install orders-db nonprod`."],
        ),
        (
            report(production_run(), results=(result(1, dependencies=(pin("libssl3"),)),)),
            [
                "Installs the approved list of `change-4`: 2 patches.",
                "*1 node as approved, 0 deviating.*",
                "*2 of 2 patches installed* on 1 of 3 nodes; 1 dependency came along: `libssl3.amd64`.",
                "`db-1`: 2 of 2 installed as approved, 1 came along as a dependency (`libssl3.amd64`)",
                "Next: nothing to do.",
            ],
        ),
        (
            report(
                production_run(state=RunState.DEVIATED),
                results=(result(1), result(2, unproven=(pin("vim"),), missing=(pin("curl"),), removed=(pin("nano"),))),
            ),
            [
                "*Ended, and not as approved.*",
                "*1 node as approved, 1 deviating.*",
                ":x: `db-2`: 2 of 3 installed as approved, *1 came along and not proven* (`vim.amd64`), "
                "*1 missing* (`curl.amd64`), *1 gone from the node* (`nano.amd64`)\n:white_check_mark: `db-1`",
            ],
        ),
    ],
)
def test_what_a_card_says(given: RunReport, expected: list[str]) -> None:
    rendered = run_card(given)
    assert_accepted(rendered)
    for words in expected:
        assert words in shown(rendered)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (1, "Patchgate was restarted while this ran and went on from its records; nothing was sent twice."),
        (3, "Patchgate was restarted 3 times while this ran and went on from its records; nothing was sent twice."),
    ],
)
def test_a_restart_is_told(times: int, expected: str) -> None:
    assert expected in shown(run_card(report(run(resumed=times))))
    assert "restarted" not in shown(run_card(report(run())))


def test_i2_a_doubt_is_settled_by_people_and_neither_answer_sends() -> None:
    doubt = step()
    rendered = run_card(report(production_run(state=RunState.NEEDS_HUMAN), unsettled=(doubt,)))
    assert_accepted(rendered)
    assert doubt.id in shown(rendered)
    assert "SendCommand timed out." in shown(rendered)
    assert "`db-1` and `db-2`" in shown(rendered)
    found = buttons(rendered)
    assert set(found) == {"settle-ran", "settle-not"}
    assert {json.loads(each["value"])["step"] for each in found.values()} == {doubt.id}
    assert all("confirm" in each for each in found.values())


def test_many_doubts_fit() -> None:
    doubts = tuple(step(id=f"step-{index}") for index in range(200))
    rendered = run_card(report(production_run(state=RunState.NEEDS_HUMAN), unsettled=doubts))
    assert_accepted(rendered)
    assert "195 more commands to settle after these." in shown(rendered)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (install(), {"report-problem": {"run": 13}}),
        (install(problem=problem()), {"clear-problem": {"application": "orders-db"}}),
        (report(run()), {}),
        (report(production_run()), {}),
        (install(state=RunState.RUNNING, may_report_problem=False), {}),
    ],
)
def test_buttons_of_problems(given: RunReport, expected: dict[str, object]) -> None:
    found = buttons(run_card(given))
    assert {name: json.loads(each["value"]) for name, each in found.items()} == expected


def test_a_problem_says_who_and_why() -> None:
    text = shown(run_card(install(problem=problem())))
    assert "*A problem is reported* by <@U0EVE>" in text
    assert "Replication lags since the reboot." in text
    assert "until an operator clears it" in text


@pytest.mark.parametrize("flavour", list(Flavour))
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            report(run(), missing=(missing("openssl", "Critical", [1, 2]), missing("vim", "", [1, 2, 3, 4]))),
            ["openssl.amd64", "3.0.16-1", "3.0.17-1", "Critical", "CVE-2026-1", "db-1, db-2", "Unspecified", "4 nodes"],
        ),
        (install(installed={pin("openssl"): 3}), ["Patches installed by install-13", "openssl.amd64", "3.0.17-1"]),
        (
            report(production_run(id=15), results=(result(1, missing=(pin("vim"),)),)),
            ["node by node", "db-1", "vim.amd64", "missing", "installed as approved"],
        ),
        (report(run()), ["Patches missing in scan-12: none."]),
    ],
)
def test_details(given: RunReport, expected: list[str], flavour: Flavour) -> None:
    rendered, attached = run_details(given, flavour)
    assert_accepted(rendered)
    assert attached is None
    for words in expected:
        assert words in shown(rendered)


def test_details_show_deviations_first() -> None:
    rendered, _ = run_details(report(production_run(), results=(result(1), result(2, unproven=(pin("vim"),)))))
    table = rendered[1][1]
    assert [cell["text"] for cell in table["rows"][1]] == ["db-2", "vim.amd64", "3.0.17-1", "came along, not proven"]


def test_details_of_ten_thousand_rows_go_into_a_file() -> None:
    many = tuple(missing(f"package{index}", nodes=range(50)) for index in range(10_000))
    rendered, attached = run_details(report(run(), missing=many))
    assert_accepted(rendered)
    assert attached is not None
    assert attached.filename == "scan-12-missing.csv"
    assert len(attached.content.splitlines()) == 10_001
