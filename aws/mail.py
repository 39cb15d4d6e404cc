"""Mail to people: what is written, and what every way of handing it over has in common."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final, Protocol

# Every server takes seven bits and lines of at most 998: what is neither is encoded.
_POLICY: Final = SMTP.clone(cte_type="7bit")


class MailError(Exception):
    """A mail was not handed over; the message is one sentence without secrets.

    `permanent`: the server will never take this mail for this address, so trying again is useless.
    """

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


class Mailer(Protocol):
    """A way to hand mail over; `str()` of it is its name for people."""

    def send(
        self, sender: str, to: str, subject: str, text: str, html: str, *, message_id: str, date: datetime
    ) -> None:
        """Hand one mail over. The same `message_id`, `<unique@domain>`, makes a repeat recognisable (I7).

        Raises MailError; when it is not permanent, the mail may have been taken all the same.
        """


def written(
    sender: str, to: str, subject: str, text: str, html: str, *, message_id: str, date: datetime
) -> EmailMessage:
    """The message as every server gets it: plain text and HTML, one recipient, line breaks in its subject smoothed.

    Raises MailError, permanent, when a header can't be written: a line break in it, or not exactly one address.
    """
    message = EmailMessage(_POLICY)
    try:
        message["From"] = sender
        message["To"] = to
        message["Subject"] = " ".join(subject.split())
        message["Date"] = format_datetime(date)
        message["Message-ID"] = message_id
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        message.add_alternative(html, subtype="html")
        if not f"{sender}{to}".isascii():
            raise MailError(
                f"No mail goes from {sender!r} to {to!r}: an address is written in ASCII, its domain in Punycode; "
                "correct the address.",
                permanent=not to.isascii(),
            )
        if len(message["To"].addresses) != 1 or not message["To"].addresses[0].domain:
            raise ValueError("not one address")
    except ValueError as error:
        raise MailError(f"No mail can be written to {to!r}; correct the address.", permanent=True) from error
    return message
