"""Who else patches the nodes, against the simulated AWS over HTTP."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aws.errors import AccessRefused
from aws.nodes import Nodes
from aws.patchers import OtherPatcher, Patchers
from aws.sessions import Sessions
from aws.target import Target
from patching.model import Node
from sandbox.aws.fleet import Association
from sandbox.aws.server import SimulatedAws
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.fleet import NONPRODUCTION, REGION, small_fleet

START = datetime(2030, 1, 1, tzinfo=UTC)  # a Tuesday
WEEK = START + timedelta(days=7)
ROLE = Target(NONPRODUCTION, REGION, f"arn:aws:iam::{NONPRODUCTION}:role/patchgate")
GROUP = {"tag:PatchGroup": ["app-nonprod"]}
OURS: dict[str, Any] = {"Key": "tag:PatchGroup", "Values": ["app-nonprod"]}
THEIRS: dict[str, Any] = {"Key": "tag:PatchGroup", "Values": ["somebody-else"]}
ROLLBACK = "AWS-PatchInstanceWithRollback"
BASELINE = "AWS-RunPatchBaseline"
INSTALL = {"Operation": ["Install"]}
ON_WEDNESDAY = datetime(2030, 1, 2, 3, tzinfo=UTC)


class Place:
    def __init__(self, world: World, server: SimulatedAws) -> None:
        self.world = world
        self.sessions = Sessions(
            {
                "AWS_ACCESS_KEY_ID": server.base_key(NONPRODUCTION),
                "AWS_SECRET_ACCESS_KEY": "not-a-secret",
                "AWS_ENDPOINT_URL": server.url,
            }
        )
        self.ssm = self.sessions.client("ssm", ROLE)
        self.nodes = Nodes(self.sessions).resolve(ROLE, GROUP)
        self.ids = tuple(node.id for node in self.nodes)
        self.calls_before = len(world.ssm_log)

    def others(
        self,
        *,
        nodes: Sequence[Node] | None = None,
        targets: Mapping[str, Sequence[str]] = GROUP,
        after: datetime = START,
        before: datetime = WEEK,
    ) -> tuple[OtherPatcher, ...]:
        self.calls_before = len(self.world.ssm_log)
        asked = self.nodes if nodes is None else nodes
        return Patchers(self.sessions).others(ROLE, asked, targets, after, before)

    def calls(self) -> list[str]:
        """SSM's operations that the last `others` asked for."""
        return [call.operation for call in list(self.world.ssm_log.calls())[self.calls_before :]]

    def window(self, *targets: dict[str, Any], day: str = "WED", name: str = "nightly") -> tuple[str, str]:
        """A window at 03:00 UTC on one day of the week, over `targets`; its id and the registered target's."""
        window_id = self.ssm.create_maintenance_window(
            Name=name, Schedule=f"cron(0 3 ? * {day} *)", Duration=2, Cutoff=1, AllowUnassociatedTargets=True
        )["WindowId"]
        return window_id, self.register(window_id, *targets)

    def register(self, window_id: str, *targets: dict[str, Any]) -> str:
        return self.ssm.register_target_with_maintenance_window(
            WindowId=window_id, ResourceType="INSTANCE", Targets=_typed(targets or (OURS,))
        )["WindowTargetId"]

    def task(self, window_id: str, *targets: dict[str, Any], document: str = BASELINE, **task: Any) -> None:
        """A task on `targets`; `run` or `automate` are its parameters, other words RegisterTask's own."""
        given: dict[str, Any] = {"TaskType": "AUTOMATION" if "automate" in task else "RUN_COMMAND"}
        for word, kind in (("run", "RunCommand"), ("automate", "Automation")):
            if (parameters := task.pop(word, None)) is not None:
                given["TaskInvocationParameters"] = {kind: {"Parameters": parameters} if parameters else {}}
        if targets:
            given["Targets"] = list(targets)
        self.ssm.register_task_with_maintenance_window(
            WindowId=window_id, TaskArn=document, MaxConcurrency="1", MaxErrors="0", **{**given, **task}
        )


@pytest.fixture
def place() -> Iterator[Place]:
    yield from serve(3)


@pytest.fixture
def many() -> Iterator[Place]:
    yield from serve(60)


def serve(nonprod: int) -> Iterator[Place]:
    world = World(SandboxClock(START, rate=0), small_fleet(nonprod=nonprod))
    with SimulatedAws(world) as server:
        yield Place(world, server)


def _typed(targets: Sequence[Any]) -> Any:
    """Tests write targets as plain dictionaries; boto3's stubs want their own type."""
    return list(targets)


def referring(*target_ids: str) -> dict[str, Any]:
    return {"Key": "WindowTargetIds", "Values": list(target_ids)}


# --- Maintenance windows


def test_an_install_task_is_told_with_its_nodes_and_its_next_time(place: Place) -> None:
    window_id, target_id = place.window()
    place.task(window_id, referring(target_id), run=INSTALL)
    assert place.others() == (OtherPatcher("window", window_id, "nightly", "Install", place.ids, ON_WEDNESDAY),)


@pytest.mark.parametrize(
    ("task", "operation"),
    [
        ({"run": {"Operation": ["Scan"]}}, "Scan"),
        ({"run": {"Operation": ["{{ssm:patch-operation}}"]}}, "unknown"),
        ({"run": {"RebootOption": ["NoReboot"]}}, "unknown"),
        ({"TaskParameters": {"Operation": {"Values": ["Install"]}}}, "Install"),
        ({"document": "AWS-RunPatchBaselineWithHooks", "automate": INSTALL}, "Install"),
        ({"document": "Patchgate-InstallWithHooks", "automate": INSTALL}, "Install"),
        ({"document": "AWS-RunPatchBaselineAssociation", "automate": {"Operation": ["Scan"]}}, "Scan"),
        ({"document": "AWS-ApplyPatchBaseline", "automate": INSTALL}, "Install"),
        ({"document": "AWS-InstallWindowsUpdates", "automate": {"Action": ["Install"]}}, "Install"),
        ({"document": ROLLBACK, "automate": {"InstanceId": ["{{RESOURCE_ID}}"]}}, "Install"),
        ({"document": f"arn:aws:ssm:{REGION}:333333333333:document/{ROLLBACK}", "automate": {}}, "Install"),
        ({"document": f"{ROLLBACK}:3", "automate": {}}, "Install"),
    ],
)
def test_what_a_task_does(place: Place, task: dict[str, Any], operation: str) -> None:
    window_id, target_id = place.window()
    place.task(window_id, referring(target_id), **task)
    (found,) = place.others()
    assert (found.operation, found.node_ids) == (operation, place.ids)


@pytest.mark.parametrize(
    "task",
    [
        {"document": "AWS-RestartEC2Instance", "automate": {}},
        {"document": "Acme-AWS-RunPatchBaseline", "automate": INSTALL},
        {"document": f"arn:aws:lambda:{REGION}:{NONPRODUCTION}:function:{BASELINE}", "TaskType": "LAMBDA"},
    ],
)
def test_a_task_that_does_not_patch_is_left_out(place: Place, task: dict[str, Any]) -> None:
    window_id, target_id = place.window()
    place.task(window_id, referring(target_id), **task)
    assert place.others() == ()
    assert "GetMaintenanceWindowTask" not in place.calls()


def test_a_task_on_other_nodes_of_the_window_is_left_out(place: Place) -> None:
    window_id, _ = place.window(OURS)
    theirs = place.register(window_id, THEIRS)
    place.task(window_id, referring(theirs), run=INSTALL)
    place.task(window_id, THEIRS, run=INSTALL)
    assert place.others() == ()


@pytest.mark.parametrize(
    ("targets", "hit"),
    [
        ([{"Key": "InstanceIds", "Values": ["{0}", "i-0123456789abcdef0"]}], [0]),
        ([{"Key": "tag:Name", "Values": ["app-nonprod-2"]}], ["app-nonprod-2"]),
        ([{"Key": "tag-key", "Values": ["PatchGroup"]}], [0, 1, 2]),
        ([OURS, {"Key": "tag:Name", "Values": ["app-nonprod-1", "app-nonprod-3"]}], ["app-nonprod-1", "app-nonprod-3"]),
        ([OURS, {"Key": "resource-groups:Name", "Values": ["databases"]}], None),
    ],
)
def test_a_node_must_match_all_targets_of_one_registration(
    place: Place, targets: list[dict[str, Any]], hit: list[int | str] | None
) -> None:
    written = [{**each, "Values": [value.format(place.ids[0]) for value in each["Values"]]} for each in targets]
    by_name = {node.name: node.id for node in place.nodes}
    window_id, _ = place.window(OURS)
    target_id = place.register(window_id, *written)
    place.task(window_id, referring(target_id), run=INSTALL)
    (found,) = place.others()
    expected = hit and tuple(sorted(by_name[each] if isinstance(each, str) else place.ids[each] for each in hit))
    assert found.node_ids == expected


def test_an_automation_may_name_its_node_in_its_parameters(place: Place) -> None:
    window_id, _ = place.window()
    place.task(window_id, document=ROLLBACK, automate={"InstanceId": [place.ids[1]]})
    place.task(window_id, document=ROLLBACK, automate={"InstanceId": ["i-0123456789abcdef0"]})
    assert [found.node_ids for found in place.others()] == [(place.ids[1],)]


def test_a_window_on_ids_or_on_another_tag_is_found_too(place: Place) -> None:
    by_id, _ = place.window({"Key": "InstanceIds", "Values": [place.ids[2]]}, name="by-id")
    by_tag, _ = place.window({"Key": "tag:Environment", "Values": ["nonproduction"]}, name="by-tag")
    for window_id, target in ((by_id, {"Key": "InstanceIds", "Values": [place.ids[2]]}), (by_tag, OURS)):
        place.task(window_id, target, run=INSTALL)
    for targets in (GROUP, {"instance_ids": list(place.ids)}):
        found = place.others(targets=targets)
        assert {each.name: each.node_ids for each in found} == {"by-id": (place.ids[2],), "by-tag": place.ids}


def test_a_disabled_window_is_left_out(place: Place) -> None:
    window_id, target_id = place.window()
    place.task(window_id, referring(target_id), run=INSTALL)
    place.ssm.update_maintenance_window(WindowId=window_id, Enabled=False)
    assert place.others() == ()
    assert "DescribeMaintenanceWindowTasks" not in place.calls()


@pytest.mark.parametrize(
    ("after", "before", "next_at"),
    [
        (ON_WEDNESDAY, WEEK, ON_WEDNESDAY),
        (START, ON_WEDNESDAY, None),
        (ON_WEDNESDAY + timedelta(seconds=1), WEEK, None),
        (ON_WEDNESDAY + timedelta(seconds=1), WEEK + timedelta(7), ON_WEDNESDAY + timedelta(7)),
    ],
)
def test_the_next_time_is_within_the_period(
    place: Place, after: datetime, before: datetime, next_at: datetime | None
) -> None:
    window_id, target_id = place.window()
    place.task(window_id, referring(target_id), run=INSTALL)
    (found,) = place.others(after=after, before=before)
    assert found.next_at == next_at


def test_installs_come_first_then_the_soonest(place: Place) -> None:
    for name, day, operation in (("scans", "TUE", "Scan"), ("later", "FRI", "Install"), ("soon", "THU", "Install")):
        window_id, target_id = place.window(day=day, name=name)
        place.task(window_id, referring(target_id), run={"Operation": [operation]})
    assert [found.name for found in place.others()] == ["soon", "later", "scans"]


def test_two_tasks_of_a_window_are_told_once_for_each_thing_they_do(place: Place) -> None:
    window_id, target_id = place.window()
    for operation in ("Scan", "Install", "Install"):
        place.task(window_id, referring(target_id), run={"Operation": [operation]})
    assert [found.operation for found in place.others()] == ["Install", "Scan"]


# --- State Manager


def associate(place: Place, document: str, parameters: dict[str, list[str]], name: str = "", **targets: Any) -> str:
    """Its id. `targets` are written as State Manager writes them, and are our patch group unless given."""
    region = place.world.region(NONPRODUCTION, REGION)
    with place.world.lock:
        spec = Association(document, {key: tuple(values) for key, values in parameters.items()}, name)
        return region.add_association(spec, targets.get("targets", [OURS]), START).id


POLICY = {
    "Operation": ["Install"],
    "BaselineOverride": ["s3://aws-quicksetup-patchpolicy-111111111111-abcde/baseline_overrides.json"],
    "AssociationId": ["00000000-0000-0000-0000-000000000001"],
}


@pytest.mark.parametrize(
    ("document", "parameters", "kind", "operation"),
    [
        (BASELINE, INSTALL, "association", "Install"),
        (BASELINE, {"Operation": ["Scan"]}, "association", "Scan"),
        (BASELINE, {}, "association", "unknown"),
        ("AWS-RunPatchBaselineAssociation", INSTALL, "association", "Install"),
        (BASELINE, POLICY, "patch policy", "Install"),
        (BASELINE, POLICY | {"Operation": ["Scan"]}, "patch policy", "Scan"),
        (BASELINE, POLICY | {"AssociationId": [""]}, "association", "Install"),
        (BASELINE, {**INSTALL, "AssociationId": POLICY["AssociationId"]}, "association", "Install"),
    ],
)
def test_an_association_that_patches(
    place: Place, document: str, parameters: dict[str, list[str]], kind: str, operation: str
) -> None:
    association_id = associate(place, document, parameters, "weekly")
    (found,) = place.others()
    assert (found.kind, found.id, found.name, found.operation) == (kind, association_id, "weekly", operation)
    assert (found.node_ids, found.next_at) == (place.ids, None)


def test_an_association_without_a_name_has_its_documents(place: Place) -> None:
    associate(place, BASELINE, INSTALL)
    assert [found.name for found in place.others()] == [BASELINE]


@pytest.mark.parametrize(
    ("targets", "hit"),
    [
        ([{"Key": "InstanceIds", "Values": ["*"]}], "all"),
        ([{"Key": "InstanceIds", "Values": ["{0}"]}], "first"),
        ([{"Key": "ParameterValues", "Values": ["{0}"]}], "first"),
        ([{"Key": "resource-groups:Name", "Values": ["databases"]}], "untold"),
        ([THEIRS], "none"),
        ([{"Key": "InstanceIds", "Values": ["i-0123456789abcdef0"]}], "none"),
    ],
)
def test_whom_an_association_reaches(place: Place, targets: list[dict[str, Any]], hit: str) -> None:
    written = [{**each, "Values": [value.format(place.ids[0]) for value in each["Values"]]} for each in targets]
    associate(place, BASELINE, INSTALL, targets=written)
    reached = {"all": [place.ids], "first": [place.ids[:1]], "untold": [None], "none": []}[hit]
    assert [found.node_ids for found in place.others()] == reached
    assert place.calls().count("DescribeAssociation") == (0 if hit == "none" else 1)


def test_associations_that_do_not_patch_are_not_looked_into(place: Place) -> None:
    for document in ("AWS-GatherSoftwareInventory", "AWS-UpdateSSMAgent", "Acme-Patch"):
        associate(place, document, INSTALL)
    assert place.others() == ()
    assert "DescribeAssociation" not in place.calls()


# --- Calls


def test_nobody_else_costs_one_call_for_the_tags_one_for_each_50_nodes_and_one_for_associations(many: Place) -> None:
    assert many.others() == ()
    assert many.calls() == ["DescribeMaintenanceWindowsForTarget"] * 3 + ["ListAssociations"]


def test_each_window_and_association_is_looked_into_once(many: Place) -> None:
    window_id, target_id = many.window()
    for operation in ("Scan", "Install"):
        many.task(window_id, referring(target_id), run={"Operation": [operation]})
    quiet, _ = many.window(name="quiet")
    many.task(quiet, OURS, document="AWS-RestartEC2Instance", automate={})
    for number in range(51):
        associate(many, "AWS-GatherSoftwareInventory", {}, f"inventory-{number}")
    associate(many, BASELINE, INSTALL)
    assert len(many.others()) == 3
    calls = many.calls()
    assert {operation: calls.count(operation) for operation in calls} == {
        "DescribeMaintenanceWindowsForTarget": 3,
        "DescribeMaintenanceWindows": 1,
        "DescribeMaintenanceWindowTasks": 2,
        "GetMaintenanceWindowTask": 2,
        "DescribeMaintenanceWindowTargets": 1,
        "DescribeMaintenanceWindowSchedule": 1,
        "ListAssociations": 2,
        "DescribeAssociation": 1,
    }


def test_no_nodes_no_calls(place: Place) -> None:
    assert place.others(nodes=()) == ()
    assert place.calls() == []


@pytest.mark.parametrize("operation", ["DescribeMaintenanceWindowsForTarget", "ListAssociations"])
def test_what_may_not_be_asked_is_an_error_not_a_nobody(place: Place, operation: str) -> None:
    place.world.faults.add("ssm", operation, "access-denied")
    with pytest.raises(AccessRefused, match=f"allow ssm:{operation}"):
        place.others()


def test_a_node_that_moved_to_other_tags_is_not_reached_by_the_old_ones(place: Place) -> None:
    window_id, target_id = place.window()
    place.task(window_id, referring(target_id), run=INSTALL)
    moved = replace(place.nodes[0], tags={"PatchGroup": "elsewhere"})
    (found,) = place.others(nodes=(moved, *place.nodes[1:]))
    assert found.node_ids == place.ids[1:]
