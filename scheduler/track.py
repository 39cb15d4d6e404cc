"""Sweep `track`: every node of a sent step is followed to its end by its own invocation (I9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from aws.commands import Invocation as Seen
from aws.errors import AwsError
from aws.target import Target
from patching.nodes import EnvironmentKey
from patching.outcomes import NodeOutcome, outcome_of
from patching.states import RunState, StepState
from scheduler.parts import Parts, target_of
from storage import outbox, runs, steps
from storage.runs import Invocation, Run
from storage.steps import Step

EXECUTION = timedelta(hours=2)  # the document's own step timeout (facts/patch-manager.md section 1)
GRACE = timedelta(minutes=15)  # beyond every timeout of AWS's before a step is cancelled and given up
LONGEST_PAUSE = timedelta(seconds=15)  # between two looks at the same command
DELAY_FACTOR = 20  # a command that has run for t is looked at every t/20


@dataclass(slots=True)
class Tracker:
    """Remembers when each step was last looked at: a courtesy to AWS's rate limits, not a due time of anything."""

    parts: Parts
    looked: dict[str, datetime]

    def tick(self, now: datetime) -> None:
        sent = steps.in_state(self.parts.store.db, StepState.SENT)
        self.looked = {step.id: self.looked[step.id] for step in sent if step.id in self.looked}
        for step in sent:
            pause = min((now - (step.sent_at or now)) / DELAY_FACTOR, LONGEST_PAUSE)
            if now - self.looked.get(step.id, datetime.min.replace(tzinfo=now.tzinfo)) >= pause:
                self.looked[step.id] = now
                lane = self.parts.lane_of_run(step.run_id)
                self.parts.pool.submit(("track", step.id), partial(follow, self.parts, step), lane=lane)


def follow(parts: Parts, step: Step) -> None:
    run = runs.get(parts.store.db, step.run_id)
    environment = parts.config.environment(EnvironmentKey(run.application, run.environment))
    if environment is None:
        return  # nobody can be asked any more; the environment stays locked until the configuration is mended
    target = target_of(environment)
    known = runs.invocations(parts.store.db, step.id)
    if _all_ended(step, known):
        parts.wake("collect")
        return
    try:
        command_id = step.command_id or parts.patch_manager.find(target, step.id, step.sending_at or run.requested_at)
        seen = (
            {each.node_id: each for each in parts.patch_manager.invocations(target, command_id)} if command_id else {}
        )
        over = command_id is not None and _command_is_over(parts, target, command_id, step, seen)
    except AwsError as error:
        with parts.store.transaction() as tx:
            runs.set_note(tx, run, str(error))
        return
    late = _is_late(parts, step)
    if late and command_id and step.cancelled_at is None:
        _cancel(parts, target, run, step, command_id)
    expired = late and _given_up(parts, step, command_id)
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        news = [
            runs.record_invocation(tx, now, record)
            for record in _records(step, seen, known, over=over, expired=expired)
        ]
        if any(news):
            outbox.touch(tx, run.subject)
        if run.note and run.state is RunState.RUNNING:
            runs.set_note(tx, run, "")
    if any(news):
        parts.wake("deliver")
    if _all_ended(step, runs.invocations(parts.store.db, step.id)):
        parts.wake("collect")


def _records(
    step: Step, seen: Mapping[str, Seen], known: Mapping[str, Invocation], *, over: bool, expired: bool
) -> list[Invocation]:
    """What to keep of each expected node: what AWS says, or that it never answered."""
    records = []
    for node_id in step.node_ids:
        found = seen.get(node_id)
        outcome = outcome_of(found.status, found.status_details) if found else None
        if found and outcome is None and not expired:
            records.append(Invocation(step.id, node_id, found.status, found.status_details, None, ""))
        elif found and outcome is not None:
            note = "" if outcome is NodeOutcome.SUCCEEDED else found.status_details
            records.append(Invocation(step.id, node_id, found.status, found.status_details, outcome, note))
        elif expired or over:
            # The command is over, or its time has passed, and this node was never taken up or never came to an end.
            note = "never answered within its time" if expired else "AWS never started it on this node"
            status = found.status if found else ""
            details = found.status_details if found else ""
            records.append(Invocation(step.id, node_id, status, details, NodeOutcome.NEVER_ANSWERED, note))
    return [record for record in records if not (known.get(record.node_id) and known[record.node_id].outcome)]


def _command_is_over(parts: Parts, target: Target, command_id: str, step: Step, seen: Mapping[str, Seen]) -> bool:
    """Whether AWS is done with the command as a whole; asked only when that could settle a node without invocation.

    The command's status says nothing about a node that it lists (I9): this is only about nodes that it does not.
    """
    unlisted = set(step.node_ids) - set(seen)
    if not unlisted or not all(each.ended for each in seen.values()):
        return False
    if parts.clock.now() - (step.sent_at or parts.clock.now()) < timedelta(minutes=1):
        return False  # invocations are listed a moment after the command (facts/patch-manager.md section 4)
    return parts.patch_manager.command(target, command_id).status in {"Success", "Failed", "Cancelled", "TimedOut"}


def _is_late(parts: Parts, step: Step) -> bool:
    allowed = timedelta(seconds=step.delivery_timeout) + EXECUTION + GRACE
    return parts.clock.now() - (step.sent_at or parts.clock.now()) > allowed


def _given_up(parts: Parts, step: Step, command_id: str | None) -> bool:
    """Whether a late step was watched for long enough after it was cancelled, or there is nothing to cancel."""
    return command_id is None or (step.cancelled_at is not None and parts.clock.now() - step.cancelled_at > GRACE)


def _cancel(parts: Parts, target: Target, run: Run, step: Step, command_id: str) -> None:
    """Ask AWS to stop what is left; whatever it answers, the invocations are watched on."""
    note = "Its time has passed; the command was cancelled and is watched to its end."
    try:
        parts.patch_manager.cancel(target, command_id)
    except AwsError as error:
        note = f"Its time has passed, and AWS did not cancel it: {error}"
    with parts.store.transaction() as tx:
        steps.mark_cancelled(tx, step, run.ref, note, parts.clock.now())


def _all_ended(step: Step, known: Mapping[str, Invocation]) -> bool:
    return all(node_id in known and known[node_id].outcome is not None for node_id in step.node_ids)
