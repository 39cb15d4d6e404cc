"""The product's own document and the hooks of applications, against the simulated AWS over HTTP."""

import hashlib
import json
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from aws.documents import SHIPPED, Documents
from aws.errors import AccessRefused
from aws.patching import PatchManager
from aws.sessions import Sessions
from aws.target import Target
from patching.hooks import INSTALL_WITH_HOOKS
from patching.plan import BASELINE_PARAMETERS
from sandbox.aws.server import SimulatedAws
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.fleet import NONPRODUCTION, REGION, small_fleet

TARGET = Target(NONPRODUCTION, REGION)
WHERE = f"account {NONPRODUCTION}, {REGION}"
STEP = {"name": "Stop", "action": "aws:runShellScript", "inputs": {"runCommand": ["systemctl stop orders"]}}


class Place:
    def __init__(self, server: SimulatedAws, world: World) -> None:
        self.world = world
        environ = {
            "AWS_ACCESS_KEY_ID": server.base_key(NONPRODUCTION),
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
            "AWS_ENDPOINT_URL": server.url,
        }
        self.sessions = Sessions(environ)
        self.documents = Documents(self.sessions)
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
    world = World(SandboxClock(), small_fleet())
    with SimulatedAws(world) as server:
        yield Place(server, world)


def document(**more: Any) -> str:
    return json.dumps({"schemaVersion": "2.2", "mainSteps": [STEP], **more})


def test_what_it_says_makes_an_account_ready(place: Place) -> None:
    trouble = place.documents.install_with_hooks_trouble(TARGET)
    assert trouble is not None
    assert trouble.startswith(f"{INSTALL_WITH_HOOKS} does not exist in {WHERE}, so no hook can run there; create it")
    assert place.do(trouble) == "1"
    assert place.documents.install_with_hooks_trouble(TARGET) is None
    described = place.ssm.describe_document(Name=INSTALL_WITH_HOOKS)["Document"]
    assert described["Hash"] == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    known = PatchManager(place.sessions).document(TARGET, INSTALL_WITH_HOOKS)
    assert (known.version, known.hash) == ("1", described["Hash"])
    assert known.parameters >= BASELINE_PARAMETERS
    assert known.required == {"Operation", "InstallOverrideList"}


def test_what_it_says_brings_another_version_to_this_one(place: Place) -> None:
    place.ssm.create_document(Name=INSTALL_WITH_HOOKS, Content=document(), DocumentType="Command")
    trouble = place.documents.install_with_hooks_trouble(TARGET)
    assert trouble is not None
    assert f"version 1 of {INSTALL_WITH_HOOKS} in {WHERE}, is not what this Patchgate was made for; update" in trouble
    assert place.do(trouble) == "2"
    trouble = place.documents.install_with_hooks_trouble(TARGET)
    assert trouble is not None
    assert "a later one is; make that the default" in trouble
    place.do(trouble)
    assert place.documents.install_with_hooks_trouble(TARGET) is None


def test_a_hook_is_there_and_asks_for_nothing(place: Place) -> None:
    optional = {"Service": {"type": "String", "default": ""}}
    place.ssm.create_document(Name="StopOrders", Content=document(parameters=optional), DocumentType="Command")
    assert place.documents.hook_trouble(TARGET, "StopOrders") is None
    assert place.documents.hook_trouble(TARGET, "AWS-Noop") is None


def test_a_hook_that_cannot_run_is_named_with_why(place: Place) -> None:
    needs = {name: {"type": "String"} for name in ("Service", "Port")}
    place.ssm.create_document(Name="StopOrders", Content=document(parameters=needs), DocumentType="Command")
    assert place.documents.hook_trouble(TARGET, "StopOrders") == (
        f"The hook StopOrders in {WHERE} can't run: it demands Port, Service, which a hook is not given, "
        "so give defaults to them."
    )
    assert place.documents.hook_trouble(TARGET, "DrainOrders") == (
        f"The hook DrainOrders does not exist in {WHERE}; create it there, or take it out of the configuration."
    )


def test_a_refusal_is_no_answer(place: Place) -> None:
    place.world.faults.add("ssm", "DescribeDocument", "access-denied", times=2)
    with pytest.raises(AccessRefused, match="allow ssm:DescribeDocument"):
        place.documents.install_with_hooks_trouble(TARGET)
    with pytest.raises(AccessRefused, match="allow ssm:DescribeDocument"):
        place.documents.hook_trouble(TARGET, "StopOrders")
