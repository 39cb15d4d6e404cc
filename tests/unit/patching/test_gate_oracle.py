"""Show 2 of issue 3: the gate against an independent, slow oracle, and what must change nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from patching.backups import BackupFacts, Level
from patching.compare import Comparison, compare
from patching.digest import digest_of, digest_parts
from patching.gate import EnvironmentFacts, GateInput, GatePolicy, InstallFact, NodeFact, ProblemFact, evaluate, passes
from patching.model import Evidence, Node, Operation, PatchRow, PatchState, PinnedPatch, Platform
from patching.outcomes import NodeOutcome
from patching.pins import pinned_list
from patching.plan import Document
from patching.preflight import NodeInquiry
from patching.states import RunState
from tests.unit.patching.build import DEBIAN, NOW, REDHAT, SOAK, WINDOWS, evidence, moment, source_facts, target_facts
from tests.unit.patching.oracle import says_yes
from tests.unit.patching.plans import installing

FEDORA = Platform("Fedora Linux", "41", "x86_64")
MARCH = ("KB5023702", "2023-03 Cumulative Update for Windows Server 2019 (1809) for x64-based Systems (KB5023702)")
APRIL = ("KB5025229", "2023-04 Cumulative Update for Windows Server 2019 (1809) for x64-based Systems (KB5025229)")
TOOL = ("KB890830", "Windows Malicious Software Removal Tool x64 - v5.144 (KB890830)")
TOOL_NEXT = ("KB890830", "Windows Malicious Software Removal Tool x64 - v5.145 (KB890830)")
PROVEN = {
    DEBIAN: [("openssl.amd64", "openssl.amd64:3.0.22-1"), ("curl.amd64", "curl.amd64:7.88.1-10")],
    REDHAT: [("bash.x86_64", "bash.x86_64:0:4.4.19-14.el8"), ("sudo.x86_64", "sudo.x86_64:0:1.9.5-1.el8")],
    WINDOWS: [MARCH, TOOL],
}
OTHERWISE = {
    DEBIAN: [("openssl.amd64", "openssl.amd64:3.0.23-1"), ("openssl.amd64", "openssl.amd64:3.0.19-1")],
    REDHAT: [("bash.x86_64", "bash.x86_64:0:4.4.20-1.el8"), ("bash.x86_64", "bash.x86_64:0:4.4.17-1.el8")],
    WINDOWS: [APRIL, TOOL_NEXT],
}


def mostly(good: Any, *others: Any, weight: int = 30) -> st.SearchStrategy[Any]:
    """The first value nearly always, so that a good share of all worlds passes."""
    return st.integers(0, weight + len(others) - 1).map(lambda n: good if n < weight else others[n - weight])


@st.composite
def rows_of(draw: st.DrawFn, platform: Platform, *, of_target: bool) -> tuple[PatchRow, ...]:
    rows = []
    for kb_id, title in PROVEN[platform]:
        states = (
            ("Missing", "Installed", "Failed")
            if of_target
            else (
                *("Installed", "InstalledOther", "InstalledPendingReboot", "Missing", "Failed"),
                *("InstalledRejected", "NotApplicable", "AvailableSecurityUpdate"),
            )
        )
        state = draw(mostly(*states, weight=120))
        rows.append(PatchRow(kb_id, title, PatchState(state)))
    if draw(mostly(False, True, weight=40)):
        kb_id, title = draw(st.sampled_from(OTHERWISE[platform]))
        state = "Missing" if of_target else draw(st.sampled_from(("Installed", "InstalledOther", "Missing")))
        rows = [each for each in rows if each.kb_id != kb_id] + [PatchRow(kb_id, title, PatchState(state))]
    if of_target and draw(mostly(False, True, weight=120)):
        rows.append(PatchRow("vim.amd64", "vim, some version", PatchState.MISSING))
    if draw(mostly(False, True, weight=16)):
        del rows[draw(st.integers(0, len(rows) - 1))]
    return tuple(rows)


@st.composite
def node_fact(draw: st.DrawFn, name: str, platforms: list[Platform], *, of_target: bool) -> NodeFact:
    platform = draw(st.sampled_from(platforms))
    shown = evidence(
        name,
        draw(rows_of(platform, of_target=of_target)),
        platform=platform,
        operation=draw(mostly(Operation.SCAN, Operation.INSTALL, weight=120)),
        operation_end=draw(
            mostly(NOW - timedelta(hours=1), NOW - timedelta(hours=25), datetime(1970, 1, 1, tzinfo=UTC), weight=120)
        ),
        baseline_content=draw(mostly("b" * 64, "c" * 64, "", weight=120)),
        counts=draw(mostly({}, {"MissingCount": -1}, {"InstalledPendingRebootCount": 1}, weight=120)),
    )
    node = Node(
        id=f"i-{name}",
        name=name,
        power=draw(mostly("running", "stopped", weight=120)),
        ping=draw(mostly("Online", "ConnectionLost", None, weight=120)),
        platform=draw(mostly(platform, FEDORA, None, weight=120)),
        agent_version=draw(mostly("3.3.987.0", "2.0.833.9", None, weight=120)),
    )
    outcome = draw(mostly(NodeOutcome.SUCCEEDED, NodeOutcome.FAILED, None, weight=120))
    return NodeFact(node, draw(mostly(shown, None, weight=120)), outcome)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[GateInput, frozenset[str], tuple[str, ...]]:
    """A gate's question, the nodes with somebody else's operation, and the names that both baselines reject."""
    platforms = draw(st.sampled_from([[DEBIAN], [REDHAT], [WINDOWS], [DEBIAN, DEBIAN, REDHAT]]))
    source = _environment(draw, source_facts(), "np", platforms, of_target=False)
    target = _environment(draw, target_facts(), "p", platforms, of_target=True)
    nodes = (*source.nodes, *target.nodes)
    foreign = frozenset(draw(mostly((), *((fact.node.id,) for fact in nodes), weight=40)))
    rejected = draw(mostly((), ("openssl",), ("KB5023702",), ("emacs",)))
    failed = draw(mostly({}, *({fact.node.id: "dpkg error"} for fact in source.nodes), weight=25))
    ended = NOW - timedelta(days=8)
    state = draw(mostly(RunState.SUCCEEDED, RunState.DEVIATED, RunState.RUNNING, RunState.NEEDS_HUMAN))
    install = InstallFact("install-13", state, ended, draw(mostly(True, False)), failed)
    good = {fact.node.id: NodeInquiry() for fact in nodes}
    first = nodes[0].node.id if nodes else ""
    gate = GateInput(
        backup=BackupFacts(Level.OFF, Level.OFF, timedelta(hours=24)),
        now=NOW,
        planned_start=NOW,
        soak=SOAK,
        scan_max_age=timedelta(hours=24),
        source=source,
        target=target,
        install=draw(mostly(install, None)),
        last_change=draw(mostly(ended, None, NOW - SOAK, NOW - SOAK + timedelta(seconds=1), weight=12)),
        problem=draw(mostly(None, ProblemFact("Ann", NOW, "slow"))),
        artifacts=draw(mostly(True, False)),
        conflicts=draw(mostly((), ("i-1 stands in two environments.",))),
        comparison=_compared(source.evidence, target.evidence, foreign, rejected),
        policy=GatePolicy(pinned=draw(mostly(True, False, weight=5)), alarms=draw(mostly((), ("a",), weight=2))),
        alarms=draw(mostly({"a": "OK"}, {"a": "ALARM"}, {"a": "INSUFFICIENT_DATA"}, {}, weight=6)),
        artifacts_readable=draw(mostly(True, None, False)),
        preflight=draw(
            mostly(
                good,
                None,
                {**good, first: NodeInquiry(other_commands=("AWS-RunShellScript",))},
                {**good, first: NodeInquiry(trial_failure="no Python")},
                {each: inquiry for each, inquiry in good.items() if each != first},
            )
        ),
        other_patchers=draw(mostly((), None)),
        moment=draw(
            mostly(
                moment(),
                None,
                moment(freezes=("The freeze year end is in force.",)),
                moment(objections=("Not tonight.",)),
                moment(at_window=True),
                moment(sending=True, notify_before=SOAK),
            )
        ),
    )
    return gate, foreign, rejected


def _environment(
    draw: st.DrawFn, empty: EnvironmentFacts, prefix: str, platforms: list[Platform], *, of_target: bool
) -> EnvironmentFacts:
    count = draw(mostly(2, 0, 1, 3))
    names = [f"{prefix}{number}" for number in range(1, count + 1)]
    return replace(empty, nodes=tuple(draw(node_fact(name, platforms, of_target=of_target)) for name in names))


def _compared(
    source: tuple[Evidence, ...], target: tuple[Evidence, ...], foreign: frozenset[str], rejected: tuple[str, ...]
) -> Comparison:
    contents = {each.baseline_content for each in (*source, *target)}
    return compare(
        source,
        target,
        now=NOW,
        max_age=timedelta(hours=24),
        foreign=foreign,
        baselines={content: {"RejectedPatches": list(rejected)} for content in contents},
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(world=worlds())
def test_the_gate_passes_exactly_when_every_condition_holds(
    world: tuple[GateInput, frozenset[str], tuple[str, ...]],
) -> None:
    gate, foreign, rejected = world
    passed = passes(evaluate(gate))
    event(f"passes: {passed}")
    assert passed is says_yes(gate, foreign, rejected), [each for each in evaluate(gate) if each.outcome == "fail"]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(world=worlds(), data=st.data())
def test_order_spelling_and_duplicates_change_nothing(
    world: tuple[GateInput, frozenset[str], tuple[str, ...]], data: st.DataObject
) -> None:
    gate, foreign, rejected = world

    def respelled(row: PatchRow) -> PatchRow:
        words = {row.state.value, row.state.name, row.state.value.upper(), row.state.name.lower()}
        spelled = data.draw(st.sampled_from(sorted(words)))
        title = row.title
        if row.title.startswith(f"{row.kb_id}:0:") and data.draw(st.booleans()):
            title = row.title.replace(":0:", ":", 1)
        return replace(row, title=title, state=PatchState.parse(spelled))

    def mixed(environment: EnvironmentFacts) -> EnvironmentFacts:
        facts = []
        for fact in environment.nodes:
            shown = fact.evidence
            if shown is not None:
                rows = data.draw(st.permutations([respelled(row) for row in shown.rows + shown.rows[:1]]))
                shown = replace(shown, rows=tuple(rows))
            facts.append(replace(fact, evidence=shown))
        return replace(environment, nodes=tuple(data.draw(st.permutations(facts))))

    source, target = mixed(gate.source), mixed(gate.target)
    comparison = _compared(source.evidence, target.evidence, foreign, rejected)
    other = replace(gate, source=source, target=target, comparison=comparison)
    assert [(each.name, each.outcome) for each in evaluate(other)] == [
        (each.name, each.outcome) for each in evaluate(gate)
    ]
    assert _digest(other) == _digest(gate)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(one=worlds(), other=worlds())
def test_i3_two_digests_are_equal_exactly_when_the_lists_and_nodes_are(
    one: tuple[GateInput, frozenset[str], tuple[str, ...]], other: tuple[GateInput, frozenset[str], tuple[str, ...]]
) -> None:
    """With everything else alike; the list is written out by hand."""
    meanings = [
        ({(pin.id, pin.title) for pin in _pins(gate)}, {fact.node.id for fact in gate.target.nodes})
        for gate in (one[0], other[0])
    ]
    assert (_digest(one[0]) == _digest(other[0])) is (meanings[0] == meanings[1])


def _pins(gate: GateInput) -> tuple[PinnedPatch, ...]:
    return pinned_list(gate.target.evidence, gate.comparison.findings)


def _digest(gate: GateInput) -> str:
    ids = [fact.node.id for fact in gate.target.nodes]
    document = Document("AWS-RunPatchBaseline", "1", "d" * 64)
    return digest_of(
        digest_parts(
            account="222222222222",
            region="eu-west-1",
            role="role",
            node_ids=ids,
            pins=_pins(gate),
            baselines={},
            plan=installing(ids, document=document) if ids else (),
            reboot_option="RebootIfNeeded",
            policy={},
        )
    )
