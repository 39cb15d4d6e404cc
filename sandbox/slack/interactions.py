"""What a person does in the workspace, from the deed to the bot's ack and what it shows them.

Every function returns what the page gets: {"ok": true}, or {"ok": false, "error": …} in Slack's words.
"""

from collections.abc import Mapping

from sandbox.slack import elements, payloads
from sandbox.slack.bot import Bot
from sandbox.slack.content import problems_of
from sandbox.slack.model import SLACKBOT, Message, Refused, View
from sandbox.slack.replies import show
from sandbox.slack.rules import Json
from sandbox.slack.sockets import NotAcknowledged
from sandbox.slack.workspace import Workspace

Given = Mapping[str, object]


async def command(workspace: Workspace, bot: Bot, user: str, channel: str, text: str, thread_ts: str | None) -> Json:
    """Type a slash command. What goes wrong is also told by Slackbot, to this person alone."""
    name, _, rest = text.strip().partition(" ")
    with workspace.lock:
        where = workspace.visible(user, channel)
        if thread_ts:
            return _slackbot(workspace, user, channel, f"{name} is not supported in threads. Sorry!", thread_ts)
        if name not in {known.command for known in workspace.commands}:
            return _slackbot(workspace, user, channel, f"{name} is not a valid command.")
        payload = payloads.command(workspace, workspace.directory.user(user), where, name, rest.strip())
    try:
        reply = await bot.command(payload)
    except NotAcknowledged as failed:
        _slackbot(workspace, user, channel, f"{name} failed with the error `{failed.error}`")
        return {"ok": False, "error": failed.error}
    if reply.get("text") or reply.get("blocks"):
        try:
            with workspace.lock:
                show(workspace, user, where, reply)
        except Refused as refused:
            # Slack took the ack and drops what it can't show; the person sees nothing.
            workspace.note_refusal(f"ack of {name}", refused.error, problems_of(refused))
    return {"ok": True}


async def click(workspace: Workspace, bot: Bot, user: str, message: Message, given: Given) -> Json:
    """Use an element of a message; raises elements.NotOffered.

    A click on what stood there a moment ago, while the message was being updated, counts: updates and clicks cross.
    """
    with workspace.lock:
        blocks = _shown(message, given.get("block_id"))
        element = elements.find(blocks, given.get("block_id"), given.get("action_id"))
        channel = workspace.visible(user, message.channel)
        action = elements.action(element, str(given["block_id"]), given, _action_ts(workspace))
        values = elements.state(blocks, _state(given, action))
        person = workspace.directory.user(user)
        payload = payloads.message_action(workspace, person, channel, message, action, values)
    return await _interactive(bot, payload)


def _shown(message: Message, block_id: object) -> tuple[Json, ...]:
    """The blocks, of now or of before an update, that have this one among them; those of now where none has."""
    now = message.blocks or ()
    versions = (now, *message.earlier)
    return next((blocks for blocks in versions if any(each["block_id"] == block_id for each in blocks)), now)


async def view_click(workspace: Workspace, bot: Bot, user: str, view: View, given: Given) -> Json:
    with workspace.lock:
        element = elements.find(view.blocks, given.get("block_id"), given.get("action_id"))
        action = elements.action(element, str(given["block_id"]), given, _action_ts(workspace))
        values = elements.state(view.blocks, _state(given, action))
        payload = payloads.view_action(workspace, workspace.directory.user(user), view, action, values)
    return await _interactive(bot, payload)


async def open_home(workspace: Workspace, bot: Bot, user: str) -> Json:
    with workspace.lock:
        payload = payloads.home_opened(workspace, workspace.directory.user(user), workspace.direct(user))
    try:
        await bot.event(payload)
    except NotAcknowledged as failed:
        return {"ok": False, "error": failed.error}
    return {"ok": True}


async def _interactive(bot: Bot, payload: Json) -> Json:
    try:
        await bot.interactive(payload)
    except NotAcknowledged as failed:
        return {"ok": False, "error": failed.error}
    return {"ok": True}


def _state(given: Given, action: Json) -> dict[str, dict[str, Json]]:
    """What the page says that the surface's inputs hold, and in it what was done just now."""
    sent = given.get("state")
    entered = sent.get("values", sent) if isinstance(sent, dict) else {}
    values = {block_id: dict(fields) for block_id, fields in entered.items()}
    values.setdefault(action["block_id"], {})[action["action_id"]] = action
    return values


def _action_ts(workspace: Workspace) -> str:
    return f"{workspace.clock.now().timestamp():.6f}"


def _slackbot(workspace: Workspace, user: str, channel: str, text: str, thread_ts: str | None = None) -> Json:
    with workspace.lock:
        where = workspace.directory.channel(channel)
        workspace.post(where, SLACKBOT, text, thread_ts=thread_ts, ephemeral_to=user)
    return {"ok": False, "error": text}
