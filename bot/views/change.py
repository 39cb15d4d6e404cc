"""A change: the message in which production is decided, and the pinned list in its thread."""

from bot.views.blocks import Block, Rendered, context, divider, first, header, message, section, sections
from bot.views.change_buttons import change_buttons
from bot.views.change_waiting import at_window_words, held_lines, overruled_lines, waiting_lines
from bot.views.checks import in_full
from bot.views.facts import (
    asked_part,
    extent,
    issue_lines,
    list_words,
    marks,
    part_lines,
    ready_line,
    warnings,
    windows_lines,
)
from bot.views.plan import plan_lines
from bot.views.run import shown_version, state_words
from bot.views.seen_by import seen_by
from bot.views.tables import Attachment, Flavour, listing
from bot.views.text import code, command, mentions, place, plain, plural, prose, user, users, when
from commands.reports import ChangeReport
from patching.states import ChangeState, RunState
from storage.changes import Change
from storage.decisions import Decision
from storage.runs import Run

_MOVED_SHOWN = 12
_ISSUES_SHOWN = 60  # in the thread
_PLANNED = frozenset(
    {ChangeState.BLOCKED, ChangeState.PENDING, ChangeState.APPROVED, ChangeState.WAITING, ChangeState.HELD}
)
"""While the plan is still to be carried out."""


def change_card(report: ChangeReport) -> Rendered:
    """The one message of a change in its application's channel."""
    change = report.change
    lines = [_asked(report), *warnings(change), *change_state(report), *_part(change), *_windows(change)]
    lines += [*overruled_lines(report), *seen_by(report.seen_by)]
    lines += plan_lines(change) if change.state in _PLANNED else []
    blocks: list[Block] = [header(change_title(change)), *sections(lines)]
    if change.checks:
        evaluated = f", {when(change.evaluated_at)}" if change.evaluated_at else ""
        blocks += [divider(), *sections([f"*The gate*{evaluated}", *in_full(report)])]
    blocks += change_buttons(report)
    if change.digest:
        bound = " An approval counts for exactly this, nothing else." if report.ready else ""
        blocks.append(context(f"Digest {code(change.digest[:12])}.{bound}"))
    where = place(change.application, change.environment)
    return message(f"{marks(change)}PRODUCTION {change.ref} on {where}: {change_words(change)}", blocks)


def change_details(report: ChangeReport, flavour: Flavour = Flavour.TABLE) -> tuple[Rendered, Attachment | None]:
    """The thread: the list that would be installed, pinned by id and version, and the issues that it addresses.

    The plan in one sentence; `bot.views.plan.plan_file` has every step.
    """
    change = report.change
    title = f"The list of {change.ref}"
    rows = [(pin.id, shown_version(pin)) for pin in change.pins or ()]
    if not rows:
        return (f"{title}: no patch.", [section(f"{title}: no patch.")]), None
    blocks, attached = listing(f"{change.ref}-list", title, ("Patch", "Version"), rows, flavour)
    summary = f"*{title}*: {extent(change)}. {list_words(change)}"
    issues = issue_lines(change, _ISSUES_SHOWN, "in the thread of the newest scan, patch by patch")
    blocks += sections(["*Issues that these patches address*", *issues]) if issues else []
    blocks += sections(plan_lines(change, f"the file {code(f'{change.ref}-plan.txt')}"))
    return message(f"{title}: {extent(change)}", [section(summary), *blocks]), attached


def change_title(change: Change) -> str:
    """`PRODUCTION · orders-db prod`, where no markup is read."""
    return plain(f"{marks(change)}PRODUCTION · {change.application} {change.environment}", 150)


def change_words(change: Change) -> str:
    """Where the change stands, in a few words for lists and notifications."""
    return {
        ChangeState.PREPARING: "being checked",
        ChangeState.BLOCKED: "blocked by the gate",
        ChangeState.PENDING: "waits for approval" if change.required == 1 else f"waits for {change.required} approvals",
        ChangeState.APPROVED: "approved, being checked again",
        ChangeState.WAITING: "approved, waits for its window" if change.opening else "approved, waits for its time",
        ChangeState.HELD: "approved, held",
        ChangeState.USED: "installing",
        ChangeState.DONE: "ended",
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
            return [*waiting_lines(report), *approved, *note]
        case ChangeState.HELD:
            return [*held_lines(report), *approved]
        case ChangeState.USED:
            return [f"*Installing {extent(change)}.*", *approved, *_install(report), *note]
        case ChangeState.DONE:
            return [_end_of(report), *approved, *_install(report), *note]
        case ChangeState.REJECTED:
            return [":x: *Rejected.* Nothing was installed.", *_rejected(report), _anew(change)]
        case ChangeState.WITHDRAWN:
            return ["*Withdrawn.* Nothing was installed.", *note, _anew(change)]
        case ChangeState.EXPIRED:
            return [":warning: *Expired.* It installs nothing.", *note, _anew(change)]
        case ChangeState.SUPERSEDED:
            return [":warning: *Superseded.* Nothing was installed by it.", *approved, *_moved(report)]


def _asked(report: ChangeReport) -> str:
    change = report.change
    before = f" It asks again for {code(report.superseded.ref)}." if report.superseded else ""
    asked = f"{code(change.ref)} asked for by {user(change.requested_by)}, {when(change.requested_at)}"
    return f"{asked}{at_window_words(change)}.{before}"


def _pending(report: ChangeReport) -> list[str]:
    change = report.change
    others = users(change.requesters)
    may = f"May approve: {mentions(report.approvers)}."
    if not report.approvers:
        may = "Nobody may approve: an admin names people under `access.approver` in the configuration."
    return [
        f"*Waits for approval*: would install *{extent(change)}*, the list is in the thread.",
        *_approvals(report),
        f"{may} Not those who asked: {others}.",
        *_decided(report, "approve", "Approve clicked", state="checking"),
    ]


def _approvals(report: ChangeReport) -> list[str]:
    """`1 of 2 approvals`, and by whom; where one is enough and none is given there is nothing to say."""
    given, needed = approvals(report), report.change.required
    if needed == 1 and not given:
        return []
    return [f"*{len(given):,} of {plural(needed, 'approval')}*.", *_decided(report, "approve", "Approved")]


def approvals(report: ChangeReport) -> list[Decision]:
    """The approvals that count."""
    return [each for each in report.decisions if each.kind == "approve" and each.state == "accepted"]


def _part(change: Change) -> list[str]:
    """The ready part: offered where the whole is blocked, and part of what a request for it says."""
    match change.state:
        case ChangeState.BLOCKED:
            return [*part_lines(change, 10), *ready_line(change)]
        case ChangeState.PENDING if change.part:
            return [*asked_part(change, 10), *ready_line(change)]
        case _:
            return asked_part(change, 0)


def _windows(change: Change) -> list[str]:
    return windows_lines(change) if change.state in {ChangeState.BLOCKED, ChangeState.PENDING} else []


def _decided(report: ChangeReport, kind: str, words: str, state: str = "accepted") -> list[str]:
    checking = " Their right to is being checked." if state == "checking" else ""
    return [
        f"{words} by {user(decision.user_id)}, {when(decision.at)}.{checking}{backup_words(decision)}"
        for decision in report.decisions
        if decision.kind == kind and decision.state == state
    ][-5:]


def backup_words(decision: Decision) -> str:
    """Where the approver says the backup is, quoted on a line of its own."""
    return f"\n> Backup: {prose(decision.backup, 300)}" if decision.backup else ""


def _rejected(report: ChangeReport) -> list[str]:
    accepted = [each for each in report.decisions if each.kind == "reject" and each.state == "accepted"]
    return [f"By {user(each.user_id)}, {when(each.at)}.\n> {prose(each.reason, 600)}" for each in accepted[-1:]]


def _scans(report: ChangeReport) -> list[str]:
    return [
        f"{code(run.ref)} {prose(run.environment, 80)}: {'scan ' if run.state.ended else ''}{state_words(run)}"
        f"{_question(run)}"
        for run in report.scans[-4:]
    ]


def _question(run: Run) -> str:
    """A scan of a change has no message of its own in which an admin could be asked."""
    return f". An admin settles it in {command(f'status {run.ref}')}." if run.state is RunState.NEEDS_HUMAN else ""


def _install(report: ChangeReport) -> list[str]:
    if report.install is None:
        return []
    ref = report.install.ref
    return [
        f"{code(ref)}: {state_words(report.install)}. Node by node: its own message, or {command(f'status {ref}')}."
    ]


def _end_of(report: ChangeReport) -> str:
    """What became of it is what became of its Install."""
    match report.install.state if report.install else None:
        case RunState.SUCCEEDED:
            return ":white_check_mark: *Done.*"
        case RunState.DEVIATED:
            return ":x: *Ended, and not as approved.*"
        case RunState.CANCELLED:
            return ":warning: *Cancelled* before its end: some nodes have the list, the others were left alone."
        case _:
            return ":x: *Failed.*"


def _after_block(report: ChangeReport) -> list[str]:
    if report.successor:
        return [_replaced(report.successor)]
    return [f"Do what the failing checks say, then {command(_install_words(report.change))}."]


def _moved(report: ChangeReport) -> list[str]:
    """What moved, a sentence a line as the sweep wrote them."""
    lines = [f"• {prose(line, 250)}" for line in report.change.note.splitlines() if line.strip()]
    after = _replaced(report.successor) if report.successor else _ask_again(report.change)
    return [*first(lines, _MOVED_SHOWN, "that moved"), after]


def _ask_again(change: Change) -> str:
    if not change.emergency and not change.waivers:
        return "Ask again: the checks start anew."
    ordinary = command(_install_words(change))
    return f"An admin asks again, for the same reasons; the ordinary way is {ordinary}. The checks start anew."


def _replaced(successor: Change) -> str:
    return f"{code(successor.ref)} asks again: {change_words(successor)}."


def _anew(change: Change) -> str:
    return f"To ask anew: {command(_install_words(change))}."


def _install_words(change: Change) -> str:
    return f"install {change.application} {change.environment}{' window' if change.timing == 'window' else ''}"
