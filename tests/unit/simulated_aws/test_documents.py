"""Documents as their owners keep them: creating, new versions, defaults, and what is refused."""

import json
from typing import Any

import pytest

from sandbox.aws import ssm
from sandbox.aws.model import SsmError
from sandbox.fleet import PRODUCTION, small_fleet
from tests.unit.simulated_aws.support import NONPRODUCTION, Rig

STEP = {"name": "Stop", "action": "aws:runShellScript", "inputs": {"runCommand": ["systemctl stop orders"]}}


def content(*steps: dict[str, Any], **more: Any) -> str:
    return json.dumps({"schemaVersion": "2.2", "description": "Stops", "mainSteps": list(steps or (STEP,)), **more})


def rig() -> Rig:
    return Rig(small_fleet())


def refused(rig: Rig, operation: str, **params: Any) -> str:
    with pytest.raises(SsmError) as error:
        rig.call(operation, **params)
    return error.value.code


def test_a_document_is_described_and_listed_as_its_owner_s() -> None:
    world = rig()
    parameter = {"type": "String", "description": "Which one", "default": "orders", "allowedValues": ["orders"]}
    text = content(parameters={"Name": parameter})
    created = world.call("CreateDocument", Name="StopOrders", Content=text, DocumentType="Command")
    described = world.call("DescribeDocument", Name="StopOrders")["Document"]
    assert created["DocumentDescription"] == described
    assert (described["Owner"], described["DocumentVersion"], described["DocumentFormat"]) == (
        NONPRODUCTION,
        "1",
        "JSON",
    )
    assert (described["PlatformTypes"], described["SchemaVersion"]) == (["Linux", "MacOS"], "2.2")
    assert described["Parameters"] == [
        {"Name": "Name", "Type": "String", "Description": "Which one", "DefaultValue": "orders"}
    ]
    assert world.call("GetDocument", Name="StopOrders")["Content"] == text
    own = world.call("ListDocuments", Filters=[{"Key": "Owner", "Values": ["Self"]}])["DocumentIdentifiers"]
    assert [document["Name"] for document in own] == ["StopOrders"]


def test_it_belongs_to_one_account_and_aws_s_to_all() -> None:
    world = rig()
    world.call("CreateDocument", Name="StopOrders", Content=content())
    with pytest.raises(SsmError, match="InvalidDocument"):
        ssm.answer(world.world, PRODUCTION, "eu-west-1", "DescribeDocument", {"Name": "StopOrders"})
    for account in (NONPRODUCTION, PRODUCTION):
        found = ssm.answer(world.world, account, "eu-west-1", "DescribeDocument", {"Name": "AWS-RunPatchBaseline"})
        assert found["Document"]["Owner"] == "Amazon"


def test_a_new_version_runs_only_once_it_is_the_default() -> None:
    world = rig()
    world.call("CreateDocument", Name="StopOrders", Content=content())
    newer = content(description="Stops better")
    updated = world.call("UpdateDocument", Name="StopOrders", Content=newer, DocumentVersion="$LATEST")
    assert updated["DocumentDescription"]["DocumentVersion"] == "2"
    assert world.call("DescribeDocument", Name="StopOrders")["Document"]["DocumentVersion"] == "1"
    for version, default in (("1", "1"), ("2", "2")):
        world.call("UpdateDocumentDefaultVersion", Name="StopOrders", DocumentVersion=version)
        described = world.call("DescribeDocument", Name="StopOrders")["Document"]
        assert (described["DocumentVersion"], described["DefaultVersion"], described["LatestVersion"]) == (
            *(version, default, "2"),
        )
    assert world.call("GetDocument", Name="StopOrders", DocumentVersion="1")["Content"] == content()


def test_the_hash_is_the_text_s_and_yaml_stays_as_it_was_written() -> None:
    world = rig()
    text = "schemaVersion: '2.2'  # a comment\nmainSteps:\n  - {name: Stop, action: 'aws:runShellScript'}\n"
    world.call("CreateDocument", Name="StopOrders", Content=text, DocumentFormat="YAML")
    first = world.call("DescribeDocument", Name="StopOrders")["Document"]
    assert world.call("GetDocument", Name="StopOrders", DocumentFormat="YAML")["Content"] == text
    assert json.loads(world.call("GetDocument", Name="StopOrders", DocumentFormat="JSON")["Content"]) == {
        "schemaVersion": "2.2",
        "mainSteps": [{"name": "Stop", "action": "aws:runShellScript"}],
    }
    other = text.replace("a comment", "another")
    asked = {"Name": "StopOrders", "Content": other, "DocumentFormat": "YAML", "DocumentVersion": "1"}
    assert world.call("UpdateDocument", **asked)["DocumentDescription"]["Hash"] != first["Hash"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Name": "AWS-StopOrders"}, "ValidationException"),
        ({"DocumentType": "Automation"}, "ValidationException"),
        ({"DocumentFormat": "TEXT"}, "ValidationException"),
        ({"Content": "{"}, "InvalidDocumentContent"),
        ({"Content": "[]"}, "InvalidDocumentContent"),
        ({"Content": "a: [", "DocumentFormat": "YAML"}, "InvalidDocumentContent"),
        ({"Content": content(schemaVersion="1.2")}, "InvalidDocumentSchemaVersion"),
        ({"Content": content(mainSteps=[])}, "InvalidDocumentContent"),
        ({"Content": content(STEP, STEP)}, "InvalidDocumentContent"),
        ({"Content": content({**STEP, "name": "no spaces"})}, "InvalidDocumentContent"),
        ({"Content": content({**STEP, "action": "aws:unheard"})}, "InvalidDocumentContent"),
        ({"Content": content({**STEP, "inputs": []})}, "InvalidDocumentContent"),
        ({"Content": content({**STEP, "inputs": {"runCommand": "exit"}})}, "InvalidDocumentContent"),
        ({"Content": content({**STEP, "inputs": {"runCommand": ["{{ Unheard }}"]}})}, "InvalidDocumentContent"),
        ({"Content": content({**STEP, "precondition": {"StringLike": ["a", "b"]}})}, "InvalidDocumentContent"),
        ({"Content": content({"name": "Inner", "action": "aws:runDocument"})}, "InvalidDocumentContent"),
        ({"Content": content(parameters={"Name": {"type": "Number"}})}, "InvalidDocumentContent"),
    ],
)
def test_what_no_node_could_read_is_refused_and_not_kept(change: dict[str, Any], code: str) -> None:
    world = rig()
    assert refused(world, "CreateDocument", **({"Name": "StopOrders", "Content": content()} | change)) == code
    assert refused(world, "DescribeDocument", Name="StopOrders") == "InvalidDocument"


def test_versions_follow_each_other_and_none_comes_twice() -> None:
    world = rig()
    world.call("CreateDocument", Name="StopOrders", Content=content())
    assert refused(world, "CreateDocument", Name="StopOrders", Content=content()) == "DocumentAlreadyExists"
    same = {"Name": "StopOrders", "Content": content(), "DocumentVersion": "1"}
    assert refused(world, "UpdateDocument", **same) == "DuplicateDocumentContent"
    newer = {"Name": "StopOrders", "Content": content(description="Newer")}
    assert refused(world, "UpdateDocument", **newer) == "InvalidDocumentVersion"
    assert refused(world, "UpdateDocument", **newer, DocumentVersion="7") == "InvalidDocumentVersion"
    other = {"Name": "AWS-Noop", "DocumentVersion": "1"}
    assert refused(world, "UpdateDocumentDefaultVersion", **other) == "InvalidDocument"
    assert refused(world, "DeleteDocument", Name="AWS-Noop") == "InvalidDocument"
    assert world.call("DescribeDocument", Name="StopOrders")["Document"]["LatestVersion"] == "1"


def test_a_document_for_another_platform_is_not_sent() -> None:
    world = rig()
    windows = {
        "name": "Stop",
        "action": "aws:runShellScript",
        "precondition": {"StringEquals": ["platformType", "Windows"]},
    }
    world.call("CreateDocument", Name="StopOrders", Content=content(windows))
    sent = {"DocumentName": "StopOrders", "InstanceIds": world.ids[:1]}
    assert refused(world, "SendCommand", **sent) == "UnsupportedPlatformType"
    assert world.call("ListCommands")["Commands"] == []
