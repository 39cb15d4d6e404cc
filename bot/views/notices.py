"""Messages that are owed to somebody: those affected by an Install, approvers, those who asked.

Those about a change's approval are made in `bot/views/approval_notices.py`; import them from here.
"""

from collections.abc import Mapping
from typing import Any

from bot.views.approval_notices import approval_asked, approval_reminder, receipt, record_message
from bot.views.away import Told, headline, told
from bot.views.blocks import Rendered, header, message, section, sections
from bot.views.checks import MARKS
from bot.views.facts import warnings
from bot.views.mail import Email, email
from bot.views.replies import refusal
from bot.views.run import fallback, run_state, run_title, state_words
from bot.views.run_results import next_steps, results, unwell
from bot.views.text import code, patches, place, plural, prose, user, when
from commands.reports import RunReport
from patching.gate import Outcome
from storage.runs import Run

__all__ = [
    "Email",
    "approval_asked",
    "approval_reminder",
    "decision_refused",
    "email_ended",
    "email_failing",
    "email_nodes_away",
    "email_started",
    "install_ended",
    "install_failing",
    "install_started",
    "nodes_away",
    "preflight_answer",
    "receipt",
    "record_message",
]

_FAILING = "Install fails"
_LATE = ":warning: *This message is late.*"
_REBOOTS = "Nodes may reboot. You get a message when it has ended."


def install_started(report: RunReport) -> Rendered:
    """To somebody affected, in Slack."""
    run = report.run
    text = (
        fallback(report)
        if run.state.ended
        else f"Install starts: {'PRODUCTION ' if run.production else ''}{_where(run)}"
    )
    return message(text, [header(run_title(run)), *sections([*_unusual(report), *_start(report)])])


def install_ended(report: RunReport) -> Rendered:
    """To somebody affected, in Slack."""
    return message(fallback(report), [header(run_title(report.run)), *sections([*_unusual(report), *_end(report)])])


def email_started(report: RunReport) -> Email:
    """To somebody affected, by e-mail."""
    headline = "Install started" if report.run.state.ended else "Install starts"
    return email(f"{headline}: {run_title(report.run)}", [*_unusual(report), *_start(report)])


def email_ended(report: RunReport) -> Email:
    """To somebody affected, by e-mail."""
    return email(f"Install {state_words(report.run)}: {run_title(report.run)}", [*_unusual(report), *_end(report)])


def install_failing(report: RunReport) -> Rendered:
    """To somebody affected, in Slack: the first of its nodes has failed, and the run goes on."""
    words = f"{'PRODUCTION ' if report.run.production else ''}{_FAILING}: {_where(report.run)}"
    text = fallback(report) if report.run.state.ended else words
    return message(text, [header(run_title(report.run)), *sections([*_unusual(report), *_failing(report)])])


def email_failing(report: RunReport) -> Email:
    """To somebody affected, by e-mail."""
    headline = "Install had failures" if report.run.state.ended else _FAILING
    return email(f"{headline}: {run_title(report.run)}", [*_unusual(report), *_failing(report)])


def nodes_away(report: RunReport, about: Told) -> Rendered:
    """To an owner, and in the run's thread: who is away in the middle of an Install, is back, or was installed late."""
    return message(prose(headline(report, about), 200), [header(run_title(report.run)), *sections(told(report, about))])


def email_nodes_away(report: RunReport, about: Told) -> Email:
    """To somebody affected, by e-mail."""
    return email(f"{headline(report, about)}: {run_title(report.run)}", told(report, about))


def preflight_answer(payload: Mapping[str, Any]) -> Rendered:
    """To the one who asked whether an environment's nodes can be patched.

    `payload`: application, environment, checks [{"name", "title", "outcome", "evidence", "remedy"}] in the order to
    show, outcomes as `patching.gate.Outcome`; error (optional): a sentence, where the nodes could not be looked at.
    """
    application, environment = str(payload["application"]), str(payload["environment"])
    where = place(application, environment)
    title = header(f"Preflight · {application} {environment}")
    if payload.get("error"):
        words = f":x: *The nodes of {where} could not be looked at*: {prose(str(payload['error']), 600)}"
        return f"Preflight: {where} could not be looked at", [title, section(words)]
    checks = payload["checks"]
    failing = sum(each["outcome"] == Outcome.FAIL for each in checks)
    if not checks:
        outcome = f":x: *Nothing is known of {where}*: no check was made."
    elif failing:
        outcome = f":x: *{failing:,} of {plural(len(checks), 'check')} failed.*"
    else:
        outcome = f":white_check_mark: *Every node of {where} can be patched.*"
    text = f"Preflight: {where}, {failing:,} of {plural(len(checks), 'check')} failed"
    return message(text, [title, *sections([outcome, *map(_preflight_check, checks)])])


def _preflight_check(check: Mapping[str, Any]) -> str:
    outcome = Outcome(check["outcome"])
    remedy = prose(str(check.get("remedy") or ""), 250)
    advice = f"\n→ {remedy}" if remedy and outcome is not Outcome.PASS else ""
    return f"{MARKS[outcome]} *{prose(str(check['title']), 100)}*: {prose(str(check['evidence']), 350)}{advice}"


def decision_refused(sentence: str, person: str | None = None) -> Rendered:
    """To somebody whose click on Approve or Reject does not count, with the reason."""
    return refusal(sentence, person)


def _unusual(report: RunReport) -> list[str]:
    """An emergency, or a list that is not pinned."""
    return warnings(report.change) if report.change else []


def _start(report: RunReport) -> list[str]:
    run = report.run
    at = f", {when(run.started_at)}" if run.started_at else ""
    what = f"{at}: {code(run.ref)}, {_what(report)}. Asked for by {user(run.requested_by)}."
    if run.state.ended:
        return [f"{_LATE} An install on your application started{what}", f"It has ended: {state_words(run)}."]
    return [f"An install on your application starts{what}", _REBOOTS]


def _failing(report: RunReport) -> list[str]:
    ref = code(report.run.ref)
    if report.run.state.ended:
        return [_LATE, *_end(report)]
    failed = sum(1 for each in report.nodes if each.state == "failed")
    first_line = f":x: {ref} *fails* on {failed:,} of {plural(len(report.nodes), 'node')} so far:"
    return [first_line, *unwell(report), "You get a message when it has ended, with what became of the others."]


def _end(report: RunReport) -> list[str]:
    return [f"{code(report.run.ref)}: {run_state(report)}", *results(report), *next_steps(report)]


def _what(report: RunReport) -> str:
    run = report.run
    pinned = f"the approved list of {patches(len(run.pins))}, " if run.pins else ""
    return f"{pinned}{plural(len(report.nodes), 'node')} of {place(run.application, run.environment)}"


def _where(run: Run) -> str:
    return place(run.application, run.environment)
