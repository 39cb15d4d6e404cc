"""Which production nodes a comparison speaks for, and who stands for them."""

from dataclasses import replace

from patching.compare import compare
from patching.coverage import Coverage
from patching.model import Node
from tests.unit.patching.build import DEBIAN, REDHAT, evidence


def node(name: str, power: str = "running", ping: str | None = "Online") -> Node:
    return Node(f"i-{name}", name, power, ping, DEBIAN if ping else None)


SOURCE = [evidence("np2"), evidence("np1"), evidence("np3", platform=REDHAT)]


def test_every_node_has_its_place() -> None:
    target = [evidence("p1"), evidence("p3"), evidence("p5", counts={"MissingCount": -1}), evidence("gone")]
    nodes = [
        node("p1"),
        node("p2"),
        node("p3", power="stopped"),
        node("p4", ping=None),
        node("p5"),
        replace(node("p6", ping="ConnectionLost"), platform=REDHAT),
    ]
    comparison = compare(SOURCE, target, target_nodes=nodes)
    assert comparison.coverage == Coverage(
        seen=("i-p1", "i-p3"),
        without_evidence=("i-p2", "i-p4", "i-p5", "i-p6"),
        stopped=("i-p3",),
        unmanaged=("i-p4",),
        never_answered=("i-p6",),
        representatives={
            "i-p1": ("i-np1", "i-np2"),
            "i-p2": ("i-np1", "i-np2"),
            "i-p3": ("i-np1", "i-np2"),
            "i-p4": (),
            "i-p5": ("i-np1", "i-np2"),
            "i-p6": ("i-np3",),
        },
    )
    assert comparison.coverage.unrepresented == ("i-p4",)


def test_source_nodes_that_left_or_can_not_be_read_stand_for_nobody() -> None:
    source = [*SOURCE, evidence("np4", counts={"InstalledCount": -1})]
    kept = compare(source, [evidence("p1")], source_nodes=[node("np1"), node("np4")]).coverage
    assert kept.representatives == {"i-p1": ("i-np1",)}


def test_without_nodes_the_evidence_names_them() -> None:
    assert compare(SOURCE, [evidence("p1", platform=REDHAT)]).coverage == Coverage(
        seen=("i-p1",), representatives={"i-p1": ("i-np3",)}
    )
