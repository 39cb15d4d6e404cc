"""Sweep `backups`: the steps that take snapshots or images, from the first request until all of them are complete.

A command is sent at most once (I2). A backup may be taken twice: that costs storage and harms nothing. So where an
answer was lost, or nobody could write it down, EC2 is asked by the step's tag what it has (facts/patch-manager.md
section 8), and what it would list by then and does not is taken again. Each request is a committed row first (I1).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlite_utils import Database

from aws.backup_answers import Taken
from aws.backups import Tags
from aws.errors import AwsError, Doubt, Throttled
from aws.target import Target
from patching.backups import Kind, Machine, State
from patching.durations import words
from patching.nodes import EnvironmentKey
from patching.outcomes import NodeOutcome
from patching.phrases import listed
from patching.plan import StepKind
from patching.states import RunState, StepState
from scheduler.parts import Parts, gone, target_of
from storage import backups, invocations, outbox, runs, steps
from storage.backups import NodeBackup
from storage.invocations import Invocation
from storage.runs import Run
from storage.steps import Step

LISTED_AFTER = timedelta(minutes=2)  # EC2's lists lag behind its answers; by then what it took is in them
MOST_REQUESTS = 3  # for one node, where AWS gives no clear answer
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(seconds=30)  # between two looks at the same step
DELAY_FACTOR = 20  # a step that has been under way for t is looked at every t/20
# What is refused now and taken later: too many snapshots under way, of a volume or of the account; no connection.
PASSING = frozenset(
    {
        "ConcurrentSnapshotLimitExceeded",
        "PendingSnapshotLimitExceeded",
        "SnapshotCreationPerVolumeRateExceeded",
        "ConnectTimeoutError",
        "EndpointConnectionError",
        "ProxyConnectionError",
    }
)
NAME_TAKEN = "InvalidAMIName.Duplicate"  # a name has the step's UUID, so that it is our own image, not listed yet
_LOST = frozenset({NodeOutcome.FAILED, NodeOutcome.TIMED_OUT})
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class BackupSteps:
    """Remembers when each step was last looked at: a courtesy to AWS's rate limits, not a due time of anything."""

    parts: Parts
    looked: dict[str, datetime] = field(default_factory=dict)

    def tick(self, now: datetime) -> None:
        under_way = steps.in_state(self.parts.store.db, StepState.SENDING, StepState.SENT)
        mine = [step for step in under_way if takes_backups(step)]
        self.looked = {step.id: self.looked[step.id] for step in mine if step.id in self.looked}
        for step in mine:
            began = step.sending_at or _LONG_AGO
            pause = max(SHORTEST_PAUSE, min((now - began) / DELAY_FACTOR, LONGEST_PAUSE))
            if now - self.looked.get(step.id, began) >= pause and _submit(self.parts, step):
                self.looked[step.id] = now


def takes_backups(step: Step) -> bool:
    return step.kind is StepKind.BACKUP and not step.document


def begin(parts: Parts, run: Run, step: Step) -> None:
    """For a step that was just brought to `sending`; the sweep goes on with it whatever comes of this."""
    _submit(parts, step)


def _submit(parts: Parts, step: Step) -> bool:
    return parts.pool.submit(("backups", step.id), partial(go_on, parts, step.id), lane=parts.lane_of_run(step.run_id))


def go_on(parts: Parts, step_id: str) -> None:
    """Look for what the step took, take what is missing, and see how far the rest is."""
    step = steps.get(parts.store.db, step_id)
    if step.state not in {StepState.SENDING, StepState.SENT}:
        return
    run = runs.get(parts.store.db, step.run_id)
    environment = parts.config.environment(EnvironmentKey(run.application, run.environment))
    note = ""
    end = _end_of_rest(parts, parts.store.db, run, step)
    # When the time is up, once more: the bot may have been down for most of it.
    last = end is not None and end[0] is NodeOutcome.TIMED_OUT
    if environment and (end is None or last):
        target, left = target_of(environment), _open(parts.store.db, step)
        named = _named(parts.store.db, step, left)
        unnamed = sorted(set(left).difference(each.node_id for each in named))
        try:
            if unnamed:
                note = _look_and_take(parts, target, run, step, unnamed, take=not last)
            if last:
                named = _named(parts.store.db, step, left)
            if named:
                _follow(parts, target, run, step, named)
        except AwsError as error:
            if _passes(error):
                note = str(error)
            else:
                _fail(parts, run, step, left, str(error))
    _close(parts, run, step, note)


def _named(db: Database, step: Step, node_ids: Sequence[str]) -> list[NodeBackup]:
    """What EC2 has taken of these nodes and named."""
    known = backups.of_step(db, step.id)
    return [known[node_id] for node_id in node_ids if node_id in known and known[node_id].ids]


def _look_and_take(parts: Parts, target: Target, run: Run, step: Step, node_ids: Sequence[str], *, take: bool) -> str:
    """What these nodes wait for, as a sentence; empty where nothing does. Raises AwsError where nobody could look."""
    found = parts.backups.find(target, step.id)
    mine = [found[node_id] for node_id in node_ids if node_id in found]
    for taken in mine:
        _keep(parts, run, step, taken)
    note = ""
    for node_id in node_ids if take else ():
        if node_id in found:
            continue
        asked = backups.of_step(parts.store.db, step.id).get(node_id)
        if asked and asked.asked_at and parts.clock.now() - asked.asked_at < LISTED_AFTER:
            note = note or "Whether AWS took every backup is not known yet; it is looked up before any is taken again."
            continue
        if asked and asked.asked >= MOST_REQUESTS:
            why = f"AWS gave no clear answer to {MOST_REQUESTS} requests for its {asked.kind}, and lists none"
            _fail(parts, run, step, [node_id], why)
            return ""
        try:
            if not _take(parts, target, run, step, node_id):
                return ""
        except Doubt as error:
            note = str(error)
        except AwsError as error:
            if error.code == NAME_TAKEN:
                continue
            with parts.store.transaction() as tx:
                backups.refused(tx, step.id, node_id)
            if not _passes(error):
                _fail(parts, run, step, [node_id], str(error))
            return str(error)  # and the others need not be asked for now
    return note


def _take(parts: Parts, target: Target, run: Run, step: Step, node_id: str) -> bool:
    """Request one backup, unless the run has been stopped meanwhile. Raises AwsError."""
    kind = Kind(step.settings["take"])
    with parts.store.transaction() as tx:
        run = runs.get(tx, run.id)
        if run.cancelled_at or run.state not in {RunState.RUNNING, RunState.PAUSED}:
            return False
        now = parts.clock.now()
        backups.ask(tx, step.id, node_id, kind, now)
        _record(tx, now, run, [Invocation(step.id, node_id, "InProgress", f"{kind} asked for", None, "")])
    tags = Tags(run.application, f"change-{run.change_id}" if run.change_id else "", run.ref, step.id)
    if kind is Kind.IMAGE:
        taken = parts.backups.create_image(target, node_id, tags, now)
    else:
        taken = parts.backups.create_snapshots(target, node_id, tags)
    _keep(parts, run, step, taken)
    return True


def _keep(parts: Parts, run: Run, step: Step, taken: Taken) -> None:
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        backups.keep(tx, now, run.ref, step.id, taken.node_id, taken.kind, taken.ids, taken.started_at)
        _record(tx, now, run, [_under_way(step, taken)])


def _follow(parts: Parts, target: Target, run: Run, step: Step, named: Sequence[NodeBackup]) -> None:
    """Raises AwsError."""
    taken = [
        Taken(each.kind, each.node_id, each.ids, each.started_at or _LONG_AGO, State.UNDER_WAY, None) for each in named
    ]
    progress = parts.backups.progress(target, taken)
    now = parts.clock.now()
    # What was begun just now may not be listed yet, which is no failure.
    told = [progress[each.node_id] for each in taken if not _is_unlisted(progress[each.node_id], now)]
    complete = [each for each in told if each.state is State.COMPLETE]
    machines = {each.node_id: each for each in parts.backups.machines(target, [each.node_id for each in complete])}
    with parts.store.transaction() as tx:
        for each in complete:
            backups.complete(tx, step.id, each.node_id, *_by_device(each, machines.get(each.node_id)))
        _record(tx, now, run, [_as_seen(step, each) for each in told])


def _by_device(taken: Taken, machine: Machine | None) -> tuple[Sequence[str], Sequence[str], str]:
    """(ids, the devices that they are of, the Availability Zone), for whoever restores it; no device is made up."""
    devices = {volume.id: volume.device for volume in machine.volumes} if machine else {}
    known = sorted((devices.get(volume, ""), found) for volume, found in zip(taken.volume_ids, taken.ids, strict=False))
    zone = machine.zone if machine else ""
    if not known or not all(device for device, _ in known):
        return taken.ids, (), zone
    return [found for _, found in known], [device for device, _ in known], zone


def _is_unlisted(taken: Taken, now: datetime) -> bool:
    return (
        taken.state is State.FAILED
        and taken.percent is None
        and not taken.why
        and now - taken.started_at < LISTED_AFTER
    )


def _close(parts: Parts, run: Run, step: Step, note: str) -> None:
    """End what is not to be waited for, and let the step go on to its own end."""
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        run = runs.get(tx, run.id)
        end = _end_of_rest(parts, tx, run, step)
        if end:
            _record(tx, now, run, [_ended(step, node_id, *end) for node_id in _open(tx, step)])
        left, known = _open(tx, step), backups.of_step(tx, step.id)
        if step.state is StepState.SENDING and all(node_id in known and known[node_id].ids for node_id in left):
            steps.transition(tx, step, StepState.SENT, now, run.ref)
        if run.state is RunState.RUNNING:
            runs.set_note(tx, run, note)
    parts.wake("deliver")
    if not left:
        parts.wake("collect")


def _end_of_rest(parts: Parts, db: Database, run: Run, step: Step) -> tuple[NodeOutcome, str] | None:
    """How the nodes end whose backup is not complete; None while they are waited for.

    What EC2 has begun can't be taken back and needs nobody: nothing is installed, so nobody waits for it.
    """
    key = EnvironmentKey(run.application, run.environment)
    if parts.config.environment(key) is None:
        return NodeOutcome.FAILED, gone(key)
    if run.cancelled_at:
        return NodeOutcome.CANCELLED, "cancelled before its backup was complete"
    names = {node.id: node.name or node.id for node in run.nodes}
    together = [each.id for each in steps.of_run(db, run.id) if takes_backups(each)]
    seen = [found for step_id in together for found in invocations.of_step(db, step_id).values()]
    failed = [names.get(each.node_id, each.node_id) for each in seen if each.outcome in _LOST]
    if failed:
        return NodeOutcome.CANCELLED, f"its backup was left off, for that of {listed(failed)} failed"
    allowed = timedelta(seconds=step.settings["step_seconds"])
    if parts.clock.now() - (step.sending_at or parts.clock.now()) > allowed:
        return NodeOutcome.TIMED_OUT, f"its backup was not complete within {words(allowed)}; EC2 goes on with it"
    return None


def _open(db: Database, step: Step) -> list[str]:
    seen = invocations.of_step(db, step.id)
    return [node_id for node_id in step.node_ids if node_id not in seen or seen[node_id].outcome is None]


def _as_seen(step: Step, taken: Taken) -> Invocation:
    if taken.state is State.COMPLETE:
        return Invocation(step.id, taken.node_id, "Success", f"{taken.kind} complete", NodeOutcome.SUCCEEDED, "")
    if taken.state is State.FAILED:
        why = taken.why or "EC2 says no more, or somebody deleted them"
        return _ended(step, taken.node_id, NodeOutcome.FAILED, f"its {taken.kind} {listed(taken.ids)} failed: {why}")
    return _under_way(step, taken)


def _under_way(step: Step, taken: Taken) -> Invocation:
    details = f"{taken.kind} under way" if taken.percent is None else f"{taken.kind} {taken.percent} %"
    return Invocation(step.id, taken.node_id, "InProgress", details, None, "")


def _ended(step: Step, node_id: str, outcome: NodeOutcome, note: str) -> Invocation:
    return Invocation(step.id, node_id, "Failed", "", outcome, note)


def _fail(parts: Parts, run: Run, step: Step, node_ids: Sequence[str], why: str) -> None:
    with parts.store.transaction() as tx:
        failed = [_ended(step, node_id, NodeOutcome.FAILED, why) for node_id in node_ids]
        _record(tx, parts.clock.now(), run, failed)


def _record(tx: Database, now: datetime, run: Run, seen: Sequence[Invocation]) -> None:
    news = [invocations.record(tx, now, each) for each in seen]
    if any(news):
        outbox.touch(tx, run.subject)


def _passes(error: AwsError) -> bool:
    return isinstance(error, Throttled | Doubt) or error.code in PASSING
