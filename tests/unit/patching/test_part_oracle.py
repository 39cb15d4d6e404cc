"""Show 2 of issue 3 for the ready part: soak by severity and clocks by patch, against an independent, slow oracle."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from patching.clocks import earliest
from patching.compare import compare
from patching.gate import GateInput, GatePolicy, NodeFact, ProblemFact, evaluate, passes
from patching.model import Evidence, Node, Operation, PatchRow, PatchState, Platform
from patching.outcomes import NodeOutcome
from patching.ready import Part, ready_part
from patching.soak import Readiness, SoakPolicy, readiness
from tests.unit.patching.build import DEBIAN, NOW, REDHAT, WINDOWS, evidence, gate_input, source_facts, target_facts
from tests.unit.patching.part_oracle import PartWorld, allowed_pins, content, part_says_yes
from tests.unit.patching.test_gate_oracle import APRIL, MARCH, TOOL, TOOL_NEXT, mostly

REDHAT_9 = replace(REDHAT, major="9")
RPM = {
    "bash.x86_64": ["bash.x86_64:0:4.4.9-2.el8", "bash.x86_64:0:4.4.19-14.el8", "bash.x86_64:0:4.4.20-1.el8"],
    "sudo.x86_64": ["sudo.x86_64:0:1.9.5-1.el8", "sudo.x86_64:0:1.9.15-1.el8"],
    "openssl.x86_64": ["openssl.x86_64:1:3.0.7-27.el8", "openssl.x86_64:1:3.0.7-28.el8"],
}
# {platform: {id: titles, oldest first}}
CATALOG: dict[Platform, dict[str, list[str]]] = {
    DEBIAN: {
        "openssl.amd64": ["openssl.amd64:3.0.9-1", "openssl.amd64:3.0.22-1", "openssl.amd64:3.0.23-1"],
        "curl.amd64": ["curl.amd64:7.88.1-9", "curl.amd64:7.88.1-10"],
    },
    REDHAT: RPM,
    REDHAT_9: RPM,
    WINDOWS: {MARCH[0]: [MARCH[1]], APRIL[0]: [APRIL[1]], TOOL[0]: [TOOL[1], TOOL_NEXT[1]]},
}
ORDER = {
    content(kb_id, title): place
    for patches in CATALOG.values()
    for kb_id, titles in patches.items()
    for place, title in enumerate(titles)
}
# Around the ends of soaks of 2, 4 and 7 days, with and without what holds add to them.
HOURS = (1, 47, 48, 49, 72, 95, 96, 97, 120, 167, 168, 169, 192, 216, 720)
HELD: list[list[tuple[int, int | None]]] = [
    [],
    [],
    [(30, 6)],
    [(100, 52), (90, 60)],
    [(800, 700), (3, 2)],
    [(24, 12), (12, 0)],
    [(5, None)],
]


def rows_in_source(draw: st.DrawFn, kb_id: str, titles: list[str], habit: str, proven: int) -> list[PatchRow]:
    """A node mostly shows what all of them show: the proven version, a newer one on offer that hides it, or nothing."""
    match draw(mostly(habit, "has", "lacks", "other", weight=14)):
        case "has":
            state = draw(mostly("Installed", "InstalledOther", "InstalledPendingReboot", "Failed", "NotApplicable"))
            return [PatchRow(kb_id, titles[proven], PatchState(state))]
        case "hidden":
            return [PatchRow(kb_id, titles[min(proven + 1, len(titles) - 1)], PatchState.MISSING)]
        case "other":
            return [PatchRow(kb_id, draw(st.sampled_from(titles)), PatchState.INSTALLED)]
        case _:
            return []


def clocks_of(draw: st.DrawFn, shown: Evidence, proven: dict[str, int]) -> dict[tuple[str, str], datetime]:
    """As facts allow: of what is on the node, and on rpm platforms of what a newer offer hides."""
    found = {}
    for row in shown.rows:
        titles = CATALOG[shown.platform][row.kb_id]
        title = row.title
        if row.state is PatchState.MISSING and shown.platform in (REDHAT, REDHAT_9):
            title = titles[draw(mostly(proven[row.kb_id], 0, weight=10))]
            if ORDER[content(row.kb_id, title)] >= ORDER[content(row.kb_id, row.title)]:
                continue
        elif row.state not in (PatchState.INSTALLED, PatchState.INSTALLED_OTHER):
            continue
        if draw(mostly(True, False, weight=10)):
            found[row.kb_id, content(row.kb_id, title)] = NOW - timedelta(hours=draw(mostly(720, *HOURS, weight=15)))
    return found


@st.composite
def node_evidence(draw: st.DrawFn, name: str, platform: Platform, rows: list[PatchRow]) -> Evidence:
    return evidence(
        name,
        rows,
        platform=platform,
        operation=draw(mostly(Operation.SCAN, Operation.INSTALL, weight=120)),
        operation_end=draw(
            mostly(NOW - timedelta(hours=1), NOW - timedelta(hours=25), datetime(1970, 1, 1, tzinfo=UTC), weight=120)
        ),
        baseline_content=draw(mostly("b" * 64, "c" * 64, "", weight=120)),
        counts=draw(mostly({}, {"MissingCount": -1}, weight=120)),
    )


@st.composite
def worlds(draw: st.DrawFn) -> PartWorld:
    platforms: list[Platform] = draw(
        st.sampled_from([[DEBIAN], [REDHAT], [REDHAT], [WINDOWS], [DEBIAN, REDHAT], [REDHAT, REDHAT_9]])
    )
    source, target, clocks = [], [], {}
    for platform in platforms:
        catalog = CATALOG[platform]
        proven = {kb_id: draw(st.integers(0, len(titles) - 1)) for kb_id, titles in catalog.items()}
        habits = {kb_id: draw(mostly("has", "hidden", "hidden", "lacks", weight=4)) for kb_id in catalog}
        if draw(mostly(True, False)):
            for number in range(draw(st.integers(1, 3))):
                rows = [
                    row
                    for kb_id, titles in catalog.items()
                    for row in rows_in_source(draw, kb_id, titles, habits[kb_id], proven[kb_id])
                ]
                shown = draw(node_evidence(f"np{number}-{platform.major}-{platform.os[:1]}", platform, rows))
                source.append(shown)
                clocks[shown.node_id] = clocks_of(draw, shown, proven)
        target += draw(production(platform, proven))
    nodes = [each.node_id for each in (*source, *target)]
    return PartWorld(
        source=source,
        target=target,
        clocks=clocks,
        policy=SoakPolicy(
            timedelta(days=7),
            draw(st.sampled_from([None, timedelta(days=2), timedelta(0)])),
            draw(st.sampled_from([None, timedelta(days=4)])),
        ),
        holds=[
            (NOW - timedelta(hours=begin), None if end is None else NOW - timedelta(hours=end))
            for begin, end in draw(st.sampled_from(HELD))
        ],
        foreign=frozenset(draw(mostly((), *((node,) for node in nodes), weight=20))),
        rejected=draw(mostly((), ("openssl",), ("bash",), (TOOL[0],), weight=10)),
        order=ORDER,
        now=NOW,
    )


@st.composite
def production(draw: st.DrawFn, platform: Platform, proven: dict[str, int]) -> list[Evidence]:
    """What its nodes lack: mostly all of them the proven version or the next one."""
    said = {
        title: (
            draw(mostly("Security", "Bugfix", "Security Updates", "", weight=3)),
            draw(mostly("", "Critical", "Low", "Important", weight=1)),
        )
        for titles in CATALOG[platform].values()
        for title in titles
    }
    usual = {
        kb_id: titles[min(proven[kb_id] + draw(mostly(0, 1, weight=2)), len(titles) - 1)]
        for kb_id, titles in CATALOG[platform].items()
    }
    found = []
    for number in range(draw(st.integers(1, 3))):
        rows = []
        for kb_id, titles in CATALOG[platform].items():
            title = draw(mostly(usual[kb_id], *titles, weight=20))
            state = draw(mostly("Missing", "Failed", "Installed", weight=8))
            classification, severity = said[title]
            severity = draw(mostly(severity, "Critical", "Important", weight=12))
            rows.append(PatchRow(kb_id, title, PatchState(state), classification, severity))
        rows = [row for row in rows if draw(mostly(True, False))]
        found.append(draw(node_evidence(f"p{number}-{platform.major}-{platform.os[:1]}", platform, rows)))
    return found


def part_of(world: PartWorld) -> tuple[Any, Readiness, Part]:
    """As `commands.ripeness` has it computed."""
    baselines = {
        each.baseline_content: {"RejectedPatches": list(world.rejected)} for each in (*world.source, *world.target)
    }
    comparison = compare(
        world.source,
        world.target,
        now=world.now,
        max_age=timedelta(hours=24),
        foreign=world.foreign,
        baselines=baselines,
    )
    spelled = {node: {_clock_key(*pin): since for pin, since in of.items()} for node, of in world.clocks.items()}
    clocks = earliest(spelled, world.source)
    ready = readiness(comparison.findings, clocks, world.policy, world.holds, world.now)
    part = ready_part(
        world.target, comparison, ready, world.source, clocks, world.policy, world.holds, world.now, baselines=baselines
    )
    return comparison, ready, part


def _clock_key(kb_id: str, title: str) -> tuple[str, str]:
    """`patching.clocks.Key`: the id and the version in it, by hand."""
    return kb_id, title.removesuffix(f" ({kb_id})") if kb_id.startswith("KB") else title.removeprefix(f"{kb_id}:")


def pins_of(part: Part) -> set[tuple[str, str]]:
    return {(pin.id, content(pin.id, pin.title)) for pin in part.pins}


PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@PATIENT
@given(world=worlds())
def test_what_is_offered_is_exactly_what_is_proven_soaked_and_allowed(world: PartWorld) -> None:
    _, _, part = part_of(world)
    expected = allowed_pins(world)
    event(f"pins: {len(expected)}")
    event(f"older: {len(part.older)}")
    assert pins_of(part) == expected, part.stays_behind
    assert len(part.pins) == len(expected)


@st.composite
def gates(draw: st.DrawFn) -> tuple[GateInput, set[tuple[str, str]]]:
    """A request for the part, in surroundings that mostly let it pass."""
    world = draw(worlds())
    comparison, ready, part = part_of(world)
    source = source_facts(*(draw(node_fact(each)) for each in world.source))
    target = target_facts(*(draw(node_fact(each)) for each in world.target))
    gate = gate_input(
        source,
        target,
        comparison=comparison,
        readiness=ready,
        part=True,
        ready_part=part,
        last_change=draw(mostly(NOW, None, weight=1)),
        problem=draw(mostly(None, ProblemFact("Ann", NOW, "slow"))),
        artifacts=draw(mostly(True, False)),
        artifacts_readable=draw(mostly(True, None, False)),
        conflicts=draw(mostly((), ("i-1 stands in two environments.",))),
        policy=GatePolicy(pinned=draw(mostly(True, False, weight=2)), alarms=draw(mostly((), ("a",), weight=3))),
        alarms=draw(mostly({"a": "OK"}, {"a": "ALARM"}, {}, weight=6)),
    )
    return gate, allowed_pins(world)


@st.composite
def node_fact(draw: st.DrawFn, shown: Evidence) -> NodeFact:
    ping = draw(mostly("Online", "ConnectionLost", weight=120))
    outcome = draw(mostly(NodeOutcome.SUCCEEDED, NodeOutcome.FAILED, weight=120))
    node = Node(shown.node_id, shown.node_name, "running", ping, shown.platform, agent_version="3.3.987.0")
    return NodeFact(node, shown, outcome)


@PATIENT
@given(asked=gates())
def test_the_gate_lets_a_part_pass_exactly_when_something_is_on_its_list_and_every_condition_holds(
    asked: tuple[GateInput, set[tuple[str, str]]],
) -> None:
    gate, pins = asked
    passed = passes(evaluate(gate))
    event(f"passes: {passed}")
    assert passed is part_says_yes(gate, pins), [each for each in evaluate(gate) if each.outcome == "fail"]
