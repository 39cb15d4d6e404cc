"""Which nodes the targets of a window's task or of an association mean, told from ids and tags without asking AWS."""

from collections.abc import Iterable, Mapping, Sequence

Targets = Sequence[tuple[str, Sequence[str]]]
"""(key, values) as Systems Manager writes them; a node must match every one of them."""


def reached(tags: Mapping[str, Mapping[str, str]], alternatives: Iterable[Targets]) -> tuple[str, ...] | None:
    """The ids among `tags`, {node id: its tags}, that any of the alternatives means, sorted; () means none of them.

    None where ids and tags don't tell, because a resource group chooses.
    """
    choices = list(alternatives)
    hits = {node_id: means(choices, node_id, of_node) for node_id, of_node in tags.items()}
    if None in hits.values():
        return None
    return tuple(sorted(node_id for node_id, hit in hits.items() if hit))


def means(alternatives: Iterable[Targets], node_id: str, tags: Mapping[str, str]) -> bool | None:
    """Whether any of the alternatives means the node; None where that can't be told."""
    answers = [_all(_hit(node_id, tags, key, values) for key, values in targets) for targets in alternatives]
    if True in answers:
        return True
    return None if None in answers else False


def _all(answers: Iterable[bool | None]) -> bool | None:
    known = list(answers)
    if False in known:
        return False
    return None if None in known else True


def _hit(node_id: str, tags: Mapping[str, str], key: str, values: Sequence[str]) -> bool | None:
    """`InstanceIds` with * is every node of the account; keys that are not known here can't be told."""
    if key in ("InstanceIds", "ParameterValues"):
        return node_id in values or (key == "InstanceIds" and "*" in values)
    if key == "tag-key":
        return any(value in tags for value in values)
    if key.startswith("tag:"):
        return tags.get(key.removeprefix("tag:")) in values
    return None
