"""Every check passes on what a careful team would let through, and fails on each thing that it is there for."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from patching.compare import compare
from patching.gate import (
    CHECKS,
    Action,
    CheckResult,
    GateInput,
    GatePolicy,
    InstallFact,
    NodeFact,
    OtherPatcher,
    Outcome,
    ProblemFact,
    evaluate,
    passes,
    remedy,
)
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
    evidence,
    fact,
    gate_input,
    row,
    source_facts,
    source_node,
    target_facts,
    target_node,
)

ENDED = NOW - timedelta(days=8)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    "artifacts-readable": {"the role may not": lambda: gate_input(artifacts_readable=False)},
    "something-to-install": {
        "nothing missing": lambda: gate_input(
            target=target_facts(fact(evidence("p1", [row(OPENSSL, OPENSSL_NEW, INSTALLED)]), "p1"))
        )
    },
}

# A check that can't forbid: what it finds is shown.
WARNED: dict[str, dict[str, Callable[[], GateInput]]] = {
    "other-patchers": {
        "a window": lambda: gate_input(other_patchers=(OtherPatcher("maintenance window mw-1", ("p1",)),)),
        "nobody looked": lambda: gate_input(other_patchers=None),
    },
}


def away(power: str = "running", ping: str | None = "Online") -> Node:
    return Node("i-p1", "p1", power, ping, DEBIAN)


def result(name: str, gate: GateInput) -> CheckResult:
    return next(each for each in evaluate(gate) if each.name == name)


@pytest.mark.parametrize("name", CHECKS)
def test_check(name: str) -> None:
    assert result(name, gate_input()).outcome is Outcome.PASS
    for what, refused in REFUSED.get(name, {}).items():
        assert result(name, refused()).outcome is Outcome.FAIL, what
    for what, warned in WARNED.get(name, {}).items():
        assert result(name, warned()).outcome is Outcome.WARN, what


def test_every_check_can_say_no_or_beware() -> None:
    assert REFUSED.keys() | WARNED.keys() == CHECKS.keys()


@pytest.mark.parametrize(
    ("name", "refused"),
    [pytest.param(name, gate, id=f"{name}: {what}") for name, cases in REFUSED.items() for what, gate in cases.items()],
)
def test_a_failing_check_blocks_and_says_what_to_do(name: str, refused: Callable[[], GateInput]) -> None:
    results = evaluate(refused())
    failing = result(name, refused())
    assert not passes(results)
    assert failing.evidence
    assert failing.remedy


@pytest.mark.parametrize(
    "gate", [gate_input, *(gate for cases in REFUSED.values() for gate in cases.values())], ids=lambda _: "gate"
)
def test_a_date_ends_exactly_one_text(gate: Callable[[], GateInput]) -> None:
    for each in evaluate(gate()):
        open_texts = [text for text in (each.evidence, each.remedy) if text and not text.endswith(".")]
        assert len(open_texts) == (1 if each.at else 0), each


def test_the_good_gate_passes_with_no_button() -> None:
    results = evaluate(gate_input())
    assert [each.name for each in results] == list(CHECKS)
    assert passes(results)
    assert remedy(results) is None


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_that_was_not_asked_does_not_pass(name: str) -> None:
    assert not passes([each for each in evaluate(gate_input()) if each.name != name])


def test_nothing_asked_does_not_pass() -> None:
    assert not passes(())


SOAK_EDGES = {
    "over to the second": ({"last_change": NOW - SOAK}, Outcome.PASS, NOW),
    "over at the planned start": (
        {"last_change": NOW - timedelta(days=1), "planned_start": NOW + timedelta(days=6)},
        Outcome.PASS,
        NOW + timedelta(days=6),
    ),
    "not over": ({"last_change": NOW - timedelta(days=1)}, Outcome.FAIL, NOW + timedelta(days=6)),
    "no change known": ({"last_change": None}, Outcome.PASS, ENDED + SOAK),
    "a soak of none": ({"soak": timedelta(0), "last_change": NOW}, Outcome.PASS, NOW),
}


@pytest.mark.parametrize(("changes", "outcome", "ready"), SOAK_EDGES.values(), ids=SOAK_EDGES)
def test_soak_ends_and_names_its_end(changes: dict[str, object], outcome: Outcome, ready: datetime) -> None:
    soak = result("soak-over", replace(gate_input(), **changes))  # type: ignore[arg-type]
    assert (soak.outcome, soak.at) == (outcome, ready)


def test_soak_numbers() -> None:
    soak = result("soak-over", gate_input(last_change=NOW - timedelta(days=2, hours=4)))
    assert "2 d 4 h of 7 d" in soak.evidence
    assert "4 d 20 h to go" in soak.evidence


def test_evidence_at_the_oldest_age_allowed_is_fresh() -> None:
    gate = source_with(operation_end=NOW - timedelta(hours=24))
    assert result("evidence-fresh", gate).outcome is Outcome.PASS


def test_a_source_node_that_is_away_now_is_a_warning() -> None:
    offline = replace(source_node("np2"), node=Node("i-np2", "np2", "stopped", None, DEBIAN))
    results = evaluate(gate_input(source=source_facts(source_node("np1"), offline)))
    assert next(each for each in results if each.name == "nodes-seen").outcome is Outcome.WARN
    assert passes(results)


def test_failed_nodes_are_named_with_their_reason() -> None:
    gate = gate_input(install=install(failed_nodes={"i-np2": "dpkg error"}))
    assert "np2 (dpkg error)" in result("nodes-succeeded", gate).evidence


def test_an_untested_patch_names_the_new_ready_date() -> None:
    tested = result("patches-tested", source_row(OPENSSL_OLD, INSTALLED))
    assert (tested.action, tested.at) == (Action.INSTALL_SOURCE, NOW + SOAK)
    assert f"{OPENSSL} {OPENSSL_NEW}" in tested.evidence


BUTTONS: dict[str, tuple[Callable[[], GateInput], Action | None]] = {
    "never installed": (lambda: gate_input(install=None, last_change=None), Action.INSTALL_SOURCE),
    "the repository has moved": (REFUSED["patches-tested"]["the repository has moved"], Action.INSTALL_SOURCE),
    "a source node failed": (REFUSED["nodes-succeeded"]["a node failed"], Action.INSTALL_SOURCE),
    "untested and still soaking": (
        lambda: replace(source_row(OPENSSL_OLD, INSTALLED), last_change=NOW),
        Action.INSTALL_SOURCE,
    ),
    "never installed nor scanned": (
        lambda: gate_input(source=source_facts(fact(None, "np1")), install=None, last_change=None),
        Action.INSTALL_SOURCE,
    ),
    "soaking": (lambda: gate_input(last_change=NOW), Action.ASK_AGAIN),
    "a problem": (REFUSED["no-problem"]["reported"], Action.CLEAR_PROBLEM),
    "source stale": (REFUSED["evidence-fresh"]["source one second too old"], Action.SCAN_SOURCE),
    "target stale": (REFUSED["evidence-fresh"]["target one second too old"], Action.SCAN_TARGET),
    "both stale": (lambda: replace(gate_input(), now=NOW + timedelta(days=2)), Action.ASK_AGAIN),
    "source newer: people must level the repositories": (
        REFUSED["patches-tested"]["newer on one source node"],
        None,
    ),
    "a problem and an untested patch are two things": (
        lambda: replace(source_row(OPENSSL_OLD, INSTALLED), problem=ProblemFact("Ann", NOW, "slow")),
        None,
    ),
    "a run that needs a person": (REFUSED["install-verified"]["needs a person"], None),
    "no bucket": (REFUSED["artifacts"]["no bucket"], None),
}


@pytest.mark.parametrize(("gate", "button"), BUTTONS.values(), ids=BUTTONS)
def test_the_single_button(gate: Callable[[], GateInput], button: Action | None) -> None:
    assert remedy(evaluate(gate())) is button
