"""Mail handed over to Amazon SES over HTTP: what is sent, what each refusal means, what is asked before the first."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.policy import SMTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import pytest

from aws.errors import AccessRefused
from aws.mail import MailError, written
from aws.ses import Ses
from aws.sessions import Sessions

SENDER, TO = "patchgate@mail.example.com", "eve@example.com"
CONTENT = ("Löschen – 3 of 3 nodes", "In words: café ☕\n.a dot\n", "<p>In <b>words</b>: café ☕</p>\n")
MESSAGE_ID, AT = "<notice-7-1@mail.example.com>", datetime(2030, 1, 2, 3, 4, tzinfo=UTC)
Answer = tuple[int, str, dict[str, Any]]  # status, error code, body
ACCOUNT = {"SendingEnabled": True, "ProductionAccessEnabled": True}


class Server(ThreadingHTTPServer):
    """Knows of some identities whether they are verified; its answer to a send is `answer`, None for none at all."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer: Answer | None = (200, "", {"MessageId": "0102"})
        self.account: Answer = (200, "", ACCOUNT)
        self.identities: dict[str, bool] = {}
        self.sent: list[dict[str, Any]] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.path == "/v2/email/account":
            self.reply(*self.server.account)
            return
        verified = self.server.identities.get(unquote(self.path.removeprefix("/v2/email/identities/")))
        found: Answer = (200, "", {"VerifiedForSendingStatus": verified})
        self.reply(*found if verified is not None else (404, "NotFoundException", {"message": "no such identity"}))

    def do_POST(self) -> None:
        assert self.path == "/v2/email/outbound-emails"
        self.server.sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        if self.server.answer:
            self.reply(*self.server.answer)

    def reply(self, status: int, code: str, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("x-amzn-ErrorType", code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the test's own report is enough."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def ses(server: Server) -> Ses:
    url = f"http://127.0.0.1:{server.server_port}"
    environ = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_ENDPOINT_URL": url}
    return Ses(Sessions(environ, connect_timeout=2, read_timeout=5), "eu-west-1")


def send(ses: Ses, to: str = TO) -> None:
    ses.send(SENDER, to, *CONTENT, message_id=MESSAGE_ID, date=AT)


def test_ses_gets_what_a_mail_server_would_get(server: Server, ses: Ses) -> None:
    send(ses)
    (sent,) = server.sent
    assert (sent["FromEmailAddress"], sent["Destination"]) == (SENDER, {"ToAddresses": [TO]})
    raw = base64.b64decode(sent["Content"]["Raw"]["Data"])
    boundary = raw.partition(b'boundary="')[2].partition(b'"')[0]
    expected = written(SENDER, TO, *CONTENT, message_id=MESSAGE_ID, date=AT)
    expected.set_boundary(boundary.decode())
    assert raw == expected.as_bytes(policy=SMTP)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998


UNVERIFIED = "Email address is not verified. The following identities failed the check in region EU-WEST-1: eve@…"


@pytest.mark.parametrize(
    ("status", "code", "says", "permanent"),
    [
        (400, "MessageRejected", "Email contains a virus", True),
        (400, "BadRequestException", "Domain contains illegal character", True),
        (400, "MessageRejected", UNVERIFIED, False),
        (400, "MailFromDomainNotVerifiedException", "the MAIL FROM domain is not verified", False),
        (400, "AccountSuspendedException", "the account is suspended", False),
        (400, "SendingPausedException", "sending is paused", False),
        (400, "LimitExceededException", "Daily message quota exceeded", False),
        (403, "AccessDeniedException", "not authorized to perform ses:SendRawEmail", False),
        (429, "TooManyRequestsException", "Maximum sending rate exceeded", False),
        (500, "InternalFailure", "we are sorry", False),
        (503, "ServiceUnavailable", "we are sorry", False),
    ],
)
def test_I7_a_refusal_is_made_once_and_is_final_only_where_it_is_about_this_mail(
    server: Server, ses: Ses, status: int, code: str, says: str, permanent: bool
) -> None:
    server.answer = (status, code, {"message": says})
    with pytest.raises(MailError) as failed:
        send(ses)
    assert failed.value.permanent is permanent
    assert code in str(failed.value) or "throttled" in str(failed.value)
    assert len(server.sent) == 1


def test_I7_a_mail_of_which_nobody_knows_is_sent_once_and_stays_owed(server: Server, ses: Ses) -> None:
    server.answer = None
    with pytest.raises(MailError, match="may have happened") as failed:
        send(ses)
    assert not failed.value.permanent
    assert len(server.sent) == 1


def test_what_is_not_one_address_is_not_even_asked_for(server: Server, ses: Ses) -> None:
    with pytest.raises(MailError, match="correct the address") as failed:
        send(ses, "eve@example.com\nBcc: mallory@example.com")
    assert failed.value.permanent
    assert server.sent == []


def account(**values: bool) -> Callable[[Server], None]:
    def set_(server: Server) -> None:
        server.account = (200, "", {**ACCOUNT, **values})

    return set_


@pytest.mark.parametrize(
    ("identities", "prepare", "trouble"),
    [
        ({SENDER: True}, account(), None),
        ({"mail.example.com": True}, account(), None),
        ({SENDER: False, "example.com": True}, account(), None),
        ({}, account(), "may not send as patchgate@mail.example.com"),
        ({SENDER: False}, account(), "may not send as"),
        ({"com": True}, account(), "may not send as"),
        ({SENDER: True}, account(ProductionAccessEnabled=False), "verified addresses only"),
        ({SENDER: True}, account(SendingEnabled=False), "is not sending"),
    ],
)
def test_what_keeps_ses_from_sending_is_known_before_the_first_mail(
    server: Server,
    ses: Ses,
    identities: dict[str, bool],
    prepare: Callable[[Server], None],
    trouble: str | None,
) -> None:
    server.identities = identities
    prepare(server)
    found = ses.trouble(SENDER)
    assert found is None if trouble is None else trouble in str(found)


def test_an_account_that_may_not_be_read_is_said(server: Server, ses: Ses) -> None:
    server.identities, server.account = {SENDER: True}, (403, "AccessDeniedException", {"message": "no"})
    with pytest.raises(AccessRefused, match="allow ses:GetAccount there"):
        ses.trouble(SENDER)
