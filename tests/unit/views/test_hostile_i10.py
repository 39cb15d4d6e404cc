"""I10: whatever stands in tags, titles, reasons and notes, a message stays ours, and Slack accepts it."""

from datetime import timedelta

import pytest

from bot.views import notices, window_notices
from bot.views.away import Told
from bot.views.blocks import Rendered
from bot.views.change import change_card, change_details
from bot.views.change_notices import KINDS, change_notice
from bot.views.modals import approve_modal
from bot.views.replies import refusal, render
from bot.views.run import run_card, run_details
from bot.views.tables import Flavour
from commands.replies import Accepted, Approvals, ChangeStatus, StatusList
from commands.reports import ChangeReport, NodeLine, RunReport
from commands.window_report import Corrected, CorrectionReport, WindowReport
from patching.compare import Verdict
from patching.gate import CHECKS, CheckResult, Outcome
from patching.model import Operation, PinnedPatch
from patching.nodes import EnvironmentKey
from patching.outcomes import NodeResult
from patching.states import ChangeState, RunState
from patching.summary import MissingPatch
from sandbox.slack.blocks import check_view
from storage.absences import Absence
from tests.unit.views.made import (
    ALL_CHANGE_STATES,
    ALL_RUN_STATES,
    HOSTILE,
    LONG,
    NOW,
    change,
    change_report,
    checks,
    comparison,
    decision,
    finding,
    node,
    opening,
    problem,
    production_run,
    report,
    run,
    step,
    window_report,
)
from tests.unit.views.seen import assert_accepted, assert_inert, texts

TEXTS = pytest.mark.parametrize(
    "text", [HOSTILE, LONG, "&" * 3000, "\n> " * 1000], ids=["short", "long", "amp", "quote"]
)
CVE = "https://nvd.nist.gov/vuln/detail/CVE-2026-1000"
MANY = 300  # more than a message can show
NODES = tuple(node(index, HOSTILE) for index in range(60))


def hostile_run(text: str, state: RunState, production: bool, operation: Operation) -> RunReport:
    of = run(
        state=state,
        production=production,
        operation=operation,
        application=text,
        environment=text,
        requested_by=text,
        note=text,
        resumed=2,
        nodes=NODES,
    )
    patch = PinnedPatch(text, text)
    return report(
        of,
        nodes=tuple(
            NodeLine(each.id, text, ("failed", "unreached", "done")[i % 3], text) for i, each in enumerate(NODES)
        ),
        by_severity={each.id: {text: 3} for each in NODES[:9]},
        missing=tuple(MissingPatch(text, text, (text,), text, text, (text,) * 9, (NODES[0].id,)) for _ in range(MANY)),
        installed={PinnedPatch(f"{text}{index}", text): 2 for index in range(MANY)},
        pending_reboot={f"{text}{index}": (text,) * 3 for index in range(60)},
        results=(NodeResult(text, text, *(((patch,) * 6,) * 10)),) * 60,
        problem=problem(text),
        unsettled=(step(note=text, document=text, node_ids=tuple(each.id for each in NODES)),) * 60,
        absences=tuple(
            Absence(1, each.id, text, NOW, NOW, (None, NOW)[i % 2], NOW, NOW, text, (None, None, NOW)[i % 3], None)
            for i, each in enumerate(NODES)
        ),
    )


def hostile_change(text: str, state: ChangeState) -> ChangeReport:
    outcomes = (Outcome.FAIL, Outcome.WAIVED, Outcome.WARN)
    failing = {
        name: CheckResult(name, text, outcomes[at % 3], text, text, at=NOW, waiver=text)
        for at, name in enumerate(CHECKS)
    }
    of = change(
        state=state,
        application=text,
        environment=text,
        source=text,
        requested_by=text,
        requesters=(text,) * 3,
        note=(text + "\n") * 60,
        digest="f" * 64,
        checks=checks(**failing),
        pins=tuple(PinnedPatch(text, text) for _ in range(MANY)),
        emergency=text,
        part=True,
        required=2,
        parts={"nodes": ["i-1"], "policy": {"pin": "off"}},
        facts={
            "part": {"ready": 1, "of": 500, "older": 1, "stays": [[text, text]] * 10},
            "advisories": [{"label": text, "url": url} for url in (text, CVE, CVE + text) * 20],
            "verdicts": {verdict.value: 5 for verdict in Verdict},
            "windows": {"listed": 9, "refused": [[text, text]] * 9, "untold": [[text, text]] * 9},
        },
    )
    return change_report(
        of,
        decisions=tuple(
            decision(kind, at, user_id=text, reason=text, backup=text)
            for kind in ("approve", "reject")
            for at in ("checking", "accepted", "refused")
        )
        * 20,
        scans=(run(environment=text),) * 60,
        install=production_run(application=text),
        approvers=text,
        superseded=change(id=3, note=(text + "\n") * 60, waivers={"soak-over": text}),
    )


@TEXTS
@pytest.mark.parametrize("state", ALL_RUN_STATES)
@pytest.mark.parametrize("kind", ["scan", "install", "production"])
def test_run(text: str, state: RunState, kind: str) -> None:
    operation = Operation.SCAN if kind == "scan" else Operation.INSTALL
    given = hostile_run(text, state, kind == "production", operation)
    for rendered in (run_card(given), notices.install_started(given), notices.install_ended(given)):
        assert_accepted(rendered)


@TEXTS
@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.FAILED])
@pytest.mark.parametrize("kind", ["node-away", "node-back", "node-late"])
def test_nodes_away(text: str, state: RunState, kind: str) -> None:
    given = hostile_run(text, state, True, Operation.INSTALL)
    about = Told(kind, tuple(each.id for each in NODES), NOW, text)
    assert_accepted(notices.nodes_away(given, about))
    mail = notices.email_nodes_away(given, about)
    assert "\n" not in mail.subject
    assert len(mail.subject) <= 200


@TEXTS
@pytest.mark.parametrize("flavour", list(Flavour))
@pytest.mark.parametrize("kind", ["scan", "install", "production"])
def test_run_details(text: str, kind: str, flavour: Flavour) -> None:
    operation = Operation.SCAN if kind == "scan" else Operation.INSTALL
    rendered, attached = run_details(hostile_run(text, RunState.FAILED, kind == "production", operation), flavour)
    assert_accepted(rendered)
    assert attached is not None


@TEXTS
@pytest.mark.parametrize("state", ALL_CHANGE_STATES)
def test_change(text: str, state: ChangeState) -> None:
    given = hostile_change(text, state)
    for rendered in (
        change_card(given),
        render(ChangeStatus(given)),
        notices.receipt(given, text),
        notices.record_message(given),
        notices.approval_asked(given, text),
        notices.approval_reminder(given, timedelta(hours=4), text),
        render(Approvals((given,) * 5, 0, True)),
    ):
        assert_accepted(rendered)
    view = approve_modal(given, {"channel": "C0ORDERS"})
    assert check_view(view, "modal") == []
    for markup in texts(view):
        assert_inert(markup)


@TEXTS
@pytest.mark.parametrize("flavour", list(Flavour))
def test_change_details_and_comparison(text: str, flavour: Flavour) -> None:
    details, attached = change_details(hostile_change(text, ChangeState.PENDING), flavour)
    assert attached is not None
    findings = [
        finding(verdict, kb_id=text, version=text, source_versions=(text,), severity=text, detail=text)
        for verdict in Verdict
        for _ in range(50)
    ]
    reply = comparison(findings, application="orders-db", source=text[:60], target=text[:60], page=1)
    rendered: Rendered
    for rendered in (details, render(reply, flavour)):
        assert_accepted(rendered)


def hostile_window(text: str) -> WindowReport:
    named = opening(name=text, window_id=text[:60], timezone=text)
    waiting = (change(state=ChangeState.WAITING),) * 3
    key = EnvironmentKey(text, text)
    return window_report(key=key, opening=named, freezes=(text,) * 9, changes=waiting, seen_by=(text,) * 30)


def hostile_correction(text: str) -> CorrectionReport:
    named = opening(name=text, window_id=text[:60], timezone=text)
    items = (Corrected(named, False, named, False),) * 60
    return CorrectionReport(EnvironmentKey(text, text), True, items, (text,) * 30)


@pytest.mark.parametrize("kind", KINDS)
@TEXTS
def test_what_those_affected_are_told_of_a_change(text: str, kind: str) -> None:
    payload = {"from": NOW.isoformat(), "opened": NOW.isoformat(), "window": text, "why": text}
    for state in ALL_CHANGE_STATES:
        of = change(
            state=state, application=text, environment=text, note=text, opening=opening(name=text), starts_at=NOW
        )
        assert_accepted(change_notice(change_report(of, seen_by=(text,) * 30), kind, payload, NOW))


@TEXTS
def test_lists_and_sentences(text: str) -> None:
    of = run(application=text, environment=text)
    asked = change(application=text, environment=text, requested_by=text)
    for rendered in (
        refusal(text),
        render(Accepted("scan-12", "run:12", text)),
        render(StatusList((asked,) * 20, (of,) * 20, 40, (run(id=9, application=text),) * 10, 1, True)),
        notices.decision_refused(text),
        window_notices.reminder(hostile_window(text), NOW),
        window_notices.started(hostile_window(text), NOW + timedelta(days=1)),
        window_notices.correction(hostile_correction(text), NOW),
    ):
        assert_accepted(rendered)
