"""A node whose application has hooks, with the documents of deploy/ssm installed as an operator would."""

from pathlib import Path
from typing import Any

from sandbox.aws.application import NodeApplication
from sandbox.fleet import small_fleet
from tests.unit.simulated_aws.support import BASH, OPENSSL, Rig, upgrade

DEPLOY = Path(__file__).parents[3] / "deploy" / "ssm"
WITH_HOOKS = "Patchgate-InstallWithHooks"
HOOKS = {
    "PreInstallHookDocName": "DrainOrders",
    "PostInstallHookDocName": "UpdateOrders",
    "OnExitHookDocName": "StartOrders",
}
LIST = "s3://acme-patchgate/list.json"
_PINNED = b'{"patches": [{"id": "openssl.amd64", "title": "openssl.amd64:3.0.17-1"}]}'


class HookRig(Rig):
    """Two upgrades, of which the list names openssl's alone. `more` are small_fleet's."""

    def __init__(self, **more: Any) -> None:
        releases = (upgrade(OPENSSL, "3.0.17-1"), upgrade(BASH, "5.2.15-3"))
        super().__init__(small_fleet(packages=(OPENSSL, BASH), releases=releases, **more), {LIST: _PINNED})
        for path in (DEPLOY / f"{WITH_HOOKS}.yaml", *sorted((DEPLOY / "examples").glob("*.yaml"))):
            self.create(path.stem, path.read_text(encoding="utf-8"))

    def create(self, name: str, content: str) -> dict[str, Any]:
        created = self.call("CreateDocument", Name=name, Content=content, DocumentFormat="YAML", DocumentType="Command")
        described: dict[str, Any] = created["DocumentDescription"]
        return described

    def application(self, node: int = 0) -> NodeApplication:
        return self.world.node(self.ids[node]).application

    def start(self, document: str, **parameters: str) -> str:
        """SendCommand with these parameters; returns the command's id."""
        given = {name: [value] for name, value in parameters.items()}
        sent = self.call("SendCommand", DocumentName=document, InstanceIds=self.ids, Parameters=given)
        command_id: str = sent["Command"]["CommandId"]
        return command_id

    def install(self, **parameters: str) -> str:
        """Start Patchgate-InstallWithHooks with the list and the example's hooks."""
        return self.start(WITH_HOOKS, **{"Operation": "Install", "InstallOverrideList": LIST, **HOOKS, **parameters})

    def steps(self, command_id: str, node: int = 0) -> dict[str, tuple[str, int]]:
        """Step → (status, response code)."""
        found = self.call("ListCommandInvocations", CommandId=command_id, Details=True)["CommandInvocations"][node]
        return {plugin["Name"]: (plugin["Status"], plugin["ResponseCode"]) for plugin in found["CommandPlugins"]}

    def said(self, command_id: str, step: str, node: int = 0) -> str:
        """What a step wrote, to stdout and to stderr."""
        asked = {"CommandId": command_id, "InstanceId": self.ids[node], "PluginName": step}
        answer = self.call("GetCommandInvocation", **asked)
        return f"{answer['StandardOutputContent']}{answer['StandardErrorContent']}"

    def versions(self, node: int = 0) -> dict[str, str]:
        """KBId → version that is on the node."""
        packages = self.world.node(self.ids[node]).packages
        return {kb_id: installed.package.version for kb_id, installed in packages.items()}

    def fail(self, document: str, step: str, *, hangs: bool = False) -> None:
        kind = "step-hangs" if hangs else "step-fails"
        self.world.faults.add("ssm", "SendCommand", kind, document=document, step=step)
