"""Sweep `away`: nodes are looked at while an Install is under way on them, and who stays away is told at once (I7).

AWS gives a node that has gone silent up only when delivery and execution have timed out (facts/patch-manager.md
section 4); until then its team should know what to look at. One that was terminated is not waited for.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from sqlite_utils import Database

from aws.errors import AwsError
from aws.target import Target
from patching.absence import Absence, Presence, absence_of, away_since, is_online
from patching.model import Operation
from patching.nodes import EnvironmentKey
from patching.outcomes import NodeOutcome
from patching.plan import StepKind
from patching.states import RunState, StepState
from patching.statuses import GONE
from scheduler import notices
from scheduler.parts import Parts, target_of
from storage import absences, audit, invocations, outbox, runs, steps
from storage.invocations import Invocation
from storage.runs import Run
from storage.steps import Step

log = logging.getLogger(__name__)

LOOK_EVERY: Final = timedelta(minutes=1)
REBOOT_SECONDS: Final = 900  # where a step of an older Patchgate doesn't say
_GOING_ON = (RunState.RUNNING, RunState.PAUSED, RunState.NEEDS_HUMAN)
_NOT_BEGUN = frozenset({"", "Pending", "Delayed"})
# AWS has told already that nothing ran there, or that it does not know.
_TOLD = frozenset(
    {
        NodeOutcome.UNDELIVERABLE,
        NodeOutcome.DELIVERY_TIMED_OUT,
        NodeOutcome.TERMINATED,
        NodeOutcome.INVALID_PLATFORM,
        NodeOutcome.ACCESS_DENIED,
        NodeOutcome.GONE,
    }
)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

Watched = Mapping[str, Step]
"""Node id → the Install that was sent to it."""


@dataclass(slots=True)
class Away:
    """Remembers when it looked last: a courtesy to AWS's rate limits, not a due time of anything."""

    parts: Parts
    looked: dict[Target, datetime] = field(default_factory=dict)

    def tick(self, now: datetime) -> None:
        db = self.parts.store.db
        self._verified()
        groups: dict[Target, list[tuple[Run, Watched]]] = defaultdict(list)
        for run in runs.in_state(db, *_GOING_ON):
            environment = self.parts.config.environment(EnvironmentKey(run.application, run.environment))
            if run.operation is Operation.INSTALL and environment is not None:
                watched = being_patched(db, run)
                if watched:
                    groups[target_of(environment)].append((run, watched))
        for target, group in groups.items():
            if now - self.looked.get(target, _LONG_AGO) >= LOOK_EVERY:
                work = partial(look, self.parts, target, group)
                if self.parts.pool.submit(("away", target), work, lane=target.account):
                    self.looked[target] = now

    def _verified(self) -> None:
        """Who was verified is back, whether or not somebody looked in between."""
        for found in absences.verified(self.parts.store.db):
            with self.parts.store.transaction() as tx:
                back(tx, self.parts, runs.get(tx, found.run_id), [found.node_id])
            self.parts.wake("deliver")


def being_patched(db: Database, run: Run) -> Watched:
    """The nodes on which a run's Install has begun and that were not verified since, and those that are told away."""
    planned = steps.of_run(db, run.id)
    verified = {
        node_id
        for step in planned
        if step.kind is StepKind.VERIFY
        for node_id, seen in invocations.of_step(db, step.id).items()
        if seen.outcome is not None
    }
    told = {node_id for node_id, each in absences.of_run(db, run.id).items() if each.told_at and not each.closed_at}
    watched = {}
    for step in planned:
        if step.kind is StepKind.INSTALL and step.sent_at:
            for node_id, seen in invocations.of_step(db, step.id).items():
                begun = seen.status not in _NOT_BEGUN and seen.outcome not in _TOLD
                if node_id in told or (begun and node_id not in verified):
                    watched[node_id] = step
    return watched


def look(parts: Parts, target: Target, group: Sequence[tuple[Run, Watched]]) -> None:
    """Calls: DescribeInstanceInformation for 50 nodes each, DescribeInstances for 200 of those that are away."""
    ids = sorted({node_id for _, watched in group for node_id in watched})
    try:
        presence = parts.patch_manager.presence(target, ids)
        away = [node_id for node_id in ids if not is_online(presence.get(node_id))]
        powers = parts.patch_manager.powers(target, away) if away else {}
    except AwsError as error:
        log.info("whether nodes of %s are away can't be seen now, and is asked again: %s", target, error)
        return
    for run, watched in group:
        if absences.of_run(parts.store.db, run.id) or not powers.keys().isdisjoint(watched):
            record(parts, run, watched, presence, powers)


def record(
    parts: Parts,
    run: Run,
    watched: Watched,
    presence: Mapping[str, Presence],
    powers: Mapping[str, str],
    *,
    overdue: bool = False,
) -> None:
    """Keep and tell what is news of the nodes of a run that has not ended; `powers` of those that are away.

    overdue: nobody waits any longer for those that are away, however short that was.
    """
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        if runs.get(tx, run.id).state.ended:
            return
        known = absences.of_run(tx, run.id)
        told, returned, settled = [], [], False
        for node_id, step in watched.items():
            before = known.get(node_id)
            if is_online(presence.get(node_id)):
                if before and before.told_at and before.back_at is None:
                    returned.append(node_id)
                continue
            since = away_since(presence.get(node_id), step.sent_at or now)
            allowed = timedelta(seconds=0 if overdue else step.settings.get("reboot_seconds", REBOOT_SECONDS))
            why = absence_of(powers[node_id], now - since, allowed)
            if why is None or (before and before.back_at is None and before.power == powers[node_id]):
                continue
            gone_at = now if why is Absence.GONE else None
            told_at = before.told_at if before else None
            power = powers[node_id]
            absences.note(
                tx,
                run.id,
                node_id,
                power=power,
                since=since,
                told_at=told_at or now,
                back_at=None,
                closed_at=gone_at,
            )
            audit.append(tx, now, "clock", run.ref, "node away", {"node": node_id, "power": power})
            outbox.touch(tx, run.subject)
            if told_at is None:
                told.append(node_id)
            if gone_at:
                settled = _settle(tx, now, run, node_id) or settled
        if told:
            notices.owe_about_nodes(tx, now, parts.config, run, "node-away", told)
        if returned:
            back(tx, parts, run, returned)
    for name in ("collect", "dispatch") if settled else ():
        parts.wake(name)
    if told or returned or settled:
        parts.wake("deliver")


def back(tx: Database, parts: Parts, run: Run, node_ids: Sequence[str]) -> None:
    """They are online again; people are told so once."""
    now, known = parts.clock.now(), absences.of_run(tx, run.id)
    first = [node_id for node_id in node_ids if known[node_id].back_told_at is None]
    for node_id in node_ids:
        absences.note(tx, run.id, node_id, back_at=now, back_told_at=known[node_id].back_told_at or now)
        audit.append(tx, now, "clock", run.ref, "node back", {"node": node_id})
    outbox.touch(tx, run.subject)
    if first:
        notices.owe_about_nodes(tx, now, parts.config, run, "node-back", first)


def _settle(tx: Database, now: datetime, run: Run, node_id: str) -> bool:
    """A terminated node's end in whatever of the run was sent to it or is still to come; False where it has one."""
    news = False
    for step in steps.of_run(tx, run.id):
        if node_id in step.node_ids and step.state in {StepState.SENT, StepState.PLANNED}:
            seen = invocations.of_step(tx, step.id).get(node_id)
            if seen is None or seen.outcome is None:
                status, details = (seen.status, seen.details) if seen else ("", "")
                found = Invocation(step.id, node_id, status, details, NodeOutcome.GONE, GONE)
                news = invocations.record(tx, now, found) or news
    return news
