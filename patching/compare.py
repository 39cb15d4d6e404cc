"""Patch by patch: would the target get exactly what the source has? (facts/patch-manager.md section 2)

The source is the environment before (non-production), the target the one that is to be patched.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from patching.evidence import is_readable, offered
from patching.model import Evidence, PatchRow, Platform
from patching.phrases import listed
from patching.proof import Judgement, Proof, Verdict, patch_identity
from patching.severity import severity_rank
from patching.titles import canonical_title, version_of

__all__ = ["WHOLE_NODE", "Comparison", "Finding", "Verdict", "compare"]

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


def compare(source: Sequence[Evidence], target: Sequence[Evidence]) -> Comparison:
    """Judge every patch that a target node would get against every source node of its platform.

    The order of evidence and rows, duplicates and spelling change nothing. Evidence that can't be read gives a
    finding of its own: it is never taken for "nothing missing".
    """
    offers = _offers(evidence for evidence in target if is_readable(evidence))
    proof = Proof(source, wanted={identity for _, identity, _ in offers})
    findings = [_finding(platform, offer, proof) for (platform, _, _), offer in offers.items()]
    findings += [_unreadable_node(evidence) for evidence in target if not is_readable(evidence)]
    return Comparison(
        findings=tuple(sorted(set(findings), key=_worst_first)),
        source_nodes=_ids(source),
        target_nodes=_ids(target),
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


def _finding(platform: Platform, offer: _Offer, proof: Proof) -> Finding:
    kb_id, title = offer.row.kb_id, offer.row.title
    version = version_of(kb_id, title)
    judgement = proof.judge(platform, kb_id, version)
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
        detail=_detail(platform, title, version, judgement),
    )


def _unreadable_node(evidence: Evidence) -> Finding:
    return Finding(
        platform=evidence.platform,
        kb_id=WHOLE_NODE,
        version="",
        title="",
        severity="",
        classification="",
        cve_ids=(),
        verdict=Verdict.UNREADABLE,
        source_versions=(),
        nodes=(evidence.node_id,),
        detail=f"The scan of {evidence.node_name} gave no usable result; scan it again.",
    )


def _detail(platform: Platform, title: str, version: str | None, judgement: Judgement) -> str:
    names, versions = listed(judgement.node_names), listed(judgement.their_versions)
    match judgement.verdict:
        case Verdict.TESTED:
            return f"On {names} in exactly this version; nothing to do."
        case Verdict.UNTESTED if names:
            return f"Still missing on {names}; install it in non-production and let it soak."
        case Verdict.UNTESTED:
            return "On no non-production node; install it in non-production and let it soak."
        case Verdict.OTHER_VERSION:
            return f"Non-production has {versions} on {names}; install the newest there and let it soak."
        case Verdict.AHEAD:
            return (
                f"Non-production has the newer {versions} on {names}; bring this environment's repository level "
                "with it and scan again."
            )
        case Verdict.FAILED:
            return f"It failed to install on {names}; repair that and install in non-production again."
        case Verdict.PENDING_REBOOT:
            return f"Waits for a reboot on {names}; reboot there and scan non-production again."
        case Verdict.NO_COUNTERPART:
            return f"Non-production has no node of {platform}; add one, install there and let it soak."
        case Verdict.UNREADABLE if version is None:
            return f"Its title {title!r} holds no version that can be read; check this patch by hand."
        case Verdict.UNREADABLE:
            return f"What {names} reports about it can't be read; scan non-production again."


def _worst_first(finding: Finding) -> tuple[int, int, str, str, Platform, tuple[str, ...]]:
    severity = severity_rank(finding.severity)
    return (finding.verdict.rank, severity, finding.kb_id, finding.title, finding.platform, finding.nodes)


def _ids(evidence: Iterable[Evidence]) -> tuple[str, ...]:
    return tuple(sorted({each.node_id for each in evidence}))
