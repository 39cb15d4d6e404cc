"""What keeps a node from being patched at all: its agent, its system, what it lacks, its role (section 6)."""

from typing import Any

import pytest

from sandbox.aws.fleet import AMAZON_LINUX_2023, DEBIAN_12, DEBIAN_14, WINDOWS_2019, Platform
from sandbox.aws.model import SsmError
from sandbox.fleet import small_fleet
from tests.unit.simulated_aws.support import NONPRODUCTION, Rig

FIRST = "app-nonprod-1"
SETTING = "/ssm/managed-instance/default-ec2-instance-management-role"


def rig(platform: Platform = DEBIAN_12, nodes: int = 1, **differing: Any) -> Rig:
    """Of so many nodes the first is unlike the others."""
    return Rig(small_fleet(nonprod=nodes, platform=platform, differing={FIRST: differing}))


@pytest.mark.parametrize(
    ("platform", "differing", "code", "said"),
    [
        (DEBIAN_12, {"lacks": "python"}, 1, "Apt requires Python3 to be installed."),
        (AMAZON_LINUX_2023, {"lacks": "python"}, 1, "Dnf requires Python2 or Python3 to be installed."),
        (WINDOWS_2019, {"lacks": "powershell"}, -1, "An error occurred when executing PatchBaselineOperations"),
        (DEBIAN_14, {}, 146, "UnsupportedOperatingSystem"),
        (WINDOWS_2019, {"agent_version": "2.0.800.0"}, -1, "SSM Agent version less than 2.0.834.0"),
    ],
)
def test_a_trial_scan_fails_in_the_payload_s_words_and_reports_nothing(
    platform: Platform, differing: dict[str, Any], code: int, said: str
) -> None:
    world = rig(platform, nodes=2, **differing)
    healthy = platform.supported
    command = world.run("Scan", MaxErrors="1")
    assert world.details(command) == ["Failed", "Success" if healthy else "Failed"]
    plugin = "PatchWindows" if platform.type == "Windows" else "PatchLinux"
    asked = {"CommandId": command, "InstanceId": world.ids[0], "PluginName": plugin}
    answer = world.call("GetCommandInvocation", **asked)
    assert (answer["ResponseCode"], said in answer["StandardErrorContent"]) == (code, True)
    assert world.state(0) == {}
    assert bool(world.state(1)) is healthy


@pytest.mark.parametrize(("version", "latest"), [("2.3.871.0", False), ("3.0.502.0", False), ("3.3.987.0", True)])
def test_an_agent_shows_its_version_and_an_old_one_still_patches(version: str, latest: bool) -> None:
    world = rig(agent_version=version)
    [node] = world.call("DescribeInstanceInformation")["InstanceInformationList"]
    assert (node["AgentVersion"], node["IsLatestVersion"]) == (version, latest)
    filters = [{"Key": "AgentVersion", "Values": [version]}]
    assert world.call("DescribeInstanceInformation", Filters=filters)["InstanceInformationList"]
    assert world.details(world.run("Scan")) == ["Success"]


def known(world: Rig) -> list[str]:
    return [node["InstanceId"] for node in world.call("DescribeInstanceInformation")["InstanceInformationList"]]


def test_an_instance_without_a_role_is_unmanaged() -> None:
    world = rig(nodes=2, role=False)
    assert known(world) == world.ids[1:]
    with pytest.raises(SsmError, match="InvalidInstanceId"):
        world.send("Scan", ids=world.ids[:1])
    targets = [{"Key": "tag:PatchGroup", "Values": ["app-nonprod"]}]
    parameters = {"Operation": ["Scan"]}
    sent = world.call("SendCommand", DocumentName="AWS-RunPatchBaseline", Targets=targets, Parameters=parameters)
    assert sent["Command"]["TargetCount"] == 1


@pytest.mark.parametrize(("version", "managed"), [("3.2.582.0", True), ("3.2.581.0", False)])
def test_default_host_management_takes_in_an_instance_whose_agent_knows_how(version: str, managed: bool) -> None:
    world = rig(role=False, agent_version=version)
    assert world.call("GetServiceSetting", SettingId=SETTING)["ServiceSetting"]["SettingValue"] == "$None"
    world.world.set_host_management(NONPRODUCTION, "eu-west-1", "service-role/AWSSystemsManagerDefaultEC2Role")
    setting = world.call("GetServiceSetting", SettingId=SETTING)["ServiceSetting"]
    assert (setting["SettingValue"], setting["Status"]) == (
        "service-role/AWSSystemsManagerDefaultEC2Role",
        "Customized",
    )
    assert known(world) == (world.ids if managed else [])
    world.world.set_host_management(NONPRODUCTION, "eu-west-1", None)
    assert known(world) == []
