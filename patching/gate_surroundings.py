"""The gate's questions about what surrounds the patches: prerequisites, alarms, other patchers, who reads the list."""

from collections.abc import Iterator
from typing import Final

from patching.gate_facts import Action, CheckResult, EnvironmentFacts, GateInput, Heading, NodeFact, scans
from patching.phrases import counted, listed
from patching.preflight import Need, Shortcoming, shortcomings

ALARMS_QUIET = Heading("alarms-quiet", "No alarm on")
PREFLIGHT = Heading("preflight", "Every node can be patched")
OTHER_PATCHERS = Heading("other-patchers", "Nobody else patches these nodes")
ARTIFACTS_READABLE = Heading("artifacts-readable", "The nodes can read the pinned list")

_QUIET: Final = "OK"
_NO_DATA: Final = "INSUFFICIENT_DATA"
_SHOWN: Final = 3


def alarms_quiet(gate: GateInput) -> CheckResult:
    """Every CloudWatch alarm that the policy names was read and is not on."""
    names = gate.policy.alarms
    if not names:
        return ALARMS_QUIET.passed("The policy names no alarm.")
    on = [name for name in names if gate.alarms.get(name) not in {None, _QUIET, _NO_DATA}]
    if on:
        return ALARMS_QUIET.failed(
            f"{len(on)} of {counted(len(names), 'alarm')} on: {listed(on)}.",
            "See to what it watches; the soak goes on when it is off.",
            Action.ASK_AGAIN,
        )
    unknown = [name for name in names if name not in gate.alarms]
    if unknown:
        return ALARMS_QUIET.failed(
            f"Not known: {listed(unknown)}.",
            "Check the alarm's name in the configuration and that the bot may read it, then ask again.",
        )
    without = [name for name in names if gate.alarms[name] == _NO_DATA]
    if without:
        return ALARMS_QUIET.warned(
            f"{listed(without)} had too little data to say; none of {counted(len(names), 'alarm')} is on.",
            "Look whether what it watches still reports.",
        )
    return ALARMS_QUIET.passed(f"{counted(len(names), 'alarm')} read, 0 on.")


def preflight(gate: GateInput) -> CheckResult:
    """Every node of both environments meets the prerequisites; a source node that is away now is a warning.

    (The older scans of such a node still count, and before the Install it is scanned again.)
    """
    if not gate.source.nodes or not gate.target.nodes:
        empty = [each.name for each in (gate.target, gate.source) if not each.nodes]
        return PREFLIGHT.failed(
            f"No node in {listed(empty)}.", f"Check the targets of {listed(empty)} in the configuration."
        )
    nodes = len(gate.source.nodes) + len(gate.target.nodes)
    unasked = _not_looked_up(gate)
    lacking = [*_lacking(gate, gate.target), *_lacking(gate, gate.source)]
    hindering = [(fact, each) for fact, each in lacking if not _is_source_away(gate, fact, each)]
    if hindering:
        return PREFLIGHT.failed(
            f"{len({fact.node.id for fact, _ in hindering})} of {counted(nodes, 'node')}: {_told(hindering)}.",
            f"{_remedies(hindering)}.",
            _action(gate, hindering),
        )
    if unasked:
        return PREFLIGHT.failed(
            f"Not looked up for {listed(unasked)}: whether another command runs there.", "Ask again.", Action.ASK_AGAIN
        )
    if lacking:
        return PREFLIGHT.warned(
            f"{_told(lacking)}; older scans still count.", "Bring it online: before the Install it is scanned again."
        )
    if gate.preflight is None:
        return PREFLIGHT.warned(
            "Agents, operating systems and scans are as they should be; nobody looked for other commands.",
            "Look that no other command runs on these nodes.",
        )
    return PREFLIGHT.passed(
        f"{counted(nodes, 'node')}: agent online and new enough, supported system, no other command, a scan that ran."
    )


def other_patchers(gate: GateInput) -> CheckResult:
    """Whoever else may install on these nodes is named; that can't be forbidden here, so it is a warning."""
    if gate.other_patchers is None:
        return OTHER_PATCHERS.warned(
            "Nobody looked for windows, associations and patch policies that patch these nodes.",
            "Look for them in Systems Manager.",
        )
    if not gate.other_patchers:
        return OTHER_PATCHERS.passed("No window, association or patch policy installs on these nodes.")
    told = [f"{each.what} on {listed(each.nodes)}" for each in gate.other_patchers]
    return OTHER_PATCHERS.warned(
        f"Patched behind our back by {listed(told)}.",
        "Turn it to Scan, or take these nodes out of its targets: it installs without approval and spoils the soak.",
    )


def artifacts_readable(gate: GateInput) -> CheckResult:
    """The nodes' role may read the list, as far as the API can tell; what it can't tell is a warning."""
    if not gate.policy.pinned and not gate.part:
        return ARTIFACTS_READABLE.passed("Nothing is pinned, so there is nothing to read.")
    if not gate.artifacts:
        return ARTIFACTS_READABLE.warned("There is no bucket to read from.", "See the check of the bucket.")
    if gate.artifacts_readable is None:
        return ARTIFACTS_READABLE.warned(
            "Whether the nodes' role may read the list can't be told.",
            "Make sure that it may `s3:GetObject` there; else the Install fails on the first nodes.",
        )
    if gate.artifacts_readable:
        return ARTIFACTS_READABLE.passed("The nodes' role may read the list.")
    return ARTIFACTS_READABLE.failed(
        "The nodes' role may not read the list.",
        "Allow it `s3:GetObject` on the bucket's prefix, then ask again.",
    )


def _lacking(gate: GateInput, environment: EnvironmentFacts) -> Iterator[tuple[NodeFact, Shortcoming]]:
    for fact in environment.nodes:
        inquiry = (gate.preflight or {}).get(fact.node.id)
        yield from ((fact, each) for each in shortcomings(fact.node, fact.evidence, inquiry))


def _not_looked_up(gate: GateInput) -> list[str]:
    if gate.preflight is None:
        return []
    facts = (*gate.source.nodes, *gate.target.nodes)
    return [fact.label for fact in facts if fact.node.reachable and fact.node.id not in gate.preflight]


def _is_source_away(gate: GateInput, fact: NodeFact, shortcoming: Shortcoming) -> bool:
    """Away, with scans that still count."""
    in_source = any(each is fact for each in gate.source.nodes)
    return in_source and shortcoming.need is Need.PRESENCE and fact.evidence is not None


def _told(lacking: list[tuple[NodeFact, Shortcoming]]) -> str:
    return listed(f"{fact.label} {each.what}" for fact, each in lacking)


def _remedies(lacking: list[tuple[NodeFact, Shortcoming]]) -> str:
    remedies = list(dict.fromkeys(each.remedy for _, each in lacking))
    text = "; ".join(remedies[:_SHOWN]) + ("; and what else is named" if len(remedies) > _SHOWN else "")
    return text[0].upper() + text[1:]


def _action(gate: GateInput, lacking: list[tuple[NodeFact, Shortcoming]]) -> Action:
    needs = {each.need for _, each in lacking}
    if needs == {Need.PROOF}:
        source = {id(fact) for fact in gate.source.nodes}
        return scans(any(id(fact) in source for fact, _ in lacking), any(id(fact) not in source for fact, _ in lacking))
    return Action.ASK_AGAIN if needs <= {Need.PROOF, Need.IDLE} else Action.NONE
