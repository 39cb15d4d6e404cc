"""Owing owners a word when an Install starts and how it ended, in the transition's own transaction (I7)."""

from collections.abc import Sequence
from datetime import datetime

from sqlite_utils import Database

from patching.config import Configuration
from storage import audit, decisions, outbox
from storage.changes import Change
from storage.outbox import Medium
from storage.runs import Run


def owe_to_owners(tx: Database, now: datetime, config: Configuration, run: Run, moment: str) -> None:
    """`moment` is "started" or "ended". Users get a direct message, addresses an e-mail where mail is configured."""
    for medium, recipient in _owners(config, run.application):
        outbox.owe(
            tx,
            now,
            key=f"{run.subject}:{moment}:{medium}:{recipient}",
            kind=f"install-{moment}",
            medium=medium,
            recipient=recipient,
            subject=run.subject,
        )


def owe_about_nodes(
    tx: Database, now: datetime, config: Configuration, run: Run, kind: str, node_ids: Sequence[str]
) -> None:
    """`kind`: node-away, node-back, node-late. One for all of these nodes, to the owners and into the run's thread.

    The caller sees to it that none of them has had one of its kind: each node of a run has one at most.
    """
    thread = (Medium.THREAD, config.channel_of(run.application))
    for medium, recipient in (thread, *_owners(config, run.application)):
        outbox.owe(
            tx,
            now,
            key=f"{run.subject}:{kind}:{node_ids[0]}:{medium}:{recipient}",
            kind=kind,
            medium=medium,
            recipient=recipient,
            subject=run.subject,
            payload={"nodes": list(node_ids)},
        )


def _owners(config: Configuration, application: str) -> Sequence[tuple[Medium, str]]:
    """Users by direct message, addresses by e-mail where mail is configured."""
    found = config.applications.get(application)
    if found is None:
        return ()
    addresses = found.owners.emails if config.mail else ()
    return (*((Medium.USER, user) for user in found.owners.users), *((Medium.EMAIL, each) for each in addresses))


def owe_details(tx: Database, now: datetime, config: Configuration, subject: str, application: str, kind: str) -> None:
    """The long list, in the card's thread."""
    outbox.owe(
        tx,
        now,
        key=f"{subject}:{kind}",
        kind=kind,
        medium=Medium.THREAD,
        recipient=config.channel_of(application),
        subject=subject,
    )


def owe_receipts(tx: Database, now: datetime, change: Change) -> None:
    """A record by direct message to those who asked and approved, with the digest and the audit chain's head (I6)."""
    approved = [each.user_id for each in decisions.made(tx, change.id) if each.state == "accepted"]
    payload = {"head": audit.head(tx)}
    for user in sorted({*change.requesters, *approved}):
        outbox.owe(
            tx,
            now,
            key=f"{change.subject}:receipt:{user}",
            kind="receipt",
            medium=Medium.USER,
            recipient=user,
            subject=change.subject,
            payload=payload,
        )


def owe_to_approvers(tx: Database, now: datetime, change: Change, moment: str) -> bool:
    """A direct message to each eligible approver who has not answered: "asked", or "waited-SECONDS" as a reminder.

    A click that was refused, because Slack did not answer for example, is no answer.
    """
    answered = {each.user_id for each in decisions.made(tx, change.id) if each.state != "refused"}
    kind = "approval-asked" if moment == "asked" else "approval-reminder"
    owed = [
        outbox.owe(
            tx,
            now,
            key=f"{change.subject}:{moment}:{user}",
            kind=kind,
            medium=Medium.USER,
            recipient=user,
            subject=change.subject,
        )
        for user in change.eligible
        if user not in answered
    ]
    return any(owed)
