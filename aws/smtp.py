"""Mail handed over to an SMTP server."""

import ipaddress
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import unquote, urlsplit

from aws.mail import MailError, written

_TIMEOUT_SECONDS: Final = 30.0
_PORTS: Final = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Smtp:
    """A server that takes mail, with its user and password where it asks for them."""

    host: str
    port: int
    tls_from_start: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def from_url(cls, url: str) -> "Smtp":
        """`smtp://user:pass@host:port` (STARTTLS when offered) or `smtps://…` (TLS from the start).

        User and password may be percent-encoded. Raises ValueError, which never quotes the URL.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError("the SMTP address is no URL; allowed is smtp://user:pass@host:port or smtps://…") from None
        if parts.scheme not in _PORTS or not host or parts.path.strip("/") or parts.query:
            raise ValueError("the SMTP address must be smtp://user:pass@host:port or smtps://user:pass@host:port")
        if parts.username and parts.password is None:
            raise ValueError("the SMTP address names a user without a password")
        return cls(
            host=host,
            port=port or _PORTS[parts.scheme],
            tls_from_start=parts.scheme == "smtps",
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.username and parts.password else None,
        )

    def send(
        self, sender: str, to: str, subject: str, text: str, html: str, *, message_id: str, date: datetime
    ) -> None:
        """As `aws.mail.Mailer` says."""
        message = written(sender, to, subject, text, html, message_id=message_id, date=date)
        with self._reported(to), closing(self._connect()) as server:
            if not self.tls_from_start and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
                server.ehlo()
            self._log_in(server)
            # Not send_message, which writes ">From" over a line that begins with "From".
            sender, to = (message[name].addresses[0].addr_spec for name in ("From", "To"))
            server.sendmail(sender, [to], message.as_bytes())
            # The server has taken the mail: a clumsy goodbye must not make it look unsent.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()

    def _connect(self) -> smtplib.SMTP:
        server: smtplib.SMTP
        if self.tls_from_start:
            context = ssl.create_default_context()
            server = smtplib.SMTP_SSL(self.host, self.port, timeout=_TIMEOUT_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_SECONDS)
        server.ehlo()
        return server

    def _log_in(self, server: smtplib.SMTP) -> None:
        if self.user is None or self.password is None:
            return
        if not isinstance(server.sock, ssl.SSLSocket) and not _is_loopback(self.host):
            raise MailError(
                f"The mail server {self} offers no TLS, so neither the password nor the mail was sent; "
                "use smtps:// or a server with STARTTLS.",
                permanent=False,
            )
        server.login(self.user, self.password)

    @contextmanager
    def _reported(self, to: str) -> Iterator[None]:
        """Only what the server says for good about this address or this mail is permanent.

        A refused login or sender is a matter of configuration: the mail stays owed until it is put right.
        """
        try:
            yield
        except smtplib.SMTPRecipientsRefused as error:
            refusals = list(error.recipients.values())
            code, said = refusals[0]
            permanent = all(code >= 500 for code, _ in refusals)
            raise MailError(
                f"The mail server {self} refused {to}: {_said(code, said)}.", permanent=permanent
            ) from error
        except smtplib.SMTPDataError as error:
            raise MailError(
                f"The mail server {self} refused the mail to {to}: {_said(error.smtp_code, error.smtp_error)}.",
                permanent=error.smtp_code >= 500,
            ) from error
        except smtplib.SMTPAuthenticationError as error:
            raise MailError(
                f"The mail server {self} refused the user and password ({error.smtp_code}), so no mail was sent; "
                "correct PATCHGATE_SMTP.",
                permanent=False,
            ) from error
        except smtplib.SMTPSenderRefused as error:
            raise MailError(
                f"The mail server {self} refused the sender: {_said(error.smtp_code, error.smtp_error)}; "
                "correct mail.from in the configuration.",
                permanent=False,
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise MailError(
                f"The mail server {self} could not be used ({type(error).__name__}); it is tried again.",
                permanent=False,
            ) from error

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def _said(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())[:200]}".rstrip(" .")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
