"""What a node is offered: newer versions by its package manager, updates by Windows Update, and what is approved."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.aws.baseline import PatchBaseline
from sandbox.aws.fleet import Rule
from sandbox.aws.node import InstalledPackage, ManagedNode
from sandbox.aws.repository import Published


@dataclass(frozen=True)
class Offer:
    """A package or KB: what the node has, None on Windows where it has nothing, and what is newer, oldest first."""

    installed: InstalledPackage | None
    newer: list[Published]

    @property
    def name(self) -> str:
        return self.installed.package.name if self.installed else self.newer[-1].release.package.name


def offers(node: ManagedNode, at: datetime) -> Iterator[Offer]:
    """Everything installed, in its order; on Windows after that the updates which the node lacks."""
    for installed in list(node.packages.values()):
        yield Offer(installed, node.repository.upgrades(installed.package, at))
    yield from _lacking(node, at)


def approval(node: ManagedNode, baseline: PatchBaseline, published: Published, at: datetime) -> Rule | None:
    return baseline.approval(published.release.package, node.platform, published.released, at)


def approved(
    node: ManagedNode, baseline: PatchBaseline, offer: Offer, superseded: frozenset[str], at: datetime
) -> list[Published]:
    """The offered versions that a scan would call missing, oldest first."""
    if offer.name in superseded:
        return []
    return [published for published in offer.newer if approval(node, baseline, published, at)]


def contained_updates(node: ManagedNode, at: datetime) -> frozenset[str]:
    """KBs whose content the node has from a cumulative update. Windows only."""
    return _superseded(node, at, lambda published: _has(node, published))


def superseded_updates(node: ManagedNode, baseline: PatchBaseline, at: datetime) -> frozenset[str]:
    """KBs that nobody would install on this node any more: an update which it has, or an approved one, contains them.

    Windows only; a newer update that the baseline doesn't approve yet supersedes nothing.
    """
    return _superseded(node, at, lambda p: _has(node, p) or approval(node, baseline, p, at) is not None)


def _superseded(node: ManagedNode, at: datetime, counts: Callable[[Published], bool]) -> frozenset[str]:
    if node.platform.type != "Windows":
        return frozenset()
    available = (published for key in node.repository.names() for published in node.repository.available(key, at))
    return frozenset(kb for published in available if counts(published) for kb in published.release.supersedes)


def _has(node: ManagedNode, published: Published) -> bool:
    package = published.release.package
    return package.name in node.packages and node.packages[package.name].package.version == package.version


def missing(node: ManagedNode, baseline: PatchBaseline, at: datetime) -> int:
    """How many patches a scan would find missing now."""
    superseded = superseded_updates(node, baseline, at)
    return sum(bool(approved(node, baseline, offer, superseded, at)) for offer in _worth_a_look(node, at))


class MissingCounts:
    """`missing`, remembered for each node until its packages, its repository or its baseline's verdicts change."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[object, ...], datetime, int]] = {}

    def of(self, node: ManagedNode, baseline: PatchBaseline, at: datetime) -> int:
        state = (node.changes, node.repository.changes, baseline.id)
        known = self._known.get(node.id)
        if known is not None and known[0] == state and at < known[1]:
            return known[2]
        count = missing(node, baseline, at)
        self._known[node.id] = (state, _next_turn(node, baseline, at), count)
        return count


def _next_turn(node: ManagedNode, baseline: PatchBaseline, at: datetime) -> datetime:
    """When time alone next shows or approves a version."""
    delays = {timedelta(days=rule.approve_after_days or 0) for rule in baseline.spec.rules}
    turns = (
        moment
        for published in node.repository.everything()
        for moment in (published.at, *(published.released + delay for delay in delays))
        if moment > at
    )
    return min(turns, default=datetime.max.replace(tzinfo=at.tzinfo))


def _worth_a_look(node: ManagedNode, at: datetime) -> Iterator[Offer]:
    """`offers` without the packages that the repository doesn't know."""
    for name, arch in node.repository.names():
        installed = node.packages.get(node.platform.kb_id(name, arch))
        if installed is not None and installed.package.arch == arch:
            yield Offer(installed, node.repository.upgrades(installed.package, at))
    yield from _lacking(node, at)


def _lacking(node: ManagedNode, at: datetime) -> Iterator[Offer]:
    if node.platform.type != "Windows":
        return
    for name, arch in node.repository.names():
        available = node.repository.available((name, arch), at)
        if available and name not in node.packages:
            yield Offer(None, available)
