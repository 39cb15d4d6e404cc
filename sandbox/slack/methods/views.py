"""views.*: modals and the Home tab."""

import json

from sandbox.slack.blocks import VIEW_BYTES_LIMIT, check_view
from sandbox.slack.limits import TIER_4
from sandbox.slack.methods.method import Args, Method, invalid_arguments
from sandbox.slack.model import Refused, View
from sandbox.slack.rules import Json
from sandbox.slack.shapes import view_json
from sandbox.slack.workspace import Workspace


def open_(workspace: Workspace, args: Args) -> Json:
    trigger = workspace.tickets.check_trigger(args.maybe("trigger_id"))
    view = workspace.modals.open(trigger.user, checked_view(args.decoded("view", "invalid_arguments"), "modal"))
    trigger.used = True
    return _answer(workspace, view)


def push(workspace: Workspace, args: Args) -> Json:
    """A push needs the trigger of something done in a modal: any other can't say what to push upon."""
    trigger = workspace.tickets.check_trigger(args.maybe("trigger_id"))
    if trigger.from_view is None:
        raise Refused("invalid_trigger_id")
    view = workspace.modals.push(trigger.user, checked_view(args.decoded("view", "invalid_arguments"), "modal"))
    trigger.used = True
    return _answer(workspace, view)


def update(workspace: Workspace, args: Args) -> Json:
    old = workspace.modals.find(args.maybe("view_id"), args.maybe("external_id"))
    body = checked_view(args.decoded("view", "invalid_arguments"), old.kind)
    return _answer(workspace, workspace.modals.update(old, body, args.maybe("hash")))


def publish(workspace: Workspace, args: Args) -> Json:
    user = workspace.directory.user(args.text("user_id"), "invalid_user_id")
    if not workspace.home_enabled:
        raise Refused("not_enabled")
    body = checked_view(args.decoded("view", "invalid_arguments"), "home")
    return _answer(workspace, workspace.modals.publish(user.id, body, args.maybe("hash")))


def checked_view(body: object, kind: str) -> Json:
    """A view's body, or Slack's refusal of it."""
    if not isinstance(body, dict):
        raise invalid_arguments("must provide a view [json-pointer:/view]")
    if len(json.dumps(body)) > VIEW_BYTES_LIMIT:
        raise Refused("view_too_large")
    problems = check_view(body, kind)
    if problems:
        raise invalid_arguments(*(str(problem) for problem in problems))
    return body


def _answer(workspace: Workspace, view: View) -> Json:
    workspace.view_changed(view.user)
    return {"view": view_json(workspace, view)}


METHODS = {
    "views.open": Method(open_, TIER_4),
    "views.push": Method(push, TIER_4),
    "views.update": Method(update, TIER_4),
    "views.publish": Method(publish, TIER_4),
}
