"""What the bot shows in reply to somebody: in the ack of a command, and through a response URL."""

import asyncio
import json

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.slack.connection import drop
from sandbox.slack.content import checked, problems_of
from sandbox.slack.model import BOT, Channel, Message, Refused
from sandbox.slack.rules import Json
from sandbox.slack.tickets import ResponseUrl
from sandbox.slack.workspace import Workspace


def show(workspace: Workspace, user: str, channel: Channel, reply: Json) -> None:
    """Post a reply to this user alone, or to the channel for response_type "in_channel"; raises Refused."""
    content = checked(reply.get("text"), reply.get("blocks"))
    to = None if reply.get("response_type") == "in_channel" else user
    workspace.post(channel, BOT, content.text, content.blocks, reply.get("thread_ts"), ephemeral_to=to)


def response_routes(workspace: Workspace) -> list[Route]:
    async def respond(request: Request) -> Response:
        fault = workspace.faults.take("response_url")
        if fault and fault.kind == "server-error":
            return PlainTextResponse("upstream error", 500)
        if fault and fault.kind == "ratelimited":
            return PlainTextResponse("ratelimited", 429, {"Retry-After": str(int(fault.seconds) or 1)})
        if fault and fault.kind == "outage":
            return await drop(request)
        if fault and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        status, answer = _respond(workspace, request.path_params["token"], await request.body())
        if fault and fault.kind == "lost-reply":
            return await drop(request)
        return JSONResponse(answer, status)

    return [Route("/response/{token}", respond, methods=["POST"])]


def _respond(workspace: Workspace, token: str, body: bytes) -> tuple[int, Json]:
    """404 for a URL that is old or used up, 400 for a message that Slack refuses."""
    try:
        with workspace.lock:
            origin = workspace.tickets.use_response(token)
    except Refused as refused:
        workspace.note_refusal("response_url", refused.error)
        return 404, {"ok": False, "error": refused.error}
    try:
        reply = json.loads(body)
        if not isinstance(reply, dict):
            raise ValueError("not an object")
        with workspace.lock:
            _apply(workspace, origin, reply)
    except ValueError:
        workspace.note_refusal("response_url", "invalid_payload")
        return 400, {"ok": False, "error": "invalid_payload"}
    except Refused as refused:
        workspace.note_refusal("response_url", refused.error, problems_of(refused))
        return 400, {"ok": False, "error": refused.error}
    return 200, {"ok": True}


def _apply(workspace: Workspace, origin: ResponseUrl, reply: Json) -> None:
    original = _original(workspace, origin)
    if reply.get("delete_original"):
        if original is None:
            raise Refused("message_not_found")
        workspace.remove(original)
    elif reply.get("replace_original") and original:
        content = checked(reply.get("text"), reply.get("blocks"))
        workspace.rewrite(original, content.text, content.blocks, edited=original.ephemeral_to is None)
    else:
        show(workspace, origin.user, workspace.directory.channel(origin.channel), reply)


def _original(workspace: Workspace, origin: ResponseUrl) -> Message | None:
    if origin.message is None:
        return None
    try:
        return workspace.posts.get(origin.channel, origin.message)
    except Refused:
        return None
