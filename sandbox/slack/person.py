"""The person's side: what the page, and a test in its place, asks and does. JSON in, JSON out.

Bad input answers 400 {"error": one sentence}; what isn't there, or not for this person to see, 404.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.slack import interactions, submissions
from sandbox.slack.bot import Bot
from sandbox.slack.elements import NotOffered
from sandbox.slack.model import BOT, Channel, Message, Refused, View
from sandbox.slack.rules import Json
from sandbox.slack.shapes import view_json
from sandbox.slack.stream import event_stream
from sandbox.slack.workspace import Workspace


class BadRequest(Exception):
    pass


def person_routes(workspace: Workspace, bot: Bot) -> list[Route]:
    reads: dict[str, Callable[[Workspace, Json], Json]] = {
        "state": _state,
        "history": _history,
        "replies": _replies,
        "view": _view,
        "home": _home,
    }
    deeds: dict[str, Callable[[Workspace, Bot, Json], Awaitable[Json]]] = {
        "command": _command,
        "message": _message,
        "action": _action,
        "view/action": _view_action,
        "view/submit": _submit,
        "view/close": _close,
        "home/open": _open_home,
    }

    def read(run: Callable[[Workspace, Json], Json]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                with workspace.lock:
                    return JSONResponse(run(workspace, dict(request.query_params)))
            except Refused as missing:
                return JSONResponse({"error": missing.error}, 404)

        return endpoint

    def do(run: Callable[[Workspace, Bot, Json], Awaitable[Json]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                return JSONResponse(await run(workspace, bot, await _body(request)))
            except Refused as missing:
                return JSONResponse({"ok": False, "error": missing.error}, 404)
            except (BadRequest, NotOffered) as wrong:
                return JSONResponse({"ok": False, "error": str(wrong)}, 400)

        return endpoint

    async def events(request: Request) -> Response:
        return event_stream(workspace, request.query_params.get("user", ""))

    async def file(request: Request) -> Response:
        try:
            with workspace.lock:
                found = workspace.uploads.get(request.path_params["id"])
        except Refused as missing:
            return JSONResponse({"error": missing.error}, 404)
        # Whatever was uploaded must not run as a page of this origin.
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name)}",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(found.content, media_type=found.mimetype, headers=headers)

    async def permalink(request: Request) -> Response:
        digits = request.path_params["digits"]
        return RedirectResponse(f"/#channel={request.path_params['channel']}&ts={digits[:-6]}.{digits[-6:]}", 302)

    base = "/sandbox/slack"
    return [
        *(Route(f"{base}/{name}", read(run), methods=["GET"]) for name, run in reads.items()),
        *(Route(f"{base}/{name}", do(run), methods=["POST"]) for name, run in deeds.items()),
        Route(f"{base}/events", events, methods=["GET"]),
        Route(f"{base}/files/{{id}}", file, methods=["GET"]),
        Route("/archives/{channel}/p{digits}", permalink, methods=["GET"]),
    ]


def _state(workspace: Workspace, query: Json) -> Json:
    directory = workspace.directory
    user = directory.user(query.get("user"))
    return {
        "team": {"id": directory.team_id, "name": directory.team_name},
        "users": [
            {
                "id": known.id,
                "name": known.name,
                "real_name": known.real_name,
                "title": known.title,
                "tz": known.tz,
                "is_bot": known.is_bot,
            }
            for known in directory.users.values()
        ],
        "groups": [{"id": group.id, "handle": group.handle} for group in directory.groups.values()],
        "channels": [_channel(workspace, user.id, channel) for channel in directory.seen_by(user.id)],
        "commands": [{"command": known.command, "usage_hint": known.usage_hint} for known in workspace.commands],
    }


def _channel(workspace: Workspace, user: str, channel: Channel) -> Json:
    shown: Json = {"id": channel.id, "name": channel.name, "kind": channel.kind}
    seen = [message for message in workspace.posts.seen_in(channel.id, user) if not message.is_reply]
    shown["latest"] = seen[-1].ts if seen else None
    if channel.kind == "dm":
        return {**shown, "name": workspace.bot.name, "with": BOT}
    return {**shown, "members": sorted(channel.members), "archived": channel.is_archived}


def _history(workspace: Workspace, query: Json) -> Json:
    user = str(query.get("user"))
    channel = workspace.visible(user, query.get("channel"))
    seen = workspace.posts.seen_in(channel.id, user)
    replies = Counter(message.thread_ts for message in seen if message.is_reply and not message.ephemeral_to)
    return {"messages": [_shown(message, replies[message.ts]) for message in seen if not message.is_reply]}


def _replies(workspace: Workspace, query: Json) -> Json:
    user = str(query.get("user"))
    channel = workspace.visible(user, query.get("channel"))
    thread = workspace.posts.replies(channel.id, str(query.get("ts")), user)
    count = sum(message.is_reply and not message.ephemeral_to for message in thread)
    return {"messages": [_shown(message, 0 if message.is_reply else count) for message in thread]}


def _shown(message: Message, reply_count: int) -> Json:
    return {
        "ts": message.ts,
        "channel": message.channel,
        "user": message.user,
        "text": message.text,
        "blocks": list(message.blocks) if message.blocks else None,
        "thread_ts": message.thread_ts,
        "reply_count": reply_count,
        "edited": message.edited,
        "ephemeral": message.ephemeral_to is not None,
        "files": [
            {
                "id": file.id,
                "name": file.name,
                "size": file.size,
                "mimetype": file.mimetype,
                "url": f"/sandbox/slack/files/{file.id}",
            }
            for file in message.files
        ],
        "reactions": list(message.reactions),
        "at": message.at.isoformat(),
    }


def _view(workspace: Workspace, query: Json) -> Json:
    stack = workspace.modals.stack(str(query.get("user")))
    return {"view": view_json(workspace, stack[-1]) if stack else None, "stack_depth": len(stack)}


def _home(workspace: Workspace, query: Json) -> Json:
    home = workspace.modals.home(str(query.get("user")))
    return {"view": view_json(workspace, home) if home else None}


async def _command(workspace: Workspace, bot: Bot, body: Json) -> Json:
    thread = body.get("thread_ts")
    user, channel, text = _text(body, "user"), _text(body, "channel"), _text(body, "text")
    if not text.startswith("/"):
        raise BadRequest("a command starts with /")
    return await interactions.command(workspace, bot, user, channel, text, thread)


async def _message(workspace: Workspace, bot: Bot, body: Json) -> Json:
    """Say something. Slack escapes what a person types, so that nobody can forge a mention."""
    typed = _text(body, "text").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    with workspace.lock:
        channel = workspace.visible(_text(body, "user"), body.get("channel"))
        if channel.is_archived:
            raise BadRequest("this channel is archived")
        if body.get("thread_ts"):
            workspace.posts.get(channel.id, body["thread_ts"])
        message = workspace.post(channel, body["user"], typed, thread_ts=body.get("thread_ts"))
    return {"ok": True, "ts": message.ts}


async def _action(workspace: Workspace, bot: Bot, body: Json) -> Json:
    user = _text(body, "user")
    with workspace.lock:
        channel = workspace.visible(user, body.get("channel"))
        message = workspace.posts.get(channel.id, body.get("ts"))
        if message.ephemeral_to not in (None, user):
            raise Refused("message_not_found")
    return await interactions.click(workspace, bot, user, message, body)


async def _view_action(workspace: Workspace, bot: Bot, body: Json) -> Json:
    return await interactions.view_click(workspace, bot, _text(body, "user"), _open_view(workspace, body), body)


async def _submit(workspace: Workspace, bot: Bot, body: Json) -> Json:
    values = body.get("values") or {}
    if not _is_state(values):
        raise BadRequest("values is an object of block_id → action_id → what was entered")
    return await submissions.submit(workspace, bot, _open_modal(workspace, body), values)


async def _close(workspace: Workspace, bot: Bot, body: Json) -> Json:
    return await submissions.close(workspace, bot, _open_modal(workspace, body))


async def _open_home(workspace: Workspace, bot: Bot, body: Json) -> Json:
    return await interactions.open_home(workspace, bot, _text(body, "user"))


def _open_view(workspace: Workspace, body: Json) -> View:
    with workspace.lock:
        return workspace.modals.get(_text(body, "user"), body.get("view_id"))


def _open_modal(workspace: Workspace, body: Json) -> View:
    view = _open_view(workspace, body)
    if view.kind != "modal":
        raise BadRequest("only a modal is submitted or closed")
    return view


async def _body(request: Request) -> Json:
    try:
        body = await request.json()
    except ValueError as bad:
        raise BadRequest("the body is not JSON") from bad
    if not isinstance(body, dict):
        raise BadRequest("the body is not a JSON object")
    state = body.get("state")
    if state is not None and not (isinstance(state, dict) and _is_state(state.get("values", state))):
        raise BadRequest("state is an object of block_id → action_id → what it holds")
    return body


def _is_state(values: object) -> bool:
    return isinstance(values, dict) and all(
        isinstance(fields, dict) and all(isinstance(entered, dict) for entered in fields.values())
        for fields in values.values()
    )


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{name} is missing")
    return value
