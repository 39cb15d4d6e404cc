"""Plans: explicit nodes, at most 50 a step, verification after all installs, nothing that a document lacks."""

from typing import Any

import pytest

from patching.execution import Execution
from patching.model import Operation
from patching.plan import (
    NO_DOCUMENT,
    Document,
    Documents,
    PlanStep,
    StepKind,
    install_plan,
    parameters_for,
    scan_plan,
    share,
)
from tests.unit.patching.plans import DOCUMENT, installing, node


def ids(count: int) -> list[str]:
    return [f"i-{number:04}" for number in reversed(range(count))]


def sizes(plan: tuple[PlanStep, ...]) -> list[tuple[StepKind, int, int]]:
    return [(step.kind, step.position, len(step.node_ids)) for step in plan]


def planned(settings: dict[str, Any], nodes: int = 4, *, gated: bool = True, **documents: Any) -> tuple[PlanStep, ...]:
    members = [node(node_id, Role="replica" if index else "primary") for index, node_id in enumerate(ids(nodes))]
    found = Documents(**({"scan": DOCUMENT, "install": DOCUMENT} | documents))
    return install_plan(Execution.model_validate(settings), found, members, pinned=gated, gated=gated)


def kinds(plan: tuple[PlanStep, ...]) -> list[tuple[int, str, str]]:
    return [(step.wave, step.kind.value, step.document.name) for step in plan]


@pytest.mark.parametrize(
    ("count", "batches"), [(1, [1]), (50, [50]), (51, [50, 1]), (120, [50, 50, 20])], ids=["1", "50", "51", "120"]
)
def test_i13_steps_name_every_node_once_at_most_fifty_each(count: int, batches: list[int]) -> None:
    scan = scan_plan(DOCUMENT, ids(count))
    assert sizes(scan) == [(StepKind.SCAN, position, size) for position, size in enumerate(batches, start=1)]
    assert [node for step in scan for node in step.node_ids] == sorted(ids(count))


def test_verification_follows_all_installs() -> None:
    plan = installing(ids(51))
    assert sizes(plan) == [
        (StepKind.INSTALL, 1, 50),
        (StepKind.INSTALL, 2, 1),
        (StepKind.VERIFY, 3, 50),
        (StepKind.VERIFY, 4, 1),
    ]
    assert [step.operation for step in plan] == [Operation.INSTALL] * 2 + [Operation.SCAN] * 2


def test_an_install_stops_at_the_first_error_and_a_scan_never_does() -> None:
    install, verify = planned({"reboot": "NoReboot"}, nodes=2)
    assert (install.max_concurrency, install.max_errors, install.pinned) == ("1", "0", True)
    assert install.parameters == {"Operation": ("Install",), "RebootOption": ("NoReboot",)}
    assert (verify.max_concurrency, verify.max_errors, verify.pinned) == ("100%", "100%", False)
    assert verify.parameters == {"Operation": ("Scan",)}


@pytest.mark.parametrize(
    ("limit", "count", "nodes"),
    [
        ("50%", 1, 0),
        ("50%", 3, 1),
        ("50%", 4, 2),
        ("100%", 7, 7),
        ("10", 7, 7),
        ("3", 7, 3),
        ("0", 7, 0),
        ("9%", 50, 4),
    ],
)
def test_a_limit_is_rounded_down_to_whole_nodes(limit: str, count: int, nodes: int) -> None:
    assert share(limit, count) == nodes


def test_the_rate_is_the_waves_and_every_step_knows_it() -> None:
    plan = planned({"rate": {"max_concurrency": "25%", "max_errors": "2%"}}, nodes=120)
    installs = [step for step in plan if step.kind is StepKind.INSTALL]
    assert [(step.max_concurrency, step.max_errors, step.settings["at_once"]) for step in installs] == [
        ("30", "2", 30),
        ("30", "2", 30),
        ("20", "2", 30),
    ]
    # Nodes that wait for their turn within a command need the time of those before them.
    assert [step.delivery_timeout for step in installs] == [600 + 7200, 600 + 7200, 600]


def test_one_node_may_always_be_patched() -> None:
    (install, _) = planned({}, nodes=1)
    assert install.max_concurrency == "1"


def test_waves_come_one_after_the_other_each_with_its_gate_and_its_scan() -> None:
    plan = planned({"waves": [{"tag:Role": ["replica"]}], "canary": 1})
    assert [(step.wave, step.kind.value, step.settings["wave_name"], list(step.node_ids)) for step in plan] == [
        (1, "install", "canary", ["i-0000"]),
        (1, "verify", "canary", ["i-0000"]),
        (2, "gate", "Role=replica", ["i-0001", "i-0002"]),
        (2, "install", "Role=replica", ["i-0001", "i-0002"]),
        (2, "verify", "Role=replica", ["i-0001", "i-0002"]),
        (3, "gate", "the rest", ["i-0003"]),
        (3, "install", "the rest", ["i-0003"]),
        (3, "verify", "the rest", ["i-0003"]),
    ]


def test_what_is_not_gated_has_waves_but_neither_gates_nor_backups() -> None:
    plan = planned({"canary": 1, "backup": {"kind": "image"}}, gated=False)
    assert [step.kind.value for step in plan] == ["install", "verify", "install", "verify"]


def test_backups_come_first_and_the_gate_looks_again_after_them() -> None:
    plan = planned({"backup": {"kind": "snapshots"}}, backup=Document("DumpOrders", "2", "b" * 64))
    assert kinds(plan) == [
        (0, "backup", "DumpOrders"),
        (0, "backup", ""),
        (1, "gate", DOCUMENT.name),
        (1, "install", DOCUMENT.name),
        (1, "verify", DOCUMENT.name),
    ]
    assert (plan[1].document, len(plan[1].node_ids)) == (NO_DOCUMENT, 4)
    assert plan[1].settings == {"wave_name": "all nodes", "take": "snapshots", "step_seconds": 7200}


def test_health_is_a_wait_and_alarms_and_then_a_document() -> None:
    plan = planned({"health": {"wait": "5m", "alarms": ["orders-5xx"]}}, health=Document("CheckOrders", "1", "c" * 64))
    assert kinds(plan) == [
        (1, "install", DOCUMENT.name),
        (1, "health", ""),
        (1, "health", "CheckOrders"),
        (1, "verify", DOCUMENT.name),
    ]
    assert (plan[1].settings["wait_seconds"], plan[1].settings["alarms"]) == (300, ["orders-5xx"])


def test_hooks_are_parameters_and_their_content_is_bound() -> None:
    hooked = Document("Patchgate-InstallWithHooks", "1", "e" * 64, DOCUMENT.parameters | {"OnExitHookDocName"})
    hook = Document("StartOrders", "4", "f" * 64)
    install, verify = planned(
        {"hooks": {"on_exit": "StartOrders"}}, install=hooked, hooks={"OnExitHookDocName": hook}, nodes=1
    )
    assert install.document == hooked
    assert install.parameters["OnExitHookDocName"] == ("StartOrders",)
    assert install.settings["hooks"] == {"OnExitHookDocName": {"name": "StartOrders", "version": "4", "hash": "f" * 64}}
    assert verify.document == DOCUMENT


def test_a_hooks_document_without_place_for_a_hook_is_refused() -> None:
    with pytest.raises(ValueError, match="has no parameter PreInstallHookDocName"):
        planned({"hooks": {"pre_install": "DrainOrders"}})


def test_a_node_given_twice_is_planned_once() -> None:
    (step,) = scan_plan(DOCUMENT, ["i-1", "i-1"])
    assert step.node_ids == ("i-1",)
    assert len(installing(["i-1", "i-1"])[0].node_ids) == 1


def test_only_parameters_that_the_document_has() -> None:
    assert parameters_for(Operation.INSTALL, "NoReboot", frozenset({"Operation"})) == {"Operation": ("Install",)}


@pytest.mark.parametrize("lacking", ["Operation", "SnapshotId", "RebootOption", "InstallOverrideList"])
def test_a_document_that_can_t_carry_the_plan_is_refused(lacking: str) -> None:
    document = Document("Acme-Patch", "3", "d", DOCUMENT.parameters - {lacking})
    with pytest.raises(ValueError, match=f"Acme-Patch version 3 has no parameter {lacking}"):
        installing(ids(1), document=document)


def test_an_unpinned_install_needs_no_override_list() -> None:
    document = Document("AWS-RunPatchBaselineWithHooks", "1", "d", DOCUMENT.parameters - {"InstallOverrideList"})
    assert not any(step.pinned for step in installing(ids(1), pinned=False, document=document))


@pytest.mark.parametrize("plan", [lambda: scan_plan(DOCUMENT, []), lambda: installing([])], ids=["scan", "install"])
def test_no_node_no_plan(plan: Any) -> None:
    with pytest.raises(ValueError, match="no node"):
        plan()
