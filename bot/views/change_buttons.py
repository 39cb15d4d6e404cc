"""What can be done with a change: its buttons, each bound to what was shown."""

from bot.views.blocks import Block, actions, button, confirmation
from bot.views.change_waiting import waiting_buttons
from bot.views.facts import offered_part
from commands.reports import ChangeReport
from commands.withdraw import OPEN as WITHDRAWABLE
from patching.gate import Action, passes, remedy
from patching.states import ChangeState
from storage.changes import Change


def change_buttons(report: ChangeReport) -> list[Block]:
    """One row. A failing gate has no Approve; what was asked for again has no buttons any more."""
    change = report.change
    found = []
    if report.ready and change.digest:
        found += [_approve(change)] if passes(change.checks or ()) else []
        found.append(_reject(change))
    elif report.successor:
        return []
    elif change.state is ChangeState.SUPERSEDED:
        found.append(_ask_again(change, "primary"))
    elif change.state is ChangeState.BLOCKED:
        found += _ways_on(change)
    if change.state in WITHDRAWABLE:
        found.append(_withdraw(change))
    return [*waiting_buttons(report), *([actions(*found)] if found else [])]


def _approve(change: Change) -> Block:
    """Opens the decision (`modals.approve_modal`); by itself it decides nothing."""
    return button("Approve", "approve", _bound(change), style="primary")


def _reject(change: Change) -> Block:
    return button("Reject", "reject", _bound(change), style="danger")


def _bound(change: Change) -> dict[str, object]:
    """What a click is about: the digest shown, another is refused (I3)."""
    return {"change": change.id, "digest": change.digest}


def _withdraw(change: Change) -> Block:
    """Everybody sees it, in the one message of the change; only those who asked may, and admins once it is approved."""
    who = "Only those who asked can, and admins once it is approved. Nothing is installed."
    dialog = confirmation(f"Withdraw {change.ref}?", who, "Withdraw", "Back", "danger")
    return button("Withdraw", "withdraw", {"change": change.id}, confirm=dialog)


def _ways_on(change: Change) -> list[Block]:
    """What is ready now, where there is any; and the one thing that mends the rest, where one thing does."""
    part = offered_part(change)
    wanted = remedy(change.checks or ())
    offered = []
    if part:
        text = f"Install the ready part ({part.ready:,} of {part.of:,})"
        offered.append(button(text, "install-part", {"change": change.id}, style="primary"))
    if wanted:
        offered.append(_remedy(change, wanted, None if offered else "primary"))
    return offered


def _ask_again(change: Change, style: str | None) -> Block:
    return button("Ask again", "ask-again", {"change": change.id}, style=style)


def _remedy(change: Change, action: Action, style: str | None) -> Block:
    source = {"application": change.application, "environment": change.source}
    match action:
        case Action.INSTALL_SOURCE:
            return button(f"Install the newest set into {change.source}", "install-source", source, style=style)
        case Action.SCAN_SOURCE:
            return button(f"Scan {change.source}", "scan-source", source, style=style)
        case Action.SCAN_TARGET:
            target = {**source, "environment": change.environment}
            return button(f"Scan {change.environment}", "scan-target", target, style=style)
        case Action.CLEAR_PROBLEM:
            return button("Clear the problem", "clear-problem", {"application": change.application})
        case Action.ASK_AGAIN | Action.NONE:
            return _ask_again(change, style)
