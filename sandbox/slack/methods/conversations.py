"""conversations.*: channels and direct messages, and what was said in them."""

from sandbox.slack.limits import TIER_2, TIER_3, TIER_4
from sandbox.slack.methods.method import Args, Method, page
from sandbox.slack.model import BOT, Channel, Message, Refused
from sandbox.slack.rules import Json
from sandbox.slack.shapes import channel_json, message_json
from sandbox.slack.workspace import Workspace


def open_(workspace: Workspace, args: Args) -> Json:
    if args.maybe("channel"):
        return {"channel": {"id": workspace.directory.channel(args.get("channel")).id}}
    users = [user.strip() for user in (args.maybe("users") or "").split(",") if user.strip()]
    if not users:
        raise Refused("users_list_not_supplied")
    if len(users) > 1:
        # A group of people needs a scope that this workspace never grants.
        provided = ",".join(sorted(workspace.scopes))
        raise Refused("missing_scope", needed="mpim:write", provided=provided)
    known = len(workspace.directory.channels)
    channel = workspace.direct(users[0])
    shown = channel_json(channel) if args.flag("return_im") else {"id": channel.id}
    return {"channel": shown, "already_open": len(workspace.directory.channels) == known}


def info(workspace: Workspace, args: Args) -> Json:
    return {"channel": channel_json(_known(workspace, args))}


def list_(workspace: Workspace, args: Args) -> Json:
    types = set((args.maybe("types") or "public_channel").split(","))
    if not types <= {"public_channel", "private_channel", "im", "mpim"}:
        raise Refused("invalid_types")
    found = [
        channel
        for channel in workspace.directory.channels.values()
        if _type(channel) in types and not (channel.is_archived and args.flag("exclude_archived"))
        if _type(channel) == "public_channel" or BOT in channel.members
    ]
    shown, following = page(found, args)
    return {"channels": [channel_json(channel) for channel in shown], **following}


def members(workspace: Workspace, args: Args) -> Json:
    shown, following = page(sorted(_known(workspace, args).members), args)
    return {"members": list(shown), **following}


def replies(workspace: Workspace, args: Args) -> Json:
    channel = _readable(workspace, args)
    thread = workspace.posts.replies(channel.id, args.text("ts", "thread_not_found"))
    if not thread:
        raise Refused("thread_not_found")
    return _messages(workspace, thread, args)


def history(workspace: Workspace, args: Args) -> Json:
    """Newest first, without replies; `oldest` and `latest` are excluded themselves unless `inclusive`."""
    channel = _readable(workspace, args)
    low, high = args.maybe("oldest") or "0", args.maybe("latest") or "9999999999"
    between = [
        message
        for message in reversed(workspace.posts.seen_in(channel.id))
        if not message.is_reply
        and (float(low) < float(message.ts) < float(high) or (args.flag("inclusive") and message.ts in (low, high)))
    ]
    return _messages(workspace, between, args)


def _messages(workspace: Workspace, messages: list[Message], args: Args) -> Json:
    shown, following = page(messages, args)
    more = bool(following["response_metadata"]["next_cursor"])
    return {"messages": [message_json(workspace, message) for message in shown], "has_more": more, **following}


def _type(channel: Channel) -> str:
    return "im" if channel.kind == "dm" else "private_channel" if channel.is_private else "public_channel"


def _known(workspace: Workspace, args: Args) -> Channel:
    channel = workspace.directory.channel(args.text("channel", "channel_not_found"))
    if channel.is_private and BOT not in channel.members:
        raise Refused("channel_not_found")
    return channel


def _readable(workspace: Workspace, args: Args) -> Channel:
    channel = _known(workspace, args)
    if BOT not in channel.members:
        raise Refused("not_in_channel")
    return channel


_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
METHODS = {
    "conversations.open": Method(open_, TIER_3, ("im:write",)),
    "conversations.info": Method(info, TIER_3, _READ),
    "conversations.list": Method(list_, TIER_2, _READ),
    "conversations.members": Method(members, TIER_4, _READ),
    "conversations.replies": Method(replies, TIER_3, _HISTORY),
    "conversations.history": Method(history, TIER_3, _HISTORY),
}
