"""Sweep `health`: between an Install and its verification, wait, and look at alarms the while.

A health step without a document is no command: it begins when the wave's Installs have ended, and it ends well when its
wait is over with none of its alarms on. One that CloudWatch doesn't know, or that can't be read when the wait is over,
is not well: nobody can say that the application is. Where the run is cancelled nobody waits any longer: nothing comes
after it but the verification.
"""

from datetime import datetime, timedelta
from functools import partial

from aws.alarms import ABSENT
from aws.errors import AwsError
from patching.durations import words
from patching.nodes import EnvironmentKey
from patching.phrases import listed
from patching.plan import StepKind
from patching.states import StepState
from scheduler.parts import Parts, gone, target_of
from storage import runs, steps
from storage.runs import Run
from storage.steps import Step

PATIENCE = timedelta(minutes=5)  # with a CloudWatch that doesn't answer, after the wait


def begin(parts: Parts, run: Run, step: Step) -> None:
    """From now on the wait runs; there is nothing that could be sent twice."""
    with parts.store.transaction() as tx:
        steps.transition(tx, step, StepState.SENT, parts.clock.now(), run.ref)
        wait = timedelta(seconds=step.settings["wait_seconds"])
        runs.set_note(tx, run, f"Watching for {words(wait)} whether all is well." if wait else "")
    parts.wake("health")
    parts.wake("deliver")


def tick(parts: Parts, now: datetime) -> None:
    for step in steps.in_state(parts.store.db, StepState.SENDING, StepState.SENT):
        if step.kind is StepKind.HEALTH and not step.document:
            parts.pool.submit(("health", step.id), partial(look, parts, step), lane=parts.lane_of_run(step.run_id))


def look(parts: Parts, step: Step) -> None:
    run = runs.get(parts.store.db, step.run_id)
    if step.state is StepState.SENDING:  # the process died between the two commits of its beginning
        return begin(parts, run, step)
    now = parts.clock.now()
    over = (step.sent_at or now) + timedelta(seconds=step.settings["wait_seconds"])
    try:
        trouble = _trouble(parts, run, step.settings["alarms"])
    except AwsError as error:
        if now < over + PATIENCE:
            return None
        trouble = f"Whether the alarms are on could not be read: {error}"
    if trouble:
        return _end(parts, run, step, StepState.FAILED, trouble)
    if run.cancelled_at:
        return _end(parts, run, step, StepState.FAILED, "It was cancelled before the wait was over.")
    return _end(parts, run, step, StepState.DONE, "") if now >= over else None


def _trouble(parts: Parts, run: Run, names: list[str]) -> str:
    key = EnvironmentKey(run.application, run.environment)
    environment = parts.config.environment(key)
    if environment is None:
        return gone(key)
    if not names:
        return ""
    found = parts.alarms.states(target_of(environment), names)
    on = sorted(alarm.name for alarm in found.values() if alarm.state == "ALARM")
    absent = sorted(alarm.name for alarm in found.values() if alarm.state == ABSENT)
    if on:
        return f"The {'alarm' if len(on) == 1 else 'alarms'} {listed(on)} {'is' if len(on) == 1 else 'are'} on."
    return f"CloudWatch does not know {listed(absent)}, so nobody can say that all is well." if absent else ""


def _end(parts: Parts, run: Run, step: Step, state: StepState, note: str) -> None:
    with parts.store.transaction() as tx:
        steps.transition(tx, step, state, parts.clock.now(), run.ref, note=note)
        runs.set_note(tx, run, note)
    for name in ("dispatch", "finish", "deliver"):
        parts.wake(name)
