"""Sweep `settle`: steps of which nobody knows whether they were sent are looked up, never sent again (I2)."""

from datetime import datetime, timedelta
from functools import partial

from aws.errors import AwsError
from patching.nodes import EnvironmentKey
from patching.states import RunState, StepState
from scheduler.parts import Parts, gone, target_of
from storage import pauses, runs, steps
from storage.steps import Step

STUCK_AFTER = timedelta(minutes=5)  # far longer than a send without retries can take
FIND_WITHIN = timedelta(minutes=2)  # how long an unsettled send is looked for before a person is asked


def recover(parts: Parts) -> None:
    """After a start: what was being sent when the process died may or may not have been sent (I2)."""
    for step in steps.in_state(parts.store.db, StepState.SENDING):
        if step.document:  # what is no command may be done twice, and its own sweep takes it up
            _doubt(parts, step, "Patchgate was stopped while it sent this step; it is looked up, not sent again.")


def tick(parts: Parts, now: datetime) -> None:
    for step in steps.in_state(parts.store.db, StepState.SENDING):
        if step.document and step.sending_at and now - step.sending_at > STUCK_AFTER:
            _doubt(parts, step, "What came of sending this step was not recorded; it is looked up, not sent again.")
    for step in steps.in_state(parts.store.db, StepState.UNKNOWN):
        parts.pool.submit(("settle", step.id), partial(_look_for, parts, step), lane=parts.lane_of_run(step.run_id))


def _doubt(parts: Parts, step: Step, note: str) -> None:
    with parts.store.transaction() as tx:
        run = runs.get(tx, step.run_id)
        steps.transition(tx, step, StepState.UNKNOWN, parts.clock.now(), run.ref, note=note)


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
        run = runs.get(tx, step.run_id)
        if steps.get(tx, step.id).state is not StepState.UNKNOWN:
            return  # a person settled it while AWS was asked
        if found:
            sent = steps.transition(tx, step, StepState.SENT, now, run.ref, command_id=found)
            if sent and run.state is RunState.NEEDS_HUMAN and not steps.unsettled(tx, run.id):
                pauses.go_on(tx, run, now, "clock", "The command was found at AWS after all.")
            parts.wake("track")
        elif run.state in {RunState.RUNNING, RunState.PAUSED} and now - (step.sending_at or now) > FIND_WITHIN:
            runs.transition(tx, run, RunState.NEEDS_HUMAN, now, "clock", note=note or _unsettled(step))
    parts.wake("deliver")


def _unsettled(step: Step) -> str:
    return (
        f"Nobody knows whether the {step.what} was sent: AWS gave no clear answer, and no command with its "
        "id is listed. It is not sent again. An admin looks at the nodes and says whether it ran."
    )
