"""The payloads that Slack sends to the bot, field by field as its reference shows them."""

import uuid

from sandbox.slack.model import BOT, Channel, Message, User, View
from sandbox.slack.rules import Json
from sandbox.slack.shapes import message_json, view_json
from sandbox.slack.workspace import APP_ID, Workspace

_VERIFICATION_TOKEN = "sandbox-verification-token"


def command(workspace: Workspace, user: User, channel: Channel, name: str, text: str) -> Json:
    """A slash command: flat strings, since over HTTP it is a form. The text is as typed (no `should_escape`)."""
    directory = workspace.directory
    return {
        "token": _VERIFICATION_TOKEN,
        "team_id": directory.team_id,
        "team_domain": directory.team_name.lower(),
        "channel_id": channel.id,
        "channel_name": "directmessage" if channel.kind == "dm" else channel.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url(workspace, user, channel, None),
        "trigger_id": workspace.tickets.new_trigger(user.id),
    }


def message_action(
    workspace: Workspace, user: User, channel: Channel, message: Message, action: Json, values: Json
) -> Json:
    shown = {} if message.ephemeral_to else {"message": message_json(workspace, message)}
    return {
        **_interaction(workspace, "block_actions", user),
        "trigger_id": workspace.tickets.new_trigger(user.id),
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": message.ephemeral_to is not None,
        },
        "channel": {"id": channel.id, "name": "directmessage" if channel.kind == "dm" else channel.name},
        **shown,
        "state": {"values": values},
        "response_url": response_url(workspace, user, channel, message),
        "actions": [action],
    }


def view_action(workspace: Workspace, user: User, view: View, action: Json, values: Json) -> Json:
    return {
        **_interaction(workspace, "block_actions", user),
        "trigger_id": workspace.tickets.new_trigger(user.id, _modal(view)),
        "container": {"type": "view", "view_id": view.id},
        "view": view_json(workspace, view, values),
        "actions": [action],
    }


def view_submission(workspace: Workspace, user: User, view: View, values: Json) -> Json:
    return {
        **_interaction(workspace, "view_submission", user),
        "trigger_id": workspace.tickets.new_trigger(user.id, _modal(view)),
        "view": view_json(workspace, view, values),
        "response_urls": [],
    }


def view_closed(workspace: Workspace, user: User, view: View, is_cleared: bool) -> Json:
    return {
        **_interaction(workspace, "view_closed", user),
        "view": view_json(workspace, view),
        "is_cleared": is_cleared,
    }


def home_opened(workspace: Workspace, user: User, channel: Channel) -> Json:
    """The Events API's envelope around `app_home_opened`."""
    home = workspace.modals.home(user.id)
    now = workspace.clock.now().timestamp()
    event: Json = {
        "type": "app_home_opened",
        "user": user.id,
        "channel": channel.id,
        "tab": "home",
        "event_ts": f"{now:.6f}",
    }
    if home:
        event["view"] = view_json(workspace, home)
    team = workspace.directory.team_id
    return {
        "token": _VERIFICATION_TOKEN,
        "team_id": team,
        "api_app_id": APP_ID,
        "type": "event_callback",
        "event": event,
        "event_id": f"Ev{uuid.uuid4().hex[:10].upper()}",
        "event_time": int(now),
        "authorizations": [{"team_id": team, "user_id": BOT, "is_bot": True, "is_enterprise_install": False}],
    }


def response_url(workspace: Workspace, user: User, channel: Channel, message: Message | None) -> str:
    token = workspace.tickets.new_response(user.id, channel.id, message.ts if message else None)
    return f"{workspace.url}/response/{token}"


def _interaction(workspace: Workspace, kind: str, user: User) -> Json:
    directory = workspace.directory
    return {
        "type": kind,
        "token": _VERIFICATION_TOKEN,
        "api_app_id": APP_ID,
        "team": {"id": directory.team_id, "domain": directory.team_name.lower()},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": directory.team_id},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _modal(view: View) -> str | None:
    return view.id if view.kind == "modal" else None
