"""Mail handed over to Amazon SES, with the bot's own credentials."""

from datetime import datetime
from typing import Final

from aws.errors import AwsError, DefiniteRefusal, calling
from aws.mail import MailError, written
from aws.sessions import Sessions

# What SES says of this very mail or address; suspension, quotas and an unverified sender can be put right.
_PERMANENT: Final = frozenset({"MessageRejected", "BadRequestException"})
# Said of the sender, and in an account without production access of the recipient as well.
_UNVERIFIED: Final = "not verified"


class Ses:
    """Amazon SES in one Region.

    SES writes a Message-ID and a Date of its own over ours, and SendEmail takes no idempotency token: each is sent
    once at most, and one of which nobody knows whether it was taken is owed still, so it may come twice (I7).
    """

    def __init__(self, sessions: Sessions, region: str) -> None:
        self._sessions = sessions
        self._region = region
        sessions.base_client("sesv2", region)  # parses botocore's description now, not while somebody waits

    def send(
        self, sender: str, to: str, subject: str, text: str, html: str, *, message_id: str, date: datetime
    ) -> None:
        """As `aws.mail.Mailer` says."""
        message = written(sender, to, subject, text, html, message_id=message_id, date=date)
        try:
            with calling("SendEmail", None, f"{to} by {self}"):
                self._sessions.base_client("sesv2", self._region, retries=False).send_email(
                    FromEmailAddress=sender,
                    Destination={"ToAddresses": [to]},
                    Content={"Raw": {"Data": message.as_bytes()}},
                )
        except DefiniteRefusal as refused:
            permanent = refused.code in _PERMANENT and _UNVERIFIED not in str(refused)
            raise MailError(str(refused), permanent=permanent) from refused
        except AwsError as error:
            raise MailError(str(error), permanent=False) from error

    def trouble(self, sender: str) -> str | None:
        """Why SES would not take mail from `sender` for everybody, in one sentence; None where it would.

        Reads the identity that stands for the sender, its address or a domain above it, and the account. Raises
        AwsError.
        """
        if not self._is_verified(sender):
            return (
                f"{self} may not send as {sender}, so no mail goes out: verify the address or its domain there as an "
                "identity."
            )
        with calling("GetAccount", None, str(self)):
            account = self._sessions.base_client("sesv2", self._region).get_account()
            enabled, production = account["SendingEnabled"], account["ProductionAccessEnabled"]
        if not enabled:
            return f"{self} is not sending for this account: look at the account dashboard of SES why it was paused."
        if not production:
            return (
                f"{self} delivers to verified addresses only, because the account has no production access there: "
                "request it on the account dashboard of SES."
            )
        return None

    def _is_verified(self, sender: str) -> bool:
        return any(self._verified(identity) for identity in _identities(sender))

    def _verified(self, identity: str) -> bool:
        try:
            with calling("GetEmailIdentity", None, identity):
                found = self._sessions.base_client("sesv2", self._region).get_email_identity(EmailIdentity=identity)
                return bool(found["VerifiedForSendingStatus"])
        except DefiniteRefusal as refused:
            if refused.code != "NotFoundException":
                raise
            return False

    def __str__(self) -> str:
        return f"Amazon SES in {self._region}"


def _identities(sender: str) -> list[str]:
    """The address, its domain and those above it: a verified domain stands for all that is below it."""
    labels = sender.rpartition("@")[2].split(".")
    return [sender, *(".".join(labels[at:]) for at in range(len(labels) - 1))]
