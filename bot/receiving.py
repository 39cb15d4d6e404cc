"""Where requests come in: Socket Mode or signed HTTP. Each gets the time of its receipt here (I12)."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from slack_bolt import App
from slack_bolt.adapter.asgi import SlackRequestHandler
from slack_bolt.adapter.asgi.http_request import AsgiHttpRequest
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_bolt.adapter.socket_mode.internals import build_headers, send_response
from slack_bolt.request import BoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk import WebClient
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from commands.ports import Clock

log = logging.getLogger(__name__)

CONCURRENCY = 50  # facts/slack.md "Concurrency": with fewer, one slow listener holds up the acks of others
LARGEST = 1_000_000  # bytes of a request's body; Slack's own stay far below, and nobody is known before it is read
_RECEIVED = "patchgate_received"


class _Stamped(str):
    """A raw message and the moment at which the socket gave it."""

    __slots__ = ("received",)
    received: float


class _Client(SocketModeClient):
    clock: Clock

    def enqueue_message(self, message: str) -> None:
        stamped = _Stamped(message)
        stamped.received = self.clock.monotonic()
        super().enqueue_message(stamped)

    def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        payload = message.get("payload")
        if isinstance(payload, dict) and isinstance(raw_message, _Stamped):
            payload[_RECEIVED] = raw_message.received
        super().run_message_listeners(message, raw_message)


class Socket(SocketModeHandler):
    """Bolt's own handler on the builtin client; `ping_interval=3` notices a dead server within 17 s."""

    def __init__(self, app: App, app_token: str, web_client: WebClient, clock: Clock) -> None:
        self.app = app
        self.app_token = app_token
        self.client = _Client(
            app_token=app_token,
            logger=logging.getLogger("bot.socket"),
            web_client=WebClient(base_url=web_client.base_url, retry_handlers=[]),
            ping_interval=3,
            concurrency=CONCURRENCY,
        )
        self.client.clock = clock
        self.client.socket_mode_request_listeners.append(self.handle)  # type: ignore[arg-type]

    def reserve(self) -> None:
        """Have Slack judge the app token, by asking for the address that `connect` then uses. Raises Slack's errors."""
        self.client.wss_uri = self.client.issue_new_wss_url()

    def connect(self) -> None:
        super().connect()  # type: ignore[no-untyped-call]

    def close(self) -> None:
        super().close()  # type: ignore[no-untyped-call]

    def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        context = {"received": req.payload.pop(_RECEIVED)}
        request = BoltRequest(mode="socket_mode", body=req.payload, headers=build_headers(req), context=context)
        send_response(client, req, self.app.dispatch(request), start_time=0)


class Http(SlackRequestHandler):
    """Bolt's ASGI adapter, off the event loop, so that one request doesn't hold up the next."""

    def __init__(self, app: App, clock: Clock) -> None:
        super().__init__(app, path="/slack/events")
        self._clock = clock
        self._executor = ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="http")

    async def dispatch(self, request: AsgiHttpRequest) -> BoltResponse:
        received = self._clock.monotonic()
        body = await _body(request)
        if body is None:
            return _too_large()
        request_ = BoltRequest(
            body=body,
            query=request.query_string,
            headers=request.get_headers(),
            context={"received": received},
        )
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self.app.dispatch, request_)


async def _body(request: AsgiHttpRequest) -> str | None:
    """The body, read no further than LARGEST; None where it is larger, or says that it is.

    One that ends too early, or is no UTF-8, becomes a text that Slack never signed.
    """
    said = request.get_headers().get("content-length")
    if isinstance(said, str) and said.isdecimal() and int(said) > LARGEST:
        return None
    body, more = bytearray(), True
    while more:
        event = await request.receive()
        body += event.get("body", b"")
        if len(body) > LARGEST:
            return None
        more = event.get("more_body", False)
    return body.decode(errors="replace")


def _too_large() -> BoltResponse:
    error = f"the request is larger than {LARGEST:,} bytes; nothing was done"
    return BoltResponse(status=413, headers={"connection": "close"}, body={"error": error})
