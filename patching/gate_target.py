"""The gate's questions about both environments: is the set the same, is it seen, fresh and sendable?"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from patching.durations import words
from patching.evidence import is_readable
from patching.gate_facts import Action, CheckResult, EnvironmentFacts, GateInput, Heading, scans
from patching.model import Evidence, Node, Operation, PinnedPatch, Platform
from patching.phrases import counted, listed
from patching.proof import Verdict

PATCHES_TESTED = Heading("patches-tested", "Every patch is what non-production has")
SAME_BASELINE = Heading("same-baseline", "Same baseline content")
NODES_SEEN = Heading("nodes-seen", "Every node seen")
EVIDENCE_FRESH = Heading("evidence-fresh", "Scans fresh")
NODES_IN_PLACE = Heading("nodes-in-place", "Every node where it belongs")
ARTIFACTS = Heading("artifacts", "A bucket for the pinned list")
SOMETHING_TO_INSTALL = Heading("something-to-install", "Something to install")

_IN_WORDS = {
    Verdict.FAILED: "failed there",
    Verdict.UNREADABLE: "unreadable",
    Verdict.NO_COUNTERPART: "on a platform that it has not",
    Verdict.AHEAD: "newer there",
    Verdict.OTHER_VERSION: "older there",
    Verdict.UNTESTED: "not in it",
    Verdict.PENDING_REBOOT: "waiting for a reboot there",
    Verdict.STALE: "by scans that are too old",
    Verdict.FOREIGN: "by scans that somebody else's operation followed",
    Verdict.REJECTED: "rejected by a baseline",
    Verdict.OTHER_BASELINE: "under another baseline",
    Verdict.SUPERSEDED: "superseded there",
    Verdict.OTHER_TITLE: "the same KB with other content there",
    Verdict.NEW_DEPENDENCY: "new packages, an earlier one there",
}
# What an Install in the source repairs; it fetches the newest set, which then soaks from the start.
_INSTALL_REPAIRS = frozenset(
    {
        Verdict.FAILED,
        Verdict.OTHER_VERSION,
        Verdict.OTHER_TITLE,
        Verdict.NEW_DEPENDENCY,
        Verdict.UNTESTED,
        Verdict.PENDING_REBOOT,
    }
)
_SCAN_REPAIRS = frozenset({Verdict.UNREADABLE, Verdict.STALE, Verdict.FOREIGN})


def patches_tested(gate: GateInput) -> CheckResult:
    """Every patch that a target node would get is, version by version, what the source has."""
    source, target = gate.source, gate.target
    unseen_source = _outside(source, gate.comparison.source_nodes)
    unseen_target = _outside(target, gate.comparison.target_nodes)
    if unseen_source or unseen_target:
        return PATCHES_TESTED.failed(
            f"Not known: {listed(unseen_source + unseen_target)} not compared.",
            f"Scan {_names((source, unseen_source), (target, unseen_target))}.",
            scans(bool(unseen_source), bool(unseen_target)),
        )
    if gate.part:
        return _part_tested(gate)
    mismatches = gate.comparison.mismatches
    compared = counted(len(gate.comparison.findings), "patch", "patches")
    if not mismatches:
        return PATCHES_TESTED.passed(f"{compared} of {target.name} compared with {source.name}, 0 differ.")
    counts = gate.comparison.counts.items()
    by_verdict = ", ".join(f"{count} {_IN_WORDS[each]}" for each, count in counts if count and each in _IN_WORDS)
    worst = mismatches[0]
    evidence = (
        f"Not what {source.name} has: {len(mismatches)} of {compared} ({by_verdict}). "
        f"First: {f'{worst.kb_id} {worst.version}'.strip()}."
    )
    verdicts = {finding.verdict for finding in mismatches}
    # A list with nothing on it is not sent, whatever is waived: nobody knows what AWS would make of it.
    nothing_proven = gate.policy.pinned and not gate.comparison.tested
    action, waivable = _repair(gate, verdicts), Verdict.UNREADABLE not in verdicts and not nothing_proven
    if action is Action.INSTALL_SOURCE:
        remedy = f"Install the newest set in {source.name}; after a new soak it would be ready"
        return PATCHES_TESTED.failed(evidence, remedy, action, at=gate.now + gate.soak, waivable=waivable)
    return PATCHES_TESTED.failed(evidence, worst.detail, action, waivable=waivable)


def _part_tested(gate: GateInput) -> CheckResult:
    """Every entry of the part's list is tested, or is an older version that is; the rest is shown.

    Entries are counted, not findings: what two platforms need alike is one entry.
    """
    part = gate.ready_part
    if part is None:
        return PATCHES_TESTED.failed("Not known which patches are ready.", "Ask again.", Action.ASK_AGAIN)
    stays = {(finding.kb_id, finding.title) for finding, _ in part.stays_behind}
    total = counted(len(part.pins) + len(stays), "patch", "patches")
    proven = {PinnedPatch(finding.kb_id, finding.title) for finding in gate.comparison.tested}
    proven |= {each.pin for each in part.older}
    unproven = [pin.id for pin in part.pins if pin not in proven]
    if unproven:
        return PATCHES_TESTED.failed(
            f"On the list and not tested in {gate.source.name}: {listed(unproven)}.", "Ask again.", Action.ASK_AGAIN
        )
    older = f"; {len(part.older)} proven, not the newest" if part.older else ""
    names = f" ({listed(kb_id for kb_id, _ in stays)})" if stays else ""
    behind = f"; {len(stays)} stay behind" if stays else ""
    if not part.pins:
        return PATCHES_TESTED.failed(
            f"None of {total} is proven and has soaked{behind}{names}.", "Ask again when some are.", Action.ASK_AGAIN
        )
    return PATCHES_TESTED.passed(f"{len(part.pins)} of {total} are proven in {gate.source.name}{older}{behind}{names}.")


def same_baseline(gate: GateInput) -> CheckResult:
    """Per platform of the target, one and the same baseline content on every node of both environments."""
    source, target = gate.source, gate.target
    unknown_source, unknown_target = _unknown(source), _unknown(target)
    if unknown_source or unknown_target:
        return SAME_BASELINE.failed(
            f"Not known for {listed(unknown_source + unknown_target)}.",
            f"Scan {_names((source, unknown_source), (target, unknown_target))}.",
            scans(bool(unknown_source), bool(unknown_target)),
        )
    theirs, ours = _baselines(source.evidence), _baselines(target.evidence)
    differing = [
        str(platform) for platform, hashes in ours.items() if not _one_and_same(hashes, theirs.get(platform, set()))
    ]
    if differing:
        return SAME_BASELINE.failed(
            f"The baselines of {source.name} and {target.name} differ for {listed(differing)}.",
            "Give both the same rules, lists and sources, then ask again.",
        )
    return SAME_BASELINE.passed(f"Equal in {source.name} and {target.name} for {listed(map(str, ours))}.")


def nodes_seen(gate: GateInput) -> CheckResult:
    """Every target node runs, is online and has evidence; every source node has evidence."""
    source, target = gate.source, gate.target
    for environment in (target, source):
        if not environment.nodes:
            return NODES_SEEN.failed(
                f"{environment.name} has no node.", f"Check the targets of {environment.name} in the configuration."
            )
    away = [f"{fact.label} ({_why_away(fact.node)})" for fact in target.nodes if not fact.node.reachable]
    if away:
        return NODES_SEEN.failed(
            f"{len(away)} of {counted(len(target.nodes), 'node')} in {target.name} can't be reached: {listed(away)}.",
            "Bring them online, or take them out of the environment, then ask again.",
        )
    unknown = [*source.without_evidence, *target.without_evidence]
    if unknown:
        return NODES_SEEN.failed(
            f"{counted(len(unknown), 'node')} without a scan of ours: {listed(unknown)}.",
            "Scan them.",
            scans(bool(source.without_evidence), bool(target.without_evidence)),
        )
    offline = [fact.label for fact in source.nodes if not fact.node.reachable]
    if offline:
        return NODES_SEEN.warned(
            f"{listed(offline)} in {source.name} can't be reached now; older scans still count.",
            f"Bring {'it' if len(offline) == 1 else 'them'} online: before the Install {source.name} is scanned again.",
        )
    return NODES_SEEN.passed(
        f"{counted(len(source.nodes), 'node')} in {source.name} and {len(target.nodes)} in {target.name}, all online."
    )


def evidence_fresh(gate: GateInput) -> CheckResult:
    """All evidence of both environments is a readable Scan, no older than `scan_max_age` now (I8)."""
    source, target = gate.source, gate.target
    stale_source, stale_target = _not_fresh(gate, source), _not_fresh(gate, target)
    stale = stale_source + stale_target
    if stale:
        return EVIDENCE_FRESH.failed(
            f"No usable scan of the last {words(gate.scan_max_age)} from {listed(stale)} ({len(stale)} in all).",
            f"Scan {_names((source, stale_source), (target, stale_target))}.",
            scans(bool(stale_source), bool(stale_target)),
        )
    oldest = min(each.operation_end for each in (*source.evidence, *target.evidence))
    return EVIDENCE_FRESH.passed(
        f"The oldest scan is {words(gate.now - oldest)} old, at most {words(gate.scan_max_age)} allowed; it ended",
        at=oldest,
    )


def nodes_in_place(gate: GateInput) -> CheckResult:
    """I13: no node in two environments, none with a production tag outside production."""
    if gate.conflicts:
        return NODES_IN_PLACE.failed(" ".join(gate.conflicts), "Correct the tags or the configuration, then ask again.")
    return NODES_IN_PLACE.passed("Every node stands in one environment, the one its tags name.")


def artifacts(gate: GateInput) -> CheckResult:
    """There is a bucket to pin the list in: without it production would get whatever its repositories offer.

    `pin: off` allows that in sight of everybody, but a part can't be sent without its list.
    """
    if not gate.policy.pinned and not gate.part:
        return ARTIFACTS.warned(
            f"NOT PINNED: {gate.target.name} gets whatever its repositories offer when the Install runs.",
            "An admin sets `pin: required` in the policy.",
        )
    if gate.artifacts:
        return ARTIFACTS.passed("A bucket is configured.")
    return ARTIFACTS.failed(
        "No bucket is configured, so the proven list can't be pinned.",
        "An admin sets `artifacts` in the configuration.",
    )


def something_to_install(gate: GateInput) -> CheckResult:
    """At least one target node misses at least one patch."""
    findings = gate.comparison.findings
    if not findings:
        return SOMETHING_TO_INSTALL.failed(
            f"{gate.target.name} misses 0 patches.", "Nothing to do until a later scan finds some."
        )
    if gate.part and not (gate.ready_part and gate.ready_part.pins):
        return SOMETHING_TO_INSTALL.failed(
            f"Of {counted(len(findings), 'patch', 'patches')} for {gate.target.name} none is ready.",
            "Ask again when some are.",
            Action.ASK_AGAIN,
        )
    nodes = {node for finding in findings for node in finding.nodes}
    return SOMETHING_TO_INSTALL.passed(
        f"{counted(len(findings), 'patch', 'patches')} for {counted(len(nodes), 'node')} of {gate.target.name}."
    )


def _repair(gate: GateInput, verdicts: set[Verdict]) -> Action:
    if verdicts <= _INSTALL_REPAIRS:
        return Action.INSTALL_SOURCE
    if verdicts == {Verdict.UNREADABLE}:
        return scans(_unreadable(gate.source.evidence), _unreadable(gate.target.evidence))
    return Action.ASK_AGAIN if verdicts <= _SCAN_REPAIRS else Action.NONE


def _unreadable(evidence: Sequence[Evidence]) -> bool:
    return not all(is_readable(each) for each in evidence)


def _unknown(environment: EnvironmentFacts) -> list[str]:
    """Names of nodes without evidence; the environment's own where it has no node at all."""
    return list(environment.without_evidence) if environment.nodes else [environment.name]


def _outside(environment: EnvironmentFacts, compared: Sequence[str]) -> list[str]:
    """Names of nodes that the comparison did not see; the environment's own where it has no node at all."""
    if not environment.nodes:
        return [environment.name]
    seen = set(compared)
    return [fact.label for fact in environment.nodes if fact.evidence is None or fact.node.id not in seen]


def _names(*environments: tuple[EnvironmentFacts, Sequence[str]]) -> str:
    """The names of the environments that have something to name."""
    return listed(environment.name for environment, nodes in environments if nodes)


def _baselines(evidence: Sequence[Evidence]) -> Mapping[Platform, set[str]]:
    contents: dict[Platform, set[str]] = defaultdict(set)
    for each in evidence:
        contents[each.platform].add(each.baseline_content)
    return contents


def _one_and_same(ours: set[str], theirs: set[str]) -> bool:
    """Equal, only one, and known."""
    return ours == theirs and len(ours) == 1 and "" not in ours


def _why_away(node: Node) -> str:
    if node.power != "running":
        return node.power
    return node.ping or "unknown to Systems Manager"


def _not_fresh(gate: GateInput, environment: EnvironmentFacts) -> list[str]:
    """Names of nodes without usable evidence; the environment's own where it has no node at all."""
    if not environment.nodes:
        return [environment.name]
    return [fact.label for fact in environment.nodes if not _is_fresh(gate, fact.evidence)]


def _is_fresh(gate: GateInput, evidence: Evidence | None) -> bool:
    return (
        evidence is not None
        and evidence.operation is Operation.SCAN
        and is_readable(evidence)
        and gate.now - evidence.operation_end <= gate.scan_max_age
    )
