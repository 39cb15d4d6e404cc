"""The way to the bot: envelopes over Socket Mode, or signed HTTP requests; either way an ack in time, or none."""

import asyncio
import hashlib
import hmac
import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from sandbox.slack.rules import Json
from sandbox.slack.sockets import NotAcknowledged
from sandbox.slack.workspace import Workspace

_AT_ONCE = 64


class Bot:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._threads = ThreadPoolExecutor(_AT_ONCE, "to-bot")
        # Loopback must be reached directly, whatever proxy the environment names.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    async def command(self, payload: Json) -> Json:
        """Returns the ack's message ({} for none); raises NotAcknowledged."""
        return await self._send("slash_commands", payload, True, urllib.parse.urlencode(payload), _FORM)

    async def interactive(self, payload: Json) -> Json:
        body = urllib.parse.urlencode({"payload": json.dumps(payload)})
        takes_payload = payload["type"] == "view_submission"
        return await self._send("interactive", payload, takes_payload, body, _FORM)

    async def event(self, payload: Json) -> None:
        """Send an event, and once more when it isn't acknowledged, marked as Slack marks it."""
        try:
            await self._send("events_api", payload, False, json.dumps(payload), "application/json")
        except NotAcknowledged as first:
            reason = "timeout" if first.error == "operation_timeout" else "http_error"
            await self._send("events_api", payload, False, json.dumps(payload), "application/json", reason)

    async def _send(
        self, kind: str, payload: Json, takes_payload: bool, body: str, content_type: str, retry: str | None = None
    ) -> Json:
        url, seconds = self._workspace.request_url, self._workspace.ack_seconds
        if url is None:
            more = {"retry_attempt": 1, "retry_reason": retry} if retry else {}
            return await self._workspace.sockets.deliver(kind, payload, takes_payload, seconds, **more)
        headers = {"Content-Type": content_type, **sign(self._workspace.signing_secret, body)}
        if retry:
            headers |= {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": retry}
        request = urllib.request.Request(url, body.encode(), headers, method="POST")
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._post, request)
        except TimeoutError as late:
            raise NotAcknowledged("operation_timeout") from late

    def _post(self, request: urllib.request.Request) -> Json:
        try:
            with self._opener.open(request, timeout=30) as response:
                return _decoded(response.headers, response.read())
        except urllib.error.HTTPError as refused:
            with refused:
                error = "http_client_error" if refused.code < 500 else "http_service_error"
            raise NotAcknowledged(error) from refused
        except (OSError, http.client.HTTPException) as broken:
            raise NotAcknowledged("dispatch_failed") from broken
        except ValueError as unreadable:
            raise NotAcknowledged("http_service_error") from unreadable


_FORM = "application/x-www-form-urlencoded"


def sign(secret: str, body: str, timestamp: int | None = None) -> dict[str, str]:
    """Slack's signature headers: `v0=` and the HMAC-SHA256 of `v0:{timestamp}:{body}` (facts/slack.md "Methods")."""
    stamp = str(int(time.time()) if timestamp is None else timestamp)
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def _decoded(headers: Mapping[str, str], body: bytes) -> Json:
    """An ack's body: JSON, plain text (shown as it is), or nothing."""
    text = body.decode()
    if not text.strip():
        return {}
    if str(headers.get("Content-Type", "")).startswith("application/json"):
        decoded = json.loads(text)
        return decoded if isinstance(decoded, dict) else {}
    return {"text": text}
