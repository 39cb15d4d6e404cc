"""POST /api/<method>: who calls, whether they may, whether Slack has a bad day; then the method itself."""

import asyncio
import json
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.slack.connection import drop
from sandbox.slack.content import problems_of
from sandbox.slack.faults import Fault
from sandbox.slack.limits import PER_CHANNEL, Rate
from sandbox.slack.methods import chat, conversations, files, people, views
from sandbox.slack.methods.method import Args, Method
from sandbox.slack.model import Call, Refused
from sandbox.slack.rules import Json
from sandbox.slack.workspace import Workspace

METHODS: Mapping[str, Method] = {
    **people.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **views.METHODS,
    **files.METHODS,
}


def web_api_routes(workspace: Workspace) -> list[Route]:
    async def call(request: Request) -> Response:
        name = request.path_params["method"]
        try:
            values = await _values(request)
        except Refused as refused:
            workspace.note_refusal(name, refused.error)
            return JSONResponse({"ok": False, "error": refused.error})
        token = request.headers.get("authorization", "").removeprefix("Bearer ") or str(values.pop("token", ""))
        return await _call(workspace, request, name, token, values)

    async def upload(request: Request) -> Response:
        content = await _uploaded(request)
        try:
            with workspace.lock:
                workspace.uploads.receive(request.path_params["ticket"], content)
        except Refused as refused:
            workspace.note_refusal("upload", refused.error)
            return PlainTextResponse(refused.error, 400)
        return PlainTextResponse(f"OK - {len(content)}")

    return [
        Route("/api/{method}", call, methods=["POST", "GET"]),
        Route("/upload/{ticket}", upload, methods=["POST", "PUT"]),
    ]


async def _call(workspace: Workspace, request: Request, name: str, token: str, values: Json) -> Response:
    fault = workspace.faults.take(name)
    if fault and fault.kind != "lost-reply" and fault.kind != "slow":
        return await _fail(workspace, request, name, values, fault)
    if fault and fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    try:
        with workspace.lock:
            answer = {"ok": True, **_run(workspace, name, token, Args(values))}
    except _Limited as limited:
        return _ratelimited(workspace, name, values, limited.seconds)
    except Refused as refused:
        answer = {"ok": False, "error": refused.error, **refused.more}
        workspace.note_refusal(name, refused.error, problems_of(refused))
    workspace.note_call(Call(name, values, workspace.clock.now(), answer.get("error")))
    if fault and fault.kind == "lost-reply":
        return await drop(request)
    scopes = {"x-oauth-scopes": ",".join(sorted(workspace.scopes))} if token == workspace.bot_token else {}
    return JSONResponse(answer, headers=scopes)


class _Limited(Exception):
    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def _run(workspace: Workspace, name: str, token: str, args: Args) -> Json:
    method = METHODS.get(name)
    if method is None:
        raise Refused("unknown_method", req_method=name)
    _check_token(workspace, method, token)
    if method.scopes and not workspace.scopes & set(method.scopes):
        needed, provided = ",".join(method.scopes), ",".join(sorted(workspace.scopes))
        raise Refused("missing_scope", needed=needed, provided=provided)
    wait = workspace.limits.take(_buckets(name, method, args)) if workspace.rate_limits else 0
    if wait:
        raise _Limited(wait)
    return method.run(workspace, args)


def _check_token(workspace: Workspace, method: Method, token: str) -> None:
    if not token:
        raise Refused("not_authed")
    if token not in (workspace.bot_token, workspace.app_token):
        raise Refused("invalid_auth")
    if (token == workspace.app_token) != method.app_level:
        raise Refused("not_allowed_token_type")


def _buckets(name: str, method: Method, args: Args) -> dict[str, Rate]:
    buckets = {name: method.rate}
    if name == "chat.postMessage":
        buckets[f"{name} in {args.maybe('channel')}"] = PER_CHANNEL
    return buckets


async def _fail(workspace: Workspace, request: Request, name: str, values: Json, fault: Fault) -> Response:
    if fault.kind == "ratelimited":
        return _ratelimited(workspace, name, values, int(fault.seconds) or 1)
    workspace.note_call(Call(name, values, workspace.clock.now(), fault.kind, 500))
    if fault.kind == "server-error":
        return PlainTextResponse("upstream error", 500)
    return await drop(request)


def _ratelimited(workspace: Workspace, name: str, values: Json, seconds: int) -> Response:
    workspace.note_call(Call(name, values, workspace.clock.now(), "ratelimited", 429))
    return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(seconds)})


async def _values(request: Request) -> Json:
    """The arguments, from the query, a form, or JSON; a call without arguments may carry JSON with no body."""
    values: Json = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        body = await request.body()
        return values | (_decoded(body) if body else {})
    async with request.form() as form:
        return values | {name: value for name, value in form.items() if isinstance(value, str)}


def _decoded(body: bytes) -> Json:
    try:
        decoded = json.loads(body)
    except ValueError as bad:
        raise Refused("invalid_json") from bad
    if not isinstance(decoded, dict):
        raise Refused("json_not_object")
    return decoded


async def _uploaded(request: Request) -> bytes:
    """The bytes as they are; from a multipart body those of its first file."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return await request.body()
    async with request.form() as form:
        for value in form.values():
            if not isinstance(value, str):
                return await value.read()
    return b""
