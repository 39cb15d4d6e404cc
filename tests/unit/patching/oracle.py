"""The gate written a second time: one question after another, node by node and row by row, with nothing indexed.

It shares no function with `patching` but the order of versions is never needed: whatever differs is refused.
"""

import re
from datetime import timedelta

from patching.gate import GateInput, NodeFact
from patching.model import Evidence, Operation, PatchRow, PatchState
from patching.outcomes import NodeOutcome
from patching.states import RunState

PRESENT = ("Installed", "InstalledOther", "InstalledPendingReboot", "InstalledRejected")


def says_yes(gate: GateInput, foreign: frozenset[str], rejected: tuple[str, ...]) -> bool:
    """`foreign`: ids of nodes with somebody else's operation. `rejected`: names on the baselines' lists."""
    target = gate.target.nodes
    return conditions_beside_the_list(gate, listed=gate.policy.pinned) and all(
        (
            _soaked(gate),
            any(_offers(row) for fact in target for row in _rows(fact)),
            all(_proven(gate, fact, row, foreign, rejected) for fact in target for row in _rows(fact) if _offers(row)),
            not foreign.intersection(fact.node.id for fact in target),
        )
    )


def conditions_beside_the_list(gate: GateInput, *, listed: bool) -> bool:
    """What holds whatever the patches are. `listed`: a list is sent along, which the nodes must be able to read."""
    source, target = gate.source.nodes, gate.target.nodes
    if not source or not target:
        return False
    return all(
        (
            _installed(gate),
            all(_came_out_well(gate, fact) for fact in source),
            gate.problem is None,
            all(gate.alarms.get(name) in ("OK", "INSUFFICIENT_DATA") for name in gate.policy.alarms),
            gate.conflicts == (),
            _is_the_moment(gate),
            gate.artifacts or not listed,
            gate.artifacts_readable is not False or not gate.artifacts or not listed,
            all(_fits(gate, fact, of_target=False) for fact in source),
            all(_fits(gate, fact, of_target=True) for fact in target),
            all(_same_baseline(gate, fact) for fact in target),
        )
    )


def _is_the_moment(gate: GateInput) -> bool:
    moment = gate.moment
    if moment is None or moment.freezes or moment.objections:
        return False
    told = moment.told_at is not None and gate.now >= moment.told_at + moment.notify_before
    return (told or not moment.sending or not moment.notify_before) and (
        not moment.at_window or moment.opening is not None
    )


def _installed(gate: GateInput) -> bool:
    install = gate.install
    return install is not None and install.state is RunState.SUCCEEDED and install.verified


def _came_out_well(gate: GateInput, fact: NodeFact) -> bool:
    assert gate.install is None or set(gate.install.failed_nodes) <= {each.node.id for each in gate.source.nodes}
    failed = gate.install is not None and fact.node.id in gate.install.failed_nodes
    return fact.install_outcome is NodeOutcome.SUCCEEDED and not failed


def _soaked(gate: GateInput) -> bool:
    since = gate.last_change
    if since is None and gate.install is not None:
        since = gate.install.ended_at
    return since is not None and gate.planned_start - since >= gate.soak


def _fits(gate: GateInput, fact: NodeFact, *, of_target: bool) -> bool:
    """One node: reachable, fit to be patched, freshly and readably scanned, and nothing waiting for a boot."""
    node, evidence = fact.node, fact.evidence
    if evidence is None or evidence.operation is not Operation.SCAN or not _legible(evidence):
        return False
    if gate.now - evidence.operation_end > timedelta(hours=24):
        return False
    if not of_target:
        waiting = [row for row in evidence.rows if row.state.value == "InstalledPendingReboot"]
        if waiting or evidence.counts.get("InstalledPendingRebootCount", 0) > 0:
            return False
    if node.power != "running" or node.ping != "Online":
        return not of_target
    if node.agent_version is None or [int(each) for each in node.agent_version.split(".")] < [2, 0, 834, 0]:
        return False
    if node.platform is None or node.platform.os == "Fedora Linux":
        return False
    if gate.preflight is None:
        return True
    inquiry = gate.preflight.get(node.id)
    return inquiry is not None and not inquiry.other_commands and not inquiry.trial_failure


def _same_baseline(gate: GateInput, fact: NodeFact) -> bool:
    """Everybody of its platform, on both sides, has its content, and non-production has somebody."""
    if fact.evidence is None or fact.evidence.baseline_content == "":
        return False
    counterparts = 0
    for environment in (gate.source, gate.target):
        for other in environment.nodes:
            if other.evidence is None or other.evidence.platform != fact.evidence.platform:
                continue
            if other.evidence.baseline_content != fact.evidence.baseline_content:
                return False
            counterparts += environment is gate.source
    return counterparts > 0


def _proven(
    gate: GateInput, fact: NodeFact, offer: PatchRow, foreign: frozenset[str], rejected: tuple[str, ...]
) -> bool:
    """Somebody in the source has exactly this, and nobody there says anything else about it."""
    assert fact.evidence is not None
    name = offer.kb_id if offer.kb_id.upper().startswith("KB") else offer.kb_id.rsplit(".", 1)[0]
    if name in rejected or not _title_is_legible(offer):
        return False
    witnesses = 0
    for other in gate.source.nodes:
        theirs = other.evidence
        if theirs is None or theirs.platform != fact.evidence.platform:
            continue
        if not _legible(theirs) or other.node.id in foreign:
            return False
        mine = [row for row in theirs.rows if row.kb_id.upper() == offer.kb_id.upper()]
        for row in mine:
            state = row.state.value
            if state in ("Failed", "Missing", "InstalledPendingReboot", "InstalledRejected"):
                return False
            if state in PRESENT:
                if _content(row) != _content(offer):
                    return False
                witnesses += 1
        if not any(row.state.value in PRESENT for row in mine) and _is_a_month_on(theirs, offer):
            return False
    return witnesses > 0


def _is_a_month_on(evidence: Evidence, offer: PatchRow) -> bool:
    """A cumulative update of a later month is on the node."""
    month, product = offer.title[:7], re.sub(r" \(KB\d+\)$", "", offer.title[7:])
    return any(
        "Cumulative" in row.title
        and row.state.value in PRESENT
        and re.sub(r" \(KB\d+\)$", "", row.title[7:]) == product
        and row.title[:7] > month
        for row in evidence.rows
    )


def _content(row: PatchRow) -> str:
    """The title without what may be spelled in two ways."""
    return row.title.replace(f"{row.kb_id}:0:", f"{row.kb_id}:").upper()


def _title_is_legible(row: PatchRow) -> bool:
    return row.kb_id.upper().startswith("KB") or row.title.startswith(f"{row.kb_id}:")


def _legible(evidence: Evidence) -> bool:
    return evidence.operation_end.year > 1999 and not any(count < 0 for count in evidence.counts.values())


def _offers(row: PatchRow) -> bool:
    return row.state in (PatchState.MISSING, PatchState.FAILED)


def _rows(fact: NodeFact) -> tuple[PatchRow, ...]:
    return fact.evidence.rows if fact.evidence else ()
