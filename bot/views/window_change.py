"""Before a maintenance window is disabled, enabled or deleted: a modal that says what that means. And the button that
opens the form to edit one, once its settings were read."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.views.blocks import Block, Rendered, actions, button, first, message, plain_text, section, sections
from bot.views.text import code, place, prose, several, when
from commands.window_fields import NAME
from patching.agenda import Opening
from patching.config import Environment
from patching.nodes import EnvironmentKey
from patching.planned import PlannedTask, PlannedWindow
from storage.window_orders import Action

CALLBACK: Final = "change-window"
EDIT: Final = "edit-window"
"""The button's action_id; its value is {"inquiry": number}."""

_WORDS: Final = {
    Action.DISABLE: ("Disable a window", "Disable", "It won't open any more until somebody enables it."),
    Action.ENABLE: ("Enable a window", "Enable", "It opens again by its schedule."),
    Action.DELETE: ("Delete a window", "Delete", "It is gone for good, with its targets and tasks."),
}
_TASKS_SHOWN = 8


def change_modal(
    action: Action,
    key: EnvironmentKey,
    environment: Environment,
    window: PlannedWindow,
    upcoming: Opening | None,
    waiting: Sequence[str],
    private: Mapping[str, Any],
) -> Block:
    """`upcoming`: its next execution as AWS last told; `waiting`: the ids of changes that are to start in it.

    Deleting asks for the window's name, in the input `name`.
    """
    title, submit, meaning = _WORDS[action]
    production = "PRODUCTION · " if environment.production else ""
    about = [
        f"*{code(window.name, 130)}* ({code(window.id)}) of *{production}{place(*key)}*, account "
        f"{code(environment.account)}, {code(environment.region)}.",
        meaning,
        *_tasks(action, window.tasks),
        *([] if action is Action.ENABLE else _waiting(waiting)),
        f"Schedule: {code(window.schedule, 260)} in {code(window.timezone)}. {_next(window, upcoming)}",
    ]
    blocks = sections(about)
    if action is Action.DELETE:
        blocks.append(
            {
                "type": "input",
                "block_id": NAME,
                "label": plain_text("Type the window's name", 100),
                "element": {"type": "plain_text_input", "action_id": NAME, "max_length": 128},
            }
        )
    return _view(title, submit, private, blocks)


def edit_offer(payload: Mapping[str, Any]) -> Rendered:
    """To the one who wants to edit a window.

    `payload`: application, environment, window_id, window_name, and either `error`, a sentence, or spec and read_at,
    which the form takes from here; `inquiry`, the number by which the button finds them.
    """
    where = place(str(payload["application"]), str(payload["environment"]))
    name = str(payload.get("window_name") or payload.get("window_id") or "?")
    if payload.get("error"):
        text = f"The window {code(name, 130)} of {where} can't be edited: {prose(str(payload['error']), 900)}"
        return text, [section(f":x: {text}")]
    text = f"The settings of the window {code(name, 130)} of {where} are read."
    edit = button(f"Edit {name}", EDIT, {"inquiry": payload["inquiry"]}, style="primary")
    return message(text, [section(text), actions(edit)])


def _tasks(action: Action, tasks: Sequence[PlannedTask]) -> list[str]:
    if not tasks:
        return ["It has no task."]
    shown = first([f"• {_task(each)}" for each in tasks], _TASKS_SHOWN, "tasks")
    return ["What runs in it:" if action is Action.ENABLE else "What no longer runs then:", *shown]


def _task(task: PlannedTask) -> str:
    document = code(task.document, 130)
    return document if task.operation is None else f"{document}: {prose(str(task.operation), 40)}"


def _waiting(refs: Sequence[str]) -> list[str]:
    if not refs:
        return []
    waits = f"{several(refs)} {'waits' if len(refs) == 1 else 'wait'} for it"
    return [f":warning: {waits}: then for the next window of the same nodes, and where there is none, no longer."]


def _next(window: PlannedWindow, upcoming: Opening | None) -> str:
    if not window.enabled:
        return "It is disabled now."
    return f"It opens next {when(upcoming.opens)}." if upcoming else "AWS plans no execution in the next weeks."


def _view(title: str, submit: str, private: Mapping[str, Any], blocks: Sequence[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain_text(title, 24),
        "submit": plain_text(submit, 24),
        "close": plain_text("Back", 24),
        "private_metadata": json.dumps(private, separators=(",", ":")),
        "blocks": list(blocks),
    }
