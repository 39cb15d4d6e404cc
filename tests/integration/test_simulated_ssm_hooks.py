"""Documents and hooks over HTTP, by real clients, with the files that an operator installs."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from sandbox.fleet import PRODUCTION
from tests.integration.test_simulated_ssm import Aws
from tests.unit.simulated_aws.hooks import DEPLOY, HOOKS, WITH_HOOKS


@pytest.fixture
def aws() -> Iterator[Aws]:
    aws = Aws()
    yield aws
    aws.server.stop()


def test_an_operator_installs_the_documents_and_a_command_runs_them(aws: Aws) -> None:
    ssm, s3 = aws.client("ssm", PRODUCTION), aws.client("s3", PRODUCTION)
    for path in (DEPLOY / f"{WITH_HOOKS}.yaml", *(DEPLOY / "examples").glob("*.yaml")):
        content = path.read_text(encoding="utf-8")
        ssm.create_document(Name=path.stem, Content=content, DocumentType="Command", DocumentFormat="YAML")
    described = ssm.describe_document(Name=WITH_HOOKS)["Document"]
    assert (described["Status"], described["Owner"], described["SchemaVersion"]) == ("Active", PRODUCTION, "2.2")
    key = "lists/hooks.json"
    s3.put_object(Bucket="acme-patchgate", Key=key, Body=b'{"patches": [{"id": "openssl.amd64"}]}')
    parameters = {"Operation": "Install", "InstallOverrideList": f"s3://acme-patchgate/{key}", **HOOKS}
    sent = ssm.send_command(
        InstanceIds=aws.prod,
        DocumentName=WITH_HOOKS,
        DocumentVersion=described["DocumentVersion"],
        DocumentHash=described["Hash"],
        DocumentHashType="Sha256",
        Parameters={name: [value] for name, value in parameters.items()},
    )
    command = sent["Command"]["CommandId"]
    aws.clock.jump(timedelta(minutes=2))
    [parent] = ssm.list_commands(CommandId=command)["Commands"]
    assert (parent["Status"], parent["CompletedCount"]) == ("Success", len(aws.prod))
    found = ssm.list_command_invocations(CommandId=command, Details=True)["CommandInvocations"]
    assert [plugin["Name"] for plugin in found[0]["CommandPlugins"]] == [
        *("PreInstallHook", "InstallNoReboot", "PostInstallHook", "InstallAndReboot", "OnExitHook")
    ]
    asked = {"CommandId": command, "InstanceId": aws.prod[0], "PluginName": "OnExitHook"}
    assert ssm.get_command_invocation(**asked)["ResponseCode"] == 0
    assert aws.world.installs()[0].node_ids == tuple(aws.prod)


def test_a_list_is_no_option(aws: Aws) -> None:
    ssm = aws.client("ssm", PRODUCTION)
    content = (DEPLOY / f"{WITH_HOOKS}.yaml").read_text(encoding="utf-8")
    ssm.create_document(Name=WITH_HOOKS, Content=content, DocumentType="Command", DocumentFormat="YAML")
    for parameters in ({"Operation": ["Install"]}, {"Operation": ["Scan"], "InstallOverrideList": ["s3://bucket/key"]}):
        with pytest.raises(ClientError, match="InvalidParameters"):
            ssm.send_command(InstanceIds=aws.prod, DocumentName=WITH_HOOKS, Parameters=parameters)
    assert ssm.list_commands()["Commands"] == []
