"""chat.*, reactions.add: what the bot says, and changes of it."""

from sandbox.slack.content import POST_LIMIT, UPDATE_LIMIT, Content, checked
from sandbox.slack.limits import PER_WORKSPACE, SPECIAL, TIER_3, TIER_4
from sandbox.slack.methods.method import Args, Method, invalid_arguments
from sandbox.slack.model import BOT, Channel, Message, Refused
from sandbox.slack.rules import Json
from sandbox.slack.shapes import message_json
from sandbox.slack.workspace import Workspace


def post_message(workspace: Workspace, args: Args) -> Json:
    channel = _where_to_write(workspace, args)
    content = _content(args, POST_LIMIT)
    thread = _thread(workspace, channel, args)
    message = workspace.post(channel, BOT, content.text, content.blocks, thread)
    return {"channel": channel.id, "ts": message.ts, "message": message_json(workspace, message)}


def post_ephemeral(workspace: Workspace, args: Args) -> Json:
    channel = workspace.directory.channel(args.text("channel", "channel_not_found"))
    if channel.is_archived:
        raise Refused("is_archived")
    if args.text("user") not in channel.members:
        raise Refused("user_not_in_channel")
    if BOT not in channel.members:
        raise Refused("not_in_channel")
    content = _content(args, POST_LIMIT)
    thread = _thread(workspace, channel, args)
    message = workspace.post(channel, BOT, content.text, content.blocks, thread, ephemeral_to=args.text("user"))
    return {"message_ts": message.ts}


def update(workspace: Workspace, args: Args) -> Json:
    """`text` without `blocks` takes the blocks away and marks the message as edited, as Slack documents."""
    message = _own(workspace, args, "cant_update_message")
    content = _content(args, UPDATE_LIMIT)
    new = workspace.rewrite(message, content.text, content.blocks, edited=message.edited or content.blocks is None)
    return {"channel": new.channel, "ts": new.ts, "text": new.text, "message": message_json(workspace, new)}


def delete(workspace: Workspace, args: Args) -> Json:
    message = _own(workspace, args, "cant_delete_message")
    workspace.remove(message)
    return {"channel": message.channel, "ts": message.ts}


def permalink(workspace: Workspace, args: Args) -> Json:
    channel = workspace.directory.channel(args.text("channel", "channel_not_found"))
    message = workspace.posts.get(channel.id, args.text("message_ts", "message_not_found"))
    link = f"{workspace.url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def react(workspace: Workspace, args: Args) -> Json:
    channel = workspace.directory.channel(args.text("channel", "channel_not_found"))
    message = workspace.posts.get(channel.id, args.text("timestamp", "no_item_specified"))
    workspace.posts.react(message, args.text("name", "invalid_name"))
    return {}


def _where_to_write(workspace: Workspace, args: Args) -> Channel:
    id = args.text("channel", "channel_not_found")
    if id in workspace.directory.users:
        return workspace.direct(id)
    channel = workspace.directory.channel(id)
    if BOT not in channel.members:
        if channel.is_private:
            raise Refused("channel_not_found")
        if "chat:write.public" not in workspace.scopes:
            raise Refused("not_in_channel")
    if channel.is_archived:
        raise Refused("is_archived")
    return channel


def _content(args: Args, limit: int) -> Content:
    for name in ("attachments", "markdown_text"):
        if args.get(name):
            raise invalid_arguments(f"{name} is not served by the sandbox's workspace [json-pointer:/{name}]")
    return checked(args.get("text"), args.decoded("blocks", "invalid_blocks_format"), limit)


def _thread(workspace: Workspace, channel: Channel, args: Args) -> str | None:
    """The thread to answer in. Slack starts threads only at messages that are themselves in none."""
    ts = args.maybe("thread_ts")
    if ts is None:
        return None
    try:
        parent = workspace.posts.get(channel.id, ts)
    except Refused as missing:
        raise Refused("cannot_reply_to_message") from missing
    if parent.is_reply or parent.ephemeral_to:
        raise Refused("cannot_reply_to_message")
    return ts


def _own(workspace: Workspace, args: Args, error: str) -> Message:
    channel = workspace.directory.channel(args.text("channel", "channel_not_found"))
    message = workspace.posts.get(channel.id, args.text("ts", "message_not_found"))
    if message.ephemeral_to:
        raise Refused("message_not_found")
    if message.user != BOT:
        raise Refused(error)
    if channel.is_archived:
        raise Refused("is_archived")
    return message


METHODS = {
    "chat.postMessage": Method(post_message, PER_WORKSPACE, ("chat:write",)),
    "chat.postEphemeral": Method(post_ephemeral, TIER_4, ("chat:write",)),
    "chat.update": Method(update, TIER_3, ("chat:write",)),
    "chat.delete": Method(delete, TIER_3, ("chat:write",)),
    "chat.getPermalink": Method(permalink, SPECIAL),
    "reactions.add": Method(react, TIER_3, ("reactions:write",)),
}
