"""What the nodes' roles allow, against the simulated AWS over HTTP."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from aws.errors import AccessRefused, DefiniteRefusal
from aws.nodes import Nodes
from aws.permissions import Permissions
from aws.sessions import Sessions
from aws.target import Target
from sandbox.aws.server import SimulatedAws
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.fleet import NONPRODUCTION, REGION, small_fleet

ROLE = Target(NONPRODUCTION, REGION, f"arn:aws:iam::{NONPRODUCTION}:role/patchgate")
BUCKET, KEY = "acme-patchgate", "lists/abc.json"
OBJECT = f"arn:aws:s3:::{BUCKET}/{KEY}"
GONE = "i-0123456789abcdef0"
HOST_MANAGEMENT = "service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole"


class Place:
    """Three nodes, the last without an instance profile, and a count of the calls by service."""

    def __init__(self, world: World, server: SimulatedAws) -> None:
        self.world = world
        self.sessions = Sessions(
            {
                "AWS_ACCESS_KEY_ID": server.base_key(NONPRODUCTION),
                "AWS_SECRET_ACCESS_KEY": "not-a-secret",
                "AWS_ENDPOINT_URL": server.url,
            }
        )
        self.permissions = Permissions(self.sessions)
        nodes = Nodes(self.sessions).resolve(ROLE, {"tag:PatchGroup": ["app-nonprod"]})
        by_name = {node.name: node.id for node in nodes}
        self.ids = tuple(by_name[f"app-nonprod-{number}"] for number in range(1, len(nodes) + 1))
        self.calls: list[str] = []
        self.iam: Any = self.sessions.client("iam", ROLE)
        self.ec2: Any = self.sessions.client("ec2", ROLE)
        self.ssm: Any = self.sessions.client("ssm", ROLE)
        clients: tuple[Any, ...] = (self.iam, self.ec2, self.ssm)
        for client in clients:
            client.meta.events.register("before-call", self._count)

    def role(self, name: str, *statements: dict[str, Any], nodes: tuple[str, ...] = ()) -> None:
        """A role and its profile, given to `nodes` in place of their own."""
        policy = {"Version": "2012-10-17", "Statement": list(statements)}
        self.iam.create_role(RoleName=name, Path="/app/", AssumeRolePolicyDocument="{}")
        self.iam.put_role_policy(RoleName=name, PolicyName="its-policy", PolicyDocument=json.dumps(policy))
        self.iam.create_instance_profile(InstanceProfileName=f"{name}-profile", Path="/app/")
        self.iam.add_role_to_instance_profile(InstanceProfileName=f"{name}-profile", RoleName=name)
        self.give(f"{name}-profile", *nodes)

    def give(self, profile: str, *node_ids: str) -> None:
        held = {
            each["InstanceId"]: each["AssociationId"]
            for each in self.ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
        }
        for node_id in node_ids:
            self.ec2.disassociate_iam_instance_profile(AssociationId=held[node_id])
            self.ec2.associate_iam_instance_profile(InstanceId=node_id, IamInstanceProfile={"Name": profile})

    def iam_says(self, status: int, body: str) -> None:
        """IAM's answer to the next simulations, in place of what the simulated AWS would give."""
        self.iam.meta.events.register(
            "before-send.iam.SimulatePrincipalPolicy",
            lambda request, **_: AWSResponse(request.url, status, HTTPHeaders(), _Raw(body.encode())),
        )

    def can_read(self, *node_ids: str) -> tuple[bool | None, str]:
        self.calls.clear()
        answer = self.permissions.can_read(ROLE, node_ids, BUCKET, KEY)
        return answer.readable, answer.sentence

    def _count(self, model: Any, **_: object) -> None:
        self.calls.append(model.name)


class _Raw:
    """urllib3's side of an answer."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._body


@pytest.fixture
def place() -> Iterator[Place]:
    world = World(SandboxClock(rate=0), small_fleet(nonprod=3, differing={"app-nonprod-3": {"role": False}}))
    with SimulatedAws(world) as server:
        yield Place(world, server)


def allowing(action: str = "s3:GetObject", resource: str = OBJECT, effect: str = "Allow") -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource}


# --- Reading the pinned list


def test_a_role_that_may_read(place: Place) -> None:
    readable, sentence = place.can_read(*place.ids[:2])
    assert readable is True
    assert "IAM lets the role patchgate-node of" in sentence
    assert place.ids[0] in sentence
    assert place.calls == ["DescribeInstances", "GetInstanceProfile", "SimulatePrincipalPolicy"]


@pytest.mark.parametrize(
    ("statements", "readable", "says"),
    [
        ([allowing()], True, "IAM lets the role db of"),
        ([allowing("s3:Get*", f"arn:aws:s3:::{BUCKET}/lists/*")], True, "IAM lets the role db of"),
        ([allowing("s3:PutObject")], False, "IAM does not allow the role db of"),
        ([allowing(resource="arn:aws:s3:::another-bucket/*")], False, f"allow s3:GetObject on {OBJECT}"),
        ([allowing(resource=f"arn:aws:s3:::{BUCKET}/other/*")], False, "IAM does not allow the role db of"),
        ([allowing(), allowing("s3:*", "*", "Deny")], False, "IAM denies the role db of"),
    ],
)
def test_what_a_roles_policies_say(place: Place, statements: list[dict[str, Any]], readable: bool, says: str) -> None:
    place.role("db", *statements, nodes=place.ids[:2])
    answer = place.can_read(*place.ids[:2])
    assert answer[0] is readable
    assert says in answer[1]


def test_one_node_that_may_not_read_decides_and_is_named(place: Place) -> None:
    place.role("db", allowing("s3:PutObject"), nodes=(place.ids[1],))
    readable, sentence = place.can_read(*place.ids[:2])
    assert readable is False
    assert place.ids[1] in sentence
    assert place.ids[0] not in sentence


def test_a_profile_without_a_role_reads_nothing(place: Place) -> None:
    place.iam.create_instance_profile(InstanceProfileName="hollow")
    place.give("hollow", place.ids[0])
    readable, sentence = place.can_read(place.ids[0])
    assert readable is False
    assert "The instance profile hollow of" in sentence


def test_a_profile_that_is_gone_reads_nothing(place: Place) -> None:
    place.role("db", allowing(), nodes=(place.ids[0],))
    place.iam.remove_role_from_instance_profile(InstanceProfileName="db-profile", RoleName="db")
    place.iam.delete_instance_profile(InstanceProfileName="db-profile")
    assert place.can_read(place.ids[0])[0] is False


def test_a_node_without_a_profile_reads_nothing_or_nobody_knows(place: Place) -> None:
    readable, sentence = place.can_read(*place.ids)
    assert readable is False
    assert sentence.startswith(f"{place.ids[2]} can't read s3://{BUCKET}/{KEY} without a role")
    place.world.set_host_management(NONPRODUCTION, REGION, HOST_MANAGEMENT)
    readable, sentence = place.can_read(*place.ids)
    assert readable is None
    assert "by default host management alone is not known" in sentence


def test_a_node_that_ec2_does_not_know(place: Place) -> None:
    readable, sentence = place.can_read(place.ids[0], GONE)
    assert readable is None
    assert f"EC2 does not know {GONE}" in sentence


def test_a_no_counts_more_than_a_node_that_is_not_known(place: Place) -> None:
    readable, sentence = place.can_read(GONE, place.ids[0], place.ids[2])
    assert readable is False
    assert GONE not in sentence


def test_no_node_is_no_answer(place: Place) -> None:
    assert place.can_read()[0] is None
    assert place.calls == []


@pytest.mark.parametrize(
    ("service", "operation", "permission"),
    [
        ("iam", "SimulatePrincipalPolicy", "iam:SimulatePrincipalPolicy"),
        ("iam", "GetInstanceProfile", "iam:GetInstanceProfile"),
        ("ec2", "DescribeInstances", "ec2:DescribeInstances"),
    ],
)
def test_what_may_not_be_asked_is_not_known(place: Place, service: str, operation: str, permission: str) -> None:
    place.world.faults.add(service, operation, "access-denied")
    readable, sentence = place.can_read(place.ids[0])
    assert readable is None
    assert f"could not be asked: AWS refused {operation}" in sentence
    assert f"allow {permission} there" in sentence


def test_other_trouble_is_raised(place: Place) -> None:
    place.iam_says(400, "<ErrorResponse><Error><Code>InvalidInput</Code></Error></ErrorResponse>")
    with pytest.raises(DefiniteRefusal, match="InvalidInput"):
        place.can_read(place.ids[0])


@pytest.mark.parametrize(("decision", "readable"), [("implicitDeny", None), ("explicitDeny", None), ("allowed", True)])
def test_a_denial_that_hangs_on_a_condition_is_not_known(place: Place, decision: str, readable: bool | None) -> None:
    # The simulated AWS knows no conditions.
    place.iam_says(
        200,
        '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        "<SimulatePrincipalPolicyResult><EvaluationResults><member><EvalActionName>s3:GetObject</EvalActionName>"
        f"<EvalDecision>{decision}</EvalDecision>"
        "<MissingContextValues><member>aws:SourceVpce</member></MissingContextValues>"
        "</member></EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>",
    )
    found, sentence = place.can_read(place.ids[0])
    assert found is readable
    assert ("depends on aws:SourceVpce" in sentence) is (readable is None)


def test_ids_go_200_to_a_call(place: Place) -> None:
    unknown = [f"i-{number:017x}" for number in range(199)]
    assert place.can_read(*unknown, *place.ids[:2])[0] is None
    assert place.calls == ["DescribeInstances", "DescribeInstances", "GetInstanceProfile", "SimulatePrincipalPolicy"]


# --- Why an agent is absent


def test_why_an_agent_is_absent(place: Place) -> None:
    found = place.permissions.absent_role(ROLE, [*place.ids[1:], GONE])
    assert set(found) == {*place.ids[1:], GONE}
    assert "has the instance profile patchgate-node" in found[place.ids[1]]
    assert "has no instance profile and default host management is off" in found[place.ids[2]]
    assert found[GONE] == f"EC2 does not know {GONE} in {ROLE}."
    assert place.calls == ["DescribeInstances", "GetServiceSetting"]
    assert not {sentence for sentence in found.values() if not sentence.endswith(".")}


def test_default_host_management_gives_a_role(place: Place) -> None:
    place.world.set_host_management(NONPRODUCTION, REGION, HOST_MANAGEMENT)
    found = place.permissions.absent_role(ROLE, place.ids[2:])
    assert "gives it the role AWSSystemsManagerDefaultEC2InstanceManagementRole" in found[place.ids[2]]


def test_a_setting_that_may_not_be_read_is_told(place: Place) -> None:
    place.world.faults.add("ssm", "GetServiceSetting", "access-denied")
    found = place.permissions.absent_role(ROLE, place.ids[2:])
    assert "could not be asked: AWS refused GetServiceSetting" in found[place.ids[2]]
    assert "allow ssm:GetServiceSetting there" in found[place.ids[2]]


def test_the_setting_is_not_asked_for_nodes_that_have_a_profile(place: Place) -> None:
    place.permissions.absent_role(ROLE, place.ids[:2])
    assert place.calls == ["DescribeInstances"]


def test_instances_that_may_not_be_seen_are_an_error(place: Place) -> None:
    place.world.faults.add("ec2", "DescribeInstances", "access-denied")
    with pytest.raises(AccessRefused):
        place.permissions.absent_role(ROLE, place.ids)
