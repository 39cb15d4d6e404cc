"""The product's own document and the hooks of applications, against the simulated AWS over HTTP."""

import hashlib
import json
import shlex
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from aws.documents import SHIPPED, UnusableDocument, problems_of
from aws.errors import AccessRefused
from aws.patching import PatchManager
from aws.sessions import Sessions
from aws.target import Target
from patching.hooks import INSTALL_WITH_HOOKS, StepEnd
from patching.plan import BASELINE_PARAMETERS
from sandbox.aws.server import SimulatedAws
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.fleet import NONPRODUCTION, REGION, small_fleet

TARGET = Target(NONPRODUCTION, REGION)
WHERE = f"account {NONPRODUCTION}, {REGION}"
STEP = {"name": "Stop", "action": "aws:runShellScript", "inputs": {"runCommand": ["systemctl stop orders"]}}


class Place:
    def __init__(self, server: SimulatedAws, world: World, clock: SandboxClock) -> None:
        self.world = world
        self.clock = clock
        environ = {
            "AWS_ACCESS_KEY_ID": server.base_key(NONPRODUCTION),
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
            "AWS_ENDPOINT_URL": server.url,
        }
        self.sessions = Sessions(environ)
        self.manager = PatchManager(self.sessions)
        self.ssm: Any = self.sessions.client("ssm", TARGET)

    def do(self, sentence: str) -> str:
        """What the operator is told to run, the command between backticks, as awscli would; returns the new version."""
        _, operation, *words = shlex.split(sentence.split("`")[1])[1:]
        given = dict(zip(words[::2], words[1::2], strict=True))
        assert given.pop("--region") == REGION
        members = {"".join(part.title() for part in name.strip("-").split("-")): each for name, each in given.items()}
        if "Content" in members:
            assert members["Content"] == f"file://{SHIPPED}"
            members["Content"] = SHIPPED.read_text(encoding="utf-8")
        answer = getattr(self.ssm, operation.replace("-", "_"))(**members)
        return str(answer.get("DocumentDescription", {}).get("DocumentVersion", ""))


@pytest.fixture
def place() -> Iterator[Place]:
    clock = SandboxClock()
    world = World(clock, small_fleet())
    with SimulatedAws(world) as server:
        yield Place(server, world, clock)


def document(**more: Any) -> str:
    return json.dumps({"schemaVersion": "2.2", "mainSteps": [STEP], **more})


def trouble(place: Place) -> str:
    """What is said against the product's document there; empty where nothing is."""
    try:
        place.manager.install_with_hooks(TARGET)
    except UnusableDocument as unusable:
        return str(unusable)
    return ""


def own(place: Place, name: str) -> str:
    """What is said against a document as a pre-install hook of Linux nodes; empty where nothing is."""
    try:
        place.manager.own_document(TARGET, name, "pre-install hook", {"Linux"})
    except UnusableDocument as unusable:
        return str(unusable)
    return ""


def test_what_it_says_makes_an_account_ready(place: Place) -> None:
    said = trouble(place)
    assert said.startswith(
        f"{INSTALL_WITH_HOOKS} does not exist in {WHERE}, so nothing is installed with hooks there: create it with `"
    )
    assert place.do(said) == "1"
    assert trouble(place) == ""
    found = place.manager.install_with_hooks(TARGET)
    assert (found.version, found.hash) == ("1", hashlib.sha256(SHIPPED.read_bytes()).hexdigest())
    assert found.parameters >= BASELINE_PARAMETERS
    assert found.required == {"Operation", "InstallOverrideList"}
    assert found == place.manager.document(TARGET, INSTALL_WITH_HOOKS)


def test_what_it_says_brings_another_version_to_this_one(place: Place) -> None:
    place.ssm.create_document(Name=INSTALL_WITH_HOOKS, Content=document(), DocumentType="Command")
    said = trouble(place)
    assert f"version 1 of {INSTALL_WITH_HOOKS} in {WHERE}, is not what this Patchgate was made for, so nothing" in said
    assert place.do(said) == "2"
    said = trouble(place)
    assert "a later one is, so nothing is installed with hooks there: make that the default" in said
    place.do(said)
    assert trouble(place) == ""


def test_an_own_document_is_there_and_asks_for_nothing_by_one_call(place: Place) -> None:
    optional = {"Service": {"type": "String", "default": ""}}
    place.ssm.create_document(Name="StopOrders", Content=document(parameters=optional), DocumentType="Command")
    before = len(place.world.ssm_log.calls("DescribeDocument"))
    assert own(place, "StopOrders") == own(place, "AWS-Noop") == ""
    assert len(place.world.ssm_log.calls("DescribeDocument")) == before + 2


def test_somebody_else_s_document_keeps_its_arn(place: Place) -> None:
    place.ssm.create_document(Name="StopOrders", Content=document(), DocumentType="Command")
    arn = f"arn:aws:ssm:{REGION}:{NONPRODUCTION}:document/StopOrders"
    assert place.manager.own_document(TARGET, arn, "pre-install hook").name == arn


def test_an_own_document_that_cannot_run_is_named_with_why(place: Place) -> None:
    needs = {name: {"type": "String"} for name in ("Service", "Port")}
    windows = [STEP | {"precondition": {"StringEquals": ["platformType", "Windows"]}}]
    content = document(parameters=needs, mainSteps=windows)
    place.ssm.create_document(Name="StopOrders", Content=content, DocumentType="Command")
    assert own(place, "StopOrders") == (
        f"The pre-install hook StopOrders in {WHERE} can't be run, so nothing is installed there: "
        "it demands Port and Service, which nobody gives it, so give defaults to its parameters; "
        "it does nothing on Linux, which nodes there run, so give it steps for that."
    )
    assert own(place, "DrainOrders") == (
        f"The pre-install hook DrainOrders does not exist in {WHERE}, so nothing is installed there: "
        "create it, or take it out of the configuration."
    )


def test_a_refusal_is_no_answer(place: Place) -> None:
    place.world.faults.add("ssm", "DescribeDocument", "access-denied", times=2)
    with pytest.raises(AccessRefused, match="allow ssm:DescribeDocument"):
        trouble(place)
    with pytest.raises(AccessRefused, match="allow ssm:DescribeDocument"):
        own(place, "StopOrders")


def test_only_an_active_document_of_type_command_is_run() -> None:
    """The simulated AWS has no others."""
    described = {"DocumentType": "Automation", "Status": "Creating", "PlatformTypes": ["Linux"]}
    assert [*problems_of(described, {"Linux"})] == [  # type: ignore[arg-type]
        "it is of type Automation, so name one of type Command",
        "its status is Creating, so wait until it is Active or repair it",
    ]


def test_each_step_of_a_command_says_how_it_ended_on_each_node(place: Place) -> None:
    lines = ["echo one", "echo two"]
    steps = [STEP | {"name": f"Say{word}", "inputs": {"runCommand": lines}} for word in ("Once", "Twice")]
    place.ssm.create_document(Name="SayThings", Content=document(mainSteps=steps), DocumentType="Command")
    node_ids = [node.id for node in place.world.fleet.environment("app", "nonprod").nodes]
    place.world.faults.add(
        "ssm", "SendCommand", "step-fails", document="SayThings", step="SayTwice", nodes=node_ids[:1]
    )
    command = place.ssm.send_command(DocumentName="SayThings", InstanceIds=node_ids)["Command"]["CommandId"]
    place.clock.jump(timedelta(minutes=1))
    ends = place.manager.step_ends(TARGET, command)
    assert ends.keys() == set(node_ids)
    failed = [
        StepEnd("SayOnce", "Success", True, "two"),
        StepEnd("SayTwice", "Failed", True, ends[node_ids[0]][1].said),
    ]
    assert ends[node_ids[0]] == tuple(failed)
    assert place.manager.complaints(TARGET, command) == {node_ids[0]: failed[1].said}
    assert "The sandbox was told to let SayTwice" in failed[1].said
