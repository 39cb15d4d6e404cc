"""Every check passes on what a careful team would let through, and fails on each thing that it is there for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from patching.backups import Kind, Level
from patching.gate import (
    CHECKS,
    Action,
    CheckResult,
    GateInput,
    Outcome,
    ProblemFact,
    evaluate,
    passes,
    remedy,
)
from patching.model import Node
from tests.unit.patching.build import (
    DEBIAN,
    INSTALLED,
    NOW,
    OPENSSL,
    OPENSSL_NEW,
    OPENSSL_OLD,
    SOAK,
    backup_facts,
    fact,
    gate_input,
    source_facts,
    source_node,
)
from tests.unit.patching.gate_cases import ENDED, REFUSED, WARNED, install, source_row, source_with


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


@pytest.mark.parametrize(
    ("name", "facts", "evidence"),
    [
        ("backup-instance", {"takes": Kind.SNAPSHOTS}, "The plan takes snapshots of 2 nodes first."),
        ("backup-instance", {"takes": Kind.IMAGE, "instance": Level.OFF}, "The plan takes images of 2 nodes first."),
        ("backup-database", {"document": "Dump"}, "The plan runs Dump first; if it fails, nothing is installed."),
    ],
)
def test_what_the_plan_takes_first_needs_no_proof_now(name: str, facts: dict[str, object], evidence: str) -> None:
    passed = result(name, gate_input(backup=backup_facts(found=None, attested=None, **facts)))
    assert (passed.outcome, passed.evidence) == (Outcome.PASS, evidence)


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
