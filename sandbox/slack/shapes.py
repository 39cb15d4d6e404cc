"""The JSON in which Slack shows its users, channels, messages and views to the bot."""

from sandbox.slack.model import BOT, Channel, File, Group, Message, User, View
from sandbox.slack.rules import Json
from sandbox.slack.workspace import APP_ID, BOT_ID, Workspace


def user_json(workspace: Workspace, user: User) -> Json:
    profile = {"real_name": user.real_name, "display_name": user.name, "title": user.title}
    if user.email and "users:read.email" in workspace.scopes:
        profile["email"] = user.email
    return {
        "id": user.id,
        "team_id": workspace.directory.team_id,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": False,
        "is_bot": user.is_bot,
        "tz": user.tz,
        "profile": profile,
    }


def channel_json(channel: Channel) -> Json:
    if channel.kind == "dm":
        return {"id": channel.id, "is_im": True, "is_channel": False, "user": channel.person, "is_archived": False}
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": True,
        "is_im": False,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_member": BOT in channel.members,
        "num_members": len(channel.members),
    }


def group_json(group: Group, with_users: bool) -> Json:
    shown: Json = {
        "id": group.id,
        "is_usergroup": True,
        "handle": group.handle,
        "name": group.name,
        "user_count": len(group.users),
        "date_delete": 0,
    }
    return {**shown, "users": list(group.users)} if with_users else shown


def file_json(file: File) -> Json:
    return {"id": file.id, "name": file.name, "title": file.title, "mimetype": file.mimetype, "size": file.size}


def message_json(workspace: Workspace, message: Message) -> Json:
    shown: Json = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": workspace.directory.team_id,
    }
    if message.user == BOT:
        shown |= {"bot_id": BOT_ID, "app_id": APP_ID}
    if message.blocks:
        shown["blocks"] = list(message.blocks)
    if message.thread_ts:
        shown["thread_ts"] = message.thread_ts
    if message.edited:
        shown["edited"] = {"user": message.user, "ts": message.ts}
    if message.files:
        shown["files"] = [file_json(file) for file in message.files]
    if message.reactions:
        shown["reactions"] = [{"name": name, "users": [BOT], "count": 1} for name in message.reactions]
    return shown


def view_json(workspace: Workspace, view: View, values: Json | None = None) -> Json:
    """A view as the bot gets it back; `values` is what its inputs hold."""
    body = view.body
    return {
        "id": view.id,
        "team_id": workspace.directory.team_id,
        "type": view.kind,
        "title": body.get("title"),
        "submit": body.get("submit"),
        "close": body.get("close"),
        "blocks": view.blocks,
        "private_metadata": body.get("private_metadata", ""),
        "callback_id": body.get("callback_id", ""),
        "external_id": body.get("external_id", ""),
        "state": {"values": values or {}},
        "hash": view.hash,
        "clear_on_close": body.get("clear_on_close", False),
        "notify_on_close": body.get("notify_on_close", False),
        "root_view_id": view.root,
        "previous_view_id": view.previous,
        "app_id": APP_ID,
        "bot_id": BOT_ID,
    }
