"""Patch by patch: would the target get exactly what the source has? (facts/patch-manager.md section 2)

The source is the environment before (non-production), the target the one that is to be patched.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from patching.coverage import Coverage, coverage
from patching.details import detail_of, detail_of_node
from patching.evidence import is_readable, offered
from patching.model import Evidence, Node, Operation, PatchRow, Platform
from patching.proof import Proof, Verdict, patch_identity
from patching.rules import RULES, Circumstances, Rule
from patching.severity import severity_rank
from patching.titles import canonical_title, version_of

__all__ = ["WHOLE_NODE", "Comparison", "Coverage", "Finding", "Verdict", "compare"]

# The id of the finding for a target node whose evidence says nothing at all.
WHOLE_NODE = "(every patch)"


@dataclass(frozen=True, slots=True)
class Finding:
    """One (id, version) that at least one target node would get, and what the source says about it."""

    platform: Platform
    kb_id: str
    version: str  # "" when the Title can't be read
    title: str  # as an InstallOverrideList spells it
    severity: str
    classification: str
    cve_ids: tuple[str, ...]
    verdict: Verdict
    source_versions: tuple[str, ...]  # versions that are on source nodes
    nodes: tuple[str, ...]  # ids of the target nodes that would get it
    detail: str  # one sentence: what, and the one thing to do


@dataclass(frozen=True, slots=True)
class Comparison:
    """Findings worst first; node ids sorted, each once."""

    findings: tuple[Finding, ...]
    source_nodes: tuple[str, ...]
    target_nodes: tuple[str, ...]
    coverage: Coverage = field(default_factory=Coverage)

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """How many findings each verdict has, every verdict named, worst first."""
        found = Counter(finding.verdict for finding in self.findings)
        return {verdict: found[verdict] for verdict in Verdict}

    @property
    def mismatches(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.verdict is not Verdict.TESTED)

    @property
    def tested(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.verdict is Verdict.TESTED)


@dataclass(slots=True)
class _Offer:
    """The rows by which target nodes show that they would get one patch, gathered."""

    row: PatchRow
    severities: set[str] = field(default_factory=set)
    classifications: set[str] = field(default_factory=set)
    cve_ids: set[str] = field(default_factory=set)
    nodes: set[str] = field(default_factory=set)

    def add(self, row: PatchRow, node_id: str) -> None:
        self.severities.add(row.severity)
        self.classifications.add(row.classification)
        self.cve_ids.update(row.cve_ids)
        self.nodes.add(node_id)


def compare(
    source: Sequence[Evidence],
    target: Sequence[Evidence],
    *,
    now: datetime | None = None,
    max_age: timedelta | None = None,
    foreign: Collection[str] = (),
    baselines: Mapping[str, Mapping[str, Any]] | None = None,
    source_nodes: Sequence[Node] = (),
    target_nodes: Sequence[Node] = (),
    rules: Sequence[Rule] = RULES,
) -> Comparison:
    """Judge every patch that a target node would get against every source node of its platform.

    `now` and `max_age`: evidence that is older, or no Scan, is stale; nothing is where either is left out.
    `foreign`: ids of nodes whose last operation is somebody else's. `baselines`: content hash → GetPatchBaseline
    response, for the lists of rejected patches. `source_nodes`, `target_nodes`: nodes as resolved now, for coverage.

    The order of evidence and rows, duplicates and spelling change nothing. A target node of which nothing can be
    believed gives a finding of its own: it is never taken for "nothing missing".
    """
    stale = {each.node_id for each in (*source, *target) if _is_stale(each, now, max_age)}
    readable = [each for each in target if is_readable(each)]
    offers = _offers(readable)
    proof = Proof(
        source,
        wanted={identity for _, identity, _ in offers},
        stale=stale,
        foreign=foreign,
        baselines=baselines,
    )
    sides: dict[Platform, _Side] = defaultdict(lambda: _Side(stale, foreign))
    for each in readable:
        sides[each.platform].add(each)
    findings = [
        _finding(platform, offer, proof, sides[platform].of(offer.nodes), rules)
        for (platform, _, _), offer in offers.items()
    ]
    findings += [_whole_node(each, Verdict.UNREADABLE) for each in target if not is_readable(each)]
    findings += [
        _whole_node(each, Verdict.STALE if each.node_id in stale else Verdict.FOREIGN)
        for each in readable
        if (each.node_id in stale or each.node_id in foreign) and not any(offered(each))
    ]
    return Comparison(
        findings=tuple(sorted(set(findings), key=_worst_first)),
        source_nodes=_ids(source),
        target_nodes=_ids(target),
        coverage=coverage(source, target, source_nodes, target_nodes),
    )


def _is_stale(evidence: Evidence, now: datetime | None, max_age: timedelta | None) -> bool:
    """An Install's own report proves nothing (I8), so it counts as no scan."""
    if now is None or max_age is None:
        return False
    return evidence.operation is not Operation.SCAN or now - evidence.operation_end > max_age


class _Side:
    """What is so of the target nodes of one platform, indexed so that ten thousand nodes are asked about quickly."""

    def __init__(self, stale: Collection[str], foreign: Collection[str]) -> None:
        self._stale, self._foreign = frozenset(stale), frozenset(foreign)
        self._names: dict[str, str] = {}
        self._by_content: dict[str, set[str]] = defaultdict(set)

    def add(self, evidence: Evidence) -> None:
        self._names[evidence.node_id] = evidence.node_name
        self._by_content[evidence.baseline_content].add(evidence.node_id)

    def of(self, node_ids: set[str]) -> Circumstances:
        return Circumstances(
            stale=frozenset(self._names[each] for each in node_ids & self._stale),
            foreign=frozenset(self._names[each] for each in node_ids & self._foreign),
            baseline_contents=frozenset(
                content for content, nodes in self._by_content.items() if not nodes.isdisjoint(node_ids)
            ),
        )


def _offers(target: Iterable[Evidence]) -> dict[tuple[Platform, str, str], _Offer]:
    """Offers by platform, patch identity and canonical Title (without an epoch of 0, which apt omits)."""
    offers: dict[tuple[Platform, str, str], _Offer] = {}
    for evidence in target:
        for row in offered(evidence):
            version = version_of(row.kb_id, row.title)
            spelled = f"?{row.title}" if version is None else version.removeprefix("0:")
            key = (evidence.platform, patch_identity(row.kb_id), spelled)
            known = offers.setdefault(key, _Offer(row))
            known.row = min(known.row, row, key=lambda each: (each.kb_id, each.title))
            known.add(row, evidence.node_id)
    return offers


def _finding(platform: Platform, offer: _Offer, proof: Proof, side: Circumstances, rules: Sequence[Rule]) -> Finding:
    kb_id, title = offer.row.kb_id, offer.row.title
    version = version_of(kb_id, title)
    judgement = proof.judge(platform, kb_id, version, side, rules)
    return Finding(
        platform=platform,
        kb_id=kb_id,
        version=version or "",
        title=canonical_title(kb_id, title),
        severity=min(offer.severities, key=lambda word: (severity_rank(word), word)),
        classification=min(offer.classifications, key=lambda word: (not word, word)),
        cve_ids=tuple(sorted(offer.cve_ids)),
        verdict=judgement.verdict,
        source_versions=judgement.versions,
        nodes=tuple(sorted(offer.nodes)),
        detail=detail_of(platform, title, version, judgement),
    )


def _whole_node(evidence: Evidence, verdict: Verdict) -> Finding:
    return Finding(
        platform=evidence.platform,
        kb_id=WHOLE_NODE,
        version="",
        title="",
        severity="",
        classification="",
        cve_ids=(),
        verdict=verdict,
        source_versions=(),
        nodes=(evidence.node_id,),
        detail=detail_of_node(verdict, evidence),
    )


def _worst_first(finding: Finding) -> tuple[int, int, str, str, Platform, tuple[str, ...]]:
    severity = severity_rank(finding.severity)
    return (finding.verdict.rank, severity, finding.kb_id, finding.title, finding.platform, finding.nodes)


def _ids(evidence: Iterable[Evidence]) -> tuple[str, ...]:
    return tuple(sorted({each.node_id for each in evidence}))
