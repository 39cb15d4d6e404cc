"""What each check refuses or warns of: one table for the gate's tests, a world for every reason."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from patching.agenda import Opening
from patching.backups import Found, Kind, Level, NodeBackups, RestorePoint, State
from patching.compare import compare
from patching.gate import GateInput, GatePolicy, InstallFact, NodeFact, OtherPatcher, ProblemFact
from patching.model import Node, Operation, Platform
from patching.nodes import EnvironmentKey, conflicts
from patching.outcomes import NodeOutcome
from patching.preflight import NodeInquiry
from patching.states import RunState
from tests.unit.patching.build import (
    DEBIAN,
    INSTALLED,
    MISSING,
    NOW,
    OPENSSL,
    OPENSSL_NEW,
    OPENSSL_NEWER,
    OPENSSL_OLD,
    PENDING,
    REDHAT,
    SOAK,
    backed_up,
    backup_facts,
    evidence,
    fact,
    gate_input,
    moment,
    row,
    source_facts,
    source_node,
    target_facts,
    target_node,
)

ENDED = NOW - timedelta(days=8)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def opening(opens: datetime) -> Opening:
    """Three hours long, the last of which is its cutoff."""
    ends = opens + timedelta(hours=3)
    return Opening("mw-0c50858d01EXAMPLE", "monthly", opens, ends - timedelta(hours=1), ends, "Europe/Berlin")


OPENING = opening(NOW + timedelta(days=3))


def at(**changes: object) -> GateInput:
    return gate_input(moment=moment(**changes))


def install(**changes: object) -> InstallFact:
    return replace(InstallFact("install-13", RunState.SUCCEEDED, ENDED, True, {}), **changes)  # type: ignore[arg-type]


def source_with(**changes: object) -> GateInput:
    """The gate with a second source node whose evidence differs."""
    return gate_input(source=source_facts(source_node("np1"), source_node("np2", **changes)))


def source_row(kb_version: str, state: object) -> GateInput:
    second = fact(evidence("np2", [row(OPENSSL, kb_version, state)]), "np2")  # type: ignore[arg-type]
    return gate_input(source=source_facts(source_node("np1"), second))


def with_alarms(states: Mapping[str, str]) -> GateInput:
    return gate_input(policy=GatePolicy(alarms=("orders-5xx", "orders-lag")), alarms=states)


def with_node(given: NodeFact, **changes: object) -> NodeFact:
    return replace(given, node=replace(given.node, **changes))  # type: ignore[arg-type]


def with_agent(version: str | None) -> GateInput:
    return gate_input(target=target_facts(target_node("p1"), with_node(target_node("p2"), agent_version=version)))


def with_inquiry(node_id: str, **found: object) -> GateInput:
    gate = gate_input()
    return replace(gate, preflight={**(gate.preflight or {}), node_id: NodeInquiry(**found)})  # type: ignore[arg-type]


def with_facts(**changes: object) -> GateInput:
    return gate_input(backup=backup_facts("i-p1", "i-p2", **changes))


def with_backups(*kept: str, **others: NodeBackups) -> GateInput:
    """Node ids with fresh snapshots, and what others have; a node of neither has none."""
    none = {each: backed_up(each, points=()) for each in ("i-p1", "i-p2")}
    return with_facts(found=Found({**none, **{each: backed_up(each) for each in kept}, **others}))


def in_state(state: State) -> RestorePoint:
    return RestorePoint(Kind.SNAPSHOTS, ("snap-1",), ("/dev/sda",), NOW - timedelta(hours=1), state)


def i13_conflicts() -> tuple[str, ...]:
    key = EnvironmentKey("orders-db", "nonprod")
    stray = Node("i-0abc", "db-1", "running", "Online", DEBIAN, tags={"Environment": "prod"})
    return conflicts({key: [stray]}, {key: False}, {"Environment": ["prod"]})[key]


REFUSED: dict[str, dict[str, Callable[[], GateInput]]] = {
    "install-verified": {
        "never installed": lambda: gate_input(install=None),
        "still running": lambda: gate_input(install=install(state=RunState.RUNNING)),
        "needs a person": lambda: gate_input(install=install(state=RunState.NEEDS_HUMAN)),
        "failed": lambda: gate_input(install=install(state=RunState.FAILED)),
        "cancelled": lambda: gate_input(install=install(state=RunState.CANCELLED)),
        "deviated": lambda: gate_input(install=install(state=RunState.DEVIATED)),
        "I8 no verification Scan": lambda: gate_input(install=install(verified=False)),
    },
    "nodes-succeeded": {
        "a node failed": lambda: gate_input(install=install(failed_nodes={"np2": "dpkg error"})),
        "I9 its own outcome": lambda: gate_input(
            source=source_facts(source_node("np1"), replace(source_node("np2"), install_outcome=NodeOutcome.FAILED))
        ),
        "never answered": lambda: gate_input(
            source=source_facts(source_node(), replace(source_node("np2"), install_outcome=NodeOutcome.NEVER_ANSWERED))
        ),
        "joined after the install": lambda: gate_input(
            source=source_facts(source_node("np1"), replace(source_node("np2"), install_outcome=None))
        ),
        "no node": lambda: gate_input(source=source_facts()),
        "no install": lambda: gate_input(install=None),
    },
    "no-pending-reboot": {
        "a row, of any patch": lambda: gate_input(
            source=source_facts(
                source_node("np1"), fact(evidence("np2", [row("linux-perf.amd64", "6.1.192-2", PENDING)]), "np2")
            )
        ),
        "a count": lambda: source_with(counts={"InstalledPendingRebootCount": 1}),
        "no evidence": lambda: gate_input(source=source_facts(source_node("np1"), fact(None, "np2"))),
        "no node": lambda: gate_input(source=source_facts()),
    },
    "no-problem": {
        "reported": lambda: gate_input(problem=ProblemFact("Ann", NOW - timedelta(days=1), "slow queries")),
    },
    "alarms-quiet": {
        "on": lambda: with_alarms({"orders-5xx": "ALARM", "orders-lag": "OK"}),
        "one not read": lambda: with_alarms({"orders-5xx": "OK"}),
        "none read": lambda: with_alarms({}),
        "a state that CloudWatch does not have today": lambda: with_alarms({"orders-5xx": "OK", "orders-lag": "ON"}),
    },
    "soak-over": {
        "one second early": lambda: gate_input(last_change=NOW - SOAK + timedelta(seconds=1)),
        "changed today": lambda: gate_input(last_change=NOW - timedelta(hours=2)),
        "I8 a foreign Install seen later": lambda: gate_input(last_change=NOW + timedelta(hours=2)),
        "planned before it is over": lambda: gate_input(planned_start=ENDED + SOAK - timedelta(minutes=1)),
        "no change known, installed yesterday": lambda: gate_input(
            last_change=None, install=install(ended_at=NOW - timedelta(days=1))
        ),
        "nothing ever installed": lambda: gate_input(last_change=None, install=None),
    },
    "patches-tested": {
        "still missing on one source node": lambda: source_row(OPENSSL_NEW, MISSING),
        "older on one source node": lambda: source_row(OPENSSL_OLD, INSTALLED),
        "newer on one source node": lambda: source_row(OPENSSL_NEWER, INSTALLED),
        "the repository has moved": lambda: gate_input(
            target=target_facts(fact(evidence("p1", [row(OPENSSL, OPENSSL_NEWER, MISSING)]), "p1"))
        ),
        "another platform": lambda: gate_input(target=target_facts(target_node("p1", platform=REDHAT))),
        "unreadable title": lambda: gate_input(
            target=target_facts(fact(evidence("p1", [replace(row(OPENSSL, "1", MISSING), title="openssl")]), "p1"))
        ),
        "a node that was not compared": lambda: gate_input(
            comparison=compare(
                [evidence("np1", [row(OPENSSL, OPENSSL_NEW, INSTALLED)])],
                [evidence("p1", [row(OPENSSL, OPENSSL_NEW, MISSING)])],
            )
        ),
        "no evidence of a target node": lambda: gate_input(target=target_facts(target_node("p1"), fact(None, "p2"))),
        "no target node": lambda: gate_input(target=target_facts()),
    },
    "same-baseline": {
        "other content in the target": lambda: gate_input(target=target_facts(target_node("p1", baseline_content="c"))),
        "two contents in the source": lambda: source_with(baseline_content="c"),
        "two contents in both": lambda: gate_input(
            source=source_facts(source_node("np1"), source_node("np2", baseline_content="c")),
            target=target_facts(target_node("p1"), target_node("p2", baseline_content="c")),
        ),
        "unknown in both": lambda: gate_input(
            source=source_facts(source_node("np1", baseline_content="")),
            target=target_facts(target_node("p1", baseline_content="")),
        ),
        "no source node of the platform": lambda: gate_input(target=target_facts(target_node("p1", platform=REDHAT))),
        "no evidence": lambda: gate_input(target=target_facts(fact(None, "p1"))),
    },
    "nodes-seen": {
        "stopped": lambda: gate_input(target=target_facts(replace(target_node(), node=away(power="stopped")))),
        "agent lost": lambda: gate_input(target=target_facts(replace(target_node(), node=away(ping="ConnectionLost")))),
        "unknown to Systems Manager": lambda: gate_input(
            target=target_facts(replace(target_node(), node=away(ping=None)))
        ),
        "no evidence of a target node": lambda: gate_input(target=target_facts(target_node("p1"), fact(None, "p2"))),
        "no evidence of a source node": lambda: gate_input(source=source_facts(source_node("np1"), fact(None, "np2"))),
        "no target node": lambda: gate_input(target=target_facts()),
        "no source node": lambda: gate_input(source=source_facts()),
    },
    "preflight": {
        "an old agent in the target": lambda: with_agent("2.0.833.9"),
        "an agent without a version": lambda: with_agent(None),
        "a version that is no version": lambda: with_agent("latest"),
        "an unsupported system": lambda: gate_input(
            target=target_facts(with_node(target_node("p1"), platform=Platform("Fedora Linux", "41", "x86_64")))
        ),
        "no platform": lambda: gate_input(source=source_facts(with_node(source_node("np1"), platform=None))),
        "another command in non-production": lambda: with_inquiry("i-np2", other_commands=("AWS-RunShellScript",)),
        "another command in production": lambda: with_inquiry("i-p1", other_commands=("AWS-RunPatchBaseline",)),
        "a trial scan that failed": lambda: with_inquiry("i-p2", trial_failure="Python 2.6 or newer was not found"),
        "a target node that is stopped": lambda: gate_input(
            target=target_facts(replace(target_node(), node=away(power="stopped")))
        ),
        "a target node without a role": lambda: replace(
            gate_input(target=target_facts(replace(target_node(), node=away(ping=None)))),
            preflight={"i-np1": NodeInquiry(), "i-np2": NodeInquiry(), "i-p1": NodeInquiry(role=False)},
        ),
        "a source node that is away and was never scanned": lambda: gate_input(
            source=source_facts(source_node("np1"), fact(None, "np2", power="stopped"))
        ),
        "no scan that proves the rest": lambda: gate_input(target=target_facts(target_node("p1"), fact(None, "p2"))),
        "a scan that can't be read": lambda: source_with(counts={"MissingCount": -1}),
        "a node that nobody looked at": lambda: gate_input(
            preflight={each: NodeInquiry() for each in ("i-np1", "i-np2", "i-p1")}
        ),
        "no node": lambda: gate_input(source=source_facts()),
    },
    "evidence-fresh": {
        "source one second too old": lambda: source_with(operation_end=NOW - timedelta(hours=24, seconds=1)),
        "target one second too old": lambda: gate_input(
            target=target_facts(target_node("p1", operation_end=NOW - timedelta(hours=24, seconds=1)))
        ),
        "I8 an Install's own report": lambda: source_with(operation=Operation.INSTALL),
        "counts of -1": lambda: source_with(counts={"MissingCount": -1}),
        "dates of 1970": lambda: source_with(operation_end=EPOCH),
        "no evidence": lambda: gate_input(target=target_facts(target_node("p1"), fact(None, "p2"))),
        "no node": lambda: gate_input(source=source_facts(), target=target_facts()),
    },
    "nodes-in-place": {"I13 a production tag in non-production": lambda: gate_input(conflicts=i13_conflicts())},
    "artifacts": {
        "no bucket": lambda: gate_input(artifacts=False),
        "no bucket for a part, which can't go unpinned": lambda: gate_input(
            artifacts=False, part=True, policy=GatePolicy(pinned=False)
        ),
    },
    "backup-instance": {
        "none on one node": lambda: with_backups("i-p1"),
        "one minute too old": lambda: with_backups("i-p1", **{"i-p2": backed_up("i-p2", hours_ago=24 + 1 / 60)}),
        "under way": lambda: with_backups("i-p1", **{"i-p2": backed_up("i-p2", points=(in_state(State.UNDER_WAY),))}),
        "failed": lambda: with_backups("i-p1", **{"i-p2": backed_up("i-p2", points=(in_state(State.FAILED),))}),
        "not read": lambda: with_facts(found=Found({}, ("AWS refused DescribeSnapshots.",))),
        "nobody looked": lambda: with_facts(found=None),
        "nobody looked at all": lambda: gate_input(backup=None),
        "no node": lambda: gate_input(target=target_facts()),
        "no node to take one of": lambda: gate_input(
            target=target_facts(), backup=backup_facts(takes=Kind.IMAGE, found=None)
        ),
        "taken first, and one is no instance of EC2's": lambda: gate_input(
            target=target_facts(target_node("p1"), with_node(target_node("p2"), id="mi-0abc")),
            backup=backup_facts(takes=Kind.SNAPSHOTS, found=None),
        ),
    },
    "backup-database": {
        "nobody attested": lambda: with_facts(attested=None),
        "nobody looked at all": lambda: gate_input(backup=None),
    },
    "artifacts-readable": {"the role may not": lambda: gate_input(artifacts_readable=False)},
    "something-to-install": {
        "nothing missing": lambda: gate_input(
            target=target_facts(fact(evidence("p1", [row(OPENSSL, OPENSSL_NEW, INSTALLED)]), "p1"))
        )
    },
    "no-freeze": {
        "nobody looked": lambda: gate_input(moment=None),
        "a freeze": lambda: at(freezes=("The freeze year end is in force.",)),
    },
    "inside-window": {
        "nobody looked": lambda: gate_input(moment=None),
        "windows that can't be told": lambda: at(at_window=True, windows_unknown="AWS did not say for an hour."),
        "no window": lambda: at(at_window=True),
        "not open yet": lambda: at(at_window=True, sending=True, opening=OPENING),
        "its cutoff, to the second": lambda: at(
            at_window=True, sending=True, opening=opening(NOW - timedelta(hours=2))
        ),
    },
    "fits-window": {
        "nobody looked": lambda: gate_input(moment=None),
        "too long": lambda: at(at_window=True, opening=OPENING, estimate=timedelta(hours=2, seconds=1)),
        "too late": lambda: at(
            at_window=True,
            sending=True,
            opening=opening(NOW - timedelta(minutes=101)),
        ),
    },
    "affected-told": {
        "nobody looked": lambda: gate_input(moment=None),
        "nobody told": lambda: at(sending=True, notify_before=timedelta(hours=24)),
        "not long enough": lambda: at(
            sending=True, notify_before=timedelta(hours=24), told_at=NOW - timedelta(hours=24) + timedelta(seconds=1)
        ),
    },
    "no-objection": {
        "nobody looked": lambda: gate_input(moment=None),
        "one": lambda: at(objections=("Month end runs that night.",)),
    },
}

# A check that can't forbid: what it finds is shown.
WARNED: dict[str, dict[str, Callable[[], GateInput]]] = {
    "other-patchers": {
        "a window": lambda: gate_input(other_patchers=(OtherPatcher("maintenance window mw-1", ("p1",)),)),
        "nobody looked": lambda: gate_input(other_patchers=None),
    },
    "backup-instance": {
        "none, where that is a warning": lambda: with_facts(instance=Level.WARN, found=Found({})),
    },
    "backup-database": {
        "before anybody approves": lambda: with_facts(decided=False, attested=None),
        "nobody attested, where that is a warning": lambda: with_facts(database=Level.WARN, attested=None),
    },
    "fits-window": {"no earlier run": lambda: at(at_window=True, opening=OPENING, estimate=None)},
}


def away(power: str = "running", ping: str | None = "Online") -> Node:
    return Node("i-p1", "p1", power, ping, DEBIAN)
