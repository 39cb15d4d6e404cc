"""Modals, the ids they are about in `private_metadata`: views for `views.open`.

Reporting and clearing a problem, and rejecting, ask for a reason; approving asks for a decision.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.views.blocks import Block, divider, first, header, plain_text, section, sections
from bot.views.change_waiting import at_window_words
from bot.views.checks import in_short
from bot.views.facts import (
    NOT_PINNED,
    asked_part,
    differing,
    is_unpinned,
    issue_lines,
    marks,
    node_count,
    warnings,
    windows_lines,
)
from bot.views.plan import plan_lines
from bot.views.text import code, patches, place, plain, plural, prose, user, users, when
from commands.reports import ChangeReport
from patching.gate_backups import is_attestation_asked
from storage.changes import Change
from storage.objections import Objection
from storage.problems import Problem
from storage.runs import Run

REASON: Final = "reason"
"""Both the block_id and the action_id of the input: `view.state.values["reason"]["reason"]["value"]`."""
REASON_MIN, REASON_MAX = 5, 600  # characters; a card shows all of them
READ: Final = "read"
"""Both the block_id and the action_id of the checkboxes: `values["read"]["read"]["selected_options"]`."""
BACKUP: Final = "backup"
APPLICATION: Final = "application"
BACKUP_MIN, BACKUP_MAX = 5, 300

_ISSUES_SHOWN = 15
_STAYS_SHOWN = 5
_MOVED_SHOWN = 5


def approve_modal(report: ChangeReport, private: Mapping[str, Any] | None = None) -> Block:
    """The decision, from top to bottom: the target, what is unusual, the checks, what differs, issues, the answers.

    Submitted values: `read` (checkboxes), `application` and, where nothing else says where the database's backup is,
    `backup` (typed); each block_id is its action_id.
    """
    change = report.change
    ids = {"change": change.id, "digest": change.digest}
    issues = issue_lines(change, _ISSUES_SHOWN, "in the thread")
    named = ["*Issues that the patches address*", *issues] if issues else ["The patches name no issue to read about."]
    blocks = [
        header(_target(change)),
        *sections([_asked(report), *warnings(change)]),
        *sections(["*The gate*", *in_short(report)]),
        *sections([*_moved(report), *differing(change), *asked_part(change, _STAYS_SHOWN)]),
        *sections([*windows_lines(change), *plan_lines(change), _ALONG]),
        *sections(named),
        divider(),
        _read("The issues above" if issues else "The list, in the thread of the message"),
        *_attestation(change),
        _input(APPLICATION, "Type the application's name", 1, 100),
    ]
    return _view("approve", f"Approve {change.ref}", "Approve", {**(private or {}), **ids}, blocks)


_ALONG = (
    "Both environments are scanned again first; if anything has moved, nothing is installed. "
    "Dependencies may come along and are reported."
)


def _target(change: Change) -> str:
    """`PRODUCTION · orders-db prod · 14 nodes · 31 patches`; long names are cut, never the counts."""
    unpinned = f"{NOT_PINNED} · " if is_unpinned(change) else ""
    before = f"{marks(change)}{unpinned}PRODUCTION · "
    after = f" · {plural(node_count(change), 'node')} · {patches(len(change.pins or ()))}"
    return before + plain(f"{change.application} {change.environment}", 150 - len(before) - len(after)) + after


def _asked(report: ChangeReport) -> str:
    """Who wants it, and who has approved it already where more than one must."""
    change = report.change
    by = f"{code(change.ref)} asked for by {users(change.requesters[:5])}, {when(change.requested_at)}"
    asked = f"{by}{at_window_words(change)}."
    if change.required == 1:
        return asked
    given = [each.user_id for each in report.decisions if each.kind == "approve" and each.state == "accepted"]
    by = f", by {users(given[:5])}" if given else ""
    return f"{asked}\n{len(given):,} of {plural(change.required, 'approval')} given{by}."


def _moved(report: ChangeReport) -> list[str]:
    """Why the request before this one came to nothing."""
    before = report.superseded
    lines = [f"• {prose(line, 200)}" for line in before.note.splitlines() if line.strip()] if before else []
    if before is None or not lines:
        return []
    return [f"It asks again for {code(before.ref)}:", *first(lines, _MOVED_SHOWN, "that moved")]


def _attestation(change: Change) -> list[Block]:
    if not is_attestation_asked(change.checks):
        return []
    return [_input(BACKUP, "Where is the database backup, and from when?", BACKUP_MIN, BACKUP_MAX)]


def _read(label: str) -> Block:
    option = {"text": plain_text("I have read them", 75), "value": READ}
    element = {"type": "checkboxes", "action_id": READ, "options": [option]}
    return {"type": "input", "block_id": READ, "label": plain_text(label, 100), "element": element}


def problem_modal(run: Run, private: Mapping[str, Any] | None = None) -> Block:
    """`private` travels with the ids, e.g. the channel that the button was in; 3,000 characters of JSON in all."""
    about = (
        f"*{run.ref}* on {place(run.application, run.environment)}. A problem holds the soak of "
        f"{prose(run.application, 80)}: nothing of it goes to production until an operator clears it."
    )
    return _modal(
        "report-problem", "Report a problem", "Report", about, "What is wrong?", {**(private or {}), "run": run.id}
    )


def clear_modal(problem: Problem, private: Mapping[str, Any] | None = None) -> Block:
    about = (
        f"Reported on {prose(problem.application, 80)} by {user(problem.reported_by)}, {when(problem.reported_at)}:\n"
        f"> {prose(problem.reason, 600)}"
    )
    ids = {"problem": problem.id, "application": problem.application}
    return _modal(
        "clear-problem",
        "Clear the problem",
        "Clear",
        about,
        "Why is it no problem any more?",
        {**(private or {}), **ids},
    )


def reject_modal(change: Change, private: Mapping[str, Any] | None = None) -> Block:
    about = f"*{change.ref}*, PRODUCTION {place(change.application, change.environment)}. Nothing will be installed."
    ids = {"change": change.id, "digest": change.digest}
    return _modal("reject", "Reject", "Reject", about, "Why?", {**(private or {}), **ids})


def object_modal(change: Change, private: Mapping[str, Any] | None = None) -> Block:
    about = (
        f"*{change.ref}*, PRODUCTION {place(change.application, change.environment)}. It is held, and nothing is sent, "
        "until you take your objection back or an admin overrules it. Everybody sees your reason."
    )
    return _modal("object", "Object", "Object", about, "Why?", {**(private or {}), "change": change.id})


def overrule_modal(objection: Objection, private: Mapping[str, Any] | None = None) -> Block:
    about = f"{user(objection.user_id)} objects, {when(objection.at)}:\n> {prose(objection.reason, 600)}"
    ids = {"objection": objection.id}
    return _modal("overrule", "Overrule", "Overrule", about, "Why does it go on?", {**(private or {}), **ids})


def refused_modal(title: str, sentence: str) -> Block:
    """In the place of a form that has no input under which a refusal could stand."""
    view = _view("refused", title, "-", {}, [section(prose(sentence, 1200))])
    return {name: value for name, value in view.items() if name != "submit"}


def _modal(callback_id: str, title: str, submit: str, about: str, label: str, private: Mapping[str, Any]) -> Block:
    """One reason to type."""
    field = _input(REASON, label, REASON_MIN, REASON_MAX)
    field["element"].update({"multiline": True, "focus_on_load": True})
    return _view(callback_id, title, submit, private, [section(about), field])


def _view(callback_id: str, title: str, submit: str, private: Mapping[str, Any], blocks: Sequence[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain_text(title, 24),
        "submit": plain_text(submit, 24),
        "close": plain_text("Back", 24),
        "private_metadata": json.dumps(private, separators=(",", ":")),
        "blocks": list(blocks),
    }


def _input(name: str, label: str, shortest: int, longest: int) -> Block:
    """A line to type; `name` is its block_id and its action_id."""
    return {
        "type": "input",
        "block_id": name,
        "label": plain_text(label, 100),
        "element": {
            "type": "plain_text_input",
            "action_id": name,
            "min_length": shortest,
            "max_length": longest,
        },
    }
