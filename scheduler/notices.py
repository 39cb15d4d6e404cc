"""Owing those affected a word about an Install: that it starts, that it fails, how it ended, in the transaction of
what causes it (I7)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlite_utils import Database

from commands.affected import Recipient, affected
from patching.config import Configuration
from patching.model import Operation
from patching.outcomes import NodeOutcome
from storage import audit, decisions, outbox
from storage.changes import Change
from storage.outbox import Medium
from storage.runs import Run

_NO_FAILURE: Final = frozenset({None, NodeOutcome.SUCCEEDED, NodeOutcome.CANCELLED})


def owe_about_install(tx: Database, now: datetime, config: Configuration, run: Run, moment: str) -> None:
    """`moment` is "started", "failing" or "ended", each once for a run. Its card stands in the application's channel,
    so the others are told."""
    for medium, recipient in _others(tx, config, run):
        outbox.owe(
            tx,
            now,
            key=f"{run.subject}:{moment}:{medium}:{recipient}",
            kind=f"install-{moment}",
            medium=medium,
            recipient=recipient,
            subject=run.subject,
        )


def owe_if_failing(
    tx: Database, now: datetime, config: Configuration, run: Run, outcomes: Iterable[NodeOutcome | None]
) -> None:
    """Of these nodes' ends in a step of an Install, the first bad one is told at once, while the run goes on."""
    if run.operation is Operation.INSTALL and any(each not in _NO_FAILURE for each in outcomes):
        owe_about_install(tx, now, config, run, "failing")


def owe_about_nodes(
    tx: Database, now: datetime, config: Configuration, run: Run, kind: str, node_ids: Sequence[str]
) -> None:
    """`kind`: node-away, node-back, node-late. One for all of these nodes, to those affected and in the run's thread.

    The caller sees to it that none of them has had one of its kind: each node of a run has one at most.
    """
    thread = (Medium.THREAD, config.channel_of(run.application))
    for medium, recipient in (thread, *_others(tx, config, run)):
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


def _others(tx: Database, config: Configuration, run: Run) -> Sequence[Recipient]:
    """Who is affected, without the channel in which the run's card stands."""
    card = (Medium.CHANNEL, config.channel_of(run.application))
    return [each for each in affected(tx, config, run.application, run.environment) if each != card]


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
