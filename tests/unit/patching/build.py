"""Builders for the domain's values, with the rows of a small Debian fleet."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from patching.backups import (
    Attestation,
    BackupFacts,
    Found,
    Kind,
    Level,
    Machine,
    NodeBackups,
    RestorePoint,
    State,
    Volume,
)
from patching.compare import Comparison, Finding, Verdict, compare
from patching.gate import EnvironmentFacts, GateInput, InstallFact, Moment, NodeFact
from patching.model import Evidence, Node, Operation, PatchRow, PatchState, Platform
from patching.outcomes import NodeOutcome
from patching.preflight import NodeInquiry
from patching.states import RunState

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SOAK = timedelta(days=7)

DEBIAN = Platform("Debian GNU/Linux", "12", "x86_64")
UBUNTU = Platform("Ubuntu", "20", "x86_64")
REDHAT = Platform("Red Hat Enterprise Linux", "8", "x86_64")
WINDOWS = Platform("Microsoft Windows Server 2019 Datacenter", "10.0.17763", "x86_64")

MISSING, FAILED = PatchState.MISSING, PatchState.FAILED
INSTALLED, OTHER, PENDING = PatchState.INSTALLED, PatchState.INSTALLED_OTHER, PatchState.INSTALLED_PENDING_REBOOT

OPENSSL = "openssl.amd64"
OPENSSL_OLD, OPENSSL_NEW, OPENSSL_NEWER = "3.0.19-1~deb12u2", "3.0.22-1~deb12u2", "3.0.23-1~deb12u1"


def row(kb_id: str, version: str, state: PatchState, severity: str = "", *, cve_ids: tuple[str, ...] = ()) -> PatchRow:
    return PatchRow(kb_id, f"{kb_id}:{version}", state, "Security" if severity else "", severity, cve_ids)


def evidence(
    node: str,
    rows: Iterable[PatchRow] = (),
    *,
    platform: Platform = DEBIAN,
    operation: Operation = Operation.SCAN,
    operation_end: datetime = NOW - timedelta(hours=1),
    baseline_content: str = "b" * 64,
    counts: Mapping[str, int] | None = None,
) -> Evidence:
    return Evidence(
        node_id=f"i-{node}",
        node_name=node,
        platform=platform,
        operation=operation,
        snapshot_id="521c3536-930c-4aa9-950e-01234567abcd",
        operation_end=operation_end,
        baseline_id="pb-0713accee01234567",
        baseline_content=baseline_content,
        counts=counts or {},
        rows=tuple(rows),
        run="scan-12",
    )


def fact(
    each: Evidence | None,
    node: str,
    *,
    power: str = "running",
    ping: str | None = "Online",
    outcome: NodeOutcome | None = NodeOutcome.SUCCEEDED,
) -> NodeFact:
    return NodeFact(Node(f"i-{node}", node, power, ping, DEBIAN, agent_version="3.3.987.0"), each, outcome)


def source_facts(*nodes: NodeFact) -> EnvironmentFacts:
    return EnvironmentFacts("nonprod", "111111111111", "eu-west-1", False, nodes)


def target_facts(*nodes: NodeFact) -> EnvironmentFacts:
    return EnvironmentFacts("prod", "222222222222", "eu-west-1", True, nodes)


def source_node(node: str = "np1", **changes: object) -> NodeFact:
    return fact(evidence(node, [row(OPENSSL, OPENSSL_NEW, INSTALLED)], **changes), node)  # type: ignore[arg-type]


def target_node(node: str = "p1", **changes: object) -> NodeFact:
    return fact(evidence(node, [row(OPENSSL, OPENSSL_NEW, MISSING, "Important")], **changes), node)  # type: ignore[arg-type]


def backed_up(
    node_id: str, *, hours_ago: float = 5, volumes: int = 1, points: tuple[RestorePoint, ...] | None = None
) -> NodeBackups:
    """A node whose volumes were all snapshotted at one moment."""
    devices = tuple(f"/dev/sd{letter}" for letter in "abcdef"[:volumes])
    machine = Machine(node_id, "eu-west-1a", tuple(Volume(f"vol-{each[-1]}", each, None) for each in devices))
    if points is None:
        started = NOW - timedelta(hours=hours_ago)
        ids = tuple(f"snap-{each[-1]}" for each in devices)
        points = (RestorePoint(Kind.SNAPSHOTS, ids, devices, started, State.COMPLETE),)
    return NodeBackups(machine, points, "" if points else "no backup")


def backup_facts(*node_ids: str, **changes: object) -> BackupFacts:
    """Both levels required, and kept: each node has snapshots five hours old, and Ola said where the dump is."""
    fields: dict[str, object] = {
        "instance": Level.REQUIRED,
        "database": Level.REQUIRED,
        "max_age": timedelta(hours=24),
        "found": Found({each: backed_up(each) for each in node_ids}),
        "decided": True,
        "attested": Attestation("U0OLA", NOW - timedelta(minutes=3)),
    }
    return BackupFacts(**(fields | changes))  # type: ignore[arg-type]


def moment(**changes: object) -> Moment:
    """Sent at once, in no window; nobody objects, and no freeze is in force."""
    fields: dict[str, object] = {
        "sending": False,
        "emergency": False,
        "at_window": False,
        "opening": None,
        "windows_unknown": "",
        "estimate": timedelta(minutes=20),
        "estimated_from": "as install-13 of nonprod took",
        "notify_before": timedelta(0),
        "told_at": None,
        "freezes": (),
        "objections": (),
    }
    return Moment(**(fields | changes))  # type: ignore[arg-type]


def gate_input(
    source: EnvironmentFacts | None = None, target: EnvironmentFacts | None = None, **changes: object
) -> GateInput:
    """A gate that passes: one patch, proven on two nodes eight days ago; with `changes` to its fields."""
    source = source or source_facts(source_node("np1"), source_node("np2"))
    target = target or target_facts(target_node("p1"), target_node("p2"))
    ended = NOW - timedelta(days=8)
    fields: dict[str, object] = {
        "now": NOW,
        "planned_start": NOW,
        "soak": SOAK,
        "scan_max_age": timedelta(hours=24),
        "source": source,
        "target": target,
        "install": InstallFact("install-13", RunState.SUCCEEDED, ended, verified=True, failed_nodes={}),
        "last_change": ended,
        "problem": None,
        "artifacts": True,
        "conflicts": (),
        "moment": moment(),
        "comparison": compare(source.evidence, target.evidence),
        "preflight": {each.node.id: NodeInquiry() for each in (*source.nodes, *target.nodes)},
        "artifacts_readable": True,
        "other_patchers": (),
        "backup": backup_facts(*(each.node.id for each in target.nodes)),
    }
    return GateInput(**(fields | changes))  # type: ignore[arg-type]


def only(comparison: Comparison) -> Finding:
    (finding,) = comparison.findings
    return finding


def verdicts(comparison: Comparison) -> dict[str, Verdict]:
    return {f"{finding.kb_id} {finding.version}": finding.verdict for finding in comparison.findings}
