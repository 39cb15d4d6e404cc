"""Mail handed over to a real SMTP server."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from aws.mail import MailError
from aws.smtp import Smtp

AT = datetime(2030, 1, 2, 3, 4, tzinfo=UTC)
MESSAGE_ID = "<notice-7@patchgate.example.com>"


@dataclass
class Mailbox:
    """A server's handler that keeps what it took and refuses what it is told to refuse."""

    refuse_recipient: str | None = None
    refuse_sender: str | None = None
    refuse_data: str | None = None
    taken: list[Envelope] = field(default_factory=list)

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.refuse_sender:
            return self.refuse_sender
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.refuse_recipient:
            return self.refuse_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self.refuse_data:
            return self.refuse_data
        self.taken.append(envelope)
        return "250 OK"


def only_message(mailbox: Mailbox) -> EmailMessage:
    (envelope,) = mailbox.taken
    assert isinstance(envelope.content, bytes)
    message = message_from_bytes(envelope.content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def only_hunter2(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: object) -> AuthResult:
    assert isinstance(login, LoginPassword)
    return AuthResult(success=login == LoginPassword(b"bot", b"hunter2"), handled=False)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[Controller]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(
        mailbox, hostname="127.0.0.1", port=port, authenticator=only_hunter2, auth_require_tls=False
    )
    controller.start()
    yield controller
    controller.stop()


def send(port: int, to: str = "eve@example.com", login: str = "", subject: str = "Subject") -> None:
    Smtp.from_url(f"smtp://{login}127.0.0.1:{port}").send(
        "Patchgate <patchgate@example.com>",
        to,
        subject,
        "In words: 3 of 3 nodes.",
        "<p>In <b>words</b>: 3 of 3 nodes.</p>",
        message_id=MESSAGE_ID,
        date=AT,
    )


def test_a_mail_arrives_with_both_parts_and_the_given_id(server: Controller, mailbox: Mailbox) -> None:
    send(server.port, subject="install-13 on orders-db\nprod: 3 – done")
    message = only_message(mailbox)
    assert (mailbox.taken[0].mail_from, mailbox.taken[0].rcpt_tos) == ("patchgate@example.com", ["eve@example.com"])
    assert message["Message-ID"] == MESSAGE_ID
    assert message["Subject"] == "install-13 on orders-db prod: 3 – done"
    assert message["Date"].datetime == AT
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().strip() == "In words: 3 of 3 nodes."
    assert html.get_content().strip() == "<p>In <b>words</b>: 3 of 3 nodes.</p>"


LONG_LINE = "i-0123456789abcdef0, " * 200
BODIES = {
    "umlauts": "Größe: 3 von 3 Knoten, déjà vu",
    "emoji and scripts": "🚨 データベース мир \u200f עברית",
    "long lines": f"before\n{LONG_LINE}\nafter {LONG_LINE} ü",
    "dots": ".\n.a line\n..b\n.\nQUIT\nthe end",
    "from": "From the start\n>From here",
    "no text": "",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_every_text_arrives_as_it_was_in_seven_bits_and_short_lines(
    server: Controller, mailbox: Mailbox, body: str
) -> None:
    html = f"<p>{body}</p>"
    Smtp.from_url(f"smtp://127.0.0.1:{server.port}").send(
        "patchgate@example.com",
        "eve@example.com",
        f"{body.splitlines()[0] if body else ''} ☕",
        body,
        html,
        message_id=MESSAGE_ID,
        date=AT,
    )
    raw = mailbox.taken[0].content
    assert isinstance(raw, bytes)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    message = only_message(mailbox)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    for part, sent in zip(message.iter_parts(), (body, html), strict=True):
        assert isinstance(part, EmailMessage)
        assert part.get_content_charset() == "utf-8"
        assert part["Content-Transfer-Encoding"] in {"7bit", "quoted-printable", "base64"}
        assert part.get_content().replace("\r\n", "\n").rstrip("\n") == sent


def test_headers_are_those_of_an_automatic_mail_and_claim_nothing_else(server: Controller, mailbox: Mailbox) -> None:
    subject = f"install-13: Größe ☕ {'and a long tail of words ' * 8}\r\nBcc: mallory@example.com"
    send(server.port, subject=subject)
    message = only_message(mailbox)
    assert sorted(message.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
    )
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Subject"] == " ".join(subject.split())
    assert mailbox.taken[0].rcpt_tos == ["eve@example.com"]
    raw = mailbox.taken[0].content
    assert isinstance(raw, bytes)
    assert b"Subject: install-13: =?utf-8?" in raw
    assert max(map(len, raw.partition(b"\r\n\r\n")[0].split(b"\r\n"))) <= 78


def test_I7_a_repeat_is_the_same_mail(server: Controller, mailbox: Mailbox) -> None:
    for _ in range(2):
        send(server.port)
    first, second = (str(each.content).partition("boundary")[0] for each in mailbox.taken)
    assert first == second
    assert MESSAGE_ID in first


def test_a_server_that_wants_a_password_gets_it(server: Controller, mailbox: Mailbox) -> None:
    send(server.port, login="bot:hunter2@")
    assert len(mailbox.taken) == 1


def test_a_refused_password_is_not_quoted_and_the_mail_stays_owed(server: Controller, mailbox: Mailbox) -> None:
    with pytest.raises(MailError, match="PATCHGATE_SMTP") as failed:
        send(server.port, login="bot:wrong-word@")
    assert not failed.value.permanent
    assert "wrong-word" not in str(failed.value)
    assert mailbox.taken == []


@pytest.mark.parametrize(
    ("stage", "reply", "permanent"),
    [
        ("refuse_recipient", "550 5.1.1 no such person", True),
        ("refuse_recipient", "451 4.7.1 greylisted", False),
        ("refuse_data", "554 5.6.0 looks like spam", True),
        ("refuse_data", "452 4.3.1 disk full", False),
        ("refuse_sender", "550 5.7.1 not your address", False),
    ],
)
def test_what_a_refusal_means(server: Controller, mailbox: Mailbox, stage: str, reply: str, permanent: bool) -> None:
    setattr(mailbox, stage, reply)
    with pytest.raises(MailError) as failed:
        send(server.port)
    assert failed.value.permanent is permanent
    assert reply.split()[-1] in str(failed.value)
    assert mailbox.taken == []


@pytest.mark.parametrize(
    "to",
    ["a@example.com, b@example.com", "eve@example.com\nBcc: mallory@example.com", "eve", "", "eve@münchen.example"],
)
def test_what_is_not_one_address_gets_no_mail(server: Controller, mailbox: Mailbox, to: str) -> None:
    with pytest.raises(MailError) as failed:
        send(server.port, to=to)
    assert failed.value.permanent
    assert mailbox.taken == []


def test_a_server_that_is_down_may_be_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(MailError, match="could not be used") as failed:
        send(port)
    assert not failed.value.permanent
