"""A workspace that is being served, a person who uses it through the page's API, and a hand-turned stopwatch."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from slack_sdk import WebClient

from sandbox.clock import SandboxClock
from sandbox.mail import Mailbox
from sandbox.slack.app import create_app
from sandbox.slack.seed import default_seed
from sandbox.slack.server import WorkspaceServer
from sandbox.slack.workspace import Workspace

Json = dict[str, Any]
# Whatever proxy the environment names, loopback is reached directly.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def http(method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """The status and the body of the answer, whatever the status is."""
    request = urllib.request.Request(url, body, headers or {}, method=method)
    try:
        with _OPENER.open(request, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def post_json(url: str, body: object, **headers: str) -> tuple[int, Json]:
    status, answer = http("POST", url, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})
    return status, json.loads(answer)


@dataclass(frozen=True)
class Person:
    """Does and reads what the page does for one user."""

    base: str
    user: str

    def do(self, path: str, **body: object) -> Json:
        """One deed that the API takes; a test of bad input uses `try_`."""
        status, answer = self.try_(path, **body)
        assert status == 200, answer
        return answer

    def try_(self, path: str, **body: object) -> tuple[int, Json]:
        return post_json(f"{self.base}/sandbox/slack/{path}", {"user": self.user, **body})

    def read(self, path: str, **query: str) -> Json:
        parameters = urllib.parse.urlencode({"user": self.user, **query})
        status, answer = http("GET", f"{self.base}/sandbox/slack/{path}?{parameters}")
        assert status == 200, answer
        decoded: Json = json.loads(answer)
        return decoded

    def command(self, text: str, channel: str = "C0ORDERS") -> Json:
        return self.do("command", channel=channel, text=text)

    def history(self, channel: str = "C0ORDERS") -> list[Json]:
        messages: list[Json] = self.read("history", channel=channel)["messages"]
        return messages

    def view(self) -> Json:
        return self.read("view")


@dataclass(frozen=True)
class Running:
    workspace: Workspace
    mailbox: Mailbox
    clock: SandboxClock
    url: str

    def client(self, token: str = "xoxb-sandbox") -> WebClient:
        """The SDK's client without its retries, so that a test sees every answer."""
        return WebClient(token=token, base_url=f"{self.url}/api/", retry_handlers=[])

    def person(self, user: str = "U0ANN") -> Person:
        return Person(self.url, user)


@contextmanager
def running(**options: Any) -> Iterator[Running]:
    """A served workspace; rate limits are off unless a test is about them.

    While it runs the environment names no proxy: the SDK would send even what is for loopback through one.
    """
    clock = SandboxClock()
    workspace = Workspace(clock, default_seed(), **{"rate_limits": False, **options})
    mailbox = Mailbox(clock)
    server = WorkspaceServer(create_app(workspace, mailbox))
    mailbox.start()
    server.start()
    with pytest.MonkeyPatch.context() as environment:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            environment.delenv(name, raising=False)
        try:
            yield Running(workspace, mailbox, clock, server.url)
        finally:
            server.stop()
            mailbox.stop()


@dataclass
class Stopwatch:
    """A `monotonic` that moves only when a test moves it."""

    seconds: float = field(default=1000.0)

    def __call__(self) -> float:
        return self.seconds
