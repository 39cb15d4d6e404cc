"""What a scan found: missing patches by node and severity, and one by one."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from patching.evidence import offered
from patching.model import Evidence, PatchRow
from patching.severity import severity_label, severity_rank
from patching.titles import version_of


@dataclass(frozen=True, slots=True)
class MissingPatch:
    """One (id, version) that nodes would get. `from_versions`: what these nodes had when it was last seen on them."""

    kb_id: str
    version: str  # the Title itself where no version can be read from it
    from_versions: tuple[str, ...]
    severity: str
    classification: str
    cve_ids: tuple[str, ...]
    node_ids: tuple[str, ...]


@dataclass(slots=True)
class _Gathered:
    rows: list[PatchRow] = field(default_factory=list)
    node_ids: set[str] = field(default_factory=set)


def missing_by_severity(evidence: Sequence[Evidence]) -> Mapping[str, Mapping[str, int]]:
    """{node id: {severity: number of missing patches}}, every node named, its severities worst first."""
    return {each.node_id: _by_severity(each) for each in sorted(evidence, key=lambda each: each.node_id)}


def missing_patches(evidence: Sequence[Evidence], known: Mapping[tuple[str, str], str]) -> tuple[MissingPatch, ...]:
    """Every patch that a node misses, worst severity first, then by id.

    `known` gives the version last seen on a node by (node id, KBId): a Missing row does not show what it replaces
    (facts/patch-manager.md section 2, "Parsing").
    """
    gathered: dict[tuple[str, str], _Gathered] = defaultdict(_Gathered)
    for each in evidence:
        for row in offered(each):
            version = version_of(row.kb_id, row.title)
            entry = gathered[row.kb_id, row.title if version is None else version]
            entry.rows.append(row)
            entry.node_ids.add(each.node_id)
    patches = (_missing(kb_id, version, entry, known) for (kb_id, version), entry in gathered.items())
    return tuple(sorted(patches, key=lambda patch: (severity_rank(patch.severity), patch.kb_id, patch.version)))


def _by_severity(evidence: Evidence) -> Mapping[str, int]:
    unique = {(row.kb_id, row.title): row for row in offered(evidence)}
    counts = Counter(severity_label(row.severity) for row in unique.values())
    return dict(sorted(counts.items(), key=lambda item: (severity_rank(item[0]), item[0])))


def _missing(kb_id: str, version: str, entry: _Gathered, known: Mapping[tuple[str, str], str]) -> MissingPatch:
    had = {known[node_id, kb_id] for node_id in entry.node_ids if (node_id, kb_id) in known}
    return MissingPatch(
        kb_id=kb_id,
        version=version,
        from_versions=tuple(sorted(had - {version})),
        severity=min((row.severity for row in entry.rows), key=lambda word: (severity_rank(word), word)),
        classification=min((row.classification for row in entry.rows), key=lambda word: (not word, word)),
        cve_ids=tuple(sorted({cve for row in entry.rows for cve in row.cve_ids})),
        node_ids=tuple(sorted(entry.node_ids)),
    )
