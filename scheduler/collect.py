"""Sweep `collect`: evidence is read after the node's invocation has ended, and counts only if it is ours (I8)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from sqlite_utils import Database

from aws.errors import AwsError, Throttled
from aws.target import Target
from patching.baseline import content_hash
from patching.clocks import advance
from patching.model import Evidence, Node, Operation, PatchRow, PatchSummary
from patching.nodes import EnvironmentKey
from patching.outcomes import NodeOutcome
from patching.plan import StepKind
from patching.states import StepState
from scheduler import notices
from scheduler.parts import Parts, gone, target_of
from storage import evidence, invocations, outbox, runs, soak, steps
from storage.invocations import Invocation
from storage.runs import Run
from storage.steps import Step

THROTTLED = timedelta(hours=1)  # for an AWS that asks for fewer calls: without evidence a wave is not verified
PATIENCE = timedelta(minutes=2)  # Patch Manager shows a node's report a moment after its invocation has ended


def tick(parts: Parts, now: datetime) -> None:
    sent = steps.in_state(parts.store.db, StepState.SENT)
    ended = invocations.ended_nodes(parts.store.db, [step.id for step in sent])
    for step in sent:
        if step.node_ids and ended.get(step.id, 0) == len(step.node_ids):
            parts.pool.submit(("collect", step.id), partial(collect, parts, step), lane=parts.lane_of_run(step.run_id))


def collect(parts: Parts, step: Step) -> None:
    run = runs.get(parts.store.db, step.run_id)
    seen = invocations.of_step(parts.store.db, step.id)
    missing: dict[str, str] = {}
    if step.operation is Operation.SCAN:
        succeeded = [node_id for node_id in step.node_ids if seen[node_id].outcome is NodeOutcome.SUCCEEDED]
        try:
            missing = _read(parts, run, step, succeeded)
        except AwsError as error:
            missing = {node_id: str(error) for node_id in succeeded}
            if not _waited_enough(parts, step, THROTTLED if isinstance(error, Throttled) else PATIENCE):
                with parts.store.transaction() as tx:
                    runs.set_note(tx, run, str(error))
                return
        if missing and not _waited_enough(parts, step, PATIENCE):
            return
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        for node_id, why in missing.items():
            old = seen[node_id]
            invocations.record(
                tx, now, Invocation(step.id, node_id, old.status, old.details, NodeOutcome.NO_EVIDENCE, why)
            )
            notices.owe_if_failing(tx, now, parts.config, run, [NodeOutcome.NO_EVIDENCE])
        outcomes = {found.outcome for found in invocations.of_step(tx, step.id).values()}
        end = StepState.DONE if outcomes == {NodeOutcome.SUCCEEDED} else StepState.FAILED
        steps.transition(tx, step, end, now, run.ref)
    for name in ("dispatch", "finish", "deliver"):
        parts.wake(name)


def _waited_enough(parts: Parts, step: Step, patience: timedelta) -> bool:
    """Since the last node ended."""
    row = parts.store.db.execute("SELECT max(updated_at) AS at FROM invocation WHERE step_id = ?", [step.id]).fetchone()
    return parts.clock.now() - datetime.fromisoformat(row["at"]) > patience


def _read(parts: Parts, run: Run, step: Step, node_ids: list[str]) -> dict[str, str]:
    """Read and keep the evidence of nodes that have none from this step yet; node id → why it has none still."""
    key = EnvironmentKey(run.application, run.environment)
    environment = parts.config.environment(key)
    kept = evidence.nodes_of_step(parts.store.db, step.id)
    wanted = [node_id for node_id in node_ids if node_id not in kept]
    if environment is None:
        return dict.fromkeys(wanted, gone(key))
    if not wanted:
        return {}
    target = target_of(environment)
    reading = parts.patch_manager.read(target, wanted, known={}, snapshot_id=step.id)
    why = {node_id: _why_not(step, node_id, reading.summaries, reading.rows) for node_id in wanted}
    ours = [node_id for node_id in wanted if not why[node_id]]
    baselines = _baselines(parts, target, {reading.summaries[node_id].baseline_id for node_id in ours})
    nodes = {node.id: node for node in run.nodes}
    items = [
        _evidence(run, step, nodes[node_id], reading.summaries[node_id], reading.rows[node_id], baselines)
        for node_id in ours
    ]
    # Outside the transaction, for it is long to read: an environment has one open run, and a node stands in one step.
    before = evidence.newest(parts.store.db, run.application, run.environment, ours)
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        foreign = [
            summary
            for summary in reading.summaries.values()
            if summary.snapshot_id != step.id and not evidence.is_ours(tx, summary.snapshot_id)
        ]
        evidence.record_foreign(tx, now, run.application, run.environment, foreign)
        for item in items:
            _let_soak(tx, run, step, before.get(item.node_id), item)
            evidence.save(tx, now, run.id, step.id, run.application, run.environment, item)
        if ours:
            outbox.touch(tx, run.subject)
    return {node_id: reason for node_id, reason in why.items() if reason}


def _let_soak(tx: Database, run: Run, step: Step, before: Evidence | None, after: Evidence) -> None:
    """Start, keep or lose the soak's clocks of a node, in the transaction that keeps the evidence they follow from."""
    foreign = evidence.foreign_install_since(tx, after.node_id, before.operation_end if before else None)
    clocks = advance(
        soak.of_node(tx, run.application, run.environment, after.node_id),
        before,
        after,
        verified=step.kind is StepKind.VERIFY,
        foreign_install=foreign,
    )
    soak.replace(tx, run.application, run.environment, after, clocks)


def _why_not(
    step: Step, node_id: str, summaries: Mapping[str, PatchSummary], rows: Mapping[str, tuple[PatchRow, ...]]
) -> str:
    """Why a node's report is not evidence of this step; empty when it is (I8)."""
    summary = summaries.get(node_id)
    if summary is None:
        return "the node has never reported to Patch Manager"
    if summary.snapshot_id != step.id:
        return f"somebody else's {summary.operation} ran on the node meanwhile; scan again"
    if summary.operation != step.operation:
        return f"the node reported {summary.operation} instead of {step.operation}; scan again"
    sent = step.sending_at
    if summary.operation_end is None or sent is None or summary.operation_end <= sent:
        return "the node's report has no believable end time; scan again"
    if node_id not in rows:
        return "the node's report changed while it was read; scan again"
    return ""


def _baselines(parts: Parts, target: Target, baseline_ids: set[str]) -> dict[str, str]:
    """Baseline id → hash of its content, which is kept."""
    found = {baseline_id: parts.patch_manager.baseline(target, baseline_id) for baseline_id in sorted(baseline_ids)}
    hashes = {baseline_id: content_hash(content) for baseline_id, content in found.items()}
    with parts.store.transaction() as tx:
        for baseline_id, digest in hashes.items():
            evidence.save_baseline(tx, digest, found[baseline_id])
    return hashes


def _evidence(
    run: Run,
    step: Step,
    node: Node,
    summary: PatchSummary,
    rows: tuple[PatchRow, ...],
    baselines: Mapping[str, str],
) -> Evidence:
    if node.platform is None or summary.operation_end is None or step.operation is None:
        raise ValueError(f"{node.id} has no platform or no end time, and was sent to all the same")
    return Evidence(
        node_id=node.id,
        node_name=node.name,
        platform=node.platform,
        operation=step.operation,
        snapshot_id=summary.snapshot_id,
        operation_end=summary.operation_end,
        baseline_id=summary.baseline_id,
        baseline_content=baselines[summary.baseline_id],
        counts=summary.counts,
        rows=rows,
        run=run.ref,
    )
