"""Maintenance windows, the artifacts bucket and `patchgate check`, against the simulated AWS over HTTP."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aws.artifacts import Artifacts
from aws.check import identity, probe
from aws.errors import AccessRefused, DefiniteRefusal, Doubt, WrongAccount
from aws.sessions import Sessions
from aws.target import Target
from aws.windows import MaintenanceWindows
from sandbox.aws.server import SimulatedAws
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.fleet import NONPRODUCTION, PRODUCTION, REGION, demo_fleet

START = datetime(2030, 1, 1, tzinfo=UTC)  # a Tuesday; its windows open at 22:00 in Dublin, which is UTC in winter
ROLE = Target(NONPRODUCTION, REGION, f"arn:aws:iam::{NONPRODUCTION}:role/patchgate")
PROD = Target(PRODUCTION, REGION, f"arn:aws:iam::{PRODUCTION}:role/patchgate")
GROUP = {"tag:PatchGroup": ["orders-db-nonprod"]}
BUCKET, PREFIX = "acme-patchgate", "lists/"
LIST = b'{"patches":[]}'


class Place:
    def __init__(self, world: World, server: SimulatedAws) -> None:
        self.world = world
        self.sessions = Sessions(
            {
                "AWS_ACCESS_KEY_ID": server.base_key(PRODUCTION),
                "AWS_SECRET_ACCESS_KEY": "not-a-secret",
                "AWS_ENDPOINT_URL": server.url,
            }
        )

    def artifacts(self, bucket: str = BUCKET, target: Target | None = None) -> Artifacts:
        return Artifacts(self.sessions, bucket, PREFIX, REGION, target)


@pytest.fixture
def place() -> Iterator[Place]:
    world = World(SandboxClock(START, rate=0), demo_fleet())
    with SimulatedAws(world) as server:
        yield Place(world, server)


# --- Maintenance windows


def executions(place: Place, after: datetime, before: datetime) -> list[datetime]:
    """Of the window over GROUP."""
    windows = MaintenanceWindows(place.sessions)
    (window_id,) = windows.covering(ROLE, GROUP, ())
    return [time for each, time in windows.executions(ROLE, after, before) if each == window_id]


def test_the_executions_to_come(place: Place) -> None:
    first = datetime(2030, 1, 1, 22, tzinfo=UTC)
    assert executions(place, START, START + timedelta(days=15)) == [first, first + timedelta(7), first + timedelta(14)]
    assert len(place.world.ssm_log.calls("DescribeMaintenanceWindowSchedule")) == 1


def test_summer_time_moves_an_execution(place: Place) -> None:
    after = datetime(2030, 7, 1, tzinfo=UTC)
    assert executions(place, after, after + timedelta(days=7)) == [datetime(2030, 7, 2, 21, tzinfo=UTC)]


def test_the_end_of_the_period_is_not_in_it(place: Place) -> None:
    first = datetime(2030, 1, 1, 22, tzinfo=UTC)
    assert executions(place, START, first) == []
    assert executions(place, first, first + timedelta(hours=1)) == [first]


# --- Artifacts


def test_a_list_is_stored_once_under_its_key(place: Place) -> None:
    artifacts = place.artifacts()
    url = artifacts.put("abc.json", LIST)
    assert url == f"s3://{BUCKET}/lists/abc.json"
    assert artifacts.put("lists/abc.json", LIST) == url
    assert place.world.surroundings.read_object(url) == LIST


def test_a_list_is_stored_with_the_targets_role(place: Place) -> None:
    assert place.artifacts(target=PROD).put("abc.json", LIST) == f"s3://{BUCKET}/lists/abc.json"
    with pytest.raises(WrongAccount):
        place.artifacts(target=replace(PROD, account=NONPRODUCTION)).put("abc.json", LIST)


def test_a_bucket_that_is_not_there(place: Place) -> None:
    with pytest.raises(DefiniteRefusal, match="NoSuchBucket"):
        place.artifacts("no-such-bucket-here").put("abc.json", LIST)
    with pytest.raises(DefiniteRefusal, match="NoSuchBucket"):
        place.artifacts("no-such-bucket-here").probe()
    place.artifacts().probe()


def test_a_bucket_that_may_not_be_written(place: Place) -> None:
    place.world.faults.add("s3", "PutObject", "access-denied")
    with pytest.raises(AccessRefused, match="allow s3:PutObject"):
        place.artifacts().put("abc.json", LIST)


def test_an_object_that_holds_something_else_is_no_success(place: Place) -> None:
    artifacts = place.artifacts()
    client = place.sessions.base_client("s3", REGION)
    written = threading.Event()

    def somebody_overwrites(**_: object) -> None:
        if not written.is_set():
            written.set()
            client.put_object(Bucket=BUCKET, Key="lists/abc.json", Body=b"theirs")

    client.meta.events.register("before-call.s3.GetObject", somebody_overwrites)
    with pytest.raises(Doubt, match="does not hold what was written"):
        artifacts.put("abc.json", LIST)
    assert written.is_set()


# --- Check


def test_a_target_that_allows_everything(place: Place) -> None:
    assert identity(place.sessions, ROLE) == f"arn:aws:sts::{NONPRODUCTION}:assumed-role/patchgate/patchgate"
    assert probe(place.sessions, ROLE) == [
        ("identity", None),
        ("nodes", None),
        ("instances", None),
        ("document AWS-RunPatchBaseline", None),
    ]


def test_what_is_not_allowed_is_named(place: Place) -> None:
    place.world.faults.add("ssm", "DescribeInstanceInformation", "access-denied")
    place.world.faults.add("ec2", "DescribeInstances", "access-denied")
    found = dict(probe(place.sessions, ROLE))
    assert {what for what, trouble in found.items() if trouble} == {"nodes", "instances"}
    assert "allow ssm:DescribeInstanceInformation" in str(found["nodes"])
    assert "allow ec2:DescribeInstances" in str(found["instances"])


def test_a_wrong_account_ends_the_check(place: Place) -> None:
    ((what, trouble),) = probe(place.sessions, replace(ROLE, account="999999999999"))
    assert what == "identity"
    assert f"belong to account {NONPRODUCTION}" in str(trouble)
    assert len(place.world.ssm_log) == 0
