"""A world without a server: operations called at the front's entry, and a clock that moves when told."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.aws import ssm
from sandbox.aws.fleet import Fleet, Package, Release
from sandbox.aws.runcommand import Durations
from sandbox.aws.world import NoSurroundings, World
from sandbox.clock import SandboxClock

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
NONPRODUCTION = "111111111111"
SNAPSHOT = "00000000-1111-2222-3333-444444444444"

OPENSSL = Package("openssl", "amd64", "3.0.16-1", suite="security")
BASH = Package("bash", "amd64", "5.2.15-2")
ADDUSER = Package("adduser", "all", "3.134")


def upgrade(package: Package, version: str, **more: Any) -> Release:
    """A security release of a later version."""
    return Release(Package(package.name, package.arch, version, package.severity, suite="security"), **more)


class Bucket(NoSurroundings):
    """Objects by address, for override lists."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self._objects = objects

    def read_object(self, url: str) -> bytes:
        return self._objects[url]


class Rig:
    def __init__(self, fleet: Fleet, objects: dict[str, bytes] | None = None) -> None:
        self.clock = SandboxClock(START, rate=0)
        durations = Durations(delivery=1, scan=10, install_per_package=2, reboot=30, cancel=1)
        self.world = World(self.clock, fleet, durations)
        self.world.surroundings = Bucket(objects or {})
        self.ids = [node.id for _, _, node in fleet.nodes()]

    def call(self, operation: str, /, **params: Any) -> dict[str, Any]:
        return ssm.answer(self.world, NONPRODUCTION, "eu-west-1", operation, params)

    def send(self, operation: str = "Scan", *, ids: list[str] | None = None, **more: Any) -> str:
        """SendCommand; `more` are its members, or AWS-RunPatchBaseline's parameters where they are strings in
        lower case, as in `reboot="NoReboot"`, `override="s3://…"`."""
        parameters = {"Operation": [operation], "SnapshotId": [SNAPSHOT]}
        for name, parameter in (("reboot", "RebootOption"), ("override", "InstallOverrideList")):
            if name in more:
                parameters[parameter] = [more.pop(name)]
        command = self.call(
            "SendCommand",
            DocumentName="AWS-RunPatchBaseline",
            InstanceIds=self.ids if ids is None else ids,
            Parameters=parameters,
            **more,
        )
        command_id: str = command["Command"]["CommandId"]
        return command_id

    def later(self, seconds: float) -> None:
        self.clock.jump(timedelta(seconds=seconds))

    def run(self, operation: str, **more: Any) -> str:
        """Send, and let enough time pass for it to end."""
        command_id = self.send(operation, **more)
        self.later(120)
        return command_id

    def details(self, command_id: str) -> list[str]:
        """Each invocation's StatusDetails, in the order of the nodes."""
        found = self.call("ListCommandInvocations", CommandId=command_id)["CommandInvocations"]
        return [invocation["StatusDetails"] for invocation in found]

    def parent(self, command_id: str) -> tuple[str, str]:
        command = self.call("ListCommands", CommandId=command_id)["Commands"][0]
        return command["Status"], command["StatusDetails"]

    def rows(self, node: int = 0) -> dict[str, tuple[str, str]]:
        """KBId → (State, Title), over all pages."""
        rows: dict[str, tuple[str, str]] = {}
        token: dict[str, str] = {}
        while True:
            answer = self.call("DescribeInstancePatches", InstanceId=self.ids[node], **token)
            rows |= {row["KBId"]: (row["State"], row["Title"]) for row in answer["Patches"]}
            if "NextToken" not in answer:
                return rows
            token = {"NextToken": answer["NextToken"]}

    def state(self, node: int = 0) -> dict[str, Any]:
        states = self.call("DescribeInstancePatchStates", InstanceIds=[self.ids[node]])["InstancePatchStates"]
        found: dict[str, Any] = states[0] if states else {}
        return found


def debian_kernel(abi: str, version: str) -> tuple[Package, Package]:
    """The metapackage and the image that it depends on, whose name holds the version: each kernel is a new id."""
    return (
        Package("linux-image-amd64", "amd64", version, suite="security", section="kernel"),
        Package(f"linux-image-{abi}-amd64", "amd64", version, suite="security", section="kernel"),
    )
