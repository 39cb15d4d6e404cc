"""Sweep `track`: every node of a sent step is followed to its end by its own invocation (I9).

One poll for each account and Region asks how all of its commands stand; only the invocations of those that moved are
listed (`patching.following`).
"""

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from aws.commands import UNKNOWN_COMMAND
from aws.commands import Invocation as Seen
from aws.errors import AwsError, DefiniteRefusal, Throttled
from aws.target import Target
from patching.following import SETTLING, CommandStatus, Listing, is_listing_due, pause_after
from patching.nodes import EnvironmentKey
from patching.outcomes import NodeOutcome, outcome_of
from patching.plan import SCAN_STEP_SECONDS
from patching.states import RunState, StepState
from patching.statuses import NEVER_ANSWERED, NEVER_STARTED, explained
from scheduler import hook_words, notices
from scheduler.parts import Parts, target_of
from storage import invocations, outbox, runs, steps
from storage.invocations import Invocation
from storage.runs import Run
from storage.steps import Step

log = logging.getLogger(__name__)

GRACE = timedelta(minutes=15)  # beyond every timeout of AWS's before a step is cancelled and given up
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Tracker:
    """Remembers what it saw last: a courtesy to AWS's rate limits, not a due time of anything.

    After a restart nothing is remembered, so every open command is listed once.
    """

    parts: Parts
    polled: dict[Target, datetime] = field(default_factory=dict)
    listed: dict[str, Listing] = field(default_factory=dict)  # by step
    noted: dict[int, str] = field(default_factory=dict)  # run → what was said about it here

    def tick(self, now: datetime) -> None:
        db = self.parts.store.db
        sent = steps.in_state(db, StepState.SENT)
        ended = invocations.ended_nodes(db, [step.id for step in sent])
        followed = [step for step in sent if step.document and ended.get(step.id, 0) < len(step.node_ids)]
        for step_id in set(self.listed).difference(step.id for step in followed):
            self.listed.pop(step_id, None)
        for run_id in set(self.noted).difference(step.run_id for step in followed):
            self.noted.pop(run_id, None)
        for target, group in self._by_target(followed).items():
            youngest = min(now - (step.sent_at or now) for step in group)
            if now - self.polled.get(target, _LONG_AGO) >= pause_after(youngest):
                work = partial(self.poll, target, group)
                if self.parts.pool.submit(("track", target), work, lane=target.account):
                    self.polled[target] = now

    def _by_target(self, followed: list[Step]) -> Mapping[Target, list[Step]]:
        """Without those of environments that are configured no more: nobody can be asked about them, so they stay
        locked until the configuration is mended, which their runs say."""
        places = runs.places(self.parts.store.db, {step.run_id for step in followed})
        groups: dict[Target, list[Step]] = defaultdict(list)
        for step in followed:
            environment = self.parts.config.environment(places[step.run_id])
            if environment is not None:
                groups[target_of(environment)].append(step)
            elif step.run_id not in self.noted:
                self._note(runs.get(self.parts.store.db, step.run_id), _unfollowed(places[step.run_id]))
        return groups

    def poll(self, target: Target, group: list[Step]) -> None:
        """Look at every open command of one account and Region."""
        parts = self.parts
        asking = {run_id: runs.get(parts.store.db, run_id) for run_id in {step.run_id for step in group}}
        notes: dict[int, list[str]] = {}
        try:
            found = _statuses(parts, target, group, asking)
            for step in group:
                said = notes.setdefault(step.run_id, [])
                try:
                    said.append(self._follow(target, asking[step.run_id], step, found.get(step.command_id or "")))
                except Throttled as error:
                    said.append(str(error))
                    break  # AWS asks for fewer calls; the rest is looked at next time
                except AwsError as error:
                    said.append(str(error))
        except Throttled as error:
            notes = {run_id: [str(error)] for run_id in asking}
        for run_id, said in notes.items():
            self._note(asking[run_id], next(filter(None, said), ""))

    def _follow(self, target: Target, run: Run, step: Step, status: CommandStatus | None) -> str:
        """What people should know of it while it goes on. Raises AwsError."""
        parts = self.parts
        now = parts.clock.now()
        age = now - (step.sent_at or now)
        known = invocations.of_step(parts.store.db, step.id)
        ended = sum(1 for each in known.values() if each.outcome)
        late = _is_late(parts, step)
        if not is_listing_due(status, self.listed.get(step.id), ended=ended, age=age, now=now, late=late):
            return ""
        # Of a step that a person says was sent, the command is not on record: it may be listed by now.
        command_id = step.command_id or parts.patch_manager.find(target, step.id, step.sending_at or run.requested_at)
        seen = _invocations(parts, target, command_id)
        if seen is None:
            command_id = None
        elif late and command_id and step.cancelled_at is None and not _all_ended(step, seen):
            _cancel(parts, target, run, step, command_id)
        over = status is not None and status.ended and age >= SETTLING
        expired = late and _given_up(parts, step, command_id)
        news = _records(step, seen or {}, known, over=over, expired=expired)
        news = hook_words.in_words(parts, target, step, command_id, news)
        self.listed[step.id] = Listing(now, status)
        _record(parts, run, step, news)
        return _unknown(target, step) if command_id is None and age >= SETTLING else ""

    def _note(self, run: Run, note: str) -> None:
        """Say why a run can't be followed now, or take that back; what others say of it stays."""
        ours = self.noted.get(run.id, run.note)  # of an earlier life at first
        self.noted[run.id] = note
        if run.state is RunState.RUNNING and note != run.note and (note or run.note == ours):
            with self.parts.store.transaction() as tx:
                runs.set_note(tx, run, note)
            self.parts.wake("deliver")


def _statuses(
    parts: Parts, target: Target, group: list[Step], asking: Mapping[int, Run]
) -> Mapping[str, CommandStatus]:
    """By command. Raises Throttled; where AWS does not tell for another reason, everything is listed without."""
    since = min(step.sending_at or asking[step.run_id].requested_at for step in group)
    try:
        return parts.patch_manager.statuses(target, {step.command_id for step in group if step.command_id}, since)
    except Throttled:
        raise
    except AwsError as error:
        log.info("all open commands of %s are listed, for AWS did not say which have moved: %s", target, error)
        return {}


def _invocations(parts: Parts, target: Target, command_id: str | None) -> Mapping[str, Seen] | None:
    """By node; None where AWS knows no such command, or not any more."""
    if command_id is None:
        return None
    try:
        return {each.node_id: each for each in parts.patch_manager.invocations(target, command_id)}
    except DefiniteRefusal as error:
        if error.code != UNKNOWN_COMMAND:
            raise
        return None


def _record(parts: Parts, run: Run, step: Step, records: list[Invocation]) -> None:
    if records:
        with parts.store.transaction() as tx:
            now = parts.clock.now()
            news = [invocations.record(tx, now, record) for record in records]
            if any(news):
                outbox.touch(tx, run.subject)
                notices.owe_if_failing(tx, now, parts.config, run, [record.outcome for record in records])
        parts.wake("deliver")
    if invocations.ended_nodes(parts.store.db, [step.id]).get(step.id, 0) == len(step.node_ids):
        parts.wake("collect")


def _records(
    step: Step, seen: Mapping[str, Seen], known: Mapping[str, Invocation], *, over: bool, expired: bool
) -> list[Invocation]:
    """What is news of each expected node: what AWS says, or that it never answered. An end is never taken back."""
    over = over and all(each.ended for each in seen.values())
    records = []
    for node_id in step.node_ids:
        found = seen.get(node_id)
        status, details = (found.status, found.status_details) if found else ("", "")
        outcome = outcome_of(status, details) if found else None
        note = "" if outcome is NodeOutcome.SUCCEEDED else explained(status, details)
        if outcome is None and (expired or (over and not found)):
            # The command is over, or its time has passed, and this node was never taken up or never came to an end.
            outcome, note = NodeOutcome.NEVER_ANSWERED, NEVER_ANSWERED if expired else NEVER_STARTED
        record = Invocation(step.id, node_id, status, details, outcome, note)
        before = known.get(node_id)
        if (found or outcome) and record != before and not (before and before.outcome):
            records.append(record)
    return records


def _execution(step: Step) -> int:
    """Seconds that a node may work on it; rows of an older Patchgate don't say."""
    return int(step.settings.get("step_seconds", SCAN_STEP_SECONDS))


def _is_late(parts: Parts, step: Step) -> bool:
    allowed = timedelta(seconds=step.delivery_timeout) + timedelta(seconds=_execution(step)) + GRACE
    return parts.clock.now() - (step.sent_at or parts.clock.now()) > allowed


def _given_up(parts: Parts, step: Step, command_id: str | None) -> bool:
    """Whether a late step was watched for long enough after it was cancelled, or there is nothing to cancel."""
    return command_id is None or (step.cancelled_at is not None and parts.clock.now() - step.cancelled_at > GRACE)


def _all_ended(step: Step, seen: Mapping[str, Seen]) -> bool:
    return all(node_id in seen and seen[node_id].ended for node_id in step.node_ids)


def _cancel(parts: Parts, target: Target, run: Run, step: Step, command_id: str) -> None:
    """Ask AWS to stop what is left; whatever it answers, the invocations are watched on."""
    note = "Its time has passed; the command was cancelled and is watched to its end."
    try:
        parts.patch_manager.cancel(target, command_id)
    except AwsError as error:
        note = f"Its time has passed, and AWS did not cancel it: {error}"
    with parts.store.transaction() as tx:
        steps.mark_cancelled(tx, step, run.ref, note, parts.clock.now())


def _unfollowed(key: EnvironmentKey) -> str:
    return (
        f"{key} is no longer in the configuration, so nobody can see what becomes of its commands; nothing more is "
        "sent. Put it back, and they are followed to their end."
    )


def _unknown(target: Target, step: Step) -> str:
    return (
        f"AWS knows no command of step {step.id} in {target}; it is looked for until its time is up. "
        "Check the account and Region."
    )
