"""Waves: every node once, by tag in the configured order, and never two of one group together."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patching.waves import doubts, split
from tests.unit.patching.plans import node


def told(waves: object) -> list[tuple[str, list[str]]]:
    return [(wave.name, [each.id for each in wave.nodes]) for wave in waves]  # type: ignore[attr-defined]


def test_without_anything_there_is_one_wave() -> None:
    assert told(split([node("i-2"), node("i-1")], (), 0, None)) == [("all nodes", ["i-1", "i-2"])]
    assert split([], (), 1, "tag:Cluster") == ()


def test_a_node_goes_with_the_first_selector_that_it_matches_and_the_rest_comes_last() -> None:
    nodes = [
        node("i-1"),
        node("i-2", Role="replica", Zone="a"),
        node("i-3", Role="replica"),
        node("i-4", Role="witness"),
    ]
    selectors = [
        {"tag:Role": ["replica"], "tag:Zone": ["a"]},
        {"tag:Role": ["replica", "witness"]},
        {"tag:Role": ["x"]},
    ]
    assert told(split(nodes, selectors, 0, None)) == [
        ("Role=replica, Zone=a", ["i-2"]),
        ("Role=replica|witness", ["i-3", "i-4"]),
        ("the rest", ["i-1"]),
    ]


def test_the_canary_is_of_the_first_wave_and_is_not_all_there_is() -> None:
    nodes = [node("i-1", Role="primary"), node("i-2", Role="replica"), node("i-3", Role="replica")]
    selectors = [{"tag:Role": ["replica"]}]
    assert told(split(nodes, selectors, 1, None)) == [
        ("canary", ["i-2"]),
        ("Role=replica", ["i-3"]),
        ("the rest", ["i-1"]),
    ]
    assert told(split(nodes, selectors, 2, None)) == [("canary", ["i-2", "i-3"]), ("the rest", ["i-1"])]
    assert told(split(nodes[:1], (), 1, None)) == [("all nodes", ["i-1"])]


def test_partners_of_a_group_are_apart_and_loners_are_in_the_first_part() -> None:
    nodes = [node("i-1", Cluster="a"), node("i-2", Cluster="a"), node("i-3", Cluster="b"), node("i-4")]
    assert told(split(nodes, (), 0, "tag:Cluster")) == [
        ("all nodes, part 1", ["i-1", "i-3", "i-4"]),
        ("all nodes, part 2", ["i-2"]),
    ]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y", ""])), max_size=30),
    st.integers(0, 5),
    st.booleans(),
)
def test_every_node_is_in_exactly_one_wave(tags: list[tuple[str, str]], canary: int, grouped: bool) -> None:
    nodes = [
        node(f"i-{number}", Role=role, **({"Cluster": cluster} if cluster else {}))
        for number, (role, cluster) in enumerate(tags)
    ]
    waves = split(nodes, [{"tag:Role": ["b"]}, {"tag:Role": ["a"]}], canary, "tag:Cluster" if grouped else None)
    assert Counter(each.id for wave in waves for each in wave.nodes) == Counter(each.id for each in nodes)
    assert all(wave.nodes for wave in waves)
    for wave in waves if grouped else ():
        clusters = [each.tags["Cluster"] for each in wave.nodes if "Cluster" in each.tags]
        assert len(clusters) == len(set(clusters))


@pytest.mark.parametrize(
    ("selectors", "canary", "ha_group", "doubted"),
    [
        ([], 0, None, []),
        ([{"tag:Role": ["replica"]}], 1, "tag:Cluster", []),
        ([{"tag:Role": ["replcia"]}], 0, None, ["waves: no node has Role=replcia."]),
        ([{"tag:Role": ["replica"], "tag:Zone": ["a"]}], 0, None, ["waves: no node has Role=replica, Zone=a."]),
        (
            [{"tag:Role": ["replica"]}, {"tag:Cluster": ["a"]}],
            0,
            None,
            ["waves: every node with Cluster=a is in a wave before it."],
        ),
        ([], 0, "tag:Clutser", ["ha_group: no node has the tag Clutser, so none are kept apart."]),
        ([], 2, None, ["canary: 2 would be all of 2 nodes, so none goes first."]),
    ],
)
def test_what_these_nodes_give_no_meaning_is_said(
    selectors: list[dict[str, list[str]]], canary: int, ha_group: str | None, doubted: list[str]
) -> None:
    nodes = [node("i-1", Role="replica", Cluster="a"), node("i-2", Role="primary", Zone="a")]
    assert list(doubts(nodes, selectors, canary, ha_group)) == doubted
