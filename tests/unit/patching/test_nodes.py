"""I13: a node in two environments, or with a production tag outside production, is named."""

from collections.abc import Mapping

import pytest

from patching.model import Node
from patching.nodes import EnvironmentKey, conflicts, selects
from tests.unit.patching.build import DEBIAN

NONPROD, PROD = EnvironmentKey("orders-db", "nonprod"), EnvironmentKey("orders-db", "prod")
TAGS = {"Environment": ["prod", "production"]}
PRODUCTION = {NONPROD: False, PROD: True}


def node(node_id: str, name: str = "db", **tags: str) -> Node:
    return Node(node_id, name, "running", "Online", DEBIAN, tags=tags)


CASES: dict[str, tuple[Mapping[EnvironmentKey, list[Node]], Mapping[EnvironmentKey, tuple[str, ...]]]] = {
    "all in place": (
        {NONPROD: [node("i-1", Environment="nonproduction")], PROD: [node("i-2", Environment="production")]},
        {NONPROD: (), PROD: ()},
    ),
    "in two environments": (
        {NONPROD: [node("i-1")], PROD: [node("i-2"), node("i-1")]},
        {
            NONPROD: ("db (i-1) stands in orders-db nonprod and also in orders-db prod.",),
            PROD: ("db (i-1) stands in orders-db prod and also in orders-db nonprod.",),
        },
    ),
    "a production tag in non-production": (
        {NONPROD: [node("i-1", Environment="prod")], PROD: [node("i-2", Environment="prod")]},
        {NONPROD: ("db (i-1) carries the tag Environment=prod, but orders-db nonprod is not production.",), PROD: ()},
    ),
    "spelled otherwise": (
        {NONPROD: [node("i-1", environment="PROD")]},
        {NONPROD: ("db (i-1) carries the tag environment=PROD, but orders-db nonprod is not production.",)},
    ),
    "no name": (
        {NONPROD: [node("i-1", name="", Environment="production")]},
        {NONPROD: ("i-1 carries the tag Environment=production, but orders-db nonprod is not production.",)},
    ),
    "an environment nobody knows is not production": (
        {EnvironmentKey("x", "y"): [node("i-1", Environment="prod")]},
        {EnvironmentKey("x", "y"): ("db (i-1) carries the tag Environment=prod, but x y is not production.",)},
    ),
    "resolved twice in one environment": ({NONPROD: [node("i-1"), node("i-1")]}, {NONPROD: ()}),
}


@pytest.mark.parametrize(("resolved", "sentences"), CASES.values(), ids=CASES)
def test_i13_conflicts(
    resolved: Mapping[EnvironmentKey, list[Node]], sentences: Mapping[EnvironmentKey, tuple[str, ...]]
) -> None:
    assert conflicts(resolved, PRODUCTION, TAGS) == sentences


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ({"tag:PatchGroup": ["orders"]}, True),
        ({"tag:PatchGroup": ["billing", "orders"]}, True),
        ({"tag:PatchGroup": ["orders"], "tag:Role": ["replica"]}, True),
        ({"tag:PatchGroup": ["orders"], "tag:Role": ["primary"]}, False),
        ({"tag:PatchGroup": ["Orders"]}, False),
        ({"tag:patchgroup": ["orders"]}, False),
        ({"tag:PatchGroup": ["ord*"]}, False),
        ({"tag:Owner": ["orders"]}, False),
        ({"instance_ids": ["i-2", "i-1"]}, True),
        ({"instance_ids": ["i-2"]}, False),
    ],
)
def test_i13_targets_mean_a_node_to_the_letter(targets: Mapping[str, list[str]], expected: bool) -> None:
    assert selects(targets, "i-1", {"PatchGroup": "orders", "Role": "replica"}) is expected
