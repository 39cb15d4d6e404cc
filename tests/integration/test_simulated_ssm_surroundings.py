"""What else a bot asks of AWS: alarms, instance profiles, and whether the nodes' role may read its list."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.aws.fleet import Package, Release
from sandbox.aws.runcommand import Durations
from sandbox.aws.server import SimulatedAws
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.fleet import NONPRODUCTION, PRODUCTION, small_fleet

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPENSSL = Package("openssl", "amd64", "3.0.16-1", suite="security")
RELEASES = (Release(Package("openssl", "amd64", "3.0.17-1", suite="security")),)
BUCKET, ROLE = "acme-patchgate", "patchgate-node"
OBJECT = f"arn:aws:s3:::{BUCKET}/lists/set.json"


class Place:
    def __init__(self) -> None:
        self.clock = SandboxClock(START, rate=0)
        self.fleet = small_fleet(
            nonprod=2,
            prod=1,
            packages=(OPENSSL,),
            releases=RELEASES,
            differing={"app-nonprod-2": {"role": False}},
            alarms=("orders-5xx", "orders-latency"),
        )
        self.world = World(self.clock, self.fleet, Durations(1, 5, 1, 10, 1))
        self.server = SimulatedAws(self.world)

    def client(self, service: Any, account: str = NONPRODUCTION) -> Any:
        return boto3.client(
            service,
            region_name="eu-west-1",
            endpoint_url=self.server.url,
            aws_access_key_id=self.server.base_key(account),
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def alarms(self, account: str = NONPRODUCTION, **asked: Any) -> dict[str, str]:
        found = self.client("cloudwatch", account).describe_alarms(**asked)["MetricAlarms"]
        return {alarm["AlarmName"]: alarm["StateValue"] for alarm in found}

    def install(self, environment: str) -> tuple[str, str]:
        """One node installs by the list in the bucket; its invocation's status and the error it shows."""
        node = self.fleet.environment("app", environment).nodes[0].id
        account = PRODUCTION if environment == "prod" else NONPRODUCTION
        body = json.dumps({"patches": [{"id": "openssl.amd64"}]}).encode()
        self.client("s3", PRODUCTION).put_object(Bucket=BUCKET, Key="lists/set.json", Body=body)
        ssm = self.client("ssm", account)
        parameters = {"Operation": ["Install"], "InstallOverrideList": [f"s3://{BUCKET}/lists/set.json"]}
        sent = ssm.send_command(InstanceIds=[node], DocumentName="AWS-RunPatchBaseline", Parameters=parameters)
        self.clock.jump(timedelta(minutes=2))
        asked = {"CommandId": sent["Command"]["CommandId"], "InstanceId": node, "PluginName": "PatchLinux"}
        answer = ssm.get_command_invocation(**asked)
        return answer["Status"], answer["StandardErrorContent"]

    def allowed(self, action: str, resource: str = OBJECT, account: str = NONPRODUCTION) -> str:
        asked = {"ActionNames": [action], "ResourceArns": [resource]}
        source = f"arn:aws:iam::{account}:role/{ROLE}"
        answer = self.client("iam", account).simulate_principal_policy(PolicySourceArn=source, **asked)
        [result] = answer["EvaluationResults"]
        return str(result["EvalDecision"])


@pytest.fixture
def place() -> Iterator[Place]:
    made = Place()
    with made.server:
        yield made


# --- Alarms


def test_an_application_s_alarms_stand_in_each_of_its_accounts_and_begin_ok(place: Place) -> None:
    for account in (NONPRODUCTION, PRODUCTION):
        assert place.alarms(account) == {"orders-5xx": "OK", "orders-latency": "OK"}


def test_an_alarm_goes_on_and_off_at_the_sandbox_s_time(place: Place) -> None:
    place.clock.jump(timedelta(days=3))
    place.world.set_alarm("orders-5xx", "ALARM", account=NONPRODUCTION, region="eu-west-1")
    asked = {"AlarmNames": ["orders-5xx"], "StateValue": "ALARM"}
    [alarm] = place.client("cloudwatch").describe_alarms(**asked)["MetricAlarms"]
    assert alarm["StateUpdatedTimestamp"] == START + timedelta(days=3)
    assert place.alarms(PRODUCTION)["orders-5xx"] == "OK"
    assert place.alarms()["orders-latency"] == "OK"
    place.world.set_alarm("orders-5xx", "ALARM")
    assert place.alarms(PRODUCTION)["orders-5xx"] == "ALARM"
    place.world.set_alarm("orders-5xx", "OK")
    assert place.alarms()["orders-5xx"] == place.alarms(PRODUCTION)["orders-5xx"] == "OK"


@pytest.mark.parametrize(
    ("name", "state", "narrower", "refused"),
    [
        ("unheard", "ALARM", {}, KeyError),
        ("orders-5xx", "ON", {}, ValueError),
        ("orders-5xx", "ALARM", {"account": "333333333333"}, KeyError),
        ("orders-5xx", "ALARM", {"region": "us-east-1"}, KeyError),
    ],
)
def test_an_alarm_that_is_not_there_or_a_state_that_is_none_is_refused(
    place: Place, name: str, state: str, narrower: dict[str, str], refused: type[Exception]
) -> None:
    with pytest.raises(refused):
        place.world.set_alarm(name, state, **narrower)
    assert set(place.alarms().values()) == {"OK"}


@pytest.mark.parametrize(("kind", "code"), [("throttling", "ThrottlingException"), ("access-denied", "AccessDenied")])
def test_a_fault_strikes_cloudwatch_by_its_operation(place: Place, kind: str, code: str) -> None:
    place.world.faults.add("monitoring", "DescribeAlarms", kind)
    with pytest.raises(ClientError) as refused:
        place.alarms()
    assert refused.value.response["Error"]["Code"] == code
    assert place.alarms()


# --- Roles


def test_ec2_shows_an_instance_s_profile_and_none_where_there_is_no_role(place: Place) -> None:
    found = place.client("ec2").describe_instances()["Reservations"]
    profiles = {
        instance["InstanceId"]: instance.get("IamInstanceProfile", {}).get("Arn")
        for reservation in found
        for instance in reservation["Instances"]
    }
    managed, bare = (node.id for node in place.fleet.environment("app", "nonprod").nodes)
    assert profiles == {managed: f"arn:aws:iam::{NONPRODUCTION}:instance-profile/{ROLE}", bare: None}
    profile = place.client("iam").get_instance_profile(InstanceProfileName=ROLE)["InstanceProfile"]
    assert [role["RoleName"] for role in profile["Roles"]] == [ROLE]


def test_the_role_s_policies_can_be_read(place: Place) -> None:
    iam = place.client("iam")
    attached = iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AmazonSSMManagedInstanceCore"]
    [inline] = iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    [statement] = iam.get_role_policy(RoleName=ROLE, PolicyName=inline)["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/*")


@pytest.mark.parametrize(
    ("action", "resource", "decision"),
    [
        ("s3:GetObject", OBJECT, "allowed"),
        ("s3:PutObject", OBJECT, "implicitDeny"),
        ("s3:GetObject", "arn:aws:s3:::another/lists/set.json", "implicitDeny"),
        ("ssm:UpdateInstanceInformation", "*", "allowed"),
    ],
)
def test_the_role_is_judged_by_its_policies(place: Place, action: str, resource: str, decision: str) -> None:
    assert place.allowed(action, resource) == decision


def test_a_role_that_may_not_read_the_list_is_seen_beforehand_and_fails_the_run(place: Place) -> None:
    assert place.install("nonprod")[0] == "Success"
    place.client("iam").delete_role_policy(RoleName=ROLE, PolicyName="read-pinned-lists")
    assert place.allowed("s3:GetObject") == "implicitDeny"
    status, error = place.install("nonprod")
    assert (status, "403" in error) == ("Failed", True)
    assert place.allowed("s3:GetObject", account=PRODUCTION) == "allowed"
    assert place.install("prod")[0] == "Success"


def test_an_explicit_deny_wins(place: Place) -> None:
    denial = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": denial})
    place.client("iam").put_role_policy(RoleName=ROLE, PolicyName="no", PolicyDocument=document)
    assert place.allowed("s3:GetObject") == "explicitDeny"


def test_the_bucket_s_policy_keeps_other_accounts_out_and_not_its_own(place: Place) -> None:
    s3 = place.client("s3", PRODUCTION)
    [statement] = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert f"arn:aws:iam::{NONPRODUCTION}:role/{ROLE}" in statement["Principal"]["AWS"]
    s3.delete_bucket_policy(Bucket=BUCKET)
    assert place.install("prod")[0] == "Success"
    status, error = place.install("nonprod")
    assert (status, "403" in error) == ("Failed", True)


@pytest.mark.parametrize(
    ("source", "more", "code"),
    [
        (f"arn:aws:iam::{NONPRODUCTION}:role/unheard", {}, "NoSuchEntity"),
        (f"arn:aws:iam::{PRODUCTION}:role/{ROLE}", {}, "NoSuchEntity"),
        (f"arn:aws:iam::{NONPRODUCTION}:role/{ROLE}", {"ResourcePolicy": "{}"}, "InvalidInput"),
    ],
)
def test_what_cannot_be_simulated_is_refused(place: Place, source: str, more: dict[str, str], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        place.client("iam").simulate_principal_policy(PolicySourceArn=source, ActionNames=["s3:GetObject"], **more)
    assert refused.value.response["Error"]["Code"] == code


def test_a_look_at_the_object_without_its_content_tells_its_length(place: Place) -> None:
    s3 = place.client("s3", PRODUCTION)
    s3.put_object(Bucket=BUCKET, Key="lists/set.json", Body=b"{}")
    assert s3.head_object(Bucket=BUCKET, Key="lists/set.json")["ContentLength"] == 2
    with pytest.raises(ClientError) as refused:
        s3.head_object(Bucket=BUCKET, Key="lists/another.json")
    assert refused.value.response["Error"]["Code"] == "404"
