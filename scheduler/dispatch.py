"""Sweep `dispatch`: planned steps are sent, in order, each at most once (I2, I3)."""

import logging
from datetime import datetime, timedelta
from functools import partial

from sqlite_utils import Database

from aws.commands import SendRequest
from aws.errors import AccessRefused, AwsError, DefiniteRefusal, Doubt, Throttled
from commands.decide import problem_in_the_way
from commands.ports import DirectoryError, Role
from patching.model import Operation
from patching.nodes import EnvironmentKey
from patching.plan import StepKind
from patching.states import ChangeState, RunState, StepState
from scheduler.parts import Parts, gone, target_of
from storage import changes, decisions, rechecks, runs, steps
from storage.database import to_text
from storage.runs import Purpose, Run
from storage.steps import Step

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 8  # definite refusals of one step before it is given up
SEND_WITHIN = timedelta(minutes=30)  # after the scans at send time: later than that the picture is stale
STUCK_AFTER = timedelta(minutes=5)  # far longer than a send without retries can take
FIND_WITHIN = timedelta(minutes=2)  # how long an unsettled send is looked for before a person is asked


def tick(parts: Parts, now: datetime) -> None:
    for run in runs.in_state(parts.store.db, RunState.RUNNING):
        step = _next(parts, run)
        if step and (step.not_before is None or step.not_before <= now):
            lane = parts.lane(run.application, run.environment)
            parts.pool.submit(("dispatch", run.id), partial(send, parts, run, step), lane=lane)


def _next(parts: Parts, run: Run) -> Step | None:
    """The first step that has not ended, if it is to be sent."""
    current = next((step for step in steps.of_run(parts.store.db, run.id) if not step.state.ended), None)
    return current if current and current.state is StepState.PLANNED else None


def send(parts: Parts, run: Run, step: Step) -> None:
    key = EnvironmentKey(run.application, run.environment)
    environment = parts.config.environment(key)
    if environment is None:
        return _give_up(parts, run, step, gone(key))
    target = target_of(environment)
    if step.kind is StepKind.INSTALL and _an_install_failed(parts, run):
        return _give_up(parts, run, step, "An earlier batch failed, so this one was not sent.")
    guarded = run.production and step.kind is StepKind.INSTALL
    if guarded and rechecks.is_owed(parts.store.db, run.application, run.environment):
        return _wait(parts, run, "Patchgate was restarted: it first asks AWS whether the database is an older copy.")
    approvers: frozenset[str] = frozenset()
    if step.kind is StepKind.VERIFY and not _is_back(parts, run, step):
        return None
    if run.production and step.kind is not StepKind.SCAN:
        try:
            # A restored database must not send what an earlier life of it has sent already (I2). Only a Scan that
            # stands alone is not looked up: it changes nothing on a node, and its evidence is known by its SnapshotId.
            found = parts.patch_manager.find(target, step.id, run.requested_at)
            approvers = frozenset(parts.directory.holders(Role.APPROVER)) if guarded else approvers
        except (AwsError, DirectoryError) as error:
            return _wait(parts, run, str(error))
        if found:
            return _adopt(parts, run, step, found)
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        refusal = _forbidden(parts, tx, run, now, approvers) if guarded else None
        if refusal is None:
            sending = steps.transition(tx, step, StepState.SENDING, now, run.ref)
    if refusal is not None:
        return _give_up(parts, run, step, refusal)
    if sending is None:
        return None  # moved on meanwhile
    request = _request(run, step)
    try:
        command_id = parts.patch_manager.send(target, request)
    except DefiniteRefusal as error:
        return _refused(parts, run, sending, error)
    except Doubt as error:
        log.warning("%s: nobody knows whether step %s was sent: %s", run.ref, step.id, error)
        with parts.store.transaction() as tx:
            steps.transition(tx, sending, StepState.UNKNOWN, parts.clock.now(), run.ref, note=str(error))
        parts.wake("settle")
        return None
    with parts.store.transaction() as tx:
        steps.transition(tx, sending, StepState.SENT, parts.clock.now(), run.ref, command_id=command_id)
        runs.set_note(tx, run, "")
    parts.wake("track")
    parts.wake("deliver")
    return None


def _an_install_failed(parts: Parts, run: Run) -> bool:
    planned = steps.of_run(parts.store.db, run.id)
    return any(step.kind is StepKind.INSTALL and step.state is StepState.FAILED for step in planned)


def _request(run: Run, step: Step) -> SendRequest:
    parameters: dict[str, tuple[str, ...]] = {**step.parameters, "SnapshotId": (step.id,)}
    if step.operation is Operation.INSTALL and run.pins_url is not None:
        parameters["InstallOverrideList"] = (run.pins_url,)
    return SendRequest(
        document_name=step.document,
        document_version=step.document_version,
        document_hash=step.document_hash,
        instance_ids=step.node_ids,
        parameters=parameters,
        comment=f"patchgate {run.ref} {step.id}",
        timeout_seconds=step.delivery_timeout,
        max_concurrency=step.max_concurrency,
        max_errors=step.max_errors,
    )


def _is_back(parts: Parts, run: Run, step: Step) -> bool:
    """Whether the nodes are back from their reboots; after ten minutes the verification goes without the rest."""
    environment = parts.config.environments()[EnvironmentKey(run.application, run.environment)]
    now = parts.clock.now()
    earlier = [each for each in steps.of_run(parts.store.db, run.id) if each.position < step.position and each.ended_at]
    ended = max((each.ended_at for each in earlier if each.ended_at), default=now)
    if now - ended > timedelta(minutes=10):
        return True
    try:
        ping = parts.patch_manager.ping(target_of(environment), step.node_ids)
    except AwsError as error:
        _wait(parts, run, str(error))
        return False
    away = [node_id for node_id in step.node_ids if ping.get(node_id) != "Online"]
    if away:
        _wait(parts, run, f"Waiting for {len(away)} of {len(step.node_ids)} nodes to come back from their reboot.")
    return not away


def _forbidden(parts: Parts, tx: Database, run: Run, now: datetime, approvers: frozenset[str]) -> str | None:
    """Why a production Install may not be sent at this very moment; read in the transaction of the send (I3, I4)."""
    change = changes.find(tx, run.change_id) if run.change_id else None
    if change is None or run.purpose is not Purpose.CHANGE or change.state is not ChangeState.USED:
        return "There is no approved change behind this Install; nothing was sent."
    if change.configuration != parts.config.version:
        return f"The configuration has changed since {change.ref} was judged; nothing was sent. Ask again."
    standing = decisions.approvers(tx, change) & approvers
    if len(standing) < max(change.required, 1):
        return (
            f"{len(standing)} of {change.required} approvers needed for {change.ref} hold the role now; "
            "nothing was sent. Ask again."
        )
    if run.pins_url is None and (change.parts or {}).get("policy", {}).get("pin") != "off":
        return f"The pinned list of {change.ref} is not in its bucket; nothing was sent. Ask again."
    if problem_in_the_way(tx, change):
        return (
            f"A problem with {run.application} was reported meanwhile; nothing was sent. An operator clears it first."
        )
    scans = [scan.ended_at for scan in runs.of_change(tx, change.id, Purpose.SEND) if scan.ended_at]
    if not scans or now - min(scans) > SEND_WITHIN:
        return "The scans taken for this Install are older than 30 minutes; nothing was sent. Ask again."
    return None


def _refused(parts: Parts, run: Run, step: Step, error: DefiniteRefusal) -> None:
    """Nothing happened at AWS, so the step is planned again, or given up when asking again can't help."""
    hopeless = not isinstance(error, Throttled) and (isinstance(error, AccessRefused) or step.attempts >= 3)
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        wait = timedelta(seconds=min(2**step.attempts, 60))
        planned = steps.transition(
            tx,
            step,
            StepState.PLANNED,
            now,
            run.ref,
            note=str(error),
            not_before=to_text(now + wait),
            sending_at=None,
        )
        runs.set_note(tx, run, str(error))
    if planned and (hopeless or step.attempts >= MOST_ATTEMPTS):
        _give_up(parts, run, planned, str(error))
    parts.wake("deliver")


def _give_up(parts: Parts, run: Run, step: Step, note: str) -> None:
    """A step that is not sent takes with it what makes no sense without it."""
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        runs.set_note(tx, run, note)
        for each in _dependents(run, step, steps.of_run(tx, run.id)):
            steps.transition(tx, each, StepState.FAILED, now, run.ref, note=note)
    parts.wake("finish")
    parts.wake("dispatch")


def _dependents(run: Run, given_up: Step, planned: list[Step]) -> list[Step]:
    """The step itself and the planned ones that must not follow it.

    No batch is installed after one that failed. What did go out is verified; scans stand alone, but nothing is
    installed where the scan before it is missing.
    """
    waiting = [step for step in planned if step.state is StepState.PLANNED]
    if given_up.kind is StepKind.INSTALL:
        sent = any(step.kind is StepKind.INSTALL and step.sent_at for step in planned)
        return [step for step in waiting if step.kind is StepKind.INSTALL or not sent]
    if given_up.kind is StepKind.SCAN and run.operation is Operation.INSTALL:
        return waiting
    return [step for step in waiting if step.id == given_up.id]


def _wait(parts: Parts, run: Run, note: str) -> None:
    """Not now: nothing about the step has changed, but people see why it waits."""
    with parts.store.transaction() as tx:
        runs.set_note(tx, run, note)
    parts.wake("deliver")


def _adopt(parts: Parts, run: Run, step: Step, command_id: str) -> None:
    """AWS has the command already: follow it instead of sending.

    When it was sent is not known any more; its evidence, known by our SnapshotId, is younger than the run in any case.
    """
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        note, since = "found at AWS, not sent again", to_text(run.requested_at)
        sending = steps.transition(tx, step, StepState.SENDING, now, run.ref, note=note, sending_at=since)
        if sending:
            steps.transition(tx, sending, StepState.SENT, now, run.ref, command_id=command_id)
    parts.wake("track")


def recover(parts: Parts) -> None:
    """After a start: what was being sent when the process died may or may not have been sent (I2)."""
    for step in steps.in_state(parts.store.db, StepState.SENDING):
        _doubt(parts, step, "Patchgate was stopped while it sent this step; it is looked up, not sent again.")


def _doubt(parts: Parts, step: Step, note: str) -> None:
    with parts.store.transaction() as tx:
        run = runs.get(tx, step.run_id)
        steps.transition(tx, step, StepState.UNKNOWN, parts.clock.now(), run.ref, note=note)


def settle(parts: Parts, now: datetime) -> None:
    """Sweep `settle`: look for steps of which nobody knows whether they were sent."""
    for step in steps.in_state(parts.store.db, StepState.SENDING):
        if step.sending_at and now - step.sending_at > STUCK_AFTER:
            _doubt(parts, step, "What came of sending this step was not recorded; it is looked up, not sent again.")
    for step in steps.in_state(parts.store.db, StepState.UNKNOWN):
        parts.pool.submit(("settle", step.id), partial(_look_for, parts, step), lane=parts.lane_of_run(step.run_id))


def _look_for(parts: Parts, step: Step) -> None:
    run = runs.get(parts.store.db, step.run_id)
    environment = parts.config.environment(EnvironmentKey(run.application, run.environment))
    note, found = "", None
    if environment is None:
        note = gone(EnvironmentKey(run.application, run.environment))
    else:
        try:
            found = parts.patch_manager.find(target_of(environment), step.id, step.sending_at or run.requested_at)
        except AwsError as error:
            note = str(error)
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        if found:
            if steps.transition(tx, step, StepState.SENT, now, run.ref, command_id=found) and (
                run.state is RunState.NEEDS_HUMAN
            ):
                runs.transition(tx, run, RunState.RUNNING, now, "clock", note="The command was found at AWS after all.")
            parts.wake("track")
        elif run.state is RunState.RUNNING and now - (step.sending_at or now) > FIND_WITHIN:
            runs.transition(tx, run, RunState.NEEDS_HUMAN, now, "clock", note=note or _unsettled(step))
    parts.wake("deliver")


def _unsettled(step: Step) -> str:
    return (
        f"Nobody knows whether the {step.what} was sent: AWS gave no clear answer, and no command with its "
        "id is listed. It is not sent again. An admin looks at the nodes and says whether it ran."
    )
