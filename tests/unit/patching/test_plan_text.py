"""A plan in words: what the golden files don't show."""

from dataclasses import replace

import pytest

from patching.execution import Execution
from patching.plan import Document, Documents, PlanStep, install_plan, scan_plan
from patching.plan_json import plan_of, step_json
from patching.plan_summary import summary
from patching.plan_text import plan_text
from tests.unit.patching.plans import DOCUMENT, installing, node

HOSTILE = "db\n   1 install   nothing\x1b[31m\u202e ```"


def test_a_tag_or_a_name_can_t_pass_for_a_line_of_the_plan() -> None:
    settings = {"waves": [{"tag:Role": [HOSTILE]}], "canary": 1}
    nodes = [node(f"i-{number}", Role=HOSTILE) for number in range(3)]
    plan = install_plan(
        Execution.model_validate(settings), Documents(DOCUMENT, DOCUMENT), nodes, pinned=True, gated=True
    )
    text = plan_text(plan, {each.id: HOSTILE for each in nodes}, "Install", production=True)
    assert all(line.isprintable() for line in text.splitlines())
    assert len([line for line in text.splitlines() if line.startswith("    1 install")]) == 1
    assert summary(plan, {each.id: HOSTILE for each in nodes}).isprintable()


def test_a_node_without_a_name_is_its_id() -> None:
    text = plan_text(installing(["i-1", "i-2"]), {"i-1": "", "i-2": "i-2"}, "Install", production=True)
    assert "      i-1  i-2\n" in text
    assert summary(installing(["i-1"]), {}) == "1 wave: i-1; reboots if needed."


def test_a_document_without_a_hash_is_told_as_one() -> None:
    plan = installing(["i-1"], document=replace(DOCUMENT, hash=""))
    assert "version 1\n            AWS gives no hash of it" in plan_text(plan, {}, "Install", production=True)


def test_many_waves_are_counted_in_the_summary() -> None:
    nodes = [node(f"i-{number:02}", Cluster="a") for number in range(9)]
    execution = Execution.model_validate({"ha_group": "tag:Cluster"})
    plan = install_plan(execution, Documents(DOCUMENT, DOCUMENT), nodes, pinned=True, gated=True)
    assert summary(plan, {}) == (
        "9 waves: all nodes, part 1 (i-00) → all nodes, part 2 (i-01) → all nodes, part 3 (i-02) → 5 more → "
        "all nodes, part 9 (i-08); reboots if needed."
    )


def test_where_nothing_is_installed_there_is_no_summary() -> None:
    assert summary(scan_plan(DOCUMENT, ["i-1"]), {}) == ""
    assert summary((), {}) == ""


@pytest.mark.parametrize(
    "stored",
    [None, [], "plan", [1], [{"kind": "install"}]],
    ids=["none", "empty", "text", "no step", "an earlier release's"],
)
def test_what_is_no_plan_of_this_release_is_none(stored: object) -> None:
    assert plan_of(stored) == ()


def test_a_stored_plan_is_the_plan() -> None:
    plan = installing(["i-1", "i-2"], document=Document("AWS-RunPatchBaseline", "9", "e" * 64, DOCUMENT.parameters))
    assert plan_of([step_json(step) for step in plan]) == tuple(_without_parameter_names(step) for step in plan)


def _without_parameter_names(step: PlanStep) -> PlanStep:
    return replace(step, document=replace(step.document, parameters=frozenset()))
