"""What surrounds a change at AWS: alarms, other commands, other patchers, whether the nodes may read the list."""

from collections.abc import Mapping
from datetime import datetime

from aws.alarms import ABSENT
from aws.errors import DefiniteRefusal
from patching.gate import OtherPatcher
from patching.model import Evidence, Node, Operation
from patching.nodes import EnvironmentKey
from patching.outcomes import NodeOutcome
from patching.planned import LOOK_AHEAD
from patching.preflight import NodeInquiry
from scheduler.parts import Parts, target_of
from storage import evidence, holds, invocations, runs, steps
from storage.steps import Step

ANY_KEY = "list.json"  # roles are allowed a prefix of the bucket, not an object


def alarm_states(parts: Parts, source: EnvironmentKey) -> dict[str, str]:
    """The alarms that the policy names, as CloudWatch in the source's account has them; what is on holds the soak.

    An alarm that CloudWatch doesn't know is left out: the gate takes it for unknown. Raises AwsError.
    """
    names = parts.config.policy_of(source.application).alarms
    if not names:
        return {}
    found = parts.alarms.states(target_of(parts.config.environments()[source]), names)
    now = parts.clock.now()
    with parts.store.transaction() as tx:
        for alarm in found.values():
            if alarm.state != ABSENT:
                name = f"{source.environment}: {alarm.name}"  # another account may have one of the same name
                holds.record(tx, source.application, name, alarm.state == "ALARM", alarm.changed_at or now, now)
    return {name: alarm.state for name, alarm in found.items() if alarm.state != ABSENT}


def node_inquiries(parts: Parts, key: EnvironmentKey, nodes: tuple[Node, ...]) -> dict[str, NodeInquiry]:
    """For each node what else runs on it, and why its newest Scan failed. Raises AwsError."""
    target = target_of(parts.config.environments()[key])
    running = parts.patch_manager.running_elsewhere(target, [node.id for node in nodes])
    failures = _scan_failures(parts, key)
    return {
        node.id: NodeInquiry(
            other_commands=(running[node.id].document_name,) if node.id in running else (),
            trial_failure=failures.get(node.id, ""),
        )
        for node in nodes
    }


def other_patchers(parts: Parts, key: EnvironmentKey, nodes: tuple[Node, ...]) -> tuple[OtherPatcher, ...]:
    """Whoever would install on these nodes beside us. Raises AwsError."""
    settings = parts.config.environments()[key]
    now = parts.clock.now()
    found = parts.patchers.others(target_of(settings), nodes, settings.targets, now, now + LOOK_AHEAD)
    names = {node.id: node.name or node.id for node in nodes}
    return tuple(
        OtherPatcher(
            what=f"{'maintenance window' if each.kind == 'window' else each.kind} {each.id} ({each.name})",
            nodes=tuple(names.get(node_id, node_id) for node_id in each.node_ids or names),
        )
        for each in found
        if each.operation != Operation.SCAN.value
    )


def list_is_readable(parts: Parts, key: EnvironmentKey, nodes: tuple[Node, ...]) -> bool | None:
    """Whether the nodes' roles may read the pinned list; None where the API can't tell. Raises AwsError."""
    bucket = parts.config.artifacts
    if bucket is None:
        return None
    target = target_of(parts.config.environments()[key])
    ids = [node.id for node in nodes]
    return parts.permissions.can_read(target, ids, bucket.bucket, f"{bucket.prefix}{ANY_KEY}").readable


def _scan_failures(parts: Parts, key: EnvironmentKey) -> dict[str, str]:
    """Node id → why its part of the newest Scan run failed; nodes that were only out of reach are left out.

    So are nodes that an Install's own scan has read since.
    """
    db = parts.store.db
    run = runs.newest(db, key.application, key.environment, Operation.SCAN)
    failed = {
        node_id: (step, found.note or found.details)
        for step in (steps.of_run(db, run.id) if run else ())
        for node_id, found in invocations.of_step(db, step.id).items()
        if found.outcome is NodeOutcome.FAILED
    }
    since = evidence.newest(db, key.application, key.environment, list(failed)) if failed else {}
    ended = run.ended_at if run else None
    current = {node_id: each for node_id, each in failed.items() if not _is_later(since.get(node_id), ended)}
    said = {step.id: _complaints(parts, key, step) for step, _ in current.values()}
    return {node_id: said[step.id].get(node_id, status) for node_id, (step, status) in current.items()}


def _is_later(item: Evidence | None, moment: datetime | None) -> bool:
    return item is not None and moment is not None and item.operation_end > moment


def _complaints(parts: Parts, key: EnvironmentKey, step: Step) -> Mapping[str, str]:
    """In the payload's own words; AWS forgets them after 30 days."""
    try:
        target = target_of(parts.config.environments()[key])
        return parts.patch_manager.complaints(target, step.command_id) if step.command_id else {}
    except DefiniteRefusal:
        return {}
