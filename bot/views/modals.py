"""Modals: one reason to type, the ids it is about in `private_metadata`. Views for `views.open`."""

import json
from collections.abc import Mapping
from typing import Any, Final

from bot.views.blocks import Block, plain_text, section
from bot.views.text import place, prose, user, when
from storage.changes import Change
from storage.problems import Problem
from storage.runs import Run

REASON: Final = "reason"
"""Both the block_id and the action_id of the input: `view.state.values["reason"]["reason"]["value"]`."""
REASON_MIN, REASON_MAX = 5, 600  # characters; a card shows all of them


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


def _modal(callback_id: str, title: str, submit: str, about: str, label: str, private: Mapping[str, Any]) -> Block:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain_text(title, 24),
        "submit": plain_text(submit, 24),
        "close": plain_text("Back", 24),
        "private_metadata": json.dumps(private, separators=(",", ":")),
        "blocks": [
            section(about),
            {
                "type": "input",
                "block_id": REASON,
                "label": plain_text(label, 100),
                "element": {
                    "type": "plain_text_input",
                    "action_id": REASON,
                    "multiline": True,
                    "min_length": REASON_MIN,
                    "max_length": REASON_MAX,
                    "focus_on_load": True,
                },
            },
        ],
    }
