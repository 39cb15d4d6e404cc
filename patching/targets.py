"""Which nodes the targets of a window's task or of an association mean, told from ids and tags without asking AWS."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

Targets = Sequence[tuple[str, Sequence[str]]]
"""(key, values) as Systems Manager writes them; a node must match every one of them."""


class NodeIndex(Mapping[str, Mapping[str, str]]):
    """{node id: its tags}, with the nodes of each tag at hand: dozens of windows ask about thousands of nodes."""

    def __init__(self, nodes: Mapping[str, Mapping[str, str]]) -> None:
        self._nodes = nodes
        self.ids = frozenset(nodes)
        self.with_key: Mapping[str, set[str]] = defaultdict(set)
        self.with_tag: Mapping[tuple[str, str], set[str]] = defaultdict(set)
        for node_id, tags in nodes.items():
            for item in tags.items():
                self.with_key[item[0]].add(node_id)
                self.with_tag[item].add(node_id)

    def __getitem__(self, node_id: str) -> Mapping[str, str]:
        return self._nodes[node_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)


@dataclass(frozen=True, slots=True)
class Reach:
    """Which of some nodes targets mean; of those in `perhaps` nobody can tell, because a resource group chooses."""

    certain: AbstractSet[str]
    perhaps: AbstractSet[str]


def reach(nodes: Mapping[str, Mapping[str, str]], alternatives: Iterable[Targets]) -> Reach:
    """Of `nodes`, {id: tags}, those that any of the alternatives means."""
    index = nodes if isinstance(nodes, NodeIndex) else NodeIndex(nodes)
    certain: set[str] = set()
    perhaps: set[str] = set()
    for targets in alternatives:
        answers = [_meant(index, key, values) for key, values in targets]
        known = [each for each in answers if each is not None]
        matching = index.ids.intersection(*known)
        (perhaps if None in answers else certain).update(matching)
    return Reach(certain, perhaps - certain)


def reached(nodes: Mapping[str, Mapping[str, str]], alternatives: Iterable[Targets]) -> tuple[str, ...] | None:
    """The ids of those certainly meant, sorted; None where it can't be told of every node. () means none of them."""
    found = reach(nodes, alternatives)
    return None if found.perhaps else tuple(sorted(found.certain))


def _meant(index: NodeIndex, key: str, values: Sequence[str]) -> AbstractSet[str] | None:
    """`InstanceIds` with * is every node of the account; keys that are not known here can't be told."""
    if key == "InstanceIds" and "*" in values:
        return index.ids
    if key in ("InstanceIds", "ParameterValues"):
        return index.ids & set(values)
    if key == "tag-key":
        return _union(index.with_key.get(value) for value in values)
    if key.startswith("tag:"):
        name = key.removeprefix("tag:")
        return _union(index.with_tag.get((name, value)) for value in values)
    return None


def _union(sets: Iterable[AbstractSet[str] | None]) -> AbstractSet[str]:
    found = [each for each in sets if each]
    return found[0] if len(found) == 1 else frozenset().union(*found)
