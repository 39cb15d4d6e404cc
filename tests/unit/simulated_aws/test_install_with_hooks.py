"""Patchgate-InstallWithHooks with the Node.js example of docs/guide/hooks.md: what each failure leaves behind."""

from dataclasses import dataclass

import pytest

from tests.unit.simulated_aws.hooks import DEPLOY, HOOKS, LIST, WITH_HOOKS, HookRig

BEFORE = {"openssl.amd64": "3.0.16-1", "bash.amd64": "5.2.15-2"}
AFTER = BEFORE | {"openssl.amd64": "3.0.17-1"}
# With support.Rig: delivered after 1 s, a script takes 0.5 s, a scan 10 s, a package 2 s, a reboot 30 s.
WHILE_STOPPED, AFTER_UPDATE, END = 1 + 1 + 5, 1 + 1 + 12 + 0.6, 120


def test_the_application_is_away_while_its_node_is_patched_and_back_at_the_end() -> None:
    rig = HookRig()
    command = rig.install()
    application = rig.application()
    rig.later(WHILE_STOPPED)
    assert (rig.versions(), application.running, application.drained) == (BEFORE, False, {"3000"})
    rig.later(AFTER_UPDATE - WHILE_STOPPED)
    assert (rig.versions(), application.running, application.updates) == (AFTER, False, 1)
    assert rig.world.node(rig.ids[0]).pending_reboot
    rig.later(END)
    assert rig.details(command) == ["Success"]
    assert (application.healthy, application.drained, application.updates) == (True, set(), 1)
    assert (rig.versions(), rig.world.node(rig.ids[0]).pending_reboot) == (AFTER, False)


def test_every_step_has_a_result_of_its_own() -> None:
    rig = HookRig()
    command = rig.install()
    waits, works, done = ("Pending", -1), ("InProgress", -1), ("Success", 0)
    names = ("PreInstallHook", "InstallNoReboot", "PostInstallHook", "InstallAndReboot", "OnExitHook")
    for seconds, results in (
        (0.5, (waits, waits, waits, waits, waits)),
        (1, (works, waits, waits, waits, waits)),
        (1, (done, works, waits, waits, waits)),
        (11.7, (done, done, works, waits, waits)),
        (5, (done, done, done, works, waits)),
        (100, (done, done, done, done, done)),
    ):
        rig.later(seconds)
        assert rig.steps(command) == dict(zip(names, results, strict=True))


def test_one_command_installs_the_list_and_nothing_else() -> None:
    rig = HookRig()
    command = rig.install()
    rig.later(END)
    [install] = rig.world.installs()
    assert (install.command_id, install.rows) == (command, {rig.ids[0]: (("openssl.amd64", "openssl.amd64:3.0.17-1"),)})
    assert "Package openssl.amd64:3.0.17-1 is installed." in rig.said(command, "InstallNoReboot")
    state = rig.state()
    assert (state["Operation"], state["RebootOption"], state["InstallOverrideList"]) == (
        *("Install", "RebootIfNeeded", LIST),
    )


def test_without_a_reboot_the_patches_wait_for_one() -> None:
    rig = HookRig()
    command = rig.install(RebootOption="NoReboot")
    rig.later(30)
    assert rig.details(command) == ["Success"]
    assert rig.world.node(rig.ids[0]).pending_reboot
    assert (rig.application().healthy, rig.application().drained) == (True, set())


@dataclass(frozen=True)
class Left:
    """What is there at the end."""

    steps: str  # of the five: S success, F failed, - skipped
    healthy: bool
    closed: bool
    installed: bool = False
    pending: bool = False
    updates: int = 0


FAILURES = {
    ("DrainOrders", "Drain"): Left("F---S", healthy=True, closed=False),
    ("DrainOrders", "Stop"): Left("F---S", healthy=True, closed=False),
    (WITH_HOOKS, "PreInstallHook"): Left("F---S", healthy=True, closed=False),
    (WITH_HOOKS, "InstallNoReboot"): Left("SF--S", healthy=True, closed=False),
    ("UpdateOrders", "UpdateDependencies"): Left("SSF-S", healthy=True, closed=False, installed=True, pending=True),
    (WITH_HOOKS, "InstallAndReboot"): Left(
        "SSSFS", healthy=True, closed=False, installed=True, pending=True, updates=1
    ),
    ("StartOrders", "Close"): Left("SSSSF", healthy=True, closed=False, installed=True, updates=1),
    ("StartOrders", "Start"): Left("SSSSF", healthy=True, closed=True, installed=True, updates=1),
    ("StartOrders", "CheckHealth"): Left("SSSSF", healthy=True, closed=True, installed=True, updates=1),
    ("StartOrders", "Open"): Left("SSSSF", healthy=True, closed=True, installed=True, updates=1),
}


@pytest.mark.parametrize(("failing", "left"), FAILURES.items(), ids=[f"{d}.{s}" for d, s in FAILURES])
def test_each_step_failing_in_turn_leaves_what_the_guide_promises(failing: tuple[str, str], left: Left) -> None:
    rig = HookRig()
    rig.fail(*failing)
    command = rig.install()
    rig.later(END)
    assert rig.details(command) == ["Failed"]
    assert "".join(shown(rig, command)) == left.steps
    application, node = rig.application(), rig.world.node(rig.ids[0])
    assert (application.healthy, application.drained) == (left.healthy, {"3000"} if left.closed else set())
    assert (rig.versions(), node.pending_reboot) == (AFTER if left.installed else BEFORE, left.pending)
    assert application.updates == left.updates


def shown(rig: HookRig, command: str) -> list[str]:
    skipped = "skipped due to prior step with an exit condition"
    return [
        "-" if skipped in rig.said(command, name) else status[0] for name, (status, _) in rig.steps(command).items()
    ]


def test_the_documents_for_health_and_dumps_run_by_themselves() -> None:
    rig = HookRig()
    rig.application().broken = True
    check, dump = rig.start("CheckOrders"), rig.start("DumpOrders")
    rig.later(10)
    assert (rig.details(check), rig.details(dump), rig.application().dumps) == (["Failed"], ["Success"], 1)


def test_an_application_that_does_not_get_healthy_stays_closed() -> None:
    rig = HookRig()
    rig.application().broken = True
    command = rig.install()
    rig.later(END)
    assert rig.details(command) == ["Failed"]
    assert (rig.application().healthy, rig.application().drained) == (False, {"3000"})
    assert "failed with 22" in rig.said(command, "OnExitHook")


def test_a_package_that_fails_leaves_its_node_unrebooted_with_the_application_running() -> None:
    rig = HookRig(failing={"app-nonprod-1": frozenset({"openssl"})})
    command = rig.install()
    rig.later(END)
    assert "".join(shown(rig, command)) == "SF--S"
    assert (rig.versions(), rig.application().healthy, rig.application().drained) == (BEFORE, True, set())


def test_a_list_that_cannot_be_read_installs_nothing_and_the_application_comes_back() -> None:
    rig = HookRig()
    command = rig.install(InstallOverrideList="s3://acme-patchgate/nowhere.json")
    rig.later(END)
    assert "".join(shown(rig, command)) == "SF--S"
    assert "Unable to load the install override list" in rig.said(command, "InstallNoReboot")
    assert (rig.versions(), rig.application().healthy) == (BEFORE, True)


@pytest.mark.parametrize("gone", ["PreInstallHookDocName", "PostInstallHookDocName", "OnExitHookDocName"])
def test_a_hook_that_was_deleted_meanwhile_fails_its_step(gone: str) -> None:
    rig = HookRig()
    rig.call("DeleteDocument", Name=HOOKS[gone])
    command = rig.install()
    rig.later(END)
    assert rig.details(command) == ["Failed"]
    step = gone.removesuffix("DocName")
    assert f"Document with name {HOOKS[gone]} does not exist" in rig.said(command, step)
    assert rig.application().healthy


def test_a_hook_that_runs_into_its_timeout_does_not_stop_the_installation() -> None:
    """What the guide warns of, and why each hook bounds its own time."""
    rig = HookRig()
    rig.fail("DrainOrders", "Drain", hangs=True)
    command = rig.install()
    rig.later(125)
    assert rig.steps(command)["PreInstallHook"] == ("TimedOut", -1)
    rig.later(END)
    assert rig.details(command) == ["ExecutionTimedOut"]
    assert [status for status, _ in rig.steps(command).values()] == ["TimedOut", *["Success"] * 4]
    assert (rig.versions(), rig.application().healthy) == (AFTER, True)


def test_a_cancelled_command_runs_no_hook_any_more() -> None:
    """What the guide warns of: cancelling cuts off the on-exit hook, too."""
    rig = HookRig()
    command = rig.install()
    rig.later(WHILE_STOPPED)
    rig.call("CancelCommand", CommandId=command)
    rig.later(END)
    assert rig.details(command) == ["Cancelled"]
    assert (rig.application().running, rig.application().drained) == (False, {"3000"})
    assert rig.steps(command)["OnExitHook"] == ("Pending", -1)


def test_an_agent_before_3_0_502_refuses_and_nothing_has_happened() -> None:
    rig = HookRig()
    for version, details in (("3.0.501.9", "Failed"), ("3.0.502.0", "Success")):
        rig.world.node(rig.ids[0]).agent_version = version
        command = rig.install()
        rig.later(END)
        assert rig.details(command) == [details]
        if details == "Failed":
            assert "SSM Agent version less than 3.0.502" in rig.said(command, "PreInstallHook")
            assert (rig.versions(), rig.application().drained, rig.world.installs()) == (BEFORE, set(), [])


def test_the_document_takes_what_a_pinned_plan_sends_and_never_comes_without_a_list() -> None:
    rig = HookRig()
    described = rig.call("DescribeDocument", Name=WITH_HOOKS)["Document"]
    assert [parameter["Name"] for parameter in described["Parameters"]] == [
        *("Operation", "SnapshotId", "InstallOverrideList", "RebootOption"),
        *HOOKS,
    ]
    assert described["PlatformTypes"] == ["Windows", "Linux", "MacOS"]
    required = [p["Name"] for p in described["Parameters"] if "DefaultValue" not in p]
    assert required == ["Operation", "InstallOverrideList"]


def test_the_files_hold_no_tab_and_every_hook_bounds_its_own_time() -> None:
    """A step that runs into its timeout is TimedOut, which onFailure doesn't count as a failure: the guide says why."""
    for path in sorted((DEPLOY / "examples").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        assert "\t" not in text
        for program in ("pm2", "npm", "curl", "pg_dumpall"):
            assert all("timeout " in line for line in text.splitlines() if f"{program} " in line and "#" not in line)
