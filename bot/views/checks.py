"""The gate's checks: each in full for a change's message, and in short for the decision."""

import re
from typing import Final

from bot.views.text import prose, user, users, when
from commands.reports import ChangeReport
from patching.gate import CheckResult, Outcome

MARKS: Final = {
    Outcome.PASS: ":white_check_mark:",
    Outcome.WARN: ":warning:",
    Outcome.FAIL: ":x:",
    Outcome.WAIVED: ":ballot_box_with_check:",
}
_REPORTED_BY = re.compile(r"(?<=(?:reported|attested) by )[UW][A-Z0-9]{2,}$")


def in_full(report: ChangeReport) -> list[str]:
    """Mark, title, evidence and what to do, for every check in the order of the gate."""
    return [_check(report, check) for check in report.change.checks or ()]


def in_short(report: ChangeReport) -> list[str]:
    """How many pass in one line; each of the others by name, with its reason."""
    checks = report.change.checks or ()
    others = [check for check in checks if check.outcome is not Outcome.PASS]
    good = len(checks) - len(others)
    if not checks:
        return [":x: The gate was not asked."]
    if not others:
        return [f":white_check_mark: All {good:,} checks pass."]
    return [f":white_check_mark: {good:,} of {len(checks):,} checks pass.", *(_other(report, each) for each in others)]


def _check(report: ChangeReport, check: CheckResult) -> str:
    """`at` ends the one of evidence and remedy that has no full stop."""
    evidence, advice = _said(check, 350), prose(check.remedy, 250)
    if check.at:
        if advice and not advice.endswith("."):
            advice = f"{advice} {when(check.at)}."
        else:
            evidence = f"{evidence} {when(check.at)}."
    line = f"{MARKS[check.outcome]} *{prose(check.title, 100)}*: {evidence}"
    match check.outcome:
        case Outcome.PASS:
            return line
        case Outcome.WAIVED:
            return f"{line}\n→ {_waived(report, check)}"
        case Outcome.WARN | Outcome.FAIL:
            return f"{line}\n→ {advice}" if advice else line


def _other(report: ChangeReport, check: CheckResult) -> str:
    """A check that doesn't simply pass: the reason, and no advice, which comes too late for a decision."""
    evidence = _said(check, 200)
    if check.at and not evidence.endswith("."):
        evidence = f"{evidence} {when(check.at)}."
    waived = f" {_waived(report, check)}" if check.outcome is Outcome.WAIVED else ""
    return f"{MARKS[check.outcome]} *{prose(check.title, 100)}*: {evidence}{waived}"


def _said(check: CheckResult, limit: int) -> str:
    evidence = prose(check.evidence, limit)
    return _REPORTED_BY.sub(lambda found: user(found[0]), evidence)


def _waived(report: ChangeReport, check: CheckResult) -> str:
    return f"Waived by {_waived_by(report, check.name)}: {prose(check.waiver, 300)}"


def _waived_by(report: ChangeReport, name: str) -> str:
    """A waiver is given by asking for the change anew; an earlier one is somebody's in the chain of requests."""
    change = report.change
    before = report.superseded
    is_newest = before is None or not (name in before.waivers or before.emergency)
    if is_newest or len(change.requesters) == 1:
        return user(change.requested_by)
    return f"one of {users(change.requesters[:5])}"


def waived_lines(report: ChangeReport) -> list[str]:
    """The waived checks by title, for a receipt."""
    return [
        f"{MARKS[Outcome.WAIVED]} *{prose(check.title, 100)}*: {_waived(report, check)}"
        for check in report.change.checks or ()
        if check.outcome is Outcome.WAIVED
    ]
