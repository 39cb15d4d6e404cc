"""HTTP mode: requests signed as Slack signs them, to Bolt's own adapter; what a person sees of its answers."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from slack_bolt import Ack, App, BoltRequest

from sandbox.slack.bot import sign
from tests.unit.workspace.bolt import served
from tests.unit.workspace.harness import Json, Running, http, running


@pytest.fixture
def slack() -> Iterator[Running]:
    with running(ack_seconds=1.0) as started:
        yield started


def app(slack: Running, secret: str = "sandbox-signing-secret") -> App:
    """A bot that answers /patch with what was typed."""
    made = App(client=slack.client(), signing_secret=secret)

    @made.command("/patch")
    def patch(ack: Ack, command: Json) -> None:
        ack(command["text"])

    return made


def test_a_signed_command_is_taken(slack: Running) -> None:
    with served(slack, app(slack)):
        assert slack.person().command("/patch scan & <!channel>") == {"ok": True}
    assert [message.text for message in slack.workspace.ephemerals("U0ANN")] == ["scan & <!channel>"]


@pytest.mark.parametrize(("secret", "ok"), [("sandbox-signing-secret", True), ("another-secret", False)])
def test_the_secret_must_be_the_same(slack: Running, secret: str, ok: bool) -> None:
    with served(slack, app(slack, secret)):
        answer = slack.person().command("/patch scan")
    assert answer == ({"ok": True} if ok else {"ok": False, "error": "http_client_error"})


@pytest.mark.parametrize(("age", "status"), [(0, 200), (250, 200), (400, 401)])
def test_bolt_takes_our_signatures_for_five_minutes(slack: Running, age: int, status: int) -> None:
    body = "command=%2Fpatch&text=x&user_id=U0ANN&team_id=T0SANDBOX&channel_id=C0ORDERS"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    signed = sign(slack.workspace.signing_secret, body, int(time.time()) - age)
    with served(slack, app(slack)):
        url = slack.workspace.request_url
        assert url is not None
        assert http("POST", url, body.encode(), headers | signed)[0] == status
        assert http("POST", url, body.encode() + b"y", headers | signed)[0] == 401


def test_what_nobody_listens_to_is_a_404(slack: Running) -> None:
    with served(slack, App(client=slack.client(), signing_secret="sandbox-signing-secret")):
        assert slack.person().command("/patch scan") == {"ok": False, "error": "http_client_error"}


def test_nobody_at_the_address_is_told(slack: Running) -> None:
    with served(slack, app(slack)):
        gone = slack.workspace.request_url
    slack.workspace.request_url = gone
    assert slack.person().command("/patch scan") == {"ok": False, "error": "dispatch_failed"}


def test_a_late_answer_is_a_failure(slack: Running) -> None:
    ended = threading.Event()
    made = App(client=slack.client(), signing_secret="sandbox-signing-secret")

    @made.command("/patch")
    def patch(ack: Ack) -> None:
        assert ended.wait(10)
        ack()

    with served(slack, made):
        answer = slack.person().command("/patch scan")
        ended.set()
    assert answer == {"ok": False, "error": "operation_timeout"}
    assert slack.workspace.ephemerals("U0ANN")[0].text == "/patch failed with the error `operation_timeout`"


def test_an_event_that_is_not_taken_comes_once_more_and_says_so(slack: Running) -> None:
    attempts: list[str | None] = []
    made = App(client=slack.client(), signing_secret="sandbox-signing-secret")

    @made.middleware
    def note(request: BoltRequest, next: Callable[[], None]) -> None:
        attempts.append(request.headers.get("x-slack-retry-num", [None])[0])
        next()

    with served(slack, made):
        assert slack.person().do("home/open") == {"ok": False, "error": "http_client_error"}
    assert attempts == [None, "1"]
