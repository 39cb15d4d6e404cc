"""What may come in over HTTP: what Slack signed within five minutes, at one address, and nothing else."""

import http.client
import json
import signal
import socket
import time
import urllib.parse
from collections.abc import Iterator

import pytest

from bot.receiving import LARGEST
from sandbox.slack.bot import sign
from tests.integration.bot_process import CHANNEL, log_of, process_town, run_on_http, stop
from tests.town import Town
from tests.unit.workspace.harness import http as ask

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with process_town(tmp_path_factory.mktemp("http")) as opened:
        run_on_http(opened)
        yield opened


def command_body(text: str) -> str:
    fields = {"command": "/patch", "text": text, "user_id": "U0ANN", "channel_id": CHANNEL, "team_id": "T0SANDBOX"}
    return urllib.parse.urlencode(fields)


def test_a_command_that_slack_signed_is_answered(town: Town) -> None:
    body = command_body("help")
    headers = {"Content-Type": FORM, **sign(town.environment["SLACK_SIGNING_SECRET"], body)}
    status, answer = ask("POST", request_url(town), body.encode(), headers)
    assert (status, json.loads(answer)["response_type"]) == (200, "ephemeral")


@pytest.mark.parametrize(
    ("secret", "age", "signed"),
    [
        ("another-secret", 0, "scan orders-db nonprod"),
        ("sandbox-signing-secret", 301, "scan orders-db nonprod"),
        ("sandbox-signing-secret", -330, "scan orders-db nonprod"),  # it may take seconds to arrive
        ("sandbox-signing-secret", 0, "help"),
        ("", 0, "scan orders-db nonprod"),
    ],
    ids=["another secret", "too old", "from the future", "another body", "an empty secret"],
)
def test_what_slack_did_not_sign_just_now_is_refused_and_changes_nothing(
    town: Town, secret: str, age: int, signed: str
) -> None:
    body = command_body("scan orders-db nonprod")
    headers = {"Content-Type": FORM, **sign(secret, command_body(signed), int(time.time()) - age)}
    status, answer = ask("POST", request_url(town), body.encode(), headers)
    assert (status, json.loads(answer)) == (401, {"error": "invalid request"})
    assert "There is no scan-1" in town.command("U0ANN", "/patch status scan-1", CHANNEL)


def test_an_unsigned_request_is_refused(town: Town) -> None:
    assert ask("POST", request_url(town), b"command=/patch", {"Content-Type": FORM})[0] == 401


def test_the_largest_body_is_still_judged_by_its_signature(town: Town) -> None:
    assert ask("POST", request_url(town), b"x" * LARGEST, {"Content-Type": FORM})[0] == 401


@pytest.mark.parametrize(
    ("header", "sent"),
    [
        (f"Content-Length: {LARGEST + 1}", b""),
        ("Transfer-Encoding: chunked", b"%x\r\n%s\r\n" % (LARGEST + 1, b"x" * (LARGEST + 1))),
    ],
    ids=["that says so", "that never ends"],
)
def test_a_larger_body_is_refused_before_it_is_read_on(town: Town, header: str, sent: bytes) -> None:
    """The rest is never sent: whoever waited for it would not answer."""
    address = urllib.parse.urlsplit(request_url(town))
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as connection:
        connection.sendall(f"POST {address.path} HTTP/1.1\r\nHost: bot\r\n{header}\r\n\r\n".encode() + sent)
        answer = http.client.HTTPResponse(connection, method="POST")
        answer.begin()
        assert answer.status == 413
        assert json.loads(answer.read()) == {"error": "the request is larger than 1,000,000 bytes; nothing was done"}
        assert connection.recv(1) == b""  # closed


@pytest.mark.parametrize("body", [b"\xff\xfe", b"text=\xc3"], ids=["no text", "half a character"])
def test_a_body_that_is_no_text_is_refused(town: Town, body: bytes) -> None:
    assert ask("POST", request_url(town), body, {"Content-Type": FORM})[0] == 401


@pytest.mark.parametrize(("method", "path"), [("GET", "/slack/events"), ("POST", "/"), ("POST", "/slack/install")])
def test_there_is_nothing_beside_the_one_address(town: Town, method: str, path: str) -> None:
    assert ask(method, urllib.parse.urljoin(request_url(town), path))[0] == 404


def test_the_server_is_uvicorn(town: Town) -> None:
    """Never Bolt's development server, which says so at its start and answers as BaseHTTP."""
    address = urllib.parse.urlsplit(request_url(town))
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    connection.request("GET", "/")
    with connection.getresponse() as answer:
        assert answer.headers["server"] == "uvicorn"
    connection.close()


def test_sigterm_ends_the_http_server_in_order(town: Town) -> None:
    assert stop(town, signal.SIGTERM) == 0
    assert log_of(town).endswith("Patchgate has stopped\n")
    assert "Traceback" not in log_of(town)


def request_url(town: Town) -> str:
    url = town.around.workspace.request_url
    assert url is not None
    return url
