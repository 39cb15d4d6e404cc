"""Which nodes a comparison speaks for, and which non-production nodes stand for them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from patching.evidence import is_readable
from patching.model import Evidence, Node, Platform


@dataclass(frozen=True, slots=True)
class Coverage:
    """Ids of target nodes, sorted. Every node is in exactly one of `seen` and `without_evidence`.

    A node that can't be reached is in one of the last three lists besides, by facts/patch-manager.md section 6.
    """

    seen: tuple[str, ...] = ()  # readable evidence
    without_evidence: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()  # EC2 says that it does not run
    unmanaged: tuple[str, ...] = ()  # it runs, and Systems Manager does not know it: no agent or no role
    never_answered: tuple[str, ...] = ()  # its agent is known and not online
    representatives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # target node → source nodes

    @property
    def unrepresented(self) -> tuple[str, ...]:
        """Target nodes for which no source node of the same platform stands."""
        return tuple(node_id for node_id, source in self.representatives.items() if not source)


def coverage(
    source: Sequence[Evidence], target: Sequence[Evidence], source_nodes: Sequence[Node], target_nodes: Sequence[Node]
) -> Coverage:
    """Nodes as resolved now beside the evidence; an environment without nodes given has those of its evidence."""
    seen = {each.node_id for each in target if is_readable(each)}
    ids = {node.id for node in target_nodes} or {each.node_id for each in target}
    platforms = _platforms(target, target_nodes)
    present = {node.id for node in source_nodes} or {each.node_id for each in source}
    stand_ins: dict[Platform, set[str]] = defaultdict(set)
    for each in source:
        if each.node_id in present and is_readable(each):
            stand_ins[each.platform].add(each.node_id)
    by_platform = {platform: tuple(sorted(names)) for platform, names in stand_ins.items()}
    return Coverage(
        seen=tuple(sorted(ids & seen)),
        without_evidence=tuple(sorted(ids - seen)),
        stopped=_ids(node for node in target_nodes if node.power != "running"),
        unmanaged=_ids(node for node in target_nodes if node.power == "running" and node.ping is None),
        never_answered=_ids(
            node for node in target_nodes if node.power == "running" and node.ping not in {None, "Online"}
        ),
        representatives={
            node_id: by_platform.get(platforms[node_id], ()) if node_id in platforms else () for node_id in sorted(ids)
        },
    )


def _platforms(evidence: Sequence[Evidence], nodes: Sequence[Node]) -> Mapping[str, Platform]:
    """What a node reported counts; what Systems Manager says of it stands in where it has reported nothing."""
    known = {node.id: node.platform for node in nodes if node.platform is not None}
    return known | {each.node_id: each.platform for each in evidence}


def _ids(nodes: Iterable[Node]) -> tuple[str, ...]:
    return tuple(sorted({node.id for node in nodes}))
