"""A mail server on loopback that keeps what it is sent: the sandbox's inbox for everybody."""

import asyncio
import threading
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Protocol

from aiosmtpd.smtp import SMTP


class Clock(Protocol):
    def now(self) -> datetime: ...


@dataclass(frozen=True)
class Mail:
    """One message for one delivery; `to` are the envelope's recipients. `text` and `html` are None where absent."""

    sender: str
    to: tuple[str, ...]
    subject: str
    text: str | None
    html: str | None
    at: datetime
    raw: bytes

    def shown(self) -> dict[str, Any]:
        """What GET /sandbox/mail answers."""
        return {
            "from": self.sender,
            "to": list(self.to),
            "subject": self.subject,
            "text": self.text,
            "html": self.html,
            "at": self.at.isoformat(),
        }


class Mailbox:
    """An SMTP server in a thread of its own; its port is known once it is started."""

    def __init__(self, clock: Clock, host: str = "127.0.0.1", port: int = 0) -> None:
        self._clock = clock
        self._host = host
        self._wanted = port
        self._mails: list[Mail] = []
        self._arrived = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mailbox", daemon=True)
        self._server: asyncio.Server | None = None

    def start(self) -> None:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def port(self) -> int:
        if self._server is None:
            raise RuntimeError("the mailbox is not started")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def mails(self) -> list[Mail]:
        with self._arrived:
            return list(self._mails)

    def wait_for(self, count: int, seconds: float = 5.0) -> bool:
        """Wait until this many mails have come; False when time is up."""
        with self._arrived:
            return self._arrived.wait_for(lambda: len(self._mails) >= count, seconds)

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: ANN401 - aiosmtpd's
        raw: bytes = envelope.original_content or b""
        message = message_from_bytes(raw, policy=policy.default)
        mail = Mail(
            sender=envelope.mail_from or "",
            to=tuple(envelope.rcpt_tos),
            subject=str(message.get("Subject", "")),
            text=_part(message, "plain"),
            html=_part(message, "html"),
            at=self._clock.now(),
            raw=raw,
        )
        with self._arrived:
            self._mails.append(mail)
            self._arrived.notify_all()
        return "250 OK"

    async def _listen(self) -> asyncio.Server:
        def protocol() -> SMTP:
            return SMTP(self, hostname="localhost", enable_SMTPUTF8=True, loop=self._loop)

        return await self._loop.create_server(protocol, self._host, self._wanted)

    async def _end(self) -> None:
        if self._server:
            self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _part(message: EmailMessage, kind: str) -> str | None:
    body = message.get_body((kind,))
    return None if body is None else str(body.get_content())
