"""Sweep `cancelling`: the commands of a Scan that somebody cancelled are cancelled at AWS, and watched on (I9).

An Install's never are: SSM Agent would stop a package manager in the middle and skip the hook that comes last.
"""

from datetime import datetime
from functools import partial

from aws.errors import AwsError, Throttled
from patching.model import Operation
from patching.nodes import EnvironmentKey
from patching.states import RunState, StepState
from scheduler.parts import Parts, target_of
from storage import runs, steps
from storage.runs import Run
from storage.steps import Step


def tick(parts: Parts, now: datetime) -> None:
    for run in runs.in_state(parts.store.db, RunState.RUNNING):
        if run.cancelled_at is None or run.operation is not Operation.SCAN:
            continue
        for step in steps.of_run(parts.store.db, run.id):
            if step.state is StepState.SENT and step.command_id and step.cancelled_at is None:
                lane = parts.lane(run.application, run.environment)
                parts.pool.submit(("cancelling", step.id), partial(_cancel, parts, run, step), lane=lane)


def _cancel(parts: Parts, run: Run, step: Step) -> None:
    """Once; whatever AWS answers, a node's end is its invocation's."""
    environment = parts.config.environment(EnvironmentKey(run.application, run.environment))
    if environment is None or step.command_id is None:
        return
    note = "The run was cancelled; the command was cancelled at AWS and is watched to its end."
    try:
        parts.patch_manager.cancel(target_of(environment), step.command_id)
    except Throttled:
        return  # asked again at the next tick
    except AwsError as error:
        note = f"The run was cancelled, but AWS did not cancel the command: {error}"
    with parts.store.transaction() as tx:
        steps.mark_cancelled(tx, step, run.ref, note, parts.clock.now())
    parts.wake("track")
