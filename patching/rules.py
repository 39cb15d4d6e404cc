"""The verdicts on one patch, a rule for each (facts/patch-manager.md sections 2, 3 and 9).

A rule looks at a `Case` and says who speaks for its verdict, or nothing. The first rule of `RULES` that speaks is
the verdict; where none does, nobody in the source has the patch.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from patching.model import PatchState, Platform
from patching.rejected import rejecting_entry
from patching.versions import compare_versions, same_version


class Verdict(StrEnum):
    """Declared worst first; the worst thing that any node says is the verdict."""

    FAILED = "failed"
    UNREADABLE = "unreadable"
    NO_COUNTERPART = "no_counterpart"
    STALE = "stale"
    FOREIGN = "foreign"
    REJECTED = "rejected"
    OTHER_BASELINE = "other_baseline"
    AHEAD = "ahead"
    SUPERSEDED = "superseded"
    OTHER_TITLE = "other_title"
    OTHER_VERSION = "other_version"
    NEW_DEPENDENCY = "new_dependency"
    UNTESTED = "untested"
    PENDING_REBOOT = "pending_reboot"
    TESTED = "tested"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return _RANKS[self]


_RANKS = {verdict: rank for rank, verdict in enumerate(Verdict)}


class Sighting(NamedTuple):
    """One way in which nodes show a patch. `version` is None when the Title can't be read."""

    state: PatchState
    version: str | None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What holds for every patch of a platform on one side, by the names of the nodes of which it holds."""

    unreadable: frozenset[str] = frozenset()
    stale: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()
    baseline_contents: frozenset[str] = frozenset()


NOTHING_SAID: Final = Circumstances()


@dataclass(frozen=True, slots=True)
class Case:
    """One patch that the target would get, and all that the source shows about it."""

    platform: Platform
    kb_id: str
    version: str | None  # None: the target's Title can't be read
    seen: Mapping[Sighting, set[str]]  # sighting → names of source nodes
    counterpart: bool = True  # the source has a node of this platform
    source: Circumstances = NOTHING_SAID
    target: Circumstances = NOTHING_SAID
    not_applicable: frozenset[str] = frozenset()  # Windows: source nodes that report the KB as NotApplicable
    successors: Mapping[str, frozenset[str]] = field(default_factory=dict)  # newer KB of its series → source nodes
    siblings: Mapping[str, frozenset[str]] = field(default_factory=dict)  # id with another version in it → nodes
    baselines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # content hash → GetPatchBaseline


class Grounds(NamedTuple):
    """Who speaks for a verdict, and by what: versions, ids or a list's entry."""

    node_names: tuple[str, ...] = ()
    things: tuple[str, ...] = ()


class Rule(NamedTuple):
    verdict: Verdict
    grounds: Callable[[Case], Grounds | None]


def _failed(case: Case) -> Grounds | None:
    return _sighted(case, (each for each in case.seen if each.state is PatchState.FAILED))


def _unreadable(case: Case) -> Grounds | None:
    """A Title without a version, on either side, or a scan with counts of -1 or dates of 1970."""
    if case.version is None:
        return Grounds()
    if case.source.unreadable:
        return _named(case.source.unreadable)
    return _sighted(case, (each for each in case.seen if each.state.on_node and _is_illegible(case, each)))


def _no_counterpart(case: Case) -> Grounds | None:
    return None if case.counterpart else Grounds()


def _stale(case: Case) -> Grounds | None:
    return _named(case.source.stale | case.target.stale)


def _foreign(case: Case) -> Grounds | None:
    return _named(case.source.foreign | case.target.foreign)


def _rejected(case: Case) -> Grounds | None:
    """Present in the source although rejected, or on the rejected list of a baseline of either side."""
    present = _sighted(case, (each for each in case.seen if each.state is PatchState.INSTALLED_REJECTED))
    if present:
        return present
    for content in sorted(case.source.baseline_contents | case.target.baseline_contents):
        entry = rejecting_entry(case.baselines.get(content, {}), case.platform, case.kb_id, case.version)
        if entry is not None:
            return Grounds(things=(entry,))
    return None


def _other_baseline(case: Case) -> Grounds | None:
    """Unless one and the same content, and a known one, holds on both sides. Without a target there is no question."""
    ours, theirs = case.target.baseline_contents, case.source.baseline_contents
    same = ours == theirs and len(ours) == 1 and "" not in ours
    return None if same or not ours else Grounds()


def _ahead(case: Case) -> Grounds | None:
    return _sighted(case, (each for each in _differing(case) if _order(case, each) > 0))


def _superseded(case: Case) -> Grounds | None:
    """Windows: a source node is past this KB, or nobody there has it and it is not applicable.

    NotApplicable includes superseded (facts/patch-manager.md section 2); a node that still has it beside others to
    which it never applied proves it.
    """
    if not case.platform.is_windows:
        return None
    having = {name for sighting in _on_node(case) for name in case.seen[sighting]}
    past = {kb_id: names - having for kb_id, names in case.successors.items() if names - having}
    if past:
        return Grounds(tuple(sorted({name for names in past.values() for name in names})), tuple(sorted(past)))
    return _named(case.not_applicable) if not having else None


def _other_title(case: Case) -> Grounds | None:
    """Recurring KBs carry new content under the same id: KB890830."""
    return _sighted(case, _differing(case)) if case.platform.is_windows else None


def _other_version(case: Case) -> Grounds | None:
    if case.platform.is_windows:
        return None
    return _sighted(case, (each for each in _differing(case) if _order(case, each) <= 0))


def _new_dependency(case: Case) -> Grounds | None:
    """Debian family: a new id whose name holds the version, of which the source has another one."""
    if case.seen or not case.siblings:
        return None
    names = {name for nodes in case.siblings.values() for name in nodes}
    return Grounds(tuple(sorted(names)), tuple(sorted(case.siblings)))


def _untested(case: Case) -> Grounds | None:
    return _sighted(case, (each for each in case.seen if each.state is PatchState.MISSING))


def _pending_reboot(case: Case) -> Grounds | None:
    pending = (each for each in _same(case) if each.state is PatchState.INSTALLED_PENDING_REBOOT)
    return _sighted(case, pending)


def _tested(case: Case) -> Grounds | None:
    return _sighted(case, _same(case))


RULES: Final[Sequence[Rule]] = (
    Rule(Verdict.FAILED, _failed),
    Rule(Verdict.UNREADABLE, _unreadable),
    Rule(Verdict.NO_COUNTERPART, _no_counterpart),
    Rule(Verdict.STALE, _stale),
    Rule(Verdict.FOREIGN, _foreign),
    Rule(Verdict.REJECTED, _rejected),
    Rule(Verdict.OTHER_BASELINE, _other_baseline),
    Rule(Verdict.AHEAD, _ahead),
    Rule(Verdict.SUPERSEDED, _superseded),
    Rule(Verdict.OTHER_TITLE, _other_title),
    Rule(Verdict.OTHER_VERSION, _other_version),
    Rule(Verdict.NEW_DEPENDENCY, _new_dependency),
    Rule(Verdict.UNTESTED, _untested),
    Rule(Verdict.PENDING_REBOOT, _pending_reboot),
    Rule(Verdict.TESTED, _tested),
)


def verdict_on(case: Case, rules: Sequence[Rule] = RULES) -> tuple[Verdict, Grounds]:
    for rule in rules:
        grounds = rule.grounds(case)
        if grounds is not None:
            return rule.verdict, grounds
    return Verdict.UNTESTED, Grounds()


def _on_node(case: Case) -> list[Sighting]:
    return [each for each in case.seen if each.state.on_node]


def _same(case: Case) -> list[Sighting]:
    """On the node in exactly this version."""
    return [each for each in _legible(case) if same_version(each.version or "", case.version or "")]


def _differing(case: Case) -> list[Sighting]:
    return [each for each in _legible(case) if not same_version(each.version or "", case.version or "")]


def _legible(case: Case) -> list[Sighting]:
    return [each for each in _on_node(case) if case.version is not None and not _is_illegible(case, each)]


def _is_illegible(case: Case, sighting: Sighting) -> bool:
    """InstalledOther has no Title on Windows: a recurring KB's content can't be told from that."""
    if sighting.version is None:
        return True
    return case.platform.is_windows and bool(sighting.version) != bool(case.version)


def _order(case: Case, sighting: Sighting) -> int:
    """Above 0 where the source's version is newer; 0 where versions have no order."""
    return compare_versions(case.platform, sighting.version or "", case.version or "") or 0


def _sighted(case: Case, sightings: Iterable[Sighting]) -> Grounds | None:
    found = list(sightings)
    names = {name for sighting in found for name in case.seen[sighting]}
    versions = {sighting.version for sighting in found if sighting.version}
    return Grounds(tuple(sorted(names)), tuple(sorted(versions))) if found else None


def _named(names: Iterable[str]) -> Grounds | None:
    found = tuple(sorted(names))
    return Grounds(found) if found else None
