"""What the nodes of an environment prove about one patch: the rule behind `compare` and `outcomes`.

facts/patch-manager.md section 2, "Comparison rule": a patch is tested when a node of the same OS, major version and
architecture has exactly that (id, version), and no node of that platform says otherwise.
"""

from collections import defaultdict
from collections.abc import Container, Iterable
from enum import StrEnum
from typing import NamedTuple

from patching.evidence import is_readable
from patching.model import Evidence, PatchState, Platform
from patching.titles import is_windows_kb, version_of
from patching.versions import compare_versions, same_version


class Verdict(StrEnum):
    """Declared worst first; the worst thing that any node says is the verdict."""

    FAILED = "failed"
    UNREADABLE = "unreadable"
    NO_COUNTERPART = "no_counterpart"
    AHEAD = "ahead"
    OTHER_VERSION = "other_version"
    UNTESTED = "untested"
    PENDING_REBOOT = "pending_reboot"
    TESTED = "tested"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return _RANKS[self]


_RANKS = {verdict: rank for rank, verdict in enumerate(Verdict)}

# The node does not have the package, so it says nothing about it: not on it, or not meant for it.
_SILENT = frozenset({PatchState.NOT_APPLICABLE, PatchState.AVAILABLE_SECURITY_UPDATE})


class Sighting(NamedTuple):
    """One way in which nodes show a patch. `version` is None when the Title can't be read."""

    state: PatchState
    version: str | None


class Judgement(NamedTuple):
    """A verdict with what speaks for it."""

    verdict: Verdict
    node_names: tuple[str, ...] = ()  # the nodes that say so
    their_versions: tuple[str, ...] = ()  # the versions by which they say so
    versions: tuple[str, ...] = ()  # every version on a node


class Proof:
    """The source's evidence, indexed by platform and patch id. `wanted` limits the index to ids that will be asked."""

    def __init__(self, source: Iterable[Evidence], wanted: Container[str] | None = None) -> None:
        self._sightings: dict[tuple[Platform, str], dict[Sighting, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._platforms: set[Platform] = set()
        self._unreadable: dict[Platform, set[str]] = defaultdict(set)
        for evidence in source:
            self._add(evidence, wanted)

    def _add(self, evidence: Evidence, wanted: Container[str] | None) -> None:
        self._platforms.add(evidence.platform)
        if not is_readable(evidence):
            self._unreadable[evidence.platform].add(evidence.node_name)
            return
        for row in evidence.rows:
            identity = patch_identity(row.kb_id)
            if row.state not in _SILENT and (wanted is None or identity in wanted):
                sighting = Sighting(row.state, version_of(row.kb_id, row.title))
                self._sightings[evidence.platform, identity][sighting].add(evidence.node_name)

    def judge(self, platform: Platform, kb_id: str, version: str | None) -> Judgement:
        """The worst that the source says about the patch. `version` None is a Title that can't be read."""
        if platform not in self._platforms:
            return Judgement(Verdict.NO_COUNTERPART)
        seen = self._sightings.get((platform, patch_identity(kb_id)), {})
        versions = self.versions(platform, kb_id)
        if version is None:
            return Judgement(Verdict.UNREADABLE, versions=versions)
        if platform in self._unreadable:
            return Judgement(Verdict.UNREADABLE, tuple(sorted(self._unreadable[platform])), versions=versions)
        verdict, sightings = _worst(platform, version, seen)
        names = {name for sighting in sightings for name in seen[sighting]}
        theirs = {sighting.version for sighting in sightings if sighting.version}
        return Judgement(verdict, tuple(sorted(names)), tuple(sorted(theirs)), versions)

    def versions(self, platform: Platform, kb_id: str) -> tuple[str, ...]:
        """The versions that are on nodes of the platform, as text, sorted."""
        seen = self._sightings.get((platform, patch_identity(kb_id)), {})
        return tuple(sorted({each.version for each in seen if each.state.on_node and each.version}))


def patch_identity(kb_id: str) -> str:
    """The key under which two spellings of one id meet: `kb5023702` and `KB5023702`."""
    return kb_id.upper() if is_windows_kb(kb_id) else kb_id


def _worst(platform: Platform, version: str, seen: Iterable[Sighting]) -> tuple[Verdict, list[Sighting]]:
    """The worst verdict and every sighting that gives it; untested when no node has the package."""
    by_verdict: dict[Verdict, list[Sighting]] = defaultdict(list)
    for sighting in seen:
        by_verdict[_verdict(platform, version, sighting)].append(sighting)
    if not by_verdict:
        return Verdict.UNTESTED, []
    worst = min(by_verdict, key=lambda verdict: verdict.rank)
    return worst, by_verdict[worst]


def _verdict(platform: Platform, version: str, sighting: Sighting) -> Verdict:
    if sighting.state is PatchState.FAILED:
        return Verdict.FAILED
    if sighting.state is PatchState.MISSING:
        return Verdict.UNTESTED
    if sighting.version is None:
        return Verdict.UNREADABLE
    if same_version(sighting.version, version):
        pending = sighting.state is PatchState.INSTALLED_PENDING_REBOOT
        return Verdict.PENDING_REBOOT if pending else Verdict.TESTED
    if platform.is_windows and not (sighting.version and version):
        # InstalledOther has no Title on Windows: a recurring KB's content can't be told from that.
        return Verdict.UNREADABLE
    order = compare_versions(platform, sighting.version, version)
    return Verdict.AHEAD if order is not None and order > 0 else Verdict.OTHER_VERSION
