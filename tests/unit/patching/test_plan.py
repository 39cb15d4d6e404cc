"""Plans: explicit nodes, at most 50 a step, verification after all installs, nothing that a document lacks."""

import pytest

from patching.model import Operation
from patching.plan import Document, PlanStep, StepKind, install_plan, parameters_for, scan_plan

DOCUMENT = Document("AWS-RunPatchBaseline", "1", "d" * 64)


def ids(count: int) -> list[str]:
    return [f"i-{number:04}" for number in reversed(range(count))]


def sizes(plan: tuple[PlanStep, ...]) -> list[tuple[StepKind, int, int]]:
    return [(step.kind, step.position, len(step.node_ids)) for step in plan]


@pytest.mark.parametrize(
    ("count", "batches"), [(1, [1]), (50, [50]), (51, [50, 1]), (120, [50, 50, 20])], ids=["1", "50", "51", "120"]
)
def test_i13_steps_name_every_node_once_at_most_fifty_each(count: int, batches: list[int]) -> None:
    scan = scan_plan(DOCUMENT, ids(count))
    assert sizes(scan) == [(StepKind.SCAN, position, size) for position, size in enumerate(batches, start=1)]
    assert [node for step in scan for node in step.node_ids] == sorted(ids(count))


def test_verification_follows_all_installs() -> None:
    plan = install_plan(DOCUMENT, ids(51), "RebootIfNeeded", pinned=True)
    assert sizes(plan) == [
        (StepKind.INSTALL, 1, 50),
        (StepKind.INSTALL, 2, 1),
        (StepKind.VERIFY, 3, 50),
        (StepKind.VERIFY, 4, 1),
    ]
    assert [step.operation for step in plan] == [Operation.INSTALL] * 2 + [Operation.SCAN] * 2


def test_an_install_stops_at_the_first_error_and_a_scan_never_does() -> None:
    install, verify = install_plan(DOCUMENT, ids(2), "NoReboot", pinned=True)
    assert (install.max_concurrency, install.max_errors, install.pinned) == ("50%", "0", True)
    assert install.parameters == {"Operation": ("Install",), "RebootOption": ("NoReboot",)}
    assert (verify.max_concurrency, verify.max_errors, verify.pinned) == ("100%", "100%", False)
    assert verify.parameters == {"Operation": ("Scan",)}


def test_a_node_given_twice_is_planned_once() -> None:
    (step,) = scan_plan(DOCUMENT, ["i-1", "i-1"])
    assert step.node_ids == ("i-1",)


def test_only_parameters_that_the_document_has() -> None:
    assert parameters_for(Operation.INSTALL, "NoReboot", frozenset({"Operation"})) == {"Operation": ("Install",)}


@pytest.mark.parametrize("lacking", ["Operation", "SnapshotId", "RebootOption", "InstallOverrideList"])
def test_a_document_that_can_t_carry_the_plan_is_refused(lacking: str) -> None:
    document = Document("Acme-Patch", "3", "d", DOCUMENT.parameters - {lacking})
    with pytest.raises(ValueError, match=f"Acme-Patch version 3 has no parameter {lacking}"):
        install_plan(document, ids(1), "RebootIfNeeded", pinned=True)


def test_an_unpinned_install_needs_no_override_list() -> None:
    document = Document("AWS-RunPatchBaselineWithHooks", "1", "d", DOCUMENT.parameters - {"InstallOverrideList"})
    assert not any(step.pinned for step in install_plan(document, ids(1), "RebootIfNeeded", pinned=False))


def test_no_node_no_plan() -> None:
    with pytest.raises(ValueError, match="no node"):
        scan_plan(DOCUMENT, [])
