"""Sweep `changes`: a change is prepared, judged, and after its approval judged again on fresh scans (I3)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sqlite_utils import Database

from aws.errors import AwsError
from commands.ports import DirectoryError, Role
from commands.requests import owe_card
from patching.digest import moved
from patching.gate import Outcome
from patching.model import Operation
from patching.nodes import EnvironmentKey
from patching.pins import override_document, override_key
from patching.states import ChangeState, RunState
from scheduler import notices, waiting
from scheduler.change_ends import record, supersede, trouble, unconfigured
from scheduler.evaluation import Evaluation, judge, needs_scan
from scheduler.parts import Parts, gone
from scheduler.seen_anew import unseen
from storage import changes, outbox, runs, steps
from storage.changes import Change, checks_to_json
from storage.database import to_json, to_text
from storage.runs import EnvironmentBusy, Purpose, Run

EMERGENCY_APPROVALS = 2


def tick(parts: Parts, now: datetime) -> None:
    work: dict[ChangeState, Callable[[Parts, Change], None]] = {
        ChangeState.PREPARING: prepare,
        ChangeState.PENDING: expire,
        ChangeState.APPROVED: carry_out,
    }
    for change in changes.in_state(parts.store.db, *work):
        lane = parts.lane(change.application, change.environment)
        parts.pool.submit(("change", change.id), partial(work[change.state], parts, change), lane=lane)


def prepare(parts: Parts, change: Change) -> None:
    """Scan what is not fresh and ours, then judge and ask for approval."""
    if unconfigured(parts, change):
        return None
    try:
        scans = _scans(parts, change, Purpose.PREPARE, _stale(parts, change))
        if scans is None:
            return None
        evaluation = judge(parts, change)
        eligible = _eligible(parts, change) if evaluation.passed else ()
    except (AwsError, ValueError, DirectoryError) as error:
        return trouble(parts, change, error)
    required = parts.config.policy_of(change.application).approvals_required
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        state = ChangeState.PENDING if evaluation.passed else ChangeState.BLOCKED
        record(tx, now, change, "prepare", evaluation)
        asked = changes.transition(
            tx,
            change,
            state,
            now,
            "clock",
            digest=evaluation.digest,
            parts=to_json(evaluation.parts),
            checks=checks_to_json(evaluation.checks),
            pins=to_json([{"id": pin.id, "title": pin.title} for pin in evaluation.pins]),
            facts=to_json(evaluation.facts),
            evaluated_at=to_text(evaluation.at),
            configuration=parts.config.version,
            eligible=to_json(eligible),
            required=max(required, EMERGENCY_APPROVALS) if change.emergency else required,
        )
        if asked:
            notices.owe_to_approvers(tx, now, asked, "asked")
        if evaluation.pins:
            notices.owe_details(tx, now, parts.config, change.subject, change.application, "change-details")
    parts.wake("deliver")
    return None


def _eligible(parts: Parts, change: Change) -> tuple[str, ...]:
    """Who can approve, recorded when they are asked; everyone is checked again when they answer. DirectoryError."""
    return tuple(sorted(set(parts.directory.holders(Role.APPROVER)) - set(change.requesters)))


def expire(parts: Parts, change: Change) -> None:
    """A request that nobody approved in time ends; so does one whose evidence has grown too old to be judged."""
    policy = parts.config.policy_of(change.application) if change.application in parts.config.applications else None
    now = parts.clock.now()
    asked = change.evaluated_at or change.requested_at
    if policy is None:
        note = gone(EnvironmentKey(change.application, change.environment))
    elif now - asked > policy.approval_expiry:
        note = "Nobody approved it in time; nothing was sent. Ask again if it is still wanted."
    else:
        return _remind(parts, change, now - asked, policy.approval_reminders)
    with parts.store.transaction() as tx:
        changes.transition(tx, change, ChangeState.EXPIRED, now, "clock", note=note)
    parts.wake("deliver")
    return None


def _remind(parts: Parts, change: Change, waited: timedelta, leads: tuple[timedelta, ...]) -> None:
    """Remind those who have not answered, at growing intervals; after downtime only of the newest that is due."""
    due = [lead for lead in leads if lead <= waited]
    if not due:
        return
    with parts.store.transaction() as tx:
        if notices.owe_to_approvers(tx, parts.clock.now(), change, f"waited-{int(due[-1].total_seconds())}"):
            parts.wake("deliver")


def carry_out(parts: Parts, change: Change) -> None:
    """After the approval, and at its time: scan both environments again, judge anew, and let the Install go only if
    nothing moved."""
    if unconfigured(parts, change):
        return None
    released = change.released_at
    if released is None:
        return waiting.admit(parts, change)
    if change.opening and parts.clock.now() >= change.opening.closes:
        return waiting.miss(parts, change, change.note or "It could not be carried out before the window's cutoff.")
    if change.opening and not waiting.stands(parts, change, change.opening):
        return None
    if parts.clock.now() - released > waiting.CARRIED_OUT_WITHIN:
        return supersede(parts, change, (waiting.TOO_LATE,))
    try:
        scans = _scans(parts, change, Purpose.SEND, (change.source, change.environment))
        if scans is None:
            return None
        missing = unseen(parts, scans)
        if missing:
            return supersede(parts, change, missing)
        evaluation = judge(parts, change)
        reasons = _against(change, evaluation)
        if reasons:
            return supersede(parts, change, reasons, evaluation)
        url = _pin(parts, evaluation)
    except (AwsError, ValueError) as error:
        return trouble(parts, change, error)
    try:
        _let_go(parts, change, evaluation, url)
    except EnvironmentBusy as taken:
        _wait_for(parts, change, taken.run)
    return None


def _against(change: Change, evaluation: Evaluation) -> tuple[str, ...]:
    """Why the approval does not cover what would be sent now; empty when it does."""
    reasons = moved(change.parts or {}, evaluation.parts, evaluation.left)
    failing = tuple(f"{check.title}: {check.evidence}" for check in evaluation.checks if check.outcome is Outcome.FAIL)
    if not reasons and evaluation.digest != change.digest:
        reasons = ("what would be sent is not what was approved",)
    if not reasons and not evaluation.passed and not failing:
        failing = ("The gate does not pass.",)
    return (*reasons, *failing)


def _pin(parts: Parts, evaluation: Evaluation) -> str | None:
    """The proven list in the artifacts bucket; None where the policy says NOT PINNED, as the digest does too."""
    if not any(step.pinned for step in evaluation.plan):
        return None
    if parts.artifacts is None or parts.config.artifacts is None:
        raise ValueError("There is no artifacts bucket to pin the list in.")
    document = override_document(evaluation.pins)
    return parts.artifacts.put(override_key(parts.config.artifacts.prefix, document), document)


def _let_go(parts: Parts, change: Change, evaluation: Evaluation, url: str | None) -> None:
    """The Install becomes a run with exactly the evaluated plan; `dispatch` sends it after one more look (I1, I3)."""
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        record(tx, now, change, "send", evaluation)
        # Beside what was approved, what the nodes could be restored from at the send.
        facts = {**(change.facts or {}), "backups": evaluation.restore_points}
        # The digest is what was approved, under this configuration too: of one that changed while it waited for its
        # window, nothing that matters here did. From now on another one refuses the send.
        version = parts.config.version
        used = changes.transition(
            tx, change, ChangeState.USED, now, "clock", facts=to_json(facts), configuration=version
        )
        if used is None:
            return
        run = runs.create(
            tx,
            now,
            operation=Operation.INSTALL,
            application=change.application,
            environment=change.environment,
            production=True,
            purpose=Purpose.CHANGE,
            requested_by=change.requested_by,
            change_id=change.id,
            pins=evaluation.pins,
            pins_url=url,
        )
        begun = runs.transition(
            tx,
            run,
            RunState.RUNNING,
            now,
            "clock",
            started_at=to_text(now),
            nodes=runs.nodes_to_json(evaluation.nodes),
        )
        steps.plan(tx, run.id, evaluation.plan, parts.new_id)
        owe_card(tx, now, parts.config, run.subject, run.application)
        if begun:
            notices.owe_about_install(tx, now, parts.config, begun, "started")
    parts.wake("dispatch")
    parts.wake("deliver")


def _stale(parts: Parts, change: Change) -> tuple[str, ...]:
    """The environments without fresh evidence; none once they were scanned for this change."""
    if runs.of_change(parts.store.db, change.id, Purpose.PREPARE):
        return ()
    max_age = parts.config.policy_of(change.application).scan_max_age
    names = (change.source, change.environment)
    return tuple(name for name in names if needs_scan(parts, EnvironmentKey(change.application, name), max_age))


def _scans(parts: Parts, change: Change, purpose: Purpose, names: tuple[str, ...]) -> list[Run] | None:
    """Start the scans of a change that are not started yet; the ended scans once all have ended, else None."""
    started = {run.environment: run for run in runs.of_change(parts.store.db, change.id, purpose, change.released_at)}
    busy: Run | None = None
    try:
        # All in one transaction: at the moment of sending no environment is scanned without the other.
        with parts.store.transaction() as tx:
            for name in names:
                if name not in started:
                    busy = runs.open_run(tx, change.application, name)
                    if busy:
                        raise EnvironmentBusy(busy)
                    started[name] = _start_scan(parts, tx, change, purpose, name)
                    changes.set_note(tx, change, "")
                    outbox.touch(tx, change.subject)
    except EnvironmentBusy as taken:
        _wait_for(parts, change, taken.run)
        return None
    if all(run.state.ended for run in started.values()):
        return list(started.values())
    parts.wake("plan")
    parts.wake("deliver")
    return None


def _wait_for(parts: Parts, change: Change, run: Run) -> None:
    with parts.store.transaction() as tx:
        changes.set_note(tx, change, f"Waiting for {run.ref} on {run.environment} to end.")
    parts.wake("deliver")


def _start_scan(parts: Parts, tx: Database, change: Change, purpose: Purpose, name: str) -> Run:
    """Without a card of its own: the change's message shows how it goes."""
    now = parts.clock.now()
    key = EnvironmentKey(change.application, name)
    return runs.create(
        tx,
        now,
        operation=Operation.SCAN,
        application=change.application,
        environment=name,
        production=parts.config.environments()[key].production,
        purpose=purpose,
        requested_by="clock",
        change_id=change.id,
    )
