"""Submitting and closing modals: what the bot's ack makes of the stack of views."""

from collections.abc import Mapping

from sandbox.slack import elements, payloads
from sandbox.slack.bot import Bot
from sandbox.slack.content import problems_of
from sandbox.slack.methods.views import checked_view
from sandbox.slack.model import Refused, View
from sandbox.slack.rules import Json
from sandbox.slack.sockets import NotAcknowledged
from sandbox.slack.workspace import Workspace

TROUBLE = "We had some trouble connecting. Try again?"
"""What Slack's form says when the bot doesn't answer, or answers what Slack can't use."""


async def submit(
    workspace: Workspace, bot: Bot, view: View, values: Mapping[str, Mapping[str, Mapping[str, object]]]
) -> Json:
    """Returns {"ok": true}, {"ok": false, "errors": {block_id: text}}, or {"ok": false, "error": …}.

    Raises elements.NotOffered for a choice that the view doesn't offer.
    """
    entered = elements.state(view.blocks, values)
    errors = elements.unfit(view.blocks, entered)
    if errors:
        return {"ok": False, "errors": errors}
    with workspace.lock:
        payload = payloads.view_submission(workspace, workspace.directory.user(view.user), view, entered)
    try:
        answer = await bot.interactive(payload)
    except NotAcknowledged as failed:
        return {"ok": False, "error": failed.error}
    try:
        with workspace.lock:
            return _apply(workspace, view, answer)
    except Refused as refused:
        workspace.note_refusal("ack of view_submission", refused.error, problems_of(refused))
        return {"ok": False, "error": TROUBLE}


async def close(workspace: Workspace, bot: Bot, view: View) -> Json:
    """Close a modal and those above it; the bot hears of each that asked for it (`notify_on_close`)."""
    with workspace.lock:
        person = workspace.directory.user(view.user)
        stack = workspace.modals.stack(view.user)
        closed = workspace.modals.close(stack[0] if view.body.get("clear_on_close") and stack else view)
        cleared = len(closed) > 1
        told = [payloads.view_closed(workspace, person, v, cleared) for v in closed if v.body.get("notify_on_close")]
        workspace.view_changed(view.user)
    for payload in told:
        try:
            await bot.interactive(payload)
        except NotAcknowledged as failed:
            return {"ok": False, "error": failed.error}
    return {"ok": True}


def _apply(workspace: Workspace, view: View, answer: Json) -> Json:
    match answer.get("response_action"):
        case "errors":
            return {"ok": False, "errors": _errors(view, answer.get("errors"))}
        case "update":
            current = workspace.modals.find(view.id, None)
            workspace.modals.update(current, checked_view(answer.get("view"), "modal"))
        case "push":
            workspace.modals.push(view.user, checked_view(answer.get("view"), "modal"))
        case "clear":
            for bottom in workspace.modals.stack(view.user)[:1]:
                workspace.modals.close(bottom)
        case None:
            workspace.modals.close(view)
        case other:
            raise Refused("invalid_response_action", errors=[f"unknown response_action: {other}"])
    workspace.view_changed(view.user)
    return {"ok": True}


def _errors(view: View, errors: object) -> dict[str, str]:
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        raise Refused("invalid_arguments", errors=["missing required field: errors [json-pointer:/errors]"])
    unknown = [str(block_id) for block_id in errors if block_id not in inputs]
    if unknown:
        raise Refused("invalid_arguments", errors=[f"no input block: {block_id}" for block_id in unknown])
    return {str(block_id): str(text) for block_id, text in errors.items()}
