"""Associations and windows that patch behind anybody's back (facts/patch-manager.md section 5)."""

from datetime import datetime, timedelta

import pytest

from sandbox.aws.fleet import Association
from sandbox.aws.model import SsmError
from sandbox.fleet import small_fleet
from tests.unit.simulated_aws.support import OPENSSL, START, Rig, upgrade

INSTALL = {"Operation": ("Install",)}
POLICY = {"Operation": ("Install",), "BaselineOverride": ("s3://quick-setup/overrides.json",), "AssociationId": ("a",)}


def statuses(world: Rig, node: int = 0) -> list[tuple[str, str]]:
    answer = world.call("DescribeInstanceAssociationsStatus", InstanceId=world.ids[node])
    return [(info["Name"], info["AssociationId"]) for info in answer["InstanceAssociationStatusInfos"]]


def test_an_association_shows_on_its_nodes_and_tells_its_parameters_when_asked() -> None:
    world = Rig(small_fleet(nonprod=2))
    made = world.world.add_association(world.ids[:1], "AWS-RunPatchBaseline", POLICY, "nightly")
    assert statuses(world, 0) == [("AWS-RunPatchBaseline", made)]
    assert statuses(world, 1) == []
    described = world.call("DescribeAssociation", AssociationId=made)["AssociationDescription"]
    assert described["Parameters"] == {name: list(values) for name, values in POLICY.items()}
    assert described["Targets"] == [{"Key": "InstanceIds", "Values": world.ids[:1]}]
    [listed] = world.call("ListAssociations")["Associations"]
    assert (listed["AssociationName"], listed["ScheduleExpression"]) == ("nightly", "rate(30 days)")
    assert "Parameters" not in listed


def test_a_fleet_s_association_follows_its_patch_group() -> None:
    association = Association("AWS-RunPatchBaselineAssociation", INSTALL)
    world = Rig(small_fleet(nonprod=2, associations=(association,)))
    for node in (0, 1):
        assert [name for name, _ in statuses(world, node)] == ["AWS-RunPatchBaselineAssociation"]
    [listed] = world.call("ListAssociations")["Associations"]
    assert listed["Targets"] == [{"Key": "tag:PatchGroup", "Values": ["app-nonprod"]}]


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("Name", "AWS-RunPatchBaseline", 1),
        ("Name", "AWS-UpdateSSMAgent", 0),
        ("AssociationName", "nightly", 1),
        # Only associations that were made for one id, without targets, are found by it.
        ("InstanceId", "i-the-node-s-own", 0),
        ("ResourceGroupName", "any", 0),
    ],
)
def test_associations_are_listed_by_filter(key: str, value: str, found: int) -> None:
    world = Rig(small_fleet())
    world.world.add_association(world.ids, "AWS-RunPatchBaseline", INSTALL, "nightly")
    filters = [{"key": key, "value": world.ids[0] if key == "InstanceId" else value}]
    assert len(world.call("ListAssociations", AssociationFilterList=filters)["Associations"]) == found


def test_associations_come_in_pages() -> None:
    world = Rig(small_fleet())
    made = [world.world.add_association(world.ids, "AWS-RunPatchBaseline", INSTALL) for _ in range(3)]
    first = world.call("ListAssociations", MaxResults=2)
    second = world.call("ListAssociations", MaxResults=2, NextToken=first["NextToken"])
    assert [a["AssociationId"] for page in (first, second) for a in page["Associations"]] == made
    assert "NextToken" not in second


def test_an_association_that_is_not_there_is_refused() -> None:
    world = Rig(small_fleet())
    with pytest.raises(SsmError, match="AssociationDoesNotExist"):
        world.call("DescribeAssociation", AssociationId="01234567-89ab-cdef-0123-456789abcdef")
    with pytest.raises(KeyError):
        world.world.add_association(["i-0"], "AWS-RunPatchBaseline", INSTALL)


def test_an_association_is_declared_and_never_runs() -> None:
    world = Rig(small_fleet(packages=(OPENSSL,), releases=(upgrade(OPENSSL, "3.0.17-1"),)))
    world.world.add_association(world.ids, "AWS-RunPatchBaseline", INSTALL)
    world.later(60 * 86400)
    assert world.world.installs(foreign=True) == []


def test_an_install_window_is_found_as_such_and_installs_on_sunday_without_asking() -> None:
    fleet = small_fleet(packages=(OPENSSL,), releases=(upgrade(OPENSSL, "3.0.17-1"),))
    world = Rig(fleet)
    made = world.world.add_install_window(fleet.environment("app", "nonprod"))
    targets = [{"Key": "InstanceIds", "Values": world.ids}]
    covering = world.call("DescribeMaintenanceWindowsForTarget", Targets=targets, ResourceType="INSTANCE")
    assert [window["WindowId"] for window in covering["WindowIdentities"]] == [made]
    [task] = world.call("DescribeMaintenanceWindowTasks", WindowId=made)["Tasks"]
    whole = world.call("GetMaintenanceWindowTask", WindowId=made, WindowTaskId=task["WindowTaskId"])
    assert whole["TaskInvocationParameters"]["RunCommand"]["Parameters"] == {"Operation": ["Install"]}
    sunday = datetime.fromisoformat("2026-11-22T03:00Z")
    world.later((sunday - START - timedelta(seconds=1)).total_seconds())
    assert world.world.installs(foreign=True) == []
    world.later(120)
    [install] = world.world.installs(foreign=True)
    assert install.rows == {world.ids[0]: (("openssl.amd64", "openssl.amd64:3.0.17-1"),)}
