"""Whom a change or a window of an environment concerns, and owing each of them a word (I7)."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from patching.config import Configuration
from storage import environment_readings, outbox, subscriptions
from storage.outbox import Medium

Recipient = tuple[Medium, str]

_ADDRESS = re.compile(r"[^@\s<>,;:\"()\[\]\\]+@[^@\s<>,;:\"()\[\]\\]+")
_USER = re.compile(rf"[UW][A-Z0-9]{{2,}}|{_ADDRESS.pattern}")
_BETWEEN = re.compile(r"[\s,;]+")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,}")


def affected(db: Database, config: Configuration, application: str, environment: str) -> tuple[Recipient, ...]:
    """The application's channel and owners, those whom the nodes' tags name, and subscribers; each once.

    A direct message goes to a Slack user id or to the user behind an address. E-mail only where mail is configured.
    A tag's value may name several, with spaces, commas or semicolons between them. Of another form, it is passed over.
    """
    found: list[Recipient] = [(Medium.CHANNEL, config.channel_of(application))]
    known = config.applications.get(application)
    if known is None:
        return tuple(found)
    tags = config.notices.tags
    _, nodes = environment_readings.of_environment(db, application, environment)

    def tagged(name: str | None, form: re.Pattern[str]) -> list[str]:
        words = {word for node in nodes for word in _BETWEEN.split(node.tags.get(name or "", ""))}
        return sorted(word for word in words if form.fullmatch(word))

    found += [(Medium.CHANNEL, each) for each in tagged(tags.channel, _CHANNEL)]
    found += [(Medium.USER, each) for each in known.owners.users]
    found += [(Medium.USER, each) for each in tagged(tags.users, _USER)]
    found += [(Medium.USER, each) for each in subscriptions.of_application(db, application)]
    if config.mail:
        found += [(Medium.EMAIL, each) for each in (*known.owners.emails, *tagged(tags.emails, _ADDRESS))]
    return tuple(dict.fromkeys(found))


def owe_to_affected(
    tx: Database,
    now: datetime,
    config: Configuration,
    *,
    application: str,
    environment: str,
    kind: str,
    subject: str,
    moment: str,
    payload: Mapping[str, Any] | None = None,
) -> bool:
    """One notice to each who is affected. With the same subject and moment nobody is owed a second one."""
    owed = [
        outbox.owe(
            tx,
            now,
            key=f"{subject}:{moment}:{medium}:{recipient}",
            kind=kind,
            medium=medium,
            recipient=recipient,
            subject=subject,
            payload=payload,
        )
        for medium, recipient in affected(tx, config, application, environment)
    ]
    return any(owed)
