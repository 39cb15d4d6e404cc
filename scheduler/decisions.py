"""Sweep `decisions`: clicks on Approve and Reject are judged at once, with groups read afresh (I4, ADR 0006)."""

from datetime import datetime, timedelta
from functools import partial

from sqlite_utils import Database

from commands.decide import refusal_of
from commands.errors import Refused
from commands.ports import DirectoryError, Role
from patching.states import ChangeState
from scheduler.parts import Parts
from storage import changes, decisions, outbox
from storage.decisions import Decision
from storage.outbox import Medium

PATIENCE = timedelta(minutes=1)  # how long an unreadable group is asked again before the click is refused


def tick(parts: Parts, now: datetime) -> None:
    for decision in decisions.made(parts.store.db, state="checking"):
        parts.pool.submit(("decision", decision.change_id), partial(judge, parts, decision))


def judge(parts: Parts, decision: Decision) -> None:
    try:
        approvers = frozenset(parts.directory.holders(Role.APPROVER))
    except DirectoryError as error:
        if parts.clock.now() - decision.at < PATIENCE:
            return
        approvers, unreadable = frozenset(), str(error)
    else:
        unreadable = ""
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        refusal = _refusal(tx, parts, decision, approvers, unreadable)
        note = refusal.sentence if refusal else ""
        rights = {Role.APPROVER} if decision.user_id in approvers else set()
        if not decisions.judge(tx, now, decision, accepted=refusal is None, note=note, rights=rights):
            return
        change = changes.get(tx, decision.change_id)
        if refusal:
            _owe_refusal(tx, now, decision, change.subject, refusal)
        elif decision.kind == "approve":
            if len(decisions.approvers(tx, change)) >= change.required:
                changes.transition(tx, change, ChangeState.APPROVED, now, decision.user_id)
        else:
            changes.transition(tx, change, ChangeState.REJECTED, now, decision.user_id, note=decision.reason)
    parts.wake("changes")
    parts.wake("deliver")


def _refusal(
    tx: Database, parts: Parts, decision: Decision, approvers: frozenset[str], unreadable: str
) -> Refused | None:
    """Why the click does not count; None when it does."""
    if unreadable:
        return Refused(f"{unreadable} Your click was not counted; try again when Slack answers.")
    if decision.user_id not in approvers:
        word = "approve" if decision.kind == "approve" else "reject"
        return Refused(f"You don't hold the approver role, so you can't {word} this; nothing was changed.")
    change = changes.get(tx, decision.change_id)
    return refusal_of(tx, parts.config, parts.clock.now(), change, decision.user_id, decision.kind, decision.digest)


def _owe_refusal(tx: Database, now: datetime, decision: Decision, subject: str, refusal: Refused) -> None:
    outbox.owe(
        tx,
        now,
        key=f"decision:{decision.id}:refused",
        kind="refusal",
        medium=Medium.EPHEMERAL,
        recipient=f"{decision.channel} {decision.user_id}",
        subject=subject,
        payload={"sentence": refusal.sentence, "person": refusal.person},
    )
