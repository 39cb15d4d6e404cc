"""Backups for the gate, and for whoever asks what there is."""

from collections.abc import Sequence
from typing import Any

from commands.backups import PAGE
from patching.backups import Attestation, BackupFacts, Found, Kind, Level, NodeBackups, RestorePoint
from patching.execution import BackupKind
from patching.model import Node
from patching.nodes import EnvironmentKey
from patching.states import ChangeState
from scheduler.parts import Parts, target_of
from storage import decisions
from storage.changes import Change

_BEFORE_DECISION = frozenset({ChangeState.PREPARING, ChangeState.BLOCKED, ChangeState.PENDING})


def facts(parts: Parts, change: Change, nodes: Sequence[Node]) -> BackupFacts:
    """What the gate is told of production's backups; AWS is asked where one is wanted. Raises AwsError."""
    key = EnvironmentKey(change.application, change.environment)
    wanted = parts.config.applications[change.application].backup
    instance = Level(wanted.instance)
    takes = Kind(wanted.kind) if wanted.kind is not BackupKind.NONE else None
    return BackupFacts(
        instance=instance,
        database=Level(wanted.database),
        max_age=wanted.max_age,
        takes=takes,
        document=wanted.document or "",
        found=found(parts, key, nodes) if instance is not Level.OFF and takes is None else None,
        decided=change.state not in _BEFORE_DECISION,
        attested=_attested(parts, change),
    )


def found(parts: Parts, key: EnvironmentKey, nodes: Sequence[Node]) -> Found:
    """What the nodes could be restored from. Raises AwsError."""
    return parts.backups.of(target_of(parts.config.environments()[key]), [node.id for node in nodes])


def restore_points(facts: BackupFacts) -> dict[str, Any] | None:
    """{node id: {zone, newest: {kind, ids, devices, started_at} or None}} for the message; None where nobody looked."""
    if facts.found is None:
        return None
    return {
        node_id: {"zone": each.machine.zone, "newest": _point(each.newest)}
        for node_id, each in sorted(facts.found.nodes.items())
    }


def report(parts: Parts, key: EnvironmentKey, page: int) -> dict[str, Any]:
    """What the view of `/patch backups` shows: JSON values, the nodes that can't be restored first. Raises AwsError."""
    settings = parts.config.environments()[key]
    nodes = parts.patch_manager.resolve(target_of(settings), settings.targets)
    there = found(parts, key, nodes)
    told = [_told(node, there.nodes.get(node.id)) for node in nodes]
    told.sort(key=lambda each: (each["newest"]["started_at"] if each["newest"] else "", each["name"], each["id"]))
    last = max(0, (len(told) - 1) // PAGE)
    shown = min(page, last)
    return {
        "region": settings.region,
        "now": parts.clock.now().isoformat(),
        "max_age": parts.config.applications[key.application].backup.max_age.total_seconds(),
        "nodes": told[shown * PAGE : (shown + 1) * PAGE],
        "of": len(told),
        "without": sum(each["newest"] is None for each in told),
        "page": shown,
        "pages": last + 1,
        "unread": list(there.unread),
    }


def _attested(parts: Parts, change: Change) -> Attestation | None:
    """The newest approval of exactly this digest that says where the database's backup is."""
    said = [
        each
        for each in decisions.made(parts.store.db, change.id, "accepted")
        if each.kind == "approve" and each.digest == change.digest and each.backup
    ]
    return Attestation(said[-1].user_id, said[-1].judged_at or said[-1].at) if said else None


def _told(node: Node, backups: NodeBackups | None) -> dict[str, Any]:
    return {
        "id": node.id,
        "name": node.name,
        "zone": backups.machine.zone if backups else "",
        "newest": _point(backups.newest) if backups else None,
        "under_way": _point(backups.under_way) if backups else None,
        "lacking": backups.lacking if backups else "not looked at, or not known to EC2",
    }


def _point(point: RestorePoint | None) -> dict[str, Any] | None:
    if point is None:
        return None
    return {
        "kind": point.kind,
        "ids": list(point.ids),
        "devices": list(point.devices),
        "started_at": point.started_at.isoformat(),
    }
