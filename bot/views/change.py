"""A change: the message in which production is decided, and the pinned list in its thread."""

import re

from bot.views.blocks import (
    Block,
    Rendered,
    actions,
    button,
    confirmation,
    context,
    divider,
    first,
    header,
    message,
    section,
    sections,
)
from bot.views.run import shown_version, state_words
from bot.views.tables import Attachment, Flavour, listing
from bot.views.text import code, command, mentions, patches, place, plain, plural, prose, user, users, when
from commands.reports import ChangeReport
from patching.gate import Action, CheckResult, Outcome, passes, remedy
from patching.states import ChangeState
from storage.changes import Change

_MARKS = {Outcome.PASS: ":white_check_mark:", Outcome.WARN: ":warning:", Outcome.FAIL: ":x:"}
_MOVED_SHOWN = 12
_REPORTED_BY = re.compile(r"(?<=reported by )[UW][A-Z0-9]{2,}$")


def change_card(report: ChangeReport) -> Rendered:
    """The one message of a change in its application's channel."""
    change = report.change
    blocks = [header(change_title(change)), *sections([_asked(report), *change_state(report)])]
    if change.checks:
        evaluated = f", {when(change.evaluated_at)}" if change.evaluated_at else ""
        blocks += [divider(), *sections([f"*The gate*{evaluated}", *map(_check, change.checks)])]
    blocks += _buttons(report)
    if change.digest:
        bound = " An approval counts for exactly this, nothing else." if report.ready else ""
        blocks.append(context(f"Digest {code(change.digest[:12])}.{bound}"))
    text = f"PRODUCTION {change.ref} on {place(change.application, change.environment)}: {change_words(change)}"
    return message(text, blocks)


def change_details(report: ChangeReport, flavour: Flavour = Flavour.TABLE) -> tuple[Rendered, Attachment | None]:
    """The thread: the list that would be installed, pinned by id and version."""
    change = report.change
    title = f"The list of {change.ref}"
    rows = [(pin.id, shown_version(pin)) for pin in change.pins or ()]
    if not rows:
        return (f"{title}: no patch.", [section(f"{title}: no patch.")]), None
    blocks, attached = listing(f"{change.ref}-list", title, ("Patch", "Version"), rows, flavour)
    summary = f"*{title}*: {_extent(change)}. Nothing else is asked for; dependencies may come along and are reported."
    return (f"{title}: {_extent(change)}", [section(summary), *blocks]), attached


def change_title(change: Change) -> str:
    """`PRODUCTION · orders-db prod`, where no markup is read."""
    return plain(f"PRODUCTION · {change.application} {change.environment}", 150)


def change_words(change: Change) -> str:
    """Where the change stands, in a few words for lists and notifications."""
    return {
        ChangeState.PREPARING: "being checked",
        ChangeState.BLOCKED: "blocked by the gate",
        ChangeState.PENDING: "waits for approval",
        ChangeState.APPROVED: "approved, being checked again",
        ChangeState.WAITING: "approved, waits for its window",
        ChangeState.HELD: "approved, held",
        ChangeState.USED: "installing",
        ChangeState.DONE: "done",
        ChangeState.REJECTED: "rejected",
        ChangeState.WITHDRAWN: "withdrawn",
        ChangeState.EXPIRED: "expired",
        ChangeState.SUPERSEDED: "superseded",
    }[change.state]


def change_state(report: ChangeReport) -> list[str]:
    """Where the change stands and what happens next, line by line."""
    change = report.change
    approved = _decided(report, "approve", "Approved")
    note = [prose(change.note, 500)] if change.note else []
    match change.state:
        case ChangeState.PREPARING:
            return ["*Being checked.* Nothing is installed before somebody approves.", *_scans(report), *note]
        case ChangeState.BLOCKED:
            return [":x: *Blocked by the gate*: it can't be approved.", *note, *_after_block(report)]
        case ChangeState.PENDING:
            return [*_pending(report), *note]
        case ChangeState.APPROVED:
            again = "*Approved.* Both environments are scanned again before anything is sent."
            return [f":white_check_mark: {again}", *approved, *_scans(report), *note]
        case ChangeState.WAITING:
            return [":white_check_mark: *Approved*, waits for its window.", *approved, *note]
        case ChangeState.HELD:
            return [":warning: *Approved, held.*", *approved, *note]
        case ChangeState.USED:
            return [f"*Installing {_extent(change)}.*", *approved, *_install(report), *note]
        case ChangeState.DONE:
            return ["*Done.*", *approved, *_install(report), *note]
        case ChangeState.REJECTED:
            return [":x: *Rejected.* Nothing was installed.", *_rejected(report), _anew(change)]
        case ChangeState.WITHDRAWN:
            return ["*Withdrawn.* Nothing was installed.", *note, _anew(change)]
        case ChangeState.EXPIRED:
            return [":warning: *Expired.* Nothing was installed.", *note, _anew(change)]
        case ChangeState.SUPERSEDED:
            return [":warning: *Superseded.* Nothing was installed by it.", *approved, *_moved(report)]


def _extent(change: Change) -> str:
    """`31 patches on 3 nodes`, of what the digest covers (patching/digest.py "nodes")."""
    nodes = change.parts["nodes"] if change.parts else ()
    return f"{patches(len(change.pins or ()))} on {plural(len(nodes), 'node')}"


def _asked(report: ChangeReport) -> str:
    change = report.change
    before = f" It asks again for {code(report.superseded.ref)}." if report.superseded else ""
    return f"{code(change.ref)} asked for by {user(change.requested_by)}, {when(change.requested_at)}.{before}"


def _pending(report: ChangeReport) -> list[str]:
    change = report.change
    others = users(change.requesters)
    may = f"May approve: {mentions(report.approvers)}."
    if not report.approvers:
        may = "Nobody may approve: an admin names people under `access.approver` in the configuration."
    return [
        f"*Waits for approval*: would install *{_extent(change)}*, the list is in the thread.",
        f"{may} Not those who asked: {others}.",
        *_decided(report, "approve", "Approve clicked", state="checking"),
    ]


def _decided(report: ChangeReport, kind: str, words: str, state: str = "accepted") -> list[str]:
    checking = " Their right to is being checked." if state == "checking" else ""
    return [
        f"{words} by {user(decision.user_id)}, {when(decision.at)}.{checking}"
        for decision in report.decisions
        if decision.kind == kind and decision.state == state
    ][-5:]


def _rejected(report: ChangeReport) -> list[str]:
    accepted = [each for each in report.decisions if each.kind == "reject" and each.state == "accepted"]
    return [f"By {user(each.user_id)}, {when(each.at)}.\n> {prose(each.reason, 600)}" for each in accepted[-1:]]


def _scans(report: ChangeReport) -> list[str]:
    return [
        f"{code(run.ref)} {prose(run.environment, 80)}: {'scan ' if run.state.ended else ''}{state_words(run)}"
        for run in report.scans[-4:]
    ]


def _install(report: ChangeReport) -> list[str]:
    if report.install is None:
        return []
    ref = report.install.ref
    return [
        f"{code(ref)}: {state_words(report.install)}. Node by node: its own message, or {command(f'status {ref}')}."
    ]


def _after_block(report: ChangeReport) -> list[str]:
    if report.successor:
        return [_replaced(report.successor)]
    return [f"Do what the failing checks say, then {command(_install_words(report.change))}."]


def _moved(report: ChangeReport) -> list[str]:
    """What moved, a sentence a line as the sweep wrote them."""
    lines = [f"• {prose(line, 250)}" for line in report.change.note.splitlines() if line.strip()]
    after = _replaced(report.successor) if report.successor else "Ask again: the checks start anew."
    return [*first(lines, _MOVED_SHOWN, "that moved"), after]


def _replaced(successor: Change) -> str:
    return f"{code(successor.ref)} asks again: {change_words(successor)}."


def _anew(change: Change) -> str:
    return f"To ask anew: {command(_install_words(change))}."


def _install_words(change: Change) -> str:
    return f"install {change.application} {change.environment}"


def _check(check: CheckResult) -> str:
    """Mark, title, evidence and what to do. `at` ends the one of the two that has no full stop."""
    evidence, advice = _said(check), prose(check.remedy, 250)
    if check.at:
        if advice and not advice.endswith("."):
            advice = f"{advice} {when(check.at)}."
        else:
            evidence = f"{evidence} {when(check.at)}."
    advice = f"\n→ {advice}" if advice and check.outcome is not Outcome.PASS else ""
    return f"{_MARKS[check.outcome]} *{prose(check.title, 100)}*: {evidence}{advice}"


def _said(check: CheckResult) -> str:
    evidence = prose(check.evidence, 350)
    return _REPORTED_BY.sub(lambda found: user(found[0]), evidence)


def _buttons(report: ChangeReport) -> list[Block]:
    change = report.change
    if report.ready and change.digest:
        approve = [_approve(change)] if passes(change.checks or ()) else []
        return [actions(*approve, _reject(change))]
    if report.successor:
        return []
    if change.state is ChangeState.SUPERSEDED:
        return [actions(_ask_again(change))]
    wanted = remedy(change.checks or ()) if change.state is ChangeState.BLOCKED else None
    return [actions(_remedy(change, wanted))] if wanted else []


def _approve(change: Change) -> Block:
    dialog = confirmation(
        "Approve for PRODUCTION?",
        f"PRODUCTION {change.application} {change.environment} gets {_extent(change)}. Both environments are scanned "
        "again first; if anything has moved, nothing is installed.",
        "Approve",
        "Back",
        "primary",
    )
    return button("Approve", "approve", _bound(change), style="primary", confirm=dialog)


def _reject(change: Change) -> Block:
    return button("Reject", "reject", _bound(change), style="danger")


def _bound(change: Change) -> dict[str, object]:
    """What a click is about: the digest shown, another is refused (I3)."""
    return {"change": change.id, "digest": change.digest}


def _ask_again(change: Change) -> Block:
    return button("Ask again", "ask-again", {"change": change.id}, style="primary")


def _remedy(change: Change, action: Action) -> Block:
    source = {"application": change.application, "environment": change.source}
    match action:
        case Action.INSTALL_SOURCE:
            text = f"Install the newest set into {change.source}"
            return button(text, "install-source", source, style="primary")
        case Action.SCAN_SOURCE:
            return button(f"Scan {change.source}", "scan-source", source, style="primary")
        case Action.SCAN_TARGET:
            target = {**source, "environment": change.environment}
            return button(f"Scan {change.environment}", "scan-target", target, style="primary")
        case Action.CLEAR_PROBLEM:
            return button("Clear the problem", "clear-problem", {"application": change.application})
        case Action.ASK_AGAIN | Action.NONE:
            return _ask_again(change)
