"""Managed nodes, their documents and their settings, as the operations show them."""

from typing import Any

import pytest

from sandbox.aws.model import SsmError
from sandbox.fleet import small_fleet
from tests.unit.simulated_aws.support import Rig


def found(world: Rig, *filters: tuple[str, str]) -> list[str]:
    items = [{"Key": key, "Values": [value]} for key, value in filters]
    answer = world.call("DescribeInstanceInformation", **({"Filters": items} if items else {}))
    return [node["InstanceId"] for node in answer["InstanceInformationList"]]


def test_nodes_are_found_by_what_they_are_and_by_their_tags() -> None:
    world = Rig(small_fleet(nonprod=3))
    world.world.set_power(world.ids[2], "stop")
    assert found(world) == world.ids
    assert found(world, ("PingStatus", "ConnectionLost")) == world.ids[2:]
    assert found(world, ("InstanceIds", world.ids[1])) == [world.ids[1]]
    assert found(world, ("PlatformTypes", "Windows")) == []
    assert found(world, ("tag:Name", "app-nonprod-2")) == [world.ids[1]]
    assert found(world, ("tag-key", "PatchGroup")) == world.ids
    world.world.set_power(world.ids[2], "terminate")
    assert found(world) == world.ids[:2]


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ([("Unheard", "x")], "InvalidFilterKey"),
        ([("tag:Name", "x"), ("PingStatus", "Online")], "ValidationException"),
    ],
)
def test_filters_that_make_no_sense_are_refused(filters: list[tuple[str, str]], code: str) -> None:
    with pytest.raises(SsmError, match=code):
        found(Rig(small_fleet()), *filters)


def test_a_debian_node_says_what_it_is() -> None:
    world = Rig(small_fleet())
    [node] = world.call("DescribeInstanceInformation")["InstanceInformationList"]
    shown = {name: node[name] for name in ("PlatformType", "PlatformName", "PlatformVersion", "PingStatus")}
    assert shown == {
        "PlatformType": "Linux",
        "PlatformName": "Debian GNU/Linux",
        "PlatformVersion": "12",
        "PingStatus": "Online",
    }


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("DescribeInstanceAssociationsStatus", {"InstanceId": "i-00000000"}, "InvalidInstanceId"),
        ("DescribeInstancePatches", {"InstanceId": "i-00000000"}, "InvalidInstanceId"),
        ("GetServiceSetting", {"SettingId": "/ssm/unheard"}, "ServiceSettingNotFound"),
        ("DescribeDocument", {"Name": "AWS-Unheard"}, "InvalidDocument"),
        ("GetDocument", {"Name": "AWS-RunPatchBaseline", "DocumentVersion": "7"}, "InvalidDocumentVersion"),
        ("CancelCommand", {"CommandId": "0" * 36}, "InvalidCommandId"),
        ("ListCommandInvocations", {"CommandId": "0" * 36}, "InvalidCommandId"),
        ("ListCommands", {"NextToken": "made up"}, "InvalidNextToken"),
    ],
)
def test_what_is_not_there_is_refused_by_the_model_s_own_exception(
    operation: str, params: dict[str, Any], code: str
) -> None:
    with pytest.raises(SsmError) as refused:
        Rig(small_fleet()).call(operation, **params)
    assert refused.value.code == code


def test_the_document_shows_its_parameters() -> None:
    world = Rig(small_fleet())
    document = world.call("DescribeDocument", Name="AWS-RunPatchBaseline")["Document"]
    defaults = {parameter["Name"]: parameter.get("DefaultValue") for parameter in document["Parameters"]}
    assert defaults == {
        "Operation": None,
        "AssociationId": "",
        "SnapshotId": "",
        "InstallOverrideList": "",
        "BaselineOverride": "",
        "RebootOption": "RebootIfNeeded",
        "StepTimeoutSeconds": "7200",
    }
    assert (document["HashType"], len(document["Hash"])) == ("Sha256", 64)
    filters = [{"Key": "Owner", "Values": ["Amazon"]}]
    listed = world.call("ListDocuments", Filters=filters)["DocumentIdentifiers"]
    assert [document["Name"] for document in listed] == [
        *("AWS-Noop", "AWS-RunPatchBaseline", "AWS-RunPatchBaselineWithHooks")
    ]
    assert world.call("GetDocument", Name="AWS-RunPatchBaseline")["DocumentVersion"] == "1"


def test_a_known_node_has_no_association_and_the_setting_its_default() -> None:
    world = Rig(small_fleet())
    associations = world.call("DescribeInstanceAssociationsStatus", InstanceId=world.ids[0])
    assert associations == {"InstanceAssociationStatusInfos": []}
    setting = "/ssm/managed-instance/default-ec2-instance-management-role"
    assert world.call("GetServiceSetting", SettingId=setting)["ServiceSetting"]["Status"] == "Default"
