"""What the nodes of an environment prove about one patch: the rule behind `compare` and `outcomes`.

facts/patch-manager.md section 2, "Comparison rule": a patch is tested when a node of the same OS, major version and
architecture has exactly that (id, version), and no node of that platform says otherwise.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from patching.evidence import is_readable
from patching.lineage import Issue, issue_of, stem_of
from patching.model import Evidence, PatchRow, PatchState, Platform
from patching.rules import NOTHING_SAID, RULES, Case, Circumstances, Rule, Sighting, Verdict, verdict_on
from patching.titles import is_windows_kb, version_of
from patching.versions import is_debian_family

__all__ = ["Judgement", "Proof", "Sighting", "Verdict", "patch_identity", "patch_key"]

# The node does not have the package, so it says nothing about it: not on it, or not meant for it.
_SILENT = frozenset({PatchState.NOT_APPLICABLE, PatchState.AVAILABLE_SECURITY_UPDATE})


class Judgement(NamedTuple):
    """A verdict with what speaks for it."""

    verdict: Verdict
    node_names: tuple[str, ...] = ()  # the nodes that say so
    their_versions: tuple[str, ...] = ()  # the versions, ids or list entries by which they say so
    versions: tuple[str, ...] = ()  # every version on a node


class Proof:
    """The source's evidence, indexed by platform and patch id. `wanted` limits the index to ids that will be asked.

    `stale` and `foreign`: ids of nodes whose evidence is too old, or no longer the node's last operation.
    `baselines`: content hash → GetPatchBaseline response.
    """

    def __init__(
        self,
        source: Iterable[Evidence],
        wanted: Collection[str] | None = None,
        *,
        stale: Collection[str] = (),
        foreign: Collection[str] = (),
        baselines: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._baselines = baselines or {}
        self._wanted = wanted
        self._wanted_stems = {stem for each in wanted or () if (stem := stem_of(each))}
        self._sightings: dict[tuple[Platform, str], dict[Sighting, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._not_applicable: dict[tuple[Platform, str], set[str]] = defaultdict(set)
        self._issues: dict[tuple[Platform, str], dict[tuple[Issue, str], set[str]]] = defaultdict(
            lambda: defaultdict(set)
        )
        self._siblings: dict[tuple[Platform, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        by_platform: dict[Platform, list[Evidence]] = defaultdict(list)
        for evidence in source:
            by_platform[evidence.platform].append(evidence)
            if is_readable(evidence):
                self._add(evidence)
        self._circumstances = {
            platform: _circumstances(items, stale, foreign) for platform, items in by_platform.items()
        }

    def _add(self, evidence: Evidence) -> None:
        platform, name = evidence.platform, evidence.node_name
        is_windows, has_stems = platform.is_windows, bool(self._wanted_stems) and is_debian_family(platform)
        for row in evidence.rows:
            identity = patch_identity(row.kb_id)
            if row.state not in _SILENT and (self._wanted is None or identity in self._wanted):
                sighting = Sighting(row.state, version_of(row.kb_id, row.title))
                self._sightings[platform, identity][sighting].add(name)
            if is_windows:
                self._add_windows(platform, row, identity, name)
            elif has_stems and row.state.on_node and (stem := stem_of(row.kb_id)) in self._wanted_stems:
                self._siblings[platform, str(stem)][row.kb_id].add(name)

    def _add_windows(self, platform: Platform, row: PatchRow, identity: str, name: str) -> None:
        if row.state is PatchState.NOT_APPLICABLE:
            self._not_applicable[platform, identity].add(name)
        elif row.state.on_node and (issue := issue_of(version_of(row.kb_id, row.title) or "")):
            self._issues[platform, issue.series][issue, identity].add(name)

    def judge(
        self,
        platform: Platform,
        kb_id: str,
        version: str | None,
        target: Circumstances = NOTHING_SAID,
        rules: Sequence[Rule] = RULES,
    ) -> Judgement:
        """The worst that the source says about the patch. `version` None is a Title that can't be read.

        `target`: what holds of the nodes that would get it.
        """
        identity = patch_identity(kb_id)
        case = Case(
            platform=platform,
            kb_id=kb_id,
            version=version,
            seen=self._sightings.get((platform, identity), {}),
            counterpart=platform in self._circumstances,
            source=self._circumstances.get(platform, NOTHING_SAID),
            target=target,
            not_applicable=frozenset(self._not_applicable.get((platform, identity), ())),
            successors=self._successors(platform, version),
            siblings=self._relatives(platform, kb_id),
            baselines=self._baselines,
        )
        verdict, grounds = verdict_on(case, rules)
        return Judgement(verdict, grounds.node_names, grounds.things, self.versions(platform, kb_id))

    def versions(self, platform: Platform, kb_id: str) -> tuple[str, ...]:
        """The versions that are on nodes of the platform, as text, sorted."""
        seen = self._sightings.get((platform, patch_identity(kb_id)), {})
        return tuple(sorted({each.version for each in seen if each.state.on_node and each.version}))

    def _successors(self, platform: Platform, version: str | None) -> dict[str, frozenset[str]]:
        mine = issue_of(version or "") if platform.is_windows else None
        if mine is None:
            return {}
        found: dict[str, set[str]] = defaultdict(set)
        for (issue, identity), names in self._issues.get((platform, mine.series), {}).items():
            if issue.month > mine.month:
                found[identity] |= names
        return {identity: frozenset(names) for identity, names in found.items()}

    def _relatives(self, platform: Platform, kb_id: str) -> dict[str, frozenset[str]]:
        found = self._siblings.get((platform, stem_of(kb_id) or ""), {})
        return {each: frozenset(names) for each, names in found.items() if each != kb_id}


def patch_identity(kb_id: str) -> str:
    """The key under which two spellings of one id meet: `kb5023702` and `KB5023702`."""
    return kb_id.upper() if is_windows_kb(kb_id) else kb_id


def patch_key(kb_id: str, title: str) -> tuple[str, str]:
    """(id, version) under one spelling: no epoch of 0. A Title that can't be read stands for itself."""
    version = version_of(kb_id, title)
    return patch_identity(kb_id), title if version is None else version.removeprefix("0:")


def _circumstances(items: Iterable[Evidence], stale: Collection[str], foreign: Collection[str]) -> Circumstances:
    """What holds of these nodes, by their names; `stale` and `foreign` are node ids."""
    nodes = list(items)
    return Circumstances(
        unreadable=frozenset(each.node_name for each in nodes if not is_readable(each)),
        stale=frozenset(each.node_name for each in nodes if each.node_id in stale),
        foreign=frozenset(each.node_name for each in nodes if each.node_id in foreign),
        baseline_contents=frozenset(each.baseline_content for each in nodes),
    )
