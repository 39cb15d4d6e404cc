"""Backups against the simulated AWS over HTTP: what a node could be restored from, and taking one more."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aws.backups import Backups, Tags
from aws.errors import AccessRefused, Doubt, Throttled
from aws.nodes import Nodes
from aws.sessions import Sessions
from aws.target import Target
from patching.backups import Kind, NodeBackups, State
from sandbox.aws import backups as simulated
from sandbox.aws.fleet import Package
from sandbox.aws.recovery_points import RecoveryPoint
from sandbox.aws.server import SimulatedAws
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.fleet import NONPRODUCTION, REGION, small_fleet

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROLE = Target(NONPRODUCTION, REGION, f"arn:aws:iam::{NONPRODUCTION}:role/patchgate")
GONE = "i-0123456789abcdef0"
STEP = "00000000-1111-2222-3333-444444444444"
BASH = Package("bash", "amd64", "5.2.15-2")
TAGS = Tags("app", "change-4", "install-13", STEP)


class Place:
    def __init__(self, world: World, clock: SandboxClock, server: SimulatedAws) -> None:
        self.world = world
        self.clock = clock
        environ = {
            "AWS_ACCESS_KEY_ID": server.base_key(NONPRODUCTION),
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
            "AWS_ENDPOINT_URL": server.url,
        }
        self.sessions = Sessions(environ)
        self.backups = Backups(self.sessions)
        nodes = Nodes(self.sessions).resolve(ROLE, {"tag:PatchGroup": ["app-nonprod"]})
        self.ids = [node.id for node in nodes]
        self.ec2: Any = self.sessions.client("ec2", ROLE)
        self.calls: list[str] = []
        aws_backup: Any = self.sessions.client("backup", ROLE)
        for client in (self.ec2, aws_backup):
            client.meta.events.register("before-call", lambda model, **_: self.calls.append(model.name))

    def of(self, node_id: str) -> NodeBackups:
        return self.backups.of(ROLE, [node_id]).nodes[node_id]

    def pass_minutes(self, minutes: float) -> None:
        self.clock.jump(timedelta(minutes=minutes))

    def second_volume(self, node_id: str) -> str:
        zone = self.ec2.describe_instances(InstanceIds=[node_id])["Reservations"][0]["Instances"][0]["Placement"]
        volume: str = self.ec2.create_volume(Size=100, AvailabilityZone=zone["AvailabilityZone"])["VolumeId"]
        self.ec2.attach_volume(VolumeId=volume, InstanceId=node_id, Device="/dev/sdf")
        simulated.attached(NONPRODUCTION, REGION, node_id, START)
        return volume

    def volumes(self, node_id: str) -> list[str]:
        return [volume.id for volume in self.of(node_id).machine.volumes]

    def snapshot(self, volume_id: str) -> str:
        found: str = self.ec2.create_snapshot(VolumeId=volume_id, Description="by hand")["SnapshotId"]
        return found

    def protect(self, node_id: str, arn: str, status: str, hours: float = 1) -> None:
        resource = f"arn:aws:ec2:{REGION}:{NONPRODUCTION}:instance/{node_id}"
        at = START + timedelta(hours=hours)
        self.world.recovery_points.append(RecoveryPoint(arn, resource, at, status, "nightly"))


@pytest.fixture
def place() -> Iterator[Place]:
    clock = SandboxClock(START, rate=0)
    world = World(clock, small_fleet(nonprod=3))
    with SimulatedAws(world) as server:
        yield Place(world, clock, server)


# --- What a node could be restored from


def test_a_node_without_any(place: Place) -> None:
    found = place.of(place.ids[0])
    assert (found.points, found.newest, found.lacking) == ((), None, "no backup")
    assert [volume.device for volume in found.machine.volumes] == ["/dev/sda1"]
    assert found.machine.zone.startswith(REGION)


def test_our_snapshots_of_all_volumes_are_one_restore_point(place: Place) -> None:
    node = place.ids[0]
    place.second_volume(node)
    taken = place.backups.create_snapshots(ROLE, node, TAGS)
    assert (taken.kind, taken.state, taken.started_at, len(taken.ids)) == (
        Kind.SNAPSHOTS,
        State.UNDER_WAY,
        START,
        2,
    )
    found = place.of(node)
    assert found.newest is None
    assert found.under_way is not None
    assert found.lacking == "a backup that is not complete yet"
    place.pass_minutes(3)
    newest = place.of(node).newest
    assert newest is not None
    assert sorted(newest.ids) == list(taken.ids)
    assert (newest.kind, newest.devices, newest.started_at) == (Kind.SNAPSHOTS, ("/dev/sda1", "/dev/sdf"), START)


def test_somebody_s_snapshots_count_where_they_are_of_one_moment(place: Place) -> None:
    node = place.ids[0]
    place.second_volume(node)
    place.ec2.create_snapshots(InstanceSpecification={"InstanceId": node})
    place.pass_minutes(3)
    newest = place.of(node).newest
    assert newest is not None
    assert newest.kind is Kind.SNAPSHOTS


def test_somebody_s_snapshots_of_different_moments_are_none(place: Place) -> None:
    node = place.ids[0]
    place.second_volume(node)
    for volume in place.volumes(node):
        place.snapshot(volume)
        place.pass_minutes(1)
    place.pass_minutes(5)
    assert (place.of(node).newest, place.of(node).lacking) == (
        None,
        "snapshots of each volume, but none of the same moment",
    )


def test_a_snapshot_of_one_of_two_volumes_is_none(place: Place) -> None:
    node = place.ids[0]
    place.snapshot(place.volumes(node)[0])
    place.pass_minutes(3)
    assert place.of(node).newest is not None
    place.second_volume(node)
    assert (place.of(node).newest, place.of(node).lacking) == (None, "no backup of /dev/sdf")


def test_a_snapshot_that_failed_is_none(place: Place) -> None:
    node = place.ids[0]
    simulated.fail(NONPRODUCTION, REGION, place.snapshot(place.volumes(node)[0]))
    found = place.of(node)
    assert [point.state for point in found.points] == [State.FAILED]
    assert (found.newest, found.lacking) == (None, "only backups that failed")


def test_the_newest_complete_one_is_told_though_a_newer_one_is_under_way(place: Place) -> None:
    node = place.ids[0]
    volume = place.volumes(node)[0]
    older = place.snapshot(volume)
    place.pass_minutes(60)
    newer = place.snapshot(volume)
    found = place.of(node)
    assert found.newest is not None
    assert found.under_way is not None
    assert (found.newest.ids, found.under_way.ids) == ((older,), (newer,))


def test_an_image_of_all_volumes(place: Place) -> None:
    node = place.ids[0]
    place.second_volume(node)
    taken = place.backups.create_image(ROLE, node, TAGS, START)
    assert place.of(node).newest is None
    place.pass_minutes(3)
    newest = place.of(node).newest
    assert newest is not None
    assert (newest.kind, newest.ids, newest.started_at) == (Kind.IMAGE, taken.ids, START)
    assert len(place.of(node).points) == 1, "an image's snapshots are no restore point beside it"


def test_an_image_from_before_a_volume_came_is_none(place: Place) -> None:
    node = place.ids[0]
    place.backups.create_image(ROLE, node, TAGS, START)
    place.pass_minutes(3)
    place.second_volume(node)
    assert place.of(node).lacking == "no backup of /dev/sdf"


VAULTED = f"arn:aws:backup:{REGION}:{NONPRODUCTION}:recovery-point:1EB3B5E7-9EB0-435A-A80B-108B488B0D45"


@pytest.mark.parametrize(
    ("status", "state"),
    [("COMPLETED", State.COMPLETE), ("CREATING", State.UNDER_WAY), ("PARTIAL", State.FAILED)],
)
def test_aws_backup_s_recovery_points_count_by_their_own_status(place: Place, status: str, state: State) -> None:
    node = place.ids[0]
    place.protect(node, VAULTED, status)
    (point,) = place.of(node).points
    assert (point.kind, point.ids, point.state) == (Kind.RECOVERY_POINT, (VAULTED,), state)
    assert place.of(place.ids[1]).points == ()


def test_a_recovery_point_from_before_a_volume_came_is_none(place: Place) -> None:
    place.protect(place.ids[0], VAULTED, "COMPLETED", hours=-1)
    assert place.of(place.ids[0]).newest is None


def test_a_recovery_point_that_is_an_image_of_ec2_s_is_told_once(place: Place) -> None:
    node = place.ids[0]
    image = place.ec2.create_image(InstanceId=node, Name="AwsBackup_nightly")["ImageId"]
    place.protect(node, f"arn:aws:ec2:{REGION}::image/{image}", "COMPLETED")
    place.pass_minutes(3)
    place.calls.clear()
    assert [point.kind for point in place.of(node).points] == [Kind.IMAGE]
    assert "ListRecoveryPointsByResource" not in place.calls


def test_an_instance_that_ec2_does_not_know_is_left_out(place: Place) -> None:
    assert place.backups.of(ROLE, [GONE]).nodes == {}
    assert place.backups.of(ROLE, []).nodes == {}


def test_all_nodes_in_four_calls(place: Place) -> None:
    place.calls.clear()
    assert set(place.backups.of(ROLE, place.ids).nodes) == set(place.ids)
    assert place.calls == ["DescribeInstances", "DescribeSnapshots", "DescribeImages", "ListProtectedResources"]


@pytest.mark.parametrize("operation", ["DescribeSnapshots", "DescribeImages"])
def test_what_ec2_refuses_is_unread(place: Place, operation: str) -> None:
    place.world.faults.add("ec2", operation, "access-denied")
    found = place.backups.of(ROLE, place.ids)
    assert found.nodes == {}
    (sentence,) = found.unread
    assert f"allow ec2:{operation}" in sentence


@pytest.mark.parametrize("operation", ["GET /resources/", "*"])
def test_what_aws_backup_refuses_is_unread_and_what_ec2_shows_stands(place: Place, operation: str) -> None:
    node = place.ids[0]
    place.snapshot(place.volumes(node)[0])
    place.pass_minutes(3)
    place.world.faults.add("backup", operation, "access-denied")
    found = place.backups.of(ROLE, place.ids)
    assert found.nodes[node].newest is not None
    assert [sentence.count("allow backup:ListProtectedResources") for sentence in found.unread] == [1]


# --- Taking one


def test_a_backup_s_tags_say_what_it_is_for(place: Place) -> None:
    (snapshot_id,) = place.backups.create_snapshots(ROLE, place.ids[0], TAGS).ids
    (snapshot,) = place.ec2.describe_snapshots(SnapshotIds=[snapshot_id])["Snapshots"]
    assert {tag["Key"]: tag["Value"] for tag in snapshot["Tags"]} == {
        "patchgate:application": "app",
        "patchgate:change": "change-4",
        "patchgate:run": "install-13",
        "patchgate:step": STEP,
        "patchgate:node": place.ids[0],
    }
    assert snapshot["Description"] == f"Before install-13 of app: {place.ids[0]}"


def test_an_image_is_made_without_a_reboot_which_is_not_ec2_s_default(place: Place) -> None:
    node = place.world.node(place.ids[0])
    node.install(BASH, START, pending_reboot=True)
    place.backups.create_image(ROLE, node.id, TAGS, START)
    assert node.pending_reboot
    (image,) = place.ec2.describe_images(Owners=["self"])["Images"]
    assert image["Name"] == f"patchgate-{node.id}-{STEP}"
    place.ec2.create_image(InstanceId=node.id, Name="by hand")
    assert not node.pending_reboot


def test_find_and_progress_follow_to_the_end(place: Place) -> None:
    first, second, third = place.ids
    snapshots = place.backups.create_snapshots(ROLE, first, TAGS)
    image = place.backups.create_image(ROLE, second, TAGS, START)
    place.backups.create_snapshots(ROLE, third, Tags("app", "change-5", "install-14", "another-step"))
    found = place.backups.find(ROLE, STEP)
    assert {node: each.ids for node, each in found.items()} == {first: snapshots.ids, second: image.ids}
    place.pass_minutes(1)
    now = place.backups.progress(ROLE, list(found.values()))
    assert {each.state for each in now.values()} == {State.UNDER_WAY}
    assert (now[first].percent, now[second].percent) == (50, None)
    place.pass_minutes(1)
    now = place.backups.progress(ROLE, list(found.values()))
    assert all(each.ended and each.state is State.COMPLETE and each.percent == 100 for each in now.values())
    assert place.backups.find(ROLE, STEP) == now


def test_a_set_that_lacks_a_volume_is_not_found_for_ec2_may_not_list_all_of_it_yet(place: Place) -> None:
    node = place.ids[0]
    place.second_volume(node)
    whole = place.backups.create_snapshots(ROLE, node, TAGS)
    assert place.backups.find(ROLE, STEP)[node].ids == whole.ids
    place.ec2.delete_snapshot(SnapshotId=whole.ids[0])
    assert place.backups.find(ROLE, STEP) == {}


def test_a_backup_that_fails_or_is_deleted_has_failed(place: Place) -> None:
    first = place.backups.create_snapshots(ROLE, place.ids[0], TAGS)
    second = place.backups.create_snapshots(ROLE, place.ids[1], TAGS)
    third = place.backups.create_image(ROLE, place.ids[2], TAGS, START)
    simulated.fail(NONPRODUCTION, REGION, first.ids[0])
    place.ec2.delete_snapshot(SnapshotId=second.ids[0])
    place.ec2.deregister_image(ImageId=third.ids[0])
    now = place.backups.progress(ROLE, [first, second, third])
    assert {each.state for each in now.values()} == {State.FAILED}
    assert set(now) == set(place.ids)


@pytest.mark.parametrize("operation", ["CreateSnapshots", "CreateImage"])
def test_a_lost_reply_is_a_doubt_and_what_was_taken_is_found_by_its_step(place: Place, operation: str) -> None:
    node = place.ids[0]
    place.world.faults.add("ec2", operation, "lost-reply")
    with pytest.raises(Doubt, match="may have happened"):
        take(place, operation)
    found = place.backups.find(ROLE, STEP)
    assert set(found) == {node}
    assert found[node].state is State.UNDER_WAY
    place.pass_minutes(3)
    assert place.backups.progress(ROLE, list(found.values()))[node].state is State.COMPLETE


@pytest.mark.parametrize("operation", ["CreateSnapshots", "CreateImage"])
@pytest.mark.parametrize(
    ("fault", "error"), [("throttling", Throttled), ("server-error", Doubt), ("access-denied", AccessRefused)]
)
def test_a_creating_call_is_never_repeated(place: Place, operation: str, fault: Any, error: type[Exception]) -> None:
    place.world.faults.add("ec2", operation, fault)  # once: a second attempt would succeed
    with pytest.raises(error):
        take(place, operation)
    assert place.backups.find(ROLE, STEP) == {}


def take(place: Place, operation: str) -> None:
    if operation == "CreateImage":
        place.backups.create_image(ROLE, place.ids[0], TAGS, START)
    else:
        place.backups.create_snapshots(ROLE, place.ids[0], TAGS)
