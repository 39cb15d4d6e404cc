"""What AWS plans: whom it reaches, what it would do, when it is open, what bypasses the gate."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from patching.bypasses import Bypass, bypasses
from patching.documents import PatchOperation, document_name, operation_of, patches
from patching.planned import (
    Agenda,
    PlannedAssociation,
    PlannedTask,
    PlannedWindow,
    TargetList,
    as_json,
    from_json,
    still_open,
)
from patching.targets import reached

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
GROUP: TargetList = (("tag:PatchGroup", ("prod",)),)
CHOSEN: TargetList = (("resource-groups:Name", ("all-of-us",)),)
NODES = {"i-00000001": {"PatchGroup": "prod", "Role": "primary"}, "i-00000002": {"PatchGroup": "prod"}}


def task(operation: PatchOperation | None = "Install", *targets: TargetList, document: str = "") -> PlannedTask:
    return PlannedTask("task-1", document or "AWS-RunPatchBaseline", operation, targets or (GROUP,))


def window(*tasks: PlannedTask, **changed: object) -> PlannedWindow:
    made = PlannedWindow(
        id="mw-1",
        name="saturday",
        enabled=True,
        schedule="cron(0 2 ? * SAT *)",
        timezone="Europe/Dublin",
        duration_hours=3,
        cutoff_hours=1,
        written="[]",
        targets=(GROUP,),
        tasks=tasks,
        looked_at=NOW,
    )
    return replace(made, **changed)  # type: ignore[arg-type]  # fields by name


def association(operation: PatchOperation, *targets: TargetList) -> PlannedAssociation:
    return PlannedAssociation("a-1", "1", "association", "ours", "AWS-RunPatchBaseline", operation, "", targets)


@pytest.mark.parametrize(
    ("targets", "reaches"),
    [
        ((("tag:PatchGroup", ("nonprod", "prod")),), True),
        ((("tag:PatchGroup", ("Prod",)),), False),  # values count to the letter
        ((("tag:PatchGroup", ("prod",)), ("tag:Role", ("primary",))), True),
        ((("tag:PatchGroup", ("prod",)), ("tag:Role", ("replica",))), False),  # every key must match
        ((("tag-key", ("Role",)),), True),
        ((("tag-key", ("Owner",)),), False),
        ((("InstanceIds", ("*",)),), True),
        ((("InstanceIds", ("i-00000001", "i-00000009")),), True),
        ((("ParameterValues", ("*",)),), False),  # a parameter with * in it is no wildcard
        ((("ParameterValues", ("i-00000001",)),), True),
        (CHOSEN, None),
        ((*CHOSEN, ("tag:PatchGroup", ("nonprod",))), False),  # whatever the group says, the tag does not match
        ((), True),  # no condition at all
    ],
)
def test_a_node_is_matched_by_ids_and_tags_or_nobody_can_tell(targets: TargetList, reaches: bool | None) -> None:
    primary = {"i-00000001": NODES["i-00000001"]}
    assert reached(primary, [targets]) == {True: tuple(primary), False: (), None: None}[reaches]


def test_any_of_several_target_lists_is_enough_and_none_reaches_nobody() -> None:
    primary: TargetList = (("tag:Role", ("primary",)),)
    assert reached(NODES, [primary]) == ("i-00000001",)
    assert reached(NODES, [primary, GROUP]) == tuple(NODES)
    assert reached(NODES, [CHOSEN, GROUP]) == tuple(NODES)
    assert reached(NODES, [CHOSEN, primary]) is None  # of the second node nobody can tell
    assert reached(NODES, []) == reached({}, [CHOSEN]) == ()


@pytest.mark.parametrize(
    ("document", "parameters", "operation"),
    [
        ("AWS-RunPatchBaseline", {"Operation": ["Scan"]}, "Scan"),
        ("arn:aws:ssm:eu-west-1::document/AWS-RunPatchBaseline:7", {"Operation": ["Install"]}, "Install"),
        ("AWS-RunPatchBaselineWithHooks", {}, "unknown"),
        ("AWS-RunPatchBaselineAssociation", {"Operation": ["{{ Operation }}"]}, "unknown"),
        ("AWS-RunPatchBaseline", {"Operation": ["Scan", "Install"]}, "unknown"),
        ("AWS-InstallWindowsUpdates", {"Action": ["Scan"]}, "Scan"),
        ("AWS-PatchInstanceWithRollback", {"Operation": ["Scan"]}, "Install"),
    ],
)
def test_what_a_document_would_do(document: str, parameters: dict[str, list[str]], operation: str) -> None:
    assert patches(document)
    assert operation_of(document, parameters) == operation


def test_documents_that_are_not_known_to_patch() -> None:
    assert not patches("AWS-RunShellScript")
    assert not patches("arn:aws:lambda:eu-west-1:111111111111:function:AWS-RunPatchBaseline")
    assert document_name("AWS-RunPatchBaseline:3") == "AWS-RunPatchBaseline"


def test_an_agenda_survives_the_store() -> None:
    agenda = Agenda((window(task()),), (("mw-1", NOW),), (association("Scan", GROUP),))
    assert from_json(as_json(agenda)) == agenda
    with pytest.raises(ValueError, match="windows"):
        from_json("{}")


def test_openings_close_before_they_end_and_only_of_enabled_windows() -> None:
    agenda = Agenda((), (("mw-1", NOW), ("mw-2", NOW), ("mw-1", NOW + 24 * HOUR)), ())
    first, second = agenda.openings(window())
    assert (first.opens, first.closes, first.ends) == (NOW, NOW + 2 * HOUR, NOW + 3 * HOUR)
    assert second.opens == NOW + 24 * HOUR
    assert list(agenda.openings(window(enabled=False))) == []


@pytest.mark.parametrize(
    ("begun", "changed", "stays"),
    [
        (timedelta(0), {}, True),
        (3 * HOUR - timedelta(seconds=1), {}, True),
        (3 * HOUR, {}, False),
        (-timedelta(minutes=2), {}, True),  # it may have begun by the time that AWS answered, and was not listed
        (-timedelta(minutes=2), {"written": "[other times]"}, False),
        (-HOUR, {}, False),  # still to come: AWS lists it itself, or no longer
        (HOUR, {"name": "renamed"}, True),
        (HOUR, {"written": "[other times]"}, False),  # nobody knows whether it opened
        (HOUR, {"enabled": False}, False),
    ],
)
def test_an_execution_that_has_begun_stays_while_its_window_does(
    begun: timedelta, changed: dict[str, object], stays: bool
) -> None:
    earlier = Agenda((window(),), (("mw-1", NOW - begun),), ())
    kept = still_open(earlier, {"mw-1": window(**changed)}, NOW)
    assert kept == (earlier.executions if stays else ())
    assert still_open(earlier, {}, NOW) == ()


def test_what_installs_or_may_install_past_the_gate() -> None:
    tasks = (task("Scan"), task("unknown", document="AWS-RunPatchBaselineWithHooks"), task(None), task("Install"))
    agenda = Agenda((window(*tasks),), (("mw-1", NOW - 4 * HOUR), ("mw-1", NOW - HOUR), ("mw-1", NOW + HOUR)), ())
    doing: tuple[tuple[str, PatchOperation], ...] = (
        ("AWS-RunPatchBaseline", "Install"),
        ("AWS-RunPatchBaselineWithHooks", "unknown"),
    )
    found = Bypass("maintenance window", "mw-1", "saturday", doing, 2, NOW - HOUR, "Europe/Dublin")
    assert bypasses(agenda, NODES, NOW) == (found,)
    assert bypasses(agenda, {"i-00000003": {}}, NOW) == ()
    assert bypasses(replace(agenda, windows=(window(*tasks, enabled=False),)), NODES, NOW) == ()
    assert bypasses(replace(agenda, windows=(window(task("Scan")),)), NODES, NOW) == ()


def test_associations_that_install_and_groups_that_nobody_can_resolve() -> None:
    agenda = Agenda((window(task("Install", CHOSEN)),), (), (association("Install", GROUP),))
    by_window, by_association = bypasses(agenda, NODES, NOW)
    assert (by_window.nodes, by_window.next_at) == (None, None)
    assert (by_association.kind, by_association.nodes) == ("association", 2)
    assert bypasses(Agenda((), (), (association("Scan", GROUP),)), NODES, NOW) == ()


def test_a_fingerprint_is_of_what_is_done_not_of_how_many_nodes_there_are() -> None:
    agenda = Agenda((window(task()),), (), ())
    (two,), (one,) = bypasses(agenda, NODES, NOW), bypasses(agenda, {"i-00000002": {"PatchGroup": "prod"}}, NOW)
    assert two.fingerprint == one.fingerprint
    (other,) = bypasses(replace(agenda, windows=(window(task("unknown")),)), NODES, NOW)
    assert other.fingerprint != two.fingerprint


def test_an_agenda_that_was_asked_for_openings_is_written_and_compared_as_before() -> None:
    asked, other = (Agenda((window(),), (("mw-1", NOW),), ()) for _ in range(2))
    assert list(asked.openings(window()))
    assert asked == other
    assert as_json(asked) == as_json(other)
