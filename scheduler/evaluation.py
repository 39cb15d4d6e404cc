"""Putting the gate's question together: who the nodes are now, what they reported, and what would be sent."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from aws.target import Target
from commands.ripeness import Ripeness, ripen
from patching.advisories import links
from patching.digest import Parts as DigestParts
from patching.digest import digest_of, digest_parts
from patching.execution import Execution
from patching.gate import (
    CheckResult,
    EnvironmentFacts,
    GateInput,
    evaluate,
    passes,
    waive,
)
from patching.leaving import no_longer_offered
from patching.model import Evidence, Node, PinnedPatch
from patching.nodes import EnvironmentKey
from patching.pins import pinned_list
from patching.plan import PlanStep, install_plan
from patching.policy import Policy
from patching.waves import doubts
from patching.windows import listed_kbs
from scheduler import backups, surroundings
from scheduler.documents import documents
from scheduler.gate_facts import environment_facts, install_fact, problem_fact, soak_start
from scheduler.moment import moment_of
from scheduler.parts import Parts, target_of
from scheduler.plan import misplaced_nodes
from storage import evidence
from storage.changes import Change

SHOWN = 10  # patches that stay behind, named in the message
LINKS = 60  # addresses of issues kept for the approval and the thread
EMERGENCY_PASSES = ("soak-over", "no-freeze")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One judgement of a change, with all that it rests on."""

    at: datetime
    checks: tuple[CheckResult, ...]
    digest: str
    parts: DigestParts
    pins: tuple[PinnedPatch, ...]
    plan: tuple[PlanStep, ...]
    nodes: tuple[Node, ...]  # production's, as resolved now
    facts: Mapping[str, Any]  # numbers for the message
    restore_points: Mapping[str, Any] | None  # kept at the send: what the nodes could be restored from then
    left: Mapping[str, str]  # patch identity → why an approved patch is no longer offered

    @property
    def passed(self) -> bool:
        return passes(self.checks)


def judge(parts: Parts, change: Change) -> Evaluation:
    """Resolve both environments now and judge the newest evidence. Raises AwsError; keeps what alarms say."""
    now = parts.clock.now()
    source_key = EnvironmentKey(change.application, change.source)
    target_key = EnvironmentKey(change.application, change.environment)
    environments = parts.config.environments()
    target_settings = environments[target_key]
    target = target_of(target_settings)
    source_nodes = parts.patch_manager.resolve(target_of(environments[source_key]), environments[source_key].targets)
    target_nodes = parts.patch_manager.resolve(target, target_settings.targets)
    alarms = surroundings.alarm_states(parts, source_key)
    moment, start = moment_of(parts, change, now)
    source = environment_facts(parts, source_key, source_nodes)
    production = environment_facts(parts, target_key, target_nodes)
    policy = parts.config.policy_of(change.application)
    ripe = ripen(
        parts.store,
        parts.config,
        source_key,
        source.evidence,
        production.evidence,
        now,
        at=start,
        nodes=(source_nodes, target_nodes),
        foreign=_followed_by_others(parts, source_key, source) | _followed_by_others(parts, target_key, production),
    )
    execution = parts.config.applications[change.application]
    backup = backups.facts(parts, change, target_nodes)
    plan = _plan(parts, target, execution, target_nodes, pinned=change.part or policy.pin == "required")
    results = evaluate(
        GateInput(
            now=now,
            planned_start=start,
            soak=policy.soak,
            scan_max_age=policy.scan_max_age,
            source=source,
            target=production,
            install=install_fact(parts, source_key),
            last_change=soak_start(parts, source_key, now),
            problem=problem_fact(parts, change.application),
            artifacts=parts.artifacts is not None,
            conflicts=(
                *misplaced_nodes(parts, source_key, source_nodes),
                *misplaced_nodes(parts, target_key, target_nodes),
            ),
            comparison=ripe.comparison,
            part=change.part,
            ready_part=ripe.part,
            readiness=ripe.readiness,
            policy=policy.for_gate,
            alarms=alarms,
            preflight={
                **surroundings.node_inquiries(parts, source_key, source_nodes),
                **surroundings.node_inquiries(parts, target_key, target_nodes),
            },
            artifacts_readable=surroundings.list_is_readable(parts, target_key, target_nodes),
            other_patchers=(
                *surroundings.other_patchers(parts, source_key, source_nodes),
                *surroundings.other_patchers(parts, target_key, target_nodes),
            ),
            backup=backup,
            moment=moment,
        )
    )
    waivers, waivable = _waivers(change, policy)
    checks = waive(results, waivers, waivable)
    pins = ripe.part.pins if change.part else pinned_list(production.evidence, ripe.comparison.findings)
    digested = digest_parts(
        account=target_settings.account,
        region=target_settings.region,
        role=target.role_identity,
        node_ids=[node.id for node in target_nodes],
        pins=pins,
        baselines=_baselines(production.evidence),
        plan=plan,
        reboot_option=execution.reboot,
        policy=policy.meaning(),
        waivers=[f"{check.name}: {check.waiver}" for check in checks if check.waiver],
        part=change.part,
    )
    return Evaluation(
        at=now,
        checks=checks,
        digest=digest_of(digested),
        parts=digested,
        pins=pins,
        plan=plan,
        nodes=target_nodes,
        facts={
            **_told(ripe, pins),
            "windows": _listed_kbs(parts, pins, production.evidence),
            "names": {node.id: node.name for node in target_nodes},
            "doubts": doubts(target_nodes, execution.waves, execution.canary, execution.ha_group),
        },
        restore_points=backups.restore_points(backup),
        left=no_longer_offered(change.pins or (), production.evidence),
    )


def _followed_by_others(parts: Parts, key: EnvironmentKey, facts: EnvironmentFacts) -> frozenset[str]:
    """Ids of nodes whose last operation is no longer the one that our evidence shows (I8). Raises AwsError."""
    ids = [item.node_id for item in facts.evidence]
    summaries = parts.patch_manager.summaries(target_of(parts.config.environments()[key]), ids)
    return frozenset(
        item.node_id
        for item in facts.evidence
        if item.node_id not in summaries or summaries[item.node_id].snapshot_id != item.snapshot_id
    )


def _waivers(change: Change, policy: Policy) -> tuple[dict[str, str], tuple[str, ...]]:
    """Check → reason, and which checks may be waived. An emergency passes the soak and what the policy lets go."""
    if not change.emergency:
        return dict(change.waivers), policy.waivable
    allowed = (*EMERGENCY_PASSES, *policy.waivable)
    return {**dict.fromkeys(allowed, f"emergency: {change.emergency}"), **change.waivers}, allowed


def _told(ripe: Ripeness, pins: tuple[PinnedPatch, ...]) -> dict[str, Any]:
    """What the message says beside the checks, as JSON values."""
    part, ready = ripe.part, ripe.readiness
    at = ready.all_ready_at
    return {
        "patches": len(pins),
        "verdicts": {str(verdict): count for verdict, count in ripe.comparison.counts.items()},
        "part": {
            "ready": len(part.pins),
            "of": len(part.pins) + len({(finding.kb_id, finding.title) for finding, _ in part.stays_behind}),
            "older": len(part.older),
            "stays": [[finding.kb_id, why] for finding, why in part.stays_behind[:SHOWN]],
        },
        "older_pins": [asdict(each.pin) for each in part.older],
        "all_ready_at": at.isoformat() if at else None,
        "advisories": links(ripe.comparison.findings)[:LINKS],
    }


def _listed_kbs(parts: Parts, pins: tuple[PinnedPatch, ...], production: tuple[Evidence, ...]) -> dict[str, Any]:
    """The list's KBs against the baselines of production's Windows nodes."""
    found = listed_kbs(pins, production, evidence.baselines(parts.store.db))
    return {
        "listed": found.count,
        "refused": [list(each) for each in found.refused],
        "untold": [list(each) for each in found.untold],
    }


def _plan(
    parts: Parts, target: Target, execution: Execution, nodes: tuple[Node, ...], *, pinned: bool
) -> tuple[PlanStep, ...]:
    """What would be done and sent; nothing while there is no node."""
    if not nodes:
        return ()
    found = documents(parts, target, execution, nodes, pinned=pinned, gated=True)
    return install_plan(execution, found, nodes, pinned=pinned, gated=True)


def _baselines(items: tuple[Evidence, ...]) -> dict[str, str]:
    """Platform → the baseline contents there; several where nodes of one platform differ."""
    contents: dict[str, set[str]] = {}
    for item in items:
        contents.setdefault(str(item.platform), set()).add(item.baseline_content)
    return {platform: " ".join(sorted(found)) for platform, found in contents.items()}


def needs_scan(parts: Parts, key: EnvironmentKey, max_age: timedelta) -> bool:
    """Whether any node of an environment lacks young evidence that is still its last operation (I8).

    Costs one call for each 50 nodes. Raises AwsError.
    """
    settings = parts.config.environments()[key]
    target = target_of(settings)
    nodes = [node for node in parts.patch_manager.resolve(target, settings.targets) if node.reachable and node.platform]
    known = evidence.newest(parts.store.db, key.application, key.environment)
    oldest = parts.clock.now() - max_age
    if any(node.id not in known or known[node.id].operation_end < oldest for node in nodes):
        return True
    summaries = parts.patch_manager.summaries(target, [node.id for node in nodes])
    return any(
        node.id not in summaries
        or (summaries[node.id].snapshot_id, summaries[node.id].operation_end)
        != (known[node.id].snapshot_id, known[node.id].operation_end)
        for node in nodes
    )
