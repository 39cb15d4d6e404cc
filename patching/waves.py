"""Which nodes are patched together, and which only after others came out well."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patching.model import Node
from patching.phrases import counted

REST = "the rest"
CANARY = "canary"


@dataclass(frozen=True, slots=True)
class Wave:
    """Nodes that stand in the same wave, by id; the next wave waits until this one is installed, well and verified."""

    name: str  # "canary", "Role=replica", "the rest", "Role=replica, part 2"
    nodes: tuple[Node, ...]


def split(
    nodes: Sequence[Node], selectors: Sequence[Mapping[str, Sequence[str]]], canary: int, ha_group: str | None
) -> tuple[Wave, ...]:
    """Every node in exactly one wave; waves without a node are left out.

    `selectors` as in the configuration, `{"tag:Role": ["replica"]}`, all tags of one at once; the first that a node
    matches has it, and what none matches comes last. `canary` nodes of the first wave go before it. Of the nodes that
    share a value of the tag `ha_group` ("tag:Cluster") a wave has one: it is parted into as many as that takes.
    """
    rest = sorted(nodes, key=lambda node: node.id)
    ordered: list[Wave] = []
    for selector in selectors:
        members = [node for node in rest if _matches(node, selector)]
        rest = [node for node in rest if not _matches(node, selector)]
        ordered.append(Wave(_name(selector), tuple(members)))
    ordered.append(Wave(REST if selectors else "all nodes", tuple(rest)))
    waves = [wave for wave in ordered if wave.nodes]
    if waves and 0 < canary < len(nodes):
        first, *later = waves
        after = Wave(first.name if selectors else REST, first.nodes[canary:])
        waves = [Wave(CANARY, first.nodes[:canary]), after, *later]
    return tuple(part for wave in waves if wave.nodes for part in _apart(wave, ha_group))


def doubts(
    nodes: Sequence[Node], selectors: Sequence[Mapping[str, Sequence[str]]], canary: int, ha_group: str | None
) -> tuple[str, ...]:
    """A sentence for each setting that these nodes give no meaning: most often a tag that is misspelt."""
    found = []
    rest = list(nodes)
    for selector in selectors:
        if not any(_matches(node, selector) for node in nodes):
            found.append(f"waves: no node has {_name(selector)}.")
        elif not any(_matches(node, selector) for node in rest):
            found.append(f"waves: every node with {_name(selector)} is in a wave before it.")
        rest = [node for node in rest if not _matches(node, selector)]
    if ha_group and not any(ha_group.removeprefix("tag:") in node.tags for node in nodes):
        found.append(f"ha_group: no node has the tag {ha_group.removeprefix('tag:')}, so none are kept apart.")
    if canary and canary >= len(nodes):
        found.append(f"canary: {canary} would be all of {counted(len(nodes), 'node')}, so none goes first.")
    return tuple(found)


def _matches(node: Node, selector: Mapping[str, Sequence[str]]) -> bool:
    return all(node.tags.get(key.removeprefix("tag:")) in values for key, values in selector.items())


def _name(selector: Mapping[str, Sequence[str]]) -> str:
    return ", ".join(f"{key.removeprefix('tag:')}={'|'.join(values)}" for key, values in selector.items())


def _apart(wave: Wave, ha_group: str | None) -> list[Wave]:
    """A wave parted so that no part has two nodes of one group; nodes without the tag are in the first."""
    if ha_group is None:
        return [wave]
    seen: dict[str, int] = defaultdict(int)
    parts: dict[int, list[Node]] = defaultdict(list)
    for node in wave.nodes:
        group = node.tags.get(ha_group.removeprefix("tag:"))
        parts[seen[group] if group is not None else 0].append(node)
        if group is not None:
            seen[group] += 1
    if len(parts) == 1:
        return [wave]
    return [Wave(f"{wave.name}, part {number + 1}", tuple(parts[number])) for number in sorted(parts)]
