from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from bot.views import notices
from bot.views.notices import Email
from bot.views.text import when
from commands.reports import NodeLine
from patching.model import Operation
from patching.states import ChangeState, RunState
from tests.unit.views.made import (
    BEN,
    DIGEST,
    HOSTILE,
    LONG,
    NOW,
    change,
    change_report,
    decision,
    node,
    production_run,
    report,
    result,
    run,
)
from tests.unit.views.seen import assert_accepted, buttons, shown

STARTED = report(production_run(id=15, state=RunState.RUNNING), stage="installing")
ENDED = report(
    production_run(id=15, state=RunState.DEVIATED), results=(result(1), result(2, missing=(result().installed)))
)


def test_install_started() -> None:
    rendered = notices.install_started(STARTED)
    assert_accepted(rendered)
    text = shown(rendered)
    assert rendered[0] == "Install starts: PRODUCTION orders-db prod"
    assert f"starts, {when(NOW)}: `install-15`, the approved list of 2 patches, 3 nodes of orders-db prod." in text
    assert "Asked for by <@U0ANN>." in text


@pytest.mark.parametrize("state", [state for state in RunState if state.ended])
def test_the_word_of_a_start_that_comes_after_the_end_says_that_it_is_late(state: RunState) -> None:
    of = report(production_run(id=15, state=state))
    rendered = notices.install_started(of)
    assert_accepted(rendered)
    assert f"*This message is late.* An install on your application started, {when(NOW)}: `install-15`" in shown(
        rendered
    )
    assert "You get a message" not in shown(rendered)
    assert "It has ended: " in notices.email_started(of).text
    assert "starts" not in notices.email_started(of).subject


def test_the_first_failure_is_told_while_the_run_goes_on_and_late_after_its_end() -> None:
    lines = (NodeLine("i-1", "db-1", "failed", "Execution Timed Out"), NodeLine("i-2", "db-2", "running", ""))
    going_on = report(production_run(id=15, state=RunState.RUNNING), nodes=lines, stage="installing")
    rendered = notices.install_failing(going_on)
    assert_accepted(rendered)
    assert rendered[0] == "PRODUCTION Install fails: orders-db prod"
    assert ":x: `install-15` *fails* on 1 of 2 nodes so far:" in shown(rendered)
    assert "`db-1`" in shown(rendered)
    assert "Execution Timed Out" in notices.email_failing(going_on).text
    assert "late" not in shown(rendered)
    assert "*This message is late.*" in shown(notices.install_failing(ENDED))


@pytest.mark.parametrize("state", [state for state in RunState if state.ended])
def test_install_ended(state: RunState) -> None:
    rendered = notices.install_ended(report(production_run(id=15, state=state)))
    assert_accepted(rendered)
    assert "PRODUCTION · Install · orders-db prod" in shown(rendered)
    assert "`install-15`: :" in shown(rendered)
    assert buttons(rendered) == {}


def test_install_ended_says_how_each_node_came_out() -> None:
    text = shown(notices.install_ended(ENDED))
    assert "Ended, and not as approved." in text
    assert ":x: `db-2`: 2 of 4 installed as approved, *2 missing* (`curl.amd64` and `openssl.amd64`)" not in text
    assert ":x: `db-2`: 2 of 4 installed as approved, *2 missing* (`openssl.amd64` and `curl.amd64`)" in text


def test_email_started() -> None:
    assert notices.email_started(STARTED) == Email(
        subject="[Patchgate] Install starts: PRODUCTION · Install · orders-db prod",
        text=(
            "An install on your application starts, 2026-11-28 09:00 UTC: install-15, the approved list of 2 patches, "
            "3 nodes of orders-db prod. Asked for by U0ANN.\n"
            "Nodes may reboot. You get a message when it has ended.\n"
        ),
        html=(
            "<!DOCTYPE html>\n<html><body>\n<h2>Install starts: PRODUCTION · Install · orders-db prod</h2>\n"
            "<p>An install on your application starts, 2026-11-28 09:00 UTC: install-15, the approved list of "
            "2 patches, 3 nodes of orders-db prod. Asked for by U0ANN.</p>\n"
            "<p>Nodes may reboot. You get a message when it has ended.</p>\n</body></html>\n"
        ),
    )


def test_email_ended_has_the_words_without_the_markup() -> None:
    email = notices.email_ended(ENDED)
    assert email.subject == "[Patchgate] Install ended, not as approved: PRODUCTION · Install · orders-db prod"
    assert "NOT OK: Ended, and not as approved. Ended 2026-11-28 09:05 UTC." in email.text
    assert "NOT OK: db-2: 2 of 4 installed as approved, 2 missing (openssl.amd64 and curl.amd64)" in email.text
    for markup in ("<!date", "`", ":x:", "*"):
        assert markup not in email.text


@pytest.mark.parametrize("reason", [HOSTILE, LONG, "<script>alert(1)</script>", "a\r\nBcc: x@example.com"])
def test_email_i10_escapes_html_and_keeps_headers_whole(reason: str) -> None:
    of = run(
        operation=Operation.INSTALL, state=RunState.FAILED, application=reason, note=reason, nodes=(node(1, reason),)
    )
    lines = (NodeLine(node(1).id, reason, "failed", reason),)
    for email in (notices.email_started(report(of, nodes=lines)), notices.email_ended(report(of, nodes=lines))):
        message = EmailMessage()
        message["Subject"] = email.subject
        tags = {"<!DOCTYPE html>", "<html><body>", "<h2>", "</h2>", "<p>", "</p>", "</body></html>"}
        rest = email.html
        for tag in tags:
            rest = rest.replace(tag, "")
        assert "<" not in rest
        assert ">" not in rest


def preflight(**changed: Any) -> dict[str, Any]:
    names = ("agent", "supported", "idle")
    checks = [
        {"name": name, "title": name.capitalize(), "outcome": "pass", "evidence": f"{name} holds.", "remedy": ""}
        for name in names
    ]
    return {"application": "orders-db", "environment": "prod", "checks": checks, **changed}


def preflight_check(outcome: str) -> dict[str, str]:
    title, evidence, remedy = "Agents online", "db-1 is away.", "Start its agent."
    return {"name": "agent", "title": title, "outcome": outcome, "evidence": evidence, "remedy": remedy}


@pytest.mark.parametrize(
    ("payload", "expected", "text"),
    [
        (
            preflight(),
            [":white_check_mark: *Every node of orders-db prod can be patched.*", ":white_check_mark: *Agent*: agent"],
            "Preflight: orders-db prod, 0 of 3 checks failed",
        ),
        (
            preflight(checks=[preflight_check("fail"), preflight_check("warn")]),
            [
                ":x: *1 of 2 checks failed.*",
                ":x: *Agents online*: db-1 is away.\n→ Start its agent.",
                ":warning: *Agents online*",
            ],
            "Preflight: orders-db prod, 1 of 2 checks failed",
        ),
        (preflight(checks=[preflight_check("pass")]), ["*Agents online*: db-1 is away."], "0 of 1 check failed"),
        (preflight(checks=[]), [":x: *Nothing is known of orders-db prod*"], "0 of 0 checks failed"),
        (
            preflight(checks=[], error="AWS refused access to account 2222."),
            [":x: *The nodes of orders-db prod could not be looked at*: AWS refused access to account 2222."],
            "Preflight: orders-db prod could not be looked at",
        ),
        (
            preflight(checks=[{**preflight_check("fail"), "title": HOSTILE, "evidence": LONG, "remedy": LONG}] * 30),
            ["&lt;!channel&gt;"],
            "30 of 30 checks failed",
        ),
        (preflight(error=LONG, application=HOSTILE), ["&lt;!channel&gt;"], "could not be looked at"),
    ],
)
def test_preflight(payload: dict[str, Any], expected: list[str], text: str) -> None:
    rendered = notices.preflight_answer(payload)
    assert_accepted(rendered)
    assert text in rendered[0]
    for words in expected:
        assert words in shown(rendered)


@pytest.mark.parametrize(
    ("outcomes", "can"), [(["pass", "warn"], True), (["pass", "fail"], False), ([], False), (["waived"], True)]
)
def test_preflight_promises_nothing_that_was_not_checked(outcomes: list[str], can: bool) -> None:
    rendered = notices.preflight_answer(preflight(checks=[preflight_check(each) for each in outcomes]))
    assert ("can be patched" in shown(rendered)) is can


def test_decision_refused() -> None:
    rendered = notices.decision_refused("You asked for change-4, so you can't approve it; nothing was done.")
    assert_accepted(rendered)
    assert rendered[0] == "You asked for change-4, so you can't approve it; nothing was done."


def test_receipt_i6_holds_the_digest_and_the_head_of_the_chain() -> None:
    of = change(state=ChangeState.DONE, note="install-15 ended as succeeded.")
    head = "fedc" * 16
    rendered = notices.receipt(change_report(of, decisions=(decision(),), install=production_run(id=15)), head)
    assert_accepted(rendered)
    text = shown(rendered)
    for words in (
        "Asked for by <@U0ANN>",
        f"Approved by <@{BEN}>, {when(NOW + timedelta(hours=1))}.",
        "31 patches",
        "`install-15`: succeeded.",
        f"Digest `{DIGEST}`",
        f"Audit chain `{head}`",
    ):
        assert words in text
