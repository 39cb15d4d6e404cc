"""Which way mail goes: a mail server, Amazon SES, or none."""

from aws.mail import Mailer
from aws.ses import Ses
from aws.sessions import Sessions
from aws.smtp import Smtp
from bot.settings import Settings
from patching.config import Configuration, ConfigurationError


def mailer_of(settings: Settings, config: Configuration, sessions: Sessions) -> Mailer | None:
    """None where neither PATCHGATE_SMTP nor `mail.ses` is set. Raises ConfigurationError, for both as well."""
    url = settings.smtp.get_secret_value()
    region = config.mail.ses if config.mail else None
    if url and region:
        raise ConfigurationError(
            ["PATCHGATE_SMTP and mail.ses are both set, and mail goes one way only: leave one of them out."]
        )
    if region:
        return Ses(sessions, region)
    try:
        return Smtp.from_url(url) if url else None
    except ValueError as error:
        raise ConfigurationError([f"PATCHGATE_SMTP: {error}."]) from None
