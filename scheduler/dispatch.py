"""Sweep `dispatch`: planned steps are sent, in order, each at most once (I2, I3)."""

import logging
from datetime import datetime, timedelta
from functools import partial

from aws.commands import SendRequest
from aws.errors import AccessRefused, AwsError, DefiniteRefusal, Doubt, Throttled
from aws.target import Target
from commands.ports import DirectoryError, Role
from patching.model import Operation
from patching.nodes import EnvironmentKey
from patching.plan import StepKind
from patching.sequence import Progress, failed_in_wave, fallen, next_to_send
from patching.states import RunState, StepState
from scheduler import backup_steps, health, permits, reboots
from scheduler.parts import Parts, gone, target_of
from storage import pauses, rechecks, runs, steps
from storage.database import to_text
from storage.runs import Run
from storage.steps import Step

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 64  # of one step: about an hour of throttling, for a wave that is not verified ends its run as failed
WAIT_FOR_OTHERS = timedelta(minutes=30)  # for somebody else's command to leave the nodes
GOING_ON = (RunState.RUNNING, RunState.PAUSED)


def tick(parts: Parts, now: datetime) -> None:
    for run in runs.in_state(parts.store.db, *GOING_ON):
        planned = steps.progress(parts.store.db, run.id)
        if any(step.state is StepState.PLANNED for step in planned) and (
            fallen(planned, cancelled=_cancelled(run)) or _turn(run, planned) is not None
        ):
            lane = parts.lane(run.application, run.environment)
            parts.pool.submit(("dispatch", run.id), partial(advance, parts, run.id), lane=lane)


def advance(parts: Parts, run_id: int) -> None:
    """Let fall what must not be sent any more, and send whatever has its turn."""
    sent = True
    while sent:
        _let_fall(parts, run_id)
        run = runs.get(parts.store.db, run_id)
        position = _turn(run, steps.progress(parts.store.db, run_id)) if run.state in GOING_ON else None
        step = next((each for each in steps.of_run(parts.store.db, run_id) if each.position == position), None)
        if step is None or (step.not_before is not None and step.not_before > parts.clock.now()):
            return
        sent = send(parts, run, step)


def _turn(run: Run, planned: list[Progress]) -> int | None:
    return next_to_send(planned, paused=run.state is RunState.PAUSED)


def _cancelled(run: Run) -> str:
    return "It was cancelled before this was sent." if run.cancelled_at else ""


def _let_fall(parts: Parts, run_id: int) -> None:
    with parts.store.transaction() as tx:
        run = runs.get(tx, run_id)
        falling = fallen(steps.progress(tx, run_id), cancelled=_cancelled(run)) if run.state in GOING_ON else {}
        for step in steps.of_run(tx, run_id) if falling else ():
            if step.position in falling and step.state is StepState.PLANNED:
                note = falling[step.position]
                steps.transition(tx, step, StepState.FAILED, parts.clock.now(), run.ref, note=note)
    if falling:
        parts.wake("finish")
        parts.wake("deliver")


def send(parts: Parts, run: Run, step: Step) -> bool:
    """Whether the step went out, so that the next may have its turn."""
    key = EnvironmentKey(run.application, run.environment)
    environment = parts.config.environment(key)
    if environment is None:
        return _give_up(parts, run, step, gone(key))
    target = target_of(environment)
    installs = step.kind is StepKind.INSTALL
    guarded = run.production and installs
    if guarded and rechecks.is_owed(parts.store.db, run.application, run.environment):
        return _wait(parts, run, "Patchgate was restarted: it first asks AWS whether the database is an older copy.")
    approvers: frozenset[str] = frozenset()
    if step.kind in {StepKind.HEALTH, StepKind.VERIFY} and step.document:
        waits = reboots.waits_for(parts, run, step, target)
        if waits:
            return _wait(parts, run, waits, step)
        if not reboots.left(parts, step):
            return _give_up(parts, run, step, "None of its nodes is there any more, so nothing was sent.")
    found, against = None, None
    try:
        if run.production and step.document and step.kind is not StepKind.SCAN:
            # A restored database must not send what an earlier life of it has sent already (I2). Only a Scan that
            # stands alone is not looked up: it changes nothing on a node, and its evidence is known by its SnapshotId.
            found = parts.patch_manager.find(target, step.id, run.requested_at)
        if installs and not found:
            against = permits.look(parts, run, step, target)
            if guarded:
                against = against or permits.not_as_approved(parts.store.db, run, step)
        if guarded:
            approvers = frozenset(parts.directory.holders(Role.APPROVER))
    except permits.Busy as busy:
        return _wait_for_others(parts, run, step, str(busy))
    except (AwsError, DirectoryError) as error:
        return _wait(parts, run, str(error))
    if found:
        return _adopt(parts, run, step, found)
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        run = runs.get(tx, run.id)
        planned = steps.progress(tx, run.id)
        falling = fallen(planned, cancelled=_cancelled(run))
        if run.state not in GOING_ON or falling or _turn(run, planned) != step.position:
            return False  # cancelled, paused or moved on meanwhile
        refusal = against or (permits.forbidden(parts, tx, run, step, now, approvers) if guarded else None)
        # Made before the row says "sending": what can't be written as a request was not sent, and is in no doubt.
        left = reboots.left(parts, step)
        request = _request(run, step, planned, left) if step.document and left else None
        if step.document and request is None and refusal is None:
            return False  # its last node was terminated just now
        sending = None if refusal else steps.transition(tx, step, StepState.SENDING, now, run.ref)
    if refusal is not None:
        return _give_up(parts, run, step, refusal)
    if sending is None:
        return False
    if request is None:
        begin = backup_steps.begin if step.kind is StepKind.BACKUP else health.begin
        begin(parts, run, sending)
        return True
    return _send_command(parts, run, sending, target, request)


def _send_command(parts: Parts, run: Run, step: Step, target: Target, request: SendRequest) -> bool:
    try:
        command_id = parts.patch_manager.send(target, request)
    except DefiniteRefusal as error:
        return _refused(parts, run, step, error)
    except Doubt as error:
        log.warning("%s: nobody knows whether step %s was sent: %s", run.ref, step.id, error)
        with parts.store.transaction() as tx:
            steps.transition(tx, step, StepState.UNKNOWN, parts.clock.now(), run.ref, note=str(error))
        parts.wake("settle")
        return False
    with parts.store.transaction() as tx:
        steps.transition(tx, step, StepState.SENT, parts.clock.now(), run.ref, command_id=command_id)
        runs.set_note(tx, run, "")
    parts.wake("track")
    parts.wake("deliver")
    return True


def _request(run: Run, step: Step, planned: list[Progress], node_ids: tuple[str, ...]) -> SendRequest:
    parameters: dict[str, tuple[str, ...]] = dict(step.parameters)
    max_errors = step.max_errors
    if step.operation is not None:
        parameters["SnapshotId"] = (step.id,)
    if step.operation is Operation.INSTALL:
        # The limit is the wave's: what its earlier batches have used up of it is gone.
        max_errors = str(max(0, int(max_errors) - len(failed_in_wave(planned, step.wave))))
        if run.pins_url is not None:
            parameters["InstallOverrideList"] = (run.pins_url,)
    return SendRequest(
        document_name=step.document,
        document_version=step.document_version,
        document_hash=step.document_hash,
        instance_ids=node_ids,
        parameters=parameters,
        comment=f"patchgate {run.ref} {step.id}",
        timeout_seconds=step.delivery_timeout,
        max_concurrency=step.max_concurrency,
        max_errors=max_errors,
    )


def _refused(parts: Parts, run: Run, step: Step, error: DefiniteRefusal) -> bool:
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
        return _give_up(parts, run, planned, str(error))
    parts.wake("deliver")
    return False


def _give_up(parts: Parts, run: Run, step: Step, note: str) -> bool:
    """A step that is not sent takes with it what makes no sense without it (`patching.sequence.fallen`)."""
    with parts.store.transaction() as tx:
        runs.set_note(tx, run, note)
        given_up = steps.transition(tx, step, StepState.FAILED, parts.clock.now(), run.ref, note=note)
    parts.wake("finish")
    parts.wake("deliver")
    return given_up is not None


def _wait(parts: Parts, run: Run, note: str, step: Step | None = None) -> bool:
    """Not now: nothing about the step has changed, but people see why it waits. With `step`, AWS was asked for it."""
    with parts.store.transaction() as tx:
        runs.set_note(tx, run, note)
        if step:
            steps.postpone(tx, step, parts.clock.now() + reboots.LOOK_EVERY)
    parts.wake("deliver")
    return False


def _wait_for_others(parts: Parts, run: Run, step: Step, note: str) -> bool:
    planned = steps.of_run(parts.store.db, run.id)
    ended = [each.ended_at for each in planned if each.ended_at]
    since = max([*ended, pauses.going_since(parts.store.db, run) or run.requested_at])
    if parts.clock.now() - since > WAIT_FOR_OTHERS:
        why = note.removesuffix(".").replace("Waiting for", "Waited 30 minutes in vain for")
        return _give_up(parts, run, step, f"{why}; {permits.nothing(planned)}. Ask again.")
    return _wait(parts, run, note)


def _adopt(parts: Parts, run: Run, step: Step, command_id: str) -> bool:
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
    return sending is not None
