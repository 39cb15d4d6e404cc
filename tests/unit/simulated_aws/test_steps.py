"""What an agent does with the steps of a document: order, exits, conditions, documents within documents, reboots."""

import json
from typing import Any

import pytest

from sandbox.aws.fleet import WINDOWS_2022
from sandbox.fleet import small_fleet
from tests.unit.simulated_aws.hooks import HookRig
from tests.unit.simulated_aws.support import OPENSSL, Rig, upgrade

SKIPPED = "skipped due to prior step with an exit condition"


def script(name: str, *lines: str, **inputs: Any) -> dict[str, Any]:
    return {"name": name, "action": "aws:runShellScript", "inputs": {"runCommand": list(lines), **inputs}}


def inner(name: str, path: str, **inputs: Any) -> dict[str, Any]:
    return {
        "name": name,
        "action": "aws:runDocument",
        "inputs": {"documentType": "SSMDocument", "documentPath": path} | inputs,
    }


def rig_of(*steps: dict[str, Any], parameters: dict[str, Any] | None = None, name: str = "Hook") -> HookRig:
    rig = HookRig()
    add(rig, name, *steps, parameters=parameters)
    return rig


def add(rig: HookRig, name: str, *steps: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
    rig.create(name, json.dumps({"schemaVersion": "2.2", "parameters": parameters or {}, "mainSteps": list(steps)}))


def ran(rig: HookRig, seconds: float = 20, **parameters: str) -> tuple[str, list[str]]:
    """How the document ends, and each step's status: S success, F failed, - skipped."""
    command = rig.start("Hook", **parameters)
    rig.later(seconds)
    shown = [
        "-" if "skipped due to" in rig.said(command, name) else status[0]
        for name, (status, _) in rig.steps(command).items()
    ]
    return rig.details(command)[0], shown


@pytest.mark.parametrize(
    ("first", "details", "steps"),
    [
        (script("First", "true"), "Success", "SSS"),
        (script("First", "false"), "Failed", "FSS"),  # the rest goes on, and the whole has failed
        (script("First", "false", onFailure="exit"), "Failed", "F-S"),
        (script("First", "false", onFailure="successAndExit"), "Success", "S-S"),
        (script("First", "true", onFailure="exit"), "Success", "SSS"),
        (script("First", "true", onSuccess="exit"), "Success", "S-S"),
        (script("First", "false", onSuccess="exit"), "Failed", "FSS"),
        (script("First", "exit 168"), "Success", "S-S"),
        (script("First", "exit 169"), "Failed", "F-S"),
        (script("First", "reboot-the-moon"), "Failed", "FSS"),
    ],
)
def test_how_a_step_ends_decides_what_follows(first: dict[str, Any], details: str, steps: str) -> None:
    rig = rig_of(first, script("Second", "true"), script("Last", "true", finallyStep=True))
    assert ran(rig) == (details, list(steps))


def test_a_final_step_that_is_not_the_last_is_a_step_like_others() -> None:
    rig = rig_of(script("First", "exit 169"), script("Second", "true", finallyStep=True), script("Third", "true"))
    assert ran(rig) == ("Failed", ["F", "-", "-"])


@pytest.mark.parametrize(
    ("sides", "runs"),
    [
        (["platformType", "Linux"], True),
        (["platformType", "Windows"], False),
        (["{{ Mode }}", "on"], True),
        (["{{ Mode }}", "off"], False),
    ],
)
def test_a_precondition_decides_whether_a_step_runs(sides: list[str], runs: bool) -> None:
    step = {**script("First", "systemctl stop orders"), "precondition": {"StringEquals": sides}}
    rig = rig_of(step, script("Second", "true"), parameters={"Mode": {"type": "String", "default": "on"}})
    assert ran(rig) == ("Success", ["S" if runs else "-", "S"])
    assert rig.application().running is not runs


def test_parameters_reach_the_script_and_the_inner_document() -> None:
    service = {"Service": {"type": "String"}}
    rig = rig_of(inner("Stop", "Inner", documentParameters={"Service": "{{ Service }}"}), parameters=service)
    add(rig, "Inner", script("Stop", "systemctl stop {{Service}}"), parameters=service)
    assert ran(rig, Service="billing") == ("Success", ["S"])
    assert rig.application().services == {"billing": False}


@pytest.mark.parametrize(
    ("inputs", "complaint"),
    [
        ({}, "Parameter Service requires a value."),
        ({"documentParameters": {"Service": "a", "Unheard": "b"}}, "Parameter Unheard is not defined"),
        ({"documentPath": "Elsewhere"}, "Document with name Elsewhere does not exist."),
        ({"documentPath": "Hook"}, "Maximum depth for document execution exceeded"),
    ],
)
def test_an_inner_document_that_cannot_run_fails_its_step(inputs: dict[str, Any], complaint: str) -> None:
    rig = rig_of(inner("Stop", "Inner", **inputs))
    add(rig, "Inner", script("Stop", "systemctl stop {{Service}}"), parameters={"Service": {"type": "String"}})
    command = rig.start("Hook")
    rig.later(20)
    assert rig.details(command) == ["Failed"]
    assert complaint in rig.said(command, "Stop")
    assert rig.application().running


def test_exit_codes_of_an_inner_document_end_that_document_alone() -> None:
    rig = rig_of(inner("First", "Inner"), script("Second", "systemctl stop orders"))
    add(rig, "Inner", script("Leave", "exit 168"), script("Never", "systemctl stop billing"))
    assert ran(rig) == ("Success", ["S", "S"])
    assert rig.application().services == {"orders": False}


def test_194_reboots_the_node_and_runs_the_script_again() -> None:
    once = ("test -e /var/lib/orders.done && exit 0", "touch /var/lib/orders.done", "exit 194")
    rig = rig_of(script("First", *once), script("Second", "true"))
    rig.application().drained.add("3000")
    command = rig.start("Hook")
    rig.later(5)
    assert rig.world.node(rig.ids[0]).rebooting
    assert rig.steps(command) == {"First": ("InProgress", -1), "Second": ("Pending", -1)}
    rig.later(40)
    assert rig.details(command) == ["Success"]
    assert rig.application().drained == set()


def test_194_within_a_document_begins_that_document_anew() -> None:
    rig = rig_of(inner("First", "Inner"))
    once = ("test -e /var/lib/orders.done && exit 0", "touch /var/lib/orders.done", "exit 194")
    add(rig, "Inner", script("Update", "npm ci"), script("Reboot", *once))
    assert ran(rig, 60) == ("Success", ["S"])
    assert rig.application().updates == 2


def test_a_script_runs_beside_an_install_and_a_second_install_does_not() -> None:
    rig = rig_of(script("Check", "curl http://localhost:3000/health"))
    installing = rig.send("Install")
    rig.later(5)
    checking, second = rig.start("Hook"), rig.send("Install")
    rig.later(2)
    assert (rig.details(checking), rig.details(second)) == (["Success"], ["Failed"])
    assert rig.said(second, "PatchLinux") == "Unable to load and extract the content of payload, abort."
    rig.later(60)
    assert rig.details(installing) == ["Success"]


def test_a_node_that_loses_power_within_a_hook_runs_no_more_of_it() -> None:
    rig = HookRig()
    command = rig.install()
    rig.later(3)
    rig.world.set_power(rig.ids[0], "stop")
    rig.later(5)
    rig.world.set_power(rig.ids[0], "start")
    rig.later(120)
    assert rig.details(command) == ["InProgress"]
    assert rig.versions()["openssl.amd64"] == "3.0.16-1"
    assert rig.steps(command)["OnExitHook"] == ("Pending", -1)


def test_an_agent_that_was_away_tells_all_steps_when_it_is_back() -> None:
    rig = HookRig()
    command = rig.install()
    rig.later(3)
    rig.world.set_agent(rig.ids[0], "lost")
    rig.later(200)
    assert rig.steps(command)["PostInstallHook"] == ("Pending", -1)
    rig.world.set_agent(rig.ids[0], "back")
    assert rig.details(command) == ["Success"]
    assert set(rig.steps(command).values()) == {("Success", 0)}


AWS_HOOKS = {"PreInstallHookDocName": "Before", "PostInstallHookDocName": "After", "OnExitHookDocName": "AtEnd"}


class TestAwsHooks:
    """AWS-RunPatchBaselineWithHooks (facts/patch-manager.md section 1)."""

    def rig(self, **more: Any) -> HookRig:
        rig = HookRig(**more)
        for name in AWS_HOOKS.values():
            add(rig, name, script("Mark", f"touch /{name}"))
        return rig

    def run(self, rig: HookRig, operation: str = "Install", **more: str) -> tuple[str, set[str]]:
        given = {"Operation": operation, **AWS_HOOKS, **more}
        command = rig.start("AWS-RunPatchBaselineWithHooks", **given)
        rig.later(150)
        return rig.details(command)[0], {path.strip("/") for path in rig.application().files}

    def test_an_install_runs_all_hooks_and_everything_the_baseline_approves(self) -> None:
        rig = self.rig()
        assert self.run(rig) == ("Success", {"Before", "After", "AtEnd"})
        assert (rig.versions()["openssl.amd64"], rig.versions()["bash.amd64"]) == ("3.0.17-1", "5.2.15-3")
        assert not rig.world.node(rig.ids[0]).pending_reboot

    def test_a_scan_runs_no_hook(self) -> None:
        rig = self.rig()
        assert self.run(rig, "Scan") == ("Success", set())
        assert (rig.state()["Operation"], rig.state()["MissingCount"]) == ("Scan", 2)

    def test_with_nothing_to_do_only_the_hook_at_the_end_runs(self) -> None:
        rig = self.rig()
        rig.run("Install")
        assert self.run(rig) == ("Success", {"AtEnd"})

    @pytest.mark.parametrize(
        ("option", "hooks"), [("NoReboot", {"AtEnd"}), ("RebootIfNeeded", {"Before", "After", "AtEnd"})]
    )
    def test_what_waits_for_a_reboot_is_work_only_where_rebooting_is_allowed(
        self, option: str, hooks: set[str]
    ) -> None:
        rig = self.rig()
        rig.run("Install", reboot="NoReboot")
        assert self.run(rig, RebootOption=option) == ("Success", hooks)
        assert rig.world.node(rig.ids[0]).pending_reboot is (option == "NoReboot")

    @pytest.mark.parametrize(
        ("failing", "hooks"),
        [("Before", {"AtEnd"}), ("After", {"Before", "AtEnd"}), ("AtEnd", {"Before", "After"})],
    )
    def test_a_failed_hook_jumps_to_the_end(self, failing: str, hooks: set[str]) -> None:
        rig = self.rig()
        rig.fail(failing, "Mark")
        assert self.run(rig) == ("Failed", hooks)

    def test_it_takes_no_list(self) -> None:
        described = self.rig().call("DescribeDocument", Name="AWS-RunPatchBaselineWithHooks")["Document"]
        names = {parameter["Name"] for parameter in described["Parameters"]}
        assert names == {"Operation", "SnapshotId", "RebootOption", *AWS_HOOKS}


def test_powershell_stops_and_starts_a_service() -> None:
    update = upgrade(OPENSSL, "3.0.17-1")
    rig = Rig(small_fleet(packages=(OPENSSL,), releases=(update,)))
    node = rig.world.node(rig.ids[0])
    node.platform = WINDOWS_2022
    steps = [
        {
            "name": name,
            "action": "aws:runPowerShellScript",
            "inputs": {"runCommand": ["$ErrorActionPreference = 'Stop'", *lines]},
        }
        for name, lines in (("Stop", ["Stop-Service -Name Orders"]), ("Check", ["Invoke-WebRequest http://localhost/"]))
    ]
    text = json.dumps({"schemaVersion": "2.2", "mainSteps": steps})
    rig.call("CreateDocument", Name="Hook", Content=text)
    command = rig.call("SendCommand", DocumentName="Hook", InstanceIds=rig.ids[:1])["Command"]["CommandId"]
    rig.later(5)
    assert rig.details(command) == ["Failed"]
    assert node.application.services == {"Orders": False}
