"""Sweep `returned`: nodes of which a run ended without knowing what it did there are looked for until they are back.

A command that was delivered may go on on a node that nobody can reach, and end after the run's end: then people are
told exactly that. One that AWS could not deliver in time never begins (botocore, SendCommand's TimeoutSeconds).
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from sqlite_utils import Database

from aws.commands import Invocation
from aws.errors import AwsError, DefiniteRefusal
from aws.target import Target
from patching.absence import WATCHED_FOR, Absence, Presence, absence_of, away_since, is_online
from patching.model import Operation, PatchSummary
from patching.outcomes import NodeOutcome, outcome_of
from scheduler import away, notices
from scheduler.parts import Parts, target_of
from storage import absences, audit, invocations, outbox, runs, steps
from storage.absences import Unaccounted
from storage.runs import Run
from storage.steps import Step

log = logging.getLogger(__name__)

LOOK_EVERY: Final = away.LOOK_EVERY * 5
_RAN = frozenset({NodeOutcome.SUCCEEDED, NodeOutcome.FAILED, NodeOutcome.TIMED_OUT})
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sight:
    """What AWS says of these nodes now. `powers`: of those away; `reports` and `parts`: of those online."""

    presence: Mapping[str, Presence]
    powers: Mapping[str, str]
    reports: Mapping[str, PatchSummary]
    parts: Mapping[tuple[str, str], Invocation]  # (step id, node id) → its part of that command


@dataclass(slots=True)
class Returned:
    """Remembers when it looked last: a courtesy to AWS's rate limits, not a due time of anything."""

    parts: Parts
    looked: dict[Target, datetime] = field(default_factory=dict)

    def tick(self, now: datetime) -> None:
        found = absences.unaccounted(self.parts.store.db, now - WATCHED_FOR)
        places = runs.places(self.parts.store.db, {each.run_id for each in found})
        groups: dict[Target, list[Unaccounted]] = defaultdict(list)
        for each in found:
            environment = self.parts.config.environment(places[each.run_id])
            if environment is not None:
                groups[target_of(environment)].append(each)
        for target, group in groups.items():
            due = now - self.looked.get(target, _LONG_AGO) >= LOOK_EVERY
            if due or any(each.new for each in group):
                work = partial(look, self.parts, target, group)
                if self.parts.pool.submit(("returned", target), work, lane=target.account):
                    self.looked[target] = now


def look(parts: Parts, target: Target, group: Sequence[Unaccounted]) -> None:
    db = parts.store.db
    sent = {step_id: steps.get(db, step_id) for step_id in {each.step_id for each in group}}
    try:
        sight = _sight(parts, target, group, sent)
    except AwsError as error:
        log.info("whether nodes of %s are back can't be seen now, and is asked again: %s", target, error)
        return
    by_run: dict[int, list[Unaccounted]] = defaultdict(list)
    for each in group:
        by_run[each.run_id].append(each)
    for run_id, nodes in by_run.items():
        with parts.store.transaction() as tx:
            _record(tx, parts, runs.get(tx, run_id), nodes, sent, sight)
    parts.wake("deliver")


def _sight(parts: Parts, target: Target, group: Sequence[Unaccounted], sent: Mapping[str, Step]) -> Sight:
    """Calls: for 50 nodes each DescribeInstanceInformation and DescribeInstancePatchStates; DescribeInstances for 200
    that are away; a page of invocations for each command. Raises AwsError."""
    ids = sorted({each.node_id for each in group})
    presence = parts.patch_manager.presence(target, ids)
    missing = [node_id for node_id in ids if not is_online(presence.get(node_id))]
    here = [node_id for node_id in ids if node_id not in missing]
    listed: dict[tuple[str, str], Invocation] = {}
    for step_id in {each.step_id for each in group if each.node_id in here}:
        listed |= {(step_id, seen.node_id): seen for seen in _invocations(parts, target, sent[step_id])}
    return Sight(
        presence=presence,
        powers=parts.patch_manager.powers(target, missing) if missing else {},
        reports=parts.patch_manager.summaries(target, here) if here else {},
        parts=listed,
    )


def _invocations(parts: Parts, target: Target, step: Step) -> Sequence[Invocation]:
    """None of a command that AWS does not know any more."""
    try:
        return parts.patch_manager.invocations(target, step.command_id) if step.command_id else ()
    except DefiniteRefusal:
        return ()


def _record(
    tx: Database, parts: Parts, run: Run, nodes: Sequence[Unaccounted], sent: Mapping[str, Step], sight: Sight
) -> None:
    now = parts.clock.now()
    known = absences.of_run(tx, run.id)
    returned, late = [], []
    for each in nodes:
        before, step, node_id = known.get(each.node_id), sent[each.step_id], each.node_id
        presence = sight.presence.get(node_id)
        if node_id in sight.powers:
            power = sight.powers[node_id]
            gone_at = now if absence_of(power, timedelta(0), WATCHED_FOR) is Absence.GONE else None
            since = before.since if before and before.since else away_since(presence, step.sent_at or now)
            absences.note(tx, run.id, node_id, power=power, since=since, closed_at=gone_at)
            continue
        reported_at, status = _report(step, sight.reports.get(node_id)), _status(tx, step, node_id, sight)
        absences.note(tx, run.id, node_id, reported_at=reported_at, status=status)
        if status or (reported_at and run.ended_at and reported_at > run.ended_at):
            absences.note(tx, run.id, node_id, late_at=now, closed_at=now)
            audit.append(tx, now, "clock", run.ref, "node installed late", {"node": node_id, "status": status})
            late.append(node_id)
        elif each.seen_since:
            absences.note(tx, run.id, node_id, closed_at=now)
        elif before and before.since and before.back_at is None:
            returned.append(node_id)
    if absences.of_run(tx, run.id) != known:
        outbox.touch(tx, run.subject)
    if late:
        notices.owe_about_nodes(tx, now, parts.config, run, "node-late", late)
    if returned:
        away.back(tx, parts, run, returned)


def _report(step: Step, report: PatchSummary | None) -> datetime | None:
    """When the Install of this step ended on a node, where that is what the node reported last (I8)."""
    ours = (step.id, Operation.INSTALL.value)
    return report.operation_end if report and (report.snapshot_id, report.operation) == ours else None


def _status(tx: Database, step: Step, node_id: str, sight: Sight) -> str:
    """AWS's word for the node's part of the command where it ran, and the run's end did not know; empty otherwise."""
    seen, known = sight.parts.get((step.id, node_id)), invocations.of_step(tx, step.id).get(node_id)
    outcome = outcome_of(seen.status, seen.status_details) if seen else None
    ran = outcome in _RAN and (known is None or known.outcome is not outcome)
    return seen.status_details or seen.status if seen and ran else ""
