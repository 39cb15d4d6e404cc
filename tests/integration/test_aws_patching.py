"""The boto3 side against the simulated AWS, over HTTP: nodes, commands and evidence."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from aws.commands import SendRequest
from aws.errors import AccessRefused, AwsError, DefiniteRefusal, Doubt, Throttled, WrongAccount
from aws.patching import PatchManager
from aws.sessions import Sessions
from aws.target import Target
from patching.model import PatchState, Platform
from sandbox.aws.server import SimulatedAws
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.data.debian import candidates, installed_packages
from sandbox.fleet import NONPRODUCTION, PRODUCTION, REGION, small_fleet

DOCUMENT = "AWS-RunPatchBaseline"
ROLE = Target(NONPRODUCTION, REGION, f"arn:aws:iam::{NONPRODUCTION}:role/patchgate")
PROD = Target(PRODUCTION, REGION, f"arn:aws:iam::{PRODUCTION}:role/patchgate")
BASE = Target(NONPRODUCTION, REGION)
GROUP = {"tag:PatchGroup": ["app-nonprod"]}
PACKAGES = tuple(package for package in installed_packages() if package.name in ("openssl", "libssl3", "tzdata", "zip"))
OFFERED = (candidates()["openssl"], candidates()["libssl3"])
LONG = timedelta(minutes=5)


class Place:
    """A small fleet, its world on a clock that only the test moves, and the code under test."""

    def __init__(self, world: World, clock: SandboxClock, server: SimulatedAws) -> None:
        self.world = world
        self.clock = clock
        self.sessions = Sessions(
            {
                "AWS_ACCESS_KEY_ID": server.base_key(NONPRODUCTION),
                "AWS_SECRET_ACCESS_KEY": "not-a-secret",
                "AWS_ENDPOINT_URL": server.url,
            }
        )
        self.manager = PatchManager(self.sessions)

    def ids(self, target: Target = ROLE) -> tuple[str, ...]:
        name = "app-prod" if target is PROD else "app-nonprod"
        return tuple(node.id for node in self.manager.resolve(target, {"tag:PatchGroup": [name]}))

    def request(self, *node_ids: str, operation: str = "Scan", snapshot_id: str | None = None) -> SendRequest:
        document = self.manager.document(ROLE, DOCUMENT)
        snapshot_id = snapshot_id or str(uuid4())
        return SendRequest(
            document_name=document.name,
            document_version=document.version,
            document_hash=document.hash,
            instance_ids=node_ids,
            parameters={"Operation": [operation], "SnapshotId": [snapshot_id]},
            comment=f"patchgate scan-1 {snapshot_id}",
            timeout_seconds=600,
            max_concurrency="50",
            max_errors="50",
        )

    def scan(self, *node_ids: str) -> str:
        """Scan to the end; the SnapshotId."""
        request = self.request(*node_ids)
        self.manager.send(ROLE, request)
        self.clock.jump(LONG)
        return request.parameters["SnapshotId"][0]

    def calls(self, operation: str) -> int:
        return len(self.world.ssm_log.calls(operation))


def serve(nonprod: int, prod: int = 0, **fleet: object) -> Iterator[Place]:
    clock = SandboxClock(rate=0)
    packages = {"packages": PACKAGES, "releases": OFFERED} | fleet
    world = World(clock, small_fleet(nonprod=nonprod, prod=prod, **packages))  # type: ignore[arg-type]
    with SimulatedAws(world) as server:
        yield Place(world, clock, server)


@pytest.fixture
def place() -> Iterator[Place]:
    yield from serve(3, prod=2)


@pytest.fixture
def many() -> Iterator[Place]:
    yield from serve(60)


@pytest.fixture
def real_rows() -> Iterator[Place]:
    yield from serve(1, packages=installed_packages())


# --- Nodes


def test_tags_become_nodes_with_their_platform(place: Place) -> None:
    nodes = place.manager.resolve(ROLE, GROUP)
    assert sorted(node.name for node in nodes) == ["app-nonprod-1", "app-nonprod-2", "app-nonprod-3"]
    assert [node.id for node in nodes] == sorted(node.id for node in nodes)
    assert {node.platform for node in nodes} == {Platform("Debian GNU/Linux", "12", "x86_64")}
    assert all(node.reachable and node.tags["Environment"] == "nonproduction" for node in nodes)


def test_accounts_are_separate(place: Place) -> None:
    assert place.manager.resolve(PROD, GROUP) == ()
    assert len(place.ids(PROD)) == 2
    assert {call.account for call in place.world.ssm_log.calls("DescribeInstanceInformation")} == {PRODUCTION}


def test_i9_a_named_node_never_vanishes(place: Place) -> None:
    known, gone, terminated = place.ids()[0], "i-0123456789abcdef0", place.ids()[1]
    place.world.set_power(terminated, "terminate")
    nodes = {node.id: node for node in place.manager.resolve(ROLE, {"instance_ids": [known, gone, terminated]})}
    assert {node_id: node.power for node_id, node in nodes.items()} == {
        known: "running",
        gone: "absent",
        terminated: "absent",
    }
    assert not nodes[gone].reachable
    assert nodes[gone].platform is None
    assert terminated not in place.ids()


def test_i13_a_tag_value_is_no_pattern(place: Place) -> None:
    assert place.manager.resolve(ROLE, {"tag:PatchGroup": ["app-*"]}) == ()
    assert place.manager.resolve(ROLE, {**GROUP, "tag:Environment": ["nonproduction"]}) != ()
    assert place.manager.resolve(ROLE, {**GROUP, "tag:Environment": ["production"]}) == ()


def test_more_nodes_than_a_page_holds(many: Place) -> None:
    assert len(many.ids()) == 60
    assert many.calls("DescribeInstanceInformation") == 2


def test_a_lost_agent_and_a_stopped_node_are_seen(place: Place) -> None:
    lost, stopped, fine = place.ids()
    place.world.set_agent(lost, "lost")
    place.world.set_power(stopped, "stop")
    place.clock.jump(timedelta(hours=1))
    pings = place.manager.ping(ROLE, [lost, stopped, fine, "i-0123456789abcdef0"])
    assert pings[fine] == "Online"
    assert pings[lost] == "ConnectionLost"
    assert "i-0123456789abcdef0" not in pings
    nodes = {node.id: node for node in place.manager.resolve(ROLE, GROUP)}
    assert nodes[stopped].power == "stopped"
    assert [node_id for node_id, node in nodes.items() if node.reachable] == [fine]


# --- Credentials


def test_the_role_is_assumed(place: Place) -> None:
    assert place.sessions.identity(ROLE) == f"arn:aws:sts::{NONPRODUCTION}:assumed-role/patchgate/patchgate"
    assert place.sessions.identity(PROD) == f"arn:aws:sts::{PRODUCTION}:assumed-role/patchgate/patchgate"
    assert "assumed-role" not in place.sessions.identity(BASE)


@pytest.mark.parametrize("target", [Target(PRODUCTION, REGION), replace(ROLE, account=PRODUCTION)])
def test_nothing_is_asked_of_the_wrong_account(place: Place, target: Target) -> None:
    for ask in (
        lambda: place.manager.resolve(target, GROUP),
        lambda: place.manager.document(target, DOCUMENT),
        lambda: place.manager.rows(target, "i-0123456789abcdef0"),
    ):
        with pytest.raises(WrongAccount, match="nothing was asked"):
            ask()
    assert len(place.world.ssm_log) == 0


def test_i2_a_role_that_may_not_be_taken_is_a_refusal(place: Place) -> None:
    place.world.faults.add("sts", "AssumeRole", "access-denied", times=20)
    with pytest.raises(AccessRefused, match="allow sts:AssumeRole"):
        place.manager.document(ROLE, DOCUMENT)
    assert len(place.world.ssm_log) == 0


# --- Commands


def test_a_command_from_send_to_end(place: Place) -> None:
    node_ids = place.ids()
    request = place.request(*node_ids)
    command_id = place.manager.send(ROLE, request)
    (sent,) = place.world.ssm_log.calls("SendCommand")
    assert sent.params["InstanceIds"] == list(node_ids)
    assert sent.params["DocumentHash"] == request.document_hash
    assert sent.params["DocumentVersion"] == request.document_version
    assert not any(invocation.ended for invocation in place.manager.invocations(ROLE, command_id))

    place.clock.jump(LONG)
    invocations = place.manager.invocations(ROLE, command_id)
    assert {invocation.node_id: invocation.status for invocation in invocations} == dict.fromkeys(node_ids, "Success")
    assert all(invocation.ended for invocation in invocations)
    status = place.manager.command(ROLE, command_id)
    assert (status.status, status.target_count, status.completed_count, status.error_count) == ("Success", 3, 3, 0)


def test_the_document_is_described(place: Place) -> None:
    document = place.manager.document(ROLE, DOCUMENT)
    assert {"Operation", "SnapshotId", "InstallOverrideList", "RebootOption"} <= document.parameters
    assert len(document.hash) == 64
    with pytest.raises(DefiniteRefusal, match="AWS-NoSuchDocument"):
        place.manager.document(ROLE, "AWS-NoSuchDocument")


def test_i2_a_lost_reply_leaves_one_command_that_its_uuid_finds(place: Place) -> None:
    node_id = place.ids()[0]
    request = place.request(node_id)
    place.world.faults.add("ssm", "SendCommand", "lost-reply")
    with pytest.raises(Doubt, match="may have happened"):
        place.manager.send(ROLE, request)
    assert [call.outcome for call in place.world.ssm_log.calls("SendCommand")] == ["lost-reply"]

    (made,) = place.world.region(NONPRODUCTION, REGION).commands
    step_uuid = request.parameters["SnapshotId"][0]
    assert place.manager.find(ROLE, step_uuid, place.clock.now(), node_id) == made
    assert place.manager.find(ROLE, step_uuid, place.clock.now()) == made
    assert place.manager.find(ROLE, str(uuid4()), place.clock.now()) is None


@pytest.mark.parametrize(
    ("fault", "meaning", "code"),
    [
        ("throttling", Throttled, "ThrottlingException"),
        ("access-denied", AccessRefused, "AccessDeniedException"),
        ("server-error", Doubt, "InternalServerError"),
    ],
)
def test_i2_a_refused_send_is_made_once(place: Place, fault: str, meaning: type[AwsError], code: str) -> None:
    request = place.request(place.ids()[0])
    place.world.faults.add("ssm", "SendCommand", fault)
    with pytest.raises(AwsError) as failed:
        place.manager.send(ROLE, request)
    assert type(failed.value) is meaning
    assert failed.value.code == code
    assert place.calls("SendCommand") == 1
    assert not place.world.region(NONPRODUCTION, REGION).commands


def test_i2_a_document_that_changed_meanwhile_is_refused(place: Place) -> None:
    request = replace(place.request(place.ids()[0]), document_hash="0" * 64)
    with pytest.raises(DefiniteRefusal, match="hash"):
        place.manager.send(ROLE, request)


def test_a_command_is_found_behind_pages_of_others(place: Place) -> None:
    node_id = place.ids()[0]
    since = place.clock.now()
    request = place.request(node_id)
    wanted = place.manager.send(ROLE, request)
    for _ in range(55):
        place.clock.jump(timedelta(minutes=1))
        place.manager.send(ROLE, place.request(node_id))
    assert place.manager.find(ROLE, request.parameters["SnapshotId"][0], since, node_id) == wanted
    assert place.calls("ListCommands") == 2


def test_all_commands_are_asked_about_in_one_page_whatever_stands_behind_it(place: Place) -> None:
    node_id = place.ids()[0]
    others = [place.manager.send(ROLE, place.request(node_id)) for _ in range(60)]
    since = place.clock.now()
    mine = {place.manager.send(ROLE, place.request(node_id)) for _ in range(3)}
    before = place.calls("ListCommands")
    found = place.manager.statuses(ROLE, mine, since)
    assert place.calls("ListCommands") == before + 1
    assert {command_id: status.target_count for command_id, status in found.items()} == dict.fromkeys(mine, 1)
    assert place.manager.statuses(ROLE, {others[0], *mine}, since).keys() == {others[0], *mine}
    assert place.calls("ListCommands") == before + 3


def test_a_command_behind_more_pages_than_commands_is_asked_for_by_its_id(place: Place) -> None:
    node_id = place.ids()[0]
    since = place.clock.now()
    wanted = place.manager.send(ROLE, place.request(node_id))
    for _ in range(2 * 50):
        place.manager.send(ROLE, place.request(node_id))
    assert place.manager.statuses(ROLE, {wanted}, since).keys() == {wanted}
    page, alone = place.world.ssm_log.calls("ListCommands")
    assert "CommandId" not in page.params
    assert alone.params["CommandId"] == wanted


def test_a_command_that_aws_knows_no_more_is_left_out(place: Place) -> None:
    wanted = place.manager.send(ROLE, place.request(place.ids()[0]))
    assert place.manager.statuses(ROLE, {wanted, str(uuid4())}, place.clock.now()).keys() == {wanted}
    assert place.manager.statuses(ROLE, (), place.clock.now()) == {}
    place.world.faults.add("ssm", "ListCommands", "access-denied")
    with pytest.raises(AccessRefused):
        place.manager.statuses(ROLE, {wanted}, place.clock.now())


def test_somebody_elses_command_on_a_node_is_seen_until_it_ends(place: Place) -> None:
    busy, idle, _ = place.ids()
    command_id = place.world.foreign_operation([busy], "Scan")
    running = place.manager.running_elsewhere(ROLE, [busy, idle])
    assert {node_id: command.command_id for node_id, command in running.items()} == {busy: command_id}
    assert running[busy].document_name == DOCUMENT
    place.clock.jump(LONG)
    assert place.manager.running_elsewhere(ROLE, [busy, idle]) == {}


def test_a_cancelled_command_ends(place: Place) -> None:
    command_id = place.manager.send(ROLE, place.request(*place.ids()))
    place.manager.cancel(ROLE, command_id)
    place.clock.jump(LONG)
    assert {invocation.status for invocation in place.manager.invocations(ROLE, command_id)} == {"Cancelled"}


def test_a_command_that_aws_does_not_know(place: Place) -> None:
    with pytest.raises(DefiniteRefusal):
        place.manager.command(ROLE, str(uuid4()))


# --- Evidence


def test_a_scan_is_read_with_its_snapshot_id(place: Place) -> None:
    node_id, other, _ = place.ids()
    started = place.clock.now()
    snapshot_id = place.scan(node_id)
    summaries = place.manager.summaries(ROLE, [node_id, other])
    assert set(summaries) == {node_id}
    summary = summaries[node_id]
    assert (summary.snapshot_id, summary.operation, summary.patch_group) == (snapshot_id, "Scan", "app-nonprod")
    assert summary.operation_end is not None
    assert started < summary.operation_end <= place.clock.now()
    assert summary.operation_end.utcoffset() == timedelta(0)
    assert summary.counts["MissingCount"] == 2

    missing = [row for row in place.manager.rows(ROLE, node_id) if row.state is PatchState.MISSING]
    assert {row.kb_id for row in missing} == {"openssl.amd64", "libssl3.amd64"}
    assert all(row.title.startswith(f"{row.kb_id}:") and row.installed_time is None for row in missing)


def test_rows_are_read_of_nodes_that_show_the_awaited_snapshot_alone(place: Place) -> None:
    first, second, _ = place.ids()
    place.scan(first)
    awaited = place.scan(second)
    reading = place.manager.read(ROLE, [first, second], {}, awaited)
    assert reading.summaries.keys() == {first, second}
    assert reading.rows.keys() == {second}
    assert [call.params["InstanceId"] for call in place.world.ssm_log.calls("DescribeInstancePatches")] == [second]


def test_all_pages_of_a_real_nodes_rows(real_rows: Place) -> None:
    (node_id,) = real_rows.ids()
    real_rows.scan(node_id)
    rows = real_rows.manager.rows(ROLE, node_id)
    counts = real_rows.manager.summaries(ROLE, [node_id])[node_id].counts
    assert (
        len({row.kb_id for row in rows})
        == len(rows)
        == sum(counts[name] for name in ("InstalledCount", "InstalledOtherCount", "MissingCount"))
    )
    assert len(rows) > 600
    assert real_rows.calls("DescribeInstancePatches") == -(-len(rows) // 50)


def test_the_baseline_of_a_node(place: Place) -> None:
    node_id = place.ids()[0]
    place.scan(node_id)
    baseline = place.manager.baseline(ROLE, place.manager.summaries(ROLE, [node_id])[node_id].baseline_id)
    assert baseline["OperatingSystem"] == "DEBIAN"
    assert baseline["ApprovalRules"]["PatchRules"]
    assert "ResponseMetadata" not in baseline


def test_i8_reading_takes_the_fewest_calls(many: Place) -> None:
    node_ids = many.ids()
    many.scan(*node_ids[:50])
    many.scan(*node_ids[50:])

    first = many.manager.read(ROLE, node_ids, {})
    assert set(first.rows) == set(first.summaries) == set(node_ids)
    assert many.calls("DescribeInstancePatchStates") == 2 + 2
    assert many.calls("DescribeInstancePatches") == 60

    known = {node_id: (each.snapshot_id, each.operation_end) for node_id, each in first.summaries.items()}
    again = many.manager.read(ROLE, node_ids, known)
    assert (again.rows, again.unstable, again.summaries) == ({}, frozenset(), first.summaries)
    assert many.calls("DescribeInstancePatchStates") == 4 + 2
    assert many.calls("DescribeInstancePatches") == 60

    many.scan(node_ids[7])
    moved = many.manager.read(ROLE, node_ids, known)
    assert set(moved.rows) == {node_ids[7]}
    assert many.calls("DescribeInstancePatchStates") == 6 + 2 + 1
    assert many.calls("DescribeInstancePatches") == 61


def test_i8_a_node_whose_state_moves_while_it_is_read_is_unstable(place: Place) -> None:
    steady, moving, _ = place.ids()
    place.scan(steady, moving)
    commands: list[str] = []

    def somebody_scans(**_: object) -> None:
        if not commands:
            commands.append(place.world.foreign_operation([moving], "Scan"))
            place.clock.jump(LONG)

    place.sessions.client("ssm", ROLE).meta.events.register("before-call.ssm.DescribeInstancePatches", somebody_scans)
    reading = place.manager.read(ROLE, [steady, moving], {})
    assert reading.unstable == {moving}
    assert set(reading.rows) == {steady}
    assert commands

    settled = place.manager.read(ROLE, [moving], {})
    assert settled.unstable == frozenset()
    assert set(settled.rows) == {moving}
