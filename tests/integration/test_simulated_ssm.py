"""The simulated AWS over HTTP, with real boto3: stories that the bot's parts rely on."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, HTTPClientError

from sandbox.aws.fleet import Package, Release
from sandbox.aws.runcommand import Durations
from sandbox.aws.server import SimulatedAws
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.fleet import demo_fleet, small_fleet

NONPRODUCTION, PRODUCTION = "111111111111", "222222222222"
OPENSSL = Package("openssl", "amd64", "3.0.16-1", suite="security")
BASH = Package("bash", "amd64", "5.2.15-2")
RELEASES = (
    Release(Package("openssl", "amd64", "3.0.17-1", suite="security")),
    Release(Package("openssl", "amd64", "3.0.18-1", suite="security"), timedelta(days=3), made_up=True),
    Release(Package("bash", "amd64", "5.2.15-3", suite="updates")),
)
ONCE = Config(retries={"total_max_attempts": 1})


class Aws:
    """One world behind HTTP, and clients as its accounts' users get them."""

    def __init__(self) -> None:
        self.clock = SandboxClock(datetime(2026, 11, 20, 12, tzinfo=UTC), rate=0)
        self.fleet = small_fleet(nonprod=2, prod=3, packages=(OPENSSL, BASH), releases=RELEASES)
        self.world = World(self.clock, self.fleet, Durations(1, 5, 1, 10, 1))
        self.server = SimulatedAws(self.world)
        self.server.start()
        self.nonprod, self.prod = (
            [node.id for node in self.fleet.environment("app", name).nodes] for name in ("nonprod", "prod")
        )

    def client(self, service: Any, account: str = NONPRODUCTION, config: Config | None = None) -> Any:
        return boto3.client(
            service,
            region_name="eu-west-1",
            endpoint_url=self.server.url,
            aws_access_key_id=self.server.base_key(account),
            aws_secret_access_key="secret",
            config=config,
        )

    def assumed(self, service: Any, account: str) -> Any:
        """A client of the other account's role, as the bot gets it."""
        role = f"arn:aws:iam::{account}:role/patchgate"
        given = self.client("sts").assume_role(RoleArn=role, RoleSessionName="patchgate")["Credentials"]
        return boto3.client(
            service,
            region_name="eu-west-1",
            endpoint_url=self.server.url,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )

    def run(self, ssm: Any, ids: list[str], operation: str, **parameters: str) -> str:
        """Send and let it end; returns the command's id."""
        given = {"Operation": [operation]} | {name: [value] for name, value in parameters.items()}
        sent = ssm.send_command(InstanceIds=ids, DocumentName="AWS-RunPatchBaseline", Parameters=given)
        self.clock.jump(timedelta(minutes=2))
        return str(sent["Command"]["CommandId"])


@pytest.fixture(scope="module")
def served() -> Iterator[Aws]:
    """For stories that only look, or that keep to services of their own."""
    aws = Aws()
    yield aws
    aws.server.stop()


@pytest.fixture
def aws() -> Iterator[Aws]:
    aws = Aws()
    yield aws
    aws.server.stop()


def states(ssm: Any, node: str) -> dict[str, tuple[str, str]]:
    pages = ssm.get_paginator("describe_instance_patches").paginate(InstanceId=node)
    return {row["KBId"]: (row["State"], row["Title"]) for page in pages for row in page["Patches"]}


def test_scan_install_and_verification(aws: Aws) -> None:
    ssm = aws.client("ssm")
    aws.run(ssm, aws.nonprod, "Scan")
    assert states(ssm, aws.nonprod[0])["openssl.amd64"] == ("Missing", "openssl.amd64:3.0.17-1")
    command = aws.run(ssm, aws.nonprod, "Install")
    found = ssm.list_command_invocations(CommandId=command, Details=True)["CommandInvocations"]
    assert [(i["InstanceId"], i["Status"]) for i in found] == [(node, "Success") for node in aws.nonprod]
    assert [plugin["Name"] for plugin in found[0]["CommandPlugins"]] == ["PatchWindows", "PatchLinux", "PatchMacOS"]
    snapshot = "00000000-1111-2222-3333-444444444444"
    aws.run(ssm, aws.nonprod, "Scan", SnapshotId=snapshot)
    for state in ssm.describe_instance_patch_states(InstanceIds=aws.nonprod)["InstancePatchStates"]:
        assert (state["SnapshotId"], state["Operation"], state["MissingCount"]) == (snapshot, "Scan", 0)
        assert state["OperationEndTime"] > datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert states(ssm, aws.nonprod[1])["openssl.amd64"] == ("Installed", "openssl.amd64:3.0.17-1")
    [install] = aws.world.installs()
    assert (install.command_id, install.node_ids) == (command, tuple(aws.nonprod))


def test_production_gets_exactly_the_pinned_version_even_after_the_repository_moved(aws: Aws) -> None:
    ssm = aws.assumed("ssm", PRODUCTION)
    s3 = aws.assumed("s3", PRODUCTION)
    pins = {"patches": [{"id": "bash.amd64", "title": "bash.amd64:5.2.15-3"}]}
    pins["patches"].append({"id": "openssl.amd64", "title": "openssl.amd64:3.0.17-1"})
    s3.put_object(Bucket="acme-patchgate", Key="lists/set.json", Body=json.dumps(pins).encode())
    aws.clock.jump(timedelta(days=4))
    aws.run(ssm, aws.prod, "Install", InstallOverrideList="s3://acme-patchgate/lists/set.json")
    [install] = aws.world.installs()
    assert [entry.title for entry in install.override or ()] == ["bash.amd64:5.2.15-3", "openssl.amd64:3.0.17-1"]
    assert install.rows == dict.fromkeys(aws.prod, (("bash.amd64", "bash.amd64:5.2.15-3"),))
    aws.run(ssm, aws.prod, "Scan")
    assert states(ssm, aws.prod[0]) == {
        "bash.amd64": ("InstalledOther", "bash.amd64:5.2.15-3"),
        "openssl.amd64": ("Missing", "openssl.amd64:3.0.18-1"),
    }


def test_a_list_in_the_other_account_s_bucket_is_read_too(aws: Aws) -> None:
    body = b"patches:\n- id: openssl.amd64\n"
    aws.client("s3", PRODUCTION).put_object(Bucket="acme-patchgate", Key="lists/a b.yaml", Body=body)
    address = "https://acme-patchgate.s3.eu-west-1.amazonaws.com/lists/a%20b.yaml"
    aws.run(aws.client("ssm"), aws.nonprod, "Install", InstallOverrideList=address)
    assert all(rows for rows in aws.world.installs()[0].rows.values())


def test_two_accounts_see_their_own_nodes_only(aws: Aws) -> None:
    here, there = aws.client("ssm"), aws.assumed("ssm", PRODUCTION)
    seen = [
        {node["InstanceId"] for node in client.describe_instance_information()["InstanceInformationList"]}
        for client in (here, there)
    ]
    assert seen == [set(aws.nonprod), set(aws.prod)]
    with pytest.raises(ClientError, match="InvalidInstanceId"):
        aws.run(here, aws.prod, "Scan")
    command = aws.run(there, aws.prod, "Scan")
    assert here.list_commands()["Commands"] == []
    assert there.list_commands()["Commands"][0]["CommandId"] == command


def test_ec2_finds_the_same_nodes_by_tag(served: Aws) -> None:
    filters = [{"Name": "tag:PatchGroup", "Values": ["app-prod"]}]
    found = served.assumed("ec2", PRODUCTION).describe_instances(Filters=filters)["Reservations"]
    ids = [instance["InstanceId"] for reservation in found for instance in reservation["Instances"]]
    assert sorted(ids) == sorted(served.prod)


def test_a_tag_that_ec2_changes_counts_at_once(aws: Aws) -> None:
    ec2, ssm = aws.client("ec2"), aws.client("ssm")
    ec2.create_tags(Resources=aws.nonprod[:1], Tags=[{"Key": "PatchGroup", "Value": "other"}])
    targets = [{"Key": "tag:PatchGroup", "Values": ["other"]}]
    command = ssm.send_command(Targets=targets, DocumentName="AWS-RunPatchBaseline", Parameters={"Operation": ["Scan"]})
    assert command["Command"]["TargetCount"] == 1


def test_a_lost_reply_has_created_exactly_one_command(aws: Aws) -> None:
    aws.world.faults.add("ssm", "SendCommand", "lost-reply")
    ssm = aws.client("ssm", config=ONCE)
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        aws.run(ssm, aws.nonprod, "Install")
    [command] = ssm.list_commands()["Commands"]
    [call] = aws.world.ssm_log.calls("SendCommand")
    assert (call.outcome, call.command_id) == ("lost-reply", command["CommandId"])


def test_botocore_s_own_retries_send_a_second_command_after_a_lost_reply(aws: Aws) -> None:
    aws.world.faults.add("ssm", "SendCommand", "lost-reply")
    aws.run(aws.client("ssm"), aws.nonprod, "Scan")
    assert len(aws.world.ssm_log.calls("SendCommand")) == 2


@pytest.mark.parametrize(
    ("service", "operation", "kind", "code"),
    [
        ("ssm", "DescribeInstanceInformation", "throttling", "ThrottlingException"),
        ("ssm", "*", "server-error", "InternalServerError"),
        ("ssm", "DescribeInstanceInformation", "access-denied", "AccessDeniedException"),
        ("ec2", "DescribeInstances", "throttling", "RequestLimitExceeded"),
        ("ec2", "DescribeInstances", "access-denied", "UnauthorizedOperation"),
        ("s3", "ListObjectsV2", "throttling", "SlowDown"),
        ("s3", "*", "access-denied", "AccessDenied"),
        ("sts", "GetCallerIdentity", "server-error", "InternalFailure"),
    ],
)
def test_a_fault_strikes_the_call_it_is_for_and_once(
    served: Aws, service: str, operation: str, kind: str, code: str
) -> None:
    client = served.client(service, PRODUCTION, ONCE)
    method, arguments = {
        "ssm": ("describe_instance_information", {}),
        "ec2": ("describe_instances", {}),
        "s3": ("list_objects_v2", {"Bucket": "acme-patchgate"}),
        "sts": ("get_caller_identity", {}),
    }[service]
    served.world.faults.add(service, operation, kind)
    with pytest.raises(ClientError) as refused:
        getattr(client, method)(**arguments)
    assert refused.value.response["Error"]["Code"] == code
    assert getattr(client, method)(**arguments)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert served.world.faults.active() == []


def test_throttling_is_retried_by_botocore_and_stands_in_the_log(aws: Aws) -> None:
    aws.world.faults.add("ssm", "ListCommands", "throttling", times=2)
    aws.client("ssm", config=Config(retries={"max_attempts": 3, "mode": "standard"})).list_commands()
    outcomes = [call.outcome for call in aws.world.ssm_log.calls("ListCommands")]
    assert outcomes == ["ThrottlingException", "ThrottlingException", "ok"]


def test_a_slow_answer_comes_late_and_the_work_is_done_meanwhile(aws: Aws) -> None:
    aws.world.faults.add("ssm", "SendCommand", "slow", seconds=0.5)
    impatient = Config(retries={"total_max_attempts": 1}, read_timeout=0.1)
    with pytest.raises(HTTPClientError):
        aws.run(aws.client("ssm", config=impatient), aws.nonprod, "Scan")
    assert len(aws.client("ssm").list_commands()["Commands"]) == 1


@pytest.mark.parametrize(
    ("service", "method", "arguments", "named"),
    [
        ("ssm", "describe_inventory_deletions", {}, "ssm:DescribeInventoryDeletions"),
        ("ec2", "describe_ipams", {}, "ec2:DescribeIpams"),
        (
            "backup",
            "start_backup_job",
            {"BackupVaultName": "vault", "ResourceArn": "arn", "IamRoleArn": "arn"},
            "backup:PUT /backup-jobs",
        ),
    ],
)
def test_what_nobody_implements_is_named_and_not_retried(
    served: Aws, service: str, method: str, arguments: dict[str, Any], named: str
) -> None:
    client = served.client(service)
    with pytest.raises(ClientError) as refused:
        getattr(client, method)(**arguments)
    answer: dict[str, Any] = dict(refused.value.response)
    assert answer["Error"]["Code"] == "UnknownOperationException"
    assert named in answer["Error"]["Message"]
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["ResponseMetadata"]["RetryAttempts"]) == (400, 0)


@pytest.mark.parametrize(("service", "method"), [("ssm", "list_commands"), ("sts", "get_caller_identity")])
def test_a_key_that_nobody_gave_out_is_refused(served: Aws, service: str, method: str) -> None:
    stranger = boto3.client(
        service,  # type: ignore[call-overload]  # chosen at run time
        region_name="eu-west-1",
        endpoint_url=served.server.url,
        aws_access_key_id="AKIASTRANGER00000000",
        aws_secret_access_key="secret",
    )
    with pytest.raises(ClientError, match="security token"):
        getattr(stranger, method)()


def test_what_the_client_would_have_refused_is_refused_by_the_server_too(served: Aws) -> None:
    unchecked = served.client("ssm", config=Config(parameter_validation=False))
    before = len(unchecked.list_commands()["Commands"])
    for broken in (
        {"DocumentName": "AWS-RunPatchBaseline", "InstanceIds": ["i-00000000"] * 51},
        {"DocumentName": "AWS-RunPatchBaseline", "InstanceIds": served.nonprod, "Comment": "x" * 101},
        {"InstanceIds": served.nonprod},
    ):
        with pytest.raises(ClientError, match="ValidationException"):
            unchecked.send_command(**broken)
    assert len(unchecked.list_commands()["Commands"]) == before


def test_a_body_that_is_no_json_is_refused(served: Aws) -> None:
    scope = f"{served.server.base_key(NONPRODUCTION)}/20261120/eu-west-1/ssm/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "X-Amz-Target": "AmazonSSM.ListCommands",
    }
    for body in (b"{", b"[]"):
        request = Request(served.server.url, body, headers)
        with pytest.raises(OSError, match="400"):
            urlopen(request)


def test_lists_come_in_pages(aws: Aws) -> None:
    ssm = aws.client("ssm")
    sent = [aws.run(ssm, aws.nonprod, "Scan") for _ in range(7)]
    pages = list(ssm.get_paginator("list_commands").paginate(PaginationConfig={"PageSize": 3}))
    assert [len(page["Commands"]) for page in pages] == [3, 3, 1]
    assert [command["CommandId"] for page in pages for command in page["Commands"]] == sent[::-1]


def test_fifty_calls_at_once_are_all_answered(served: Aws) -> None:
    answers: list[int] = []
    clients = [served.client("ssm") for _ in range(10)]

    def ask(client: Any) -> None:
        answers.extend(len(client.describe_instance_information()["InstanceInformationList"]) for _ in range(5))

    threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [2] * 50


def test_a_stopped_server_hangs_up_and_a_new_world_begins_anew() -> None:
    first = Aws()
    kept = first.client("ssm", config=ONCE)
    kept.list_commands()
    first.client("s3", PRODUCTION).put_object(Bucket="acme-patchgate", Key="left", Body=b"behind")
    port = int(first.server.url.rsplit(":", 1)[1])
    first.server.stop()
    with pytest.raises((HTTPClientError, EndpointConnectionError)):
        kept.list_commands()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    second = Aws()
    assert second.client("s3", PRODUCTION).list_objects_v2(Bucket="acme-patchgate")["KeyCount"] == 0
    second.server.stop()


def test_the_demo_fleet_is_served_within_a_second() -> None:
    with SimulatedAws(World(SandboxClock(), small_fleet())):  # moto's first import is not the fleet's
        pass
    began = time.process_time()
    with SimulatedAws(World(SandboxClock(), demo_fleet())) as server:
        assert time.process_time() - began < 1
        assert server.url.startswith("http://127.0.0.1:")
