"""The gate on a part, on soak by patch, with waivers and warnings."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from patching.clocks import Clocks, Holds
from patching.compare import Comparison, compare
from patching.gate import (
    CHECKS,
    NEVER_WAIVABLE,
    Action,
    CheckResult,
    GateInput,
    GatePolicy,
    OtherPatcher,
    Outcome,
    evaluate,
    passes,
    remedy,
    waive,
)
from patching.model import PatchRow, PatchState, PinnedPatch
from patching.preflight import NodeInquiry
from patching.ready import Part, ready_part
from patching.soak import SoakPolicy, readiness
from tests.unit.patching.build import (
    DEBIAN,
    INSTALLED,
    MISSING,
    NOW,
    OPENSSL,
    OPENSSL_NEW,
    SOAK,
    UBUNTU,
    evidence,
    fact,
    gate_input,
    row,
    source_facts,
    source_node,
    target_facts,
    target_node,
)

READY_SINCE, YOUNG = NOW - timedelta(days=8), NOW - timedelta(days=3)
READY, SOAKING, UNTESTED, NO_CLOCK = "ready.amd64", "soaking.amd64", "untested.amd64", "no-clock.amd64"


def by_patch(*kb_ids: str, part: bool = False, holds: Holds = (), **changes: object) -> GateInput:
    """Two nodes on each side with these patches; the soak is judged by patch."""
    offered = [row(kb_id, "2", MISSING) for kb_id in kb_ids]
    installed = [row(kb_id, "2", INSTALLED) for kb_id in kb_ids if kb_id != UNTESTED]
    source = source_facts(*(fact(evidence(name, installed), name) for name in ("np1", "np2")))
    target = target_facts(*(fact(evidence(name, offered), name) for name in ("p1", "p2")))
    comparison = compare(source.evidence, target.evidence)
    clocks: Clocks = {(READY, "2"): READY_SINCE, (SOAKING, "2"): YOUNG}
    policy = SoakPolicy(SOAK)
    soaked = readiness(comparison.findings, {DEBIAN: clocks}, policy, holds, NOW)
    chosen = ready_part(target.evidence, comparison, soaked, source.evidence, {DEBIAN: clocks}, policy, holds, NOW)
    given = gate_input(source, target, comparison=comparison, part=part, readiness=soaked, ready_part=chosen)
    return replace(given, **changes)  # type: ignore[arg-type]


def result(name: str, gate: GateInput) -> CheckResult:
    return next(each for each in evaluate(gate) if each.name == name)


WHOLE: dict[str, tuple[Callable[[], GateInput], Outcome, Action]] = {
    "all have soaked": (lambda: by_patch(READY), Outcome.PASS, Action.NONE),
    "one still soaks": (lambda: by_patch(READY, SOAKING), Outcome.FAIL, Action.ASK_AGAIN),
    "one has no clock": (lambda: by_patch(READY, NO_CLOCK), Outcome.FAIL, Action.INSTALL_SOURCE),
    "one is not tested": (lambda: by_patch(READY, UNTESTED), Outcome.FAIL, Action.ASK_AGAIN),
    "held": (lambda: by_patch(READY, holds=((YOUNG, None),)), Outcome.FAIL, Action.ASK_AGAIN),
    "ready when asked, not at the planned start": (
        lambda: by_patch(READY, planned_start=READY_SINCE + SOAK - timedelta(seconds=1)),
        Outcome.FAIL,
        Action.ASK_AGAIN,
    ),
    "one was not judged": (
        lambda: replace(by_patch(READY, SOAKING), readiness=by_patch(READY).readiness),
        Outcome.FAIL,
        Action.ASK_AGAIN,
    ),
    "the newest Install does not matter where patches have clocks": (
        lambda: by_patch(READY, last_change=NOW),
        Outcome.PASS,
        Action.NONE,
    ),
}


@pytest.mark.parametrize(("gate", "outcome", "action"), WHOLE.values(), ids=WHOLE)
def test_soak_by_patch(gate: Callable[[], GateInput], outcome: Outcome, action: Action) -> None:
    soak = result("soak-over", gate())
    assert (soak.outcome, soak.action) == (outcome, action)


def test_soak_by_patch_names_its_date() -> None:
    soak = result("soak-over", by_patch(READY, SOAKING))
    assert soak.at == YOUNG + SOAK
    assert "1 of 2 patches have soaked" in soak.evidence
    assert result("soak-over", by_patch(READY)).at == READY_SINCE + SOAK


def test_one_button_for_an_untested_patch() -> None:
    assert remedy(evaluate(by_patch(READY, UNTESTED))) is Action.INSTALL_SOURCE


def test_a_part_passes_where_the_whole_does_not() -> None:
    for kb_ids in ((READY, SOAKING), (READY, UNTESTED), (READY, NO_CLOCK, SOAKING, UNTESTED)):
        assert not passes(evaluate(by_patch(*kb_ids)))
        assert passes(evaluate(by_patch(*kb_ids, part=True))), kb_ids


def test_a_part_says_what_stays_behind() -> None:
    tested = result("patches-tested", by_patch(READY, SOAKING, UNTESTED, part=True))
    assert tested.evidence == "1 of 3 patches are proven in nonprod; 2 stay behind (soaking.amd64 and untested.amd64)."


def test_what_two_platforms_need_alike_is_counted_once() -> None:
    given = by_patch(READY, SOAKING, part=True)
    both = tuple((replace(given.comparison.findings[1], platform=each), "Soaks.") for each in (DEBIAN, UBUNTU))
    assert given.ready_part
    tested = result("patches-tested", replace(given, ready_part=replace(given.ready_part, stays_behind=both)))
    assert tested.evidence.startswith("1 of 2 patches are proven in nonprod; 1 stay behind")


PIN = PinnedPatch(UNTESTED, f"{UNTESTED}:2")
STILL = PinnedPatch(SOAKING, f"{SOAKING}:2")
PARTS: dict[str, tuple[Callable[[], GateInput], set[str]]] = {
    "nothing chosen": (
        lambda: by_patch(READY, part=True, ready_part=None),
        {"patches-tested", "soak-over", "something-to-install"},
    ),
    "nothing is ready": (
        lambda: by_patch(SOAKING, part=True),
        {"patches-tested", "soak-over", "something-to-install"},
    ),
    "readiness is not known": (lambda: by_patch(READY, part=True, readiness=None), {"soak-over"}),
    "an entry that is not tested": (
        lambda: by_patch(READY, UNTESTED, part=True, ready_part=Part((PIN,), (), ())),
        {"patches-tested", "soak-over"},
    ),
    "an entry that still soaks": (
        lambda: by_patch(READY, SOAKING, part=True, ready_part=Part((STILL,), (), ())),
        {"soak-over"},
    ),
    "not soaked at the planned start": (
        lambda: by_patch(READY, part=True, planned_start=READY_SINCE),
        {"soak-over"},
    ),
    "no bucket": (lambda: by_patch(READY, part=True, artifacts=False), {"artifacts"}),
    "a problem": (lambda: by_patch(READY, part=True, conflicts=("i-1 stands in two.",)), {"nodes-in-place"}),
}


@pytest.mark.parametrize(("gate", "failing"), PARTS.values(), ids=PARTS)
def test_a_part_is_refused(gate: Callable[[], GateInput], failing: set[str]) -> None:
    assert {each.name for each in evaluate(gate()) if each.outcome is Outcome.FAIL} == failing


def with_title(title: str) -> GateInput:
    """Beside a patch that is proven: a list with nothing on it is never sent."""
    rows = [PatchRow(READY, title, PatchState.MISSING), row(OPENSSL, OPENSSL_NEW, PatchState.MISSING)]
    return gate_input(target=target_facts(fact(evidence("p1", rows), "p1")))


def failing(*names: str) -> tuple[CheckResult, ...]:
    return tuple(
        CheckResult(name, name, Outcome.FAIL if name in names else Outcome.PASS, "Evidence.", "Remedy.")
        for name in CHECKS
    )


def test_a_waived_failure_passes_and_says_why() -> None:
    results = waive(failing("preflight"), {"preflight": " db-9 is being rebuilt "}, ["preflight"])
    (waived,) = [each for each in results if each.outcome is not Outcome.PASS]
    assert (waived.outcome, waived.waiver, waived.evidence) == (Outcome.WAIVED, "db-9 is being rebuilt", "Evidence.")
    assert passes(results)
    assert remedy(results) is None


NOT_WAIVED = {
    "the policy doesn't allow it": ("preflight", {"preflight": "why"}, ["soak-over"]),
    "no reason": ("preflight", {"preflight": "  "}, ["preflight"]),
    "no waiver": ("preflight", {"soak-over": "why"}, ["preflight", "soak-over"]),
    **{
        f"never, {name}": (name, {name: "why"}, [name])
        for name in ("evidence-fresh", "nodes-in-place", "artifacts", "something-to-install")
    },
}


@pytest.mark.parametrize(("name", "waivers", "waivable"), NOT_WAIVED.values(), ids=NOT_WAIVED)
def test_what_is_not_waived_still_fails(name: str, waivers: dict[str, str], waivable: list[str]) -> None:
    results = waive(failing(name), waivers, waivable)
    assert results == failing(name)
    assert not passes(results)


def test_a_waiver_for_a_check_that_passes_changes_nothing() -> None:
    assert waive(failing(), {"preflight": "why"}, ["preflight"]) == failing()


def test_a_waiver_covers_one_check_alone() -> None:
    assert not passes(waive(failing("preflight", "no-problem"), {"preflight": "why"}, ["preflight", "no-problem"]))


def test_an_unreadable_title_is_never_waived_though_the_check_may_be() -> None:
    waivers, waivable = {"patches-tested": "why"}, ["patches-tested"]
    assert not passes(waive(evaluate(with_title("ready, some version")), waivers, waivable))
    assert passes(waive(evaluate(with_title(f"{READY}:2")), waivers, waivable))


def test_a_list_with_nothing_proven_on_it_is_never_waived() -> None:
    nothing = gate_input(target=target_facts(fact(evidence("p1", [row(READY, "2", MISSING)]), "p1")))
    assert not passes(waive(evaluate(nothing), {"patches-tested": "why"}, ["patches-tested"]))


def test_what_is_never_waivable() -> None:
    assert {"evidence-fresh", "nodes-in-place", "document-hash", "four-eyes"} <= NEVER_WAIVABLE


def away_source() -> GateInput:
    offline = replace(source_node("np2"), node=replace(source_node("np2").node, ping="ConnectionLost"))
    return gate_input(source=source_facts(source_node("np1"), offline))


WARNED: dict[str, tuple[str, Callable[[], GateInput], str]] = {
    "another patcher": (
        "other-patchers",
        lambda: gate_input(other_patchers=(OtherPatcher("maintenance window mw-0c50858d01EXAMPLE", ("p1", "p2")),)),
        "mw-0c50858d01EXAMPLE on p1 and p2",
    ),
    "nobody looked for other patchers": ("other-patchers", lambda: gate_input(other_patchers=None), "Nobody looked"),
    "nobody looked for other commands": ("preflight", lambda: gate_input(preflight=None), "nobody looked"),
    "a source node is away": ("preflight", away_source, "np2 has an agent that is ConnectionLost"),
    "the API can't tell": ("artifacts-readable", lambda: gate_input(artifacts_readable=None), "can't be told"),
    "too little data": (
        "alarms-quiet",
        lambda: gate_input(policy=GatePolicy(alarms=("a",)), alarms={"a": "INSUFFICIENT_DATA"}),
        "too little data",
    ),
    "not pinned": ("artifacts", lambda: gate_input(policy=GatePolicy(pinned=False)), "NOT PINNED"),
    "not pinned, without a bucket": (
        "artifacts",
        lambda: gate_input(policy=GatePolicy(pinned=False), artifacts=False),
        "NOT PINNED",
    ),
}


@pytest.mark.parametrize(("name", "gate", "words"), WARNED.values(), ids=WARNED)
def test_a_warning_is_seen_and_does_not_block(name: str, gate: Callable[[], GateInput], words: str) -> None:
    warned = result(name, gate())
    assert warned.outcome is Outcome.WARN
    assert words in warned.evidence
    assert warned.remedy
    assert passes(evaluate(gate()))


def test_alarms_that_are_quiet() -> None:
    quiet = result("alarms-quiet", gate_input(policy=GatePolicy(alarms=("a", "b")), alarms={"a": "OK", "b": "OK"}))
    assert (quiet.outcome, quiet.evidence) == (Outcome.PASS, "2 alarms read, 0 on.")


BUSY = NodeInquiry(other_commands=("AWS-RunShellScript",))


def stale_comparison() -> Comparison:
    given = by_patch(READY)
    return compare(
        given.source.evidence, given.target.evidence, now=NOW + timedelta(days=2), max_age=timedelta(hours=24)
    )


BUTTONS: dict[str, tuple[Callable[[], GateInput], Action | None]] = {
    "an alarm": (lambda: gate_input(policy=GatePolicy(alarms=("a",)), alarms={"a": "ALARM"}), Action.ASK_AGAIN),
    "a busy node": (
        lambda: gate_input(preflight=dict.fromkeys(("i-np1", "i-np2", "i-p1", "i-p2"), BUSY)),
        Action.ASK_AGAIN,
    ),
    "a role that may not read": (lambda: gate_input(artifacts_readable=False), None),
    "a target node that was never scanned": (
        lambda: gate_input(target=target_facts(target_node("p1"), fact(None, "p2"))),
        Action.SCAN_TARGET,
    ),
    "by scans that are too old": (
        lambda: by_patch(READY, comparison=stale_comparison()),
        Action.ASK_AGAIN,
    ),
}


@pytest.mark.parametrize(("gate", "button"), BUTTONS.values(), ids=BUTTONS)
def test_the_single_button(gate: Callable[[], GateInput], button: Action | None) -> None:
    assert remedy(evaluate(gate())) is button
