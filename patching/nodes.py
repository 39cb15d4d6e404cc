"""Which nodes an environment means, and which stand where they must not (I13)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from patching.model import Node
from patching.phrases import listed

INSTANCE_IDS = "instance_ids"
"""The key of `targets` that lists ids; every other one is "tag:NAME"."""


class EnvironmentKey(NamedTuple):
    application: str
    environment: str

    def __str__(self) -> str:
        return f"{self.application} {self.environment}"


def selects(targets: Mapping[str, Sequence[str]], node_id: str, tags: Mapping[str, str]) -> bool:
    """Whether `targets`, {"tag:NAME": [values], …} or {"instance_ids": [ids]}, mean the node with these tags.

    Names and values count to the letter; every key must match, by any of its values.
    """
    return all(
        node_id in values if key == INSTANCE_IDS else tags.get(key.removeprefix("tag:")) in values
        for key, values in targets.items()
    )


def conflicts(
    resolved: Mapping[EnvironmentKey, Sequence[Node]],
    production: Mapping[EnvironmentKey, bool],
    production_tags: Mapping[str, Sequence[str]],
) -> Mapping[EnvironmentKey, tuple[str, ...]]:
    """For every environment the sentences that block its runs, naming node ids; empty where nothing is wrong.

    A node must resolve into one environment only, and a node that carries a tag of `production_tags` must not stand
    in an environment that isn't production. Tag names and values count without case: `Prod` was meant as `prod`.
    An environment that `production` doesn't know is taken for non-production, the stricter reading.
    """
    homes: dict[str, set[EnvironmentKey]] = defaultdict(set)
    for key, nodes in resolved.items():
        for node in nodes:
            homes[node.id].add(key)
    return {
        key: tuple(
            dict.fromkeys(
                sentence
                for node in sorted(nodes, key=lambda each: each.id)
                for sentence in _sentences(node, key, homes[node.id], production.get(key, False), production_tags)
            )
        )
        for key, nodes in resolved.items()
    }


def _sentences(
    node: Node,
    key: EnvironmentKey,
    homes: set[EnvironmentKey],
    production: bool,
    production_tags: Mapping[str, Sequence[str]],
) -> Iterator[str]:
    others = homes - {key}
    if others:
        yield f"{_label(node)} stands in {key} and also in {listed(map(str, others))}."
    if not production:
        for tag, value in _production_tags_of(node, production_tags):
            yield f"{_label(node)} carries the tag {tag}={value}, but {key} is not production."


def _production_tags_of(node: Node, production_tags: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    marks = {(tag.casefold(), value.casefold()) for tag, values in production_tags.items() for value in values}
    return ((tag, value) for tag, value in sorted(node.tags.items()) if (tag.casefold(), value.casefold()) in marks)


def _label(node: Node) -> str:
    return f"{node.name} ({node.id})" if node.name and node.name != node.id else node.id
