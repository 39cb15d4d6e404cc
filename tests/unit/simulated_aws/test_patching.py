"""AWS-RunPatchBaseline on simulated nodes: facts/patch-manager.md sections 1 and 2."""

import json
from datetime import timedelta

import pytest

from sandbox.aws.fleet import AMAZON_LINUX_2023, WINDOWS_2019, Baseline, Package, Rule
from sandbox.aws.model import SsmError
from sandbox.fleet import small_fleet
from tests.unit.simulated_aws.support import ADDUSER, BASH, OPENSSL, SNAPSHOT, START, Rig, upgrade

LIST = "s3://acme-patchgate/lists/one.json"


def rig(*entries: dict[str, str], **fleet: object) -> Rig:
    """A node with openssl, bash and adduser; an upgrade for the first two, bash's not from the security archive."""
    not_security = upgrade(BASH, "5.2.15-3")
    releases = (
        upgrade(OPENSSL, "3.0.17-1"),
        type(not_security)(Package("bash", "amd64", "5.2.15-3", suite="updates")),
    )
    objects = {LIST: json.dumps({"patches": list(entries)}).encode()}
    settings = {"packages": (OPENSSL, BASH, ADDUSER), "releases": releases} | fleet
    return Rig(small_fleet(**settings), objects)  # type: ignore[arg-type]  # tests vary the fleet


def test_a_scan_shows_targets_of_missing_patches_and_installed_versions_of_the_others() -> None:
    world = rig()
    world.run("Scan")
    assert world.rows() == {
        "bash.amd64": ("InstalledOther", "bash.amd64:5.2.15-2"),
        "adduser.amd64": ("InstalledOther", "adduser.amd64:3.134"),
        "openssl.amd64": ("Missing", "openssl.amd64:3.0.17-1"),
    }


def test_the_state_carries_our_snapshot_and_the_operation_s_own_times() -> None:
    world = rig()
    world.run("Scan")
    state = world.state()
    assert (state["SnapshotId"], state["Operation"], state["PatchGroup"]) == (SNAPSHOT, "Scan", "app-nonprod")
    assert state["OperationStartTime"] == (START + timedelta(seconds=1)).timestamp()
    assert state["OperationEndTime"] == (START + timedelta(seconds=11)).timestamp()
    counts = {name: value for name, value in state.items() if name.endswith("Count") and value}
    assert counts == {"MissingCount": 1, "InstalledOtherCount": 2, "SecurityNonCompliantCount": 1}


def test_a_row_of_an_unapproved_package_is_blank_and_unknown_times_are_1970() -> None:
    world = rig()
    world.run("Scan")
    found = world.call("DescribeInstancePatches", InstanceId=world.ids[0])["Patches"]
    rows = {row["KBId"]: row for row in found}
    assert rows["bash.amd64"] == {
        "Title": "bash.amd64:5.2.15-2",
        "KBId": "bash.amd64",
        "Classification": "",
        "Severity": "",
        "State": "InstalledOther",
        "InstalledTime": 0.0,
    }
    assert rows["openssl.amd64"]["Classification"] == "Security"


def test_install_takes_what_the_baseline_approves_and_a_scan_confirms_it() -> None:
    world = rig()
    world.run("Install")
    installed = world.world.installs()[0]
    assert installed.rows == {world.ids[0]: (("openssl.amd64", "openssl.amd64:3.0.17-1"),)}
    world.run("Scan")
    assert world.rows()["openssl.amd64"] == ("Installed", "openssl.amd64:3.0.17-1")
    assert world.rows()["bash.amd64"] == ("InstalledOther", "bash.amd64:5.2.15-2")


def test_an_exact_pin_installs_that_and_nothing_else_even_if_the_baseline_would_not() -> None:
    world = rig({"id": "bash.amd64", "title": "bash.amd64:5.2.15-3"})
    world.run("Install", override=LIST)
    assert world.rows()["bash.amd64"] == ("InstalledOther", "bash.amd64:5.2.15-3")
    assert world.rows()["openssl.amd64"][0] == "Missing"
    assert world.state()["InstallOverrideList"] == LIST
    assert world.world.installs()[0].override is not None


@pytest.mark.parametrize(
    ("entry", "installed"),
    [
        ({"id": "openssl.amd64"}, True),
        ({"id": "open*"}, True),
        ({"id": "openssl.amd64", "title": "openssl.amd64:3.0.17-1"}, True),
        ({"id": "openssl.amd64", "title": "openssl.amd64:3.0.16-9"}, False),
        ({"id": "bash.amd64", "title": "openssl.amd64:3.0.17-1"}, False),
        ({"id": "openssl"}, False),
    ],
)
def test_id_and_title_must_both_match(entry: dict[str, str], installed: bool) -> None:
    world = rig(entry)
    command = world.run("Install", override=LIST)
    assert world.details(command) == ["Success"]
    assert bool(world.world.installs()[0].rows[world.ids[0]]) is installed


def test_a_version_that_the_mirror_has_dropped_is_silently_not_matched() -> None:
    pinned = {"id": "openssl.amd64", "title": "openssl.amd64:3.0.17-1"}
    releases = (upgrade(OPENSSL, "3.0.17-1"), upgrade(OPENSSL, "3.0.18-1", available_from=timedelta(days=1)))
    for keeps, expected in ((False, ()), (True, (("openssl.amd64", "openssl.amd64:3.0.17-1"),))):
        world = rig(pinned, releases=releases, keeps_old_versions=keeps)
        world.later(2 * 86400)
        command = world.run("Install", override=LIST)
        assert world.details(command) == ["Success"]
        assert world.world.installs()[0].rows[world.ids[0]] == expected


def test_a_new_dependency_comes_along_and_shows() -> None:
    extra = Package("libnew", "amd64", "1.0", suite="security")
    pin = {"id": "openssl.amd64", "title": "openssl.amd64:3.0.17-1"}
    world = rig(pin, releases=(upgrade(OPENSSL, "3.0.17-1", brings=(extra,)),))
    world.run("Install", override=LIST)
    assert world.world.installs()[0].rows[world.ids[0]] == (
        ("openssl.amd64", "openssl.amd64:3.0.17-1"),
        ("libnew.amd64", "libnew.amd64:1.0"),
    )
    world.run("Scan")
    assert world.rows()["libnew.amd64"] == ("Installed", "libnew.amd64:1.0")


def test_a_package_that_dpkg_refuses_fails_the_node_and_shows_as_failed_until_the_next_scan() -> None:
    world = rig(failing={"app-nonprod-1": frozenset({"openssl"})})
    command = world.run("Install")
    assert world.details(command) == ["Failed"]
    assert world.rows()["openssl.amd64"] == ("Failed", "openssl.amd64:3.0.17-1")
    assert (world.state()["FailedCount"], world.state()["MissingCount"]) == (1, 0)
    world.run("Scan")
    assert world.rows()["openssl.amd64"][0] == "Missing"


def test_a_run_that_fails_before_it_reports_leaves_the_old_picture() -> None:
    world = rig()
    world.run("Scan")
    before = world.state()
    command = world.run("Install", override="s3://acme-patchgate/lists/nowhere.json")
    assert world.details(command) == ["Failed"]
    assert world.state() == before
    assert world.world.installs() == []


def test_no_reboot_leaves_pending_rows_until_the_node_restarts() -> None:
    world = rig()
    world.run("Install", reboot="NoReboot")
    assert world.rows()["openssl.amd64"] == ("InstalledPendingReboot", "openssl.amd64:3.0.17-1")
    assert world.state()["LastNoRebootInstallOperationTime"] > START.timestamp()
    world.run("Scan")
    assert world.rows()["openssl.amd64"][0] == "InstalledPendingReboot"
    world.world.set_power(world.ids[0], "stop")
    world.world.set_power(world.ids[0], "start")
    world.run("Scan")
    assert world.rows()["openssl.amd64"][0] == "Installed"


def test_an_install_with_nothing_to_do_reboots_for_what_is_pending_and_else_not_at_all() -> None:
    world = rig()
    world.run("Install", reboot="NoReboot")
    world.send("Install")
    world.later(20)
    assert world.world.node(world.ids[0]).rebooting
    world.later(60)
    world.send("Install")
    world.later(20)
    assert not world.world.node(world.ids[0]).rebooting
    world.run("Scan")
    assert world.rows()["openssl.amd64"][0] == "Installed"


def test_somebody_else_s_run_overwrites_the_picture_with_its_own_snapshot() -> None:
    world = rig()
    world.run("Scan")
    world.world.foreign_operation(world.ids, "Install")
    world.later(120)
    assert (world.state()["Operation"], world.state()["SnapshotId"] == SNAPSHOT) == ("Install", False)
    assert world.world.installs() == []
    assert [install.foreign for install in world.world.installs(foreign=True)] == [True]


def test_a_rejected_patch_is_never_installed_and_shows_where_it_is_present() -> None:
    baseline = Baseline("strict", "DEBIAN", rejected=("openssl",))
    world = rig(baseline=baseline)
    world.run("Install")
    assert world.rows()["openssl.amd64"] == ("InstalledRejected", "openssl.amd64:3.0.16-1")


def test_an_approval_delay_counts_where_the_system_has_one_and_not_on_debian() -> None:
    delayed = Rule(approve_after_days=7)
    for platform, delay_counts in ((AMAZON_LINUX_2023, True), (None, False)):
        more = {"platform": platform} if platform else {}
        system = platform.operating_system if platform else "DEBIAN"
        world = rig(baseline=Baseline("delayed", system, rules=(delayed,)), **more)
        world.run("Scan")
        assert ("Missing" in {state for state, _ in world.rows().values()}) is not delay_counts
        world.later(8 * 86400)
        world.run("Scan")
        assert "Missing" in {state for state, _ in world.rows().values()}


def test_dnf_always_writes_the_epoch_and_reports_cves_of_what_is_missing() -> None:
    kernel = Package("kernel", "x86_64", "6.1.1-1.amzn2023", suite="security")
    release = upgrade(kernel, "6.1.2-1.amzn2023", cve_ids=("CVE-2026-0001", "CVE-2026-0002"))
    world = rig(platform=AMAZON_LINUX_2023, packages=(kernel,), releases=(release,))
    world.run("Scan")
    [row] = world.call("DescribeInstancePatches", InstanceId=world.ids[0])["Patches"]
    assert (row["KBId"], row["Title"]) == ("kernel.x86_64", "kernel.x86_64:0:6.1.2-1.amzn2023")
    assert row["CVEIds"] == "CVE-2026-0001,CVE-2026-0002"


def test_windows_installs_a_listed_update_only_if_the_baseline_approves_it() -> None:
    update = Package("KB5023702", "", "2023-02 Cumulative Update (KB5023702)", suite="security")
    release = upgrade(update, "2023-03 Cumulative Update (KB5023702)")
    for rejected, installed in (((), 1), (("KB5023702",), 0)):
        baseline = Baseline("windows", "WINDOWS", rejected=rejected)
        world = rig(
            {"id": "KB5023702"}, platform=WINDOWS_2019, packages=(update,), releases=(release,), baseline=baseline
        )
        world.run("Install", override=LIST)
        assert len(world.world.installs()[0].rows[world.ids[0]]) == installed


def test_rows_come_in_pages_of_at_most_50_and_a_token_fits_its_own_question() -> None:
    packages = tuple(Package(f"lib{number:03}", "amd64", "1") for number in range(120))
    world = rig(packages=packages)
    world.run("Scan")
    first = world.call("DescribeInstancePatches", InstanceId=world.ids[0], MaxResults=50)
    assert (len(first["Patches"]), len(world.rows())) == (50, 120)
    filters = [{"Key": "State", "Values": ["Missing"]}]
    with pytest.raises(SsmError, match="InvalidNextToken"):
        world.call("DescribeInstancePatches", InstanceId=world.ids[0], NextToken=first["NextToken"], Filters=filters)
    with pytest.raises(SsmError, match="ValidationException"):
        world.call("DescribeInstancePatches", InstanceId=world.ids[0], MaxResults=51)


def test_rows_are_filtered_by_the_spoken_state() -> None:
    world = rig()
    world.run("Scan")

    def found(key: str, value: str) -> list[str]:
        filters = [{"Key": key, "Values": [value]}]
        answer = world.call("DescribeInstancePatches", InstanceId=world.ids[0], Filters=filters)
        return [row["KBId"] for row in answer["Patches"]]

    assert found("State", "Missing") == ["openssl.amd64"]
    assert found("State", "InstalledOther") == ["adduser.amd64", "bash.amd64"]
    assert found("KBId", "bash.amd64") == ["bash.amd64"]
    with pytest.raises(SsmError, match="InvalidFilter"):
        found("Title", "bash.amd64:5.2.15-2")


def test_states_of_a_patch_group_are_compared_by_count() -> None:
    world = rig()
    world.run("Scan")

    def found(key: str, kind: str, value: str) -> int:
        filters = [{"Key": key, "Type": kind, "Values": [value]}]
        asked = {"PatchGroup": "app-nonprod", "Filters": filters}
        return len(world.call("DescribeInstancePatchStatesForPatchGroup", **asked)["InstancePatchStates"])

    assert [found("MissingCount", kind, "0") for kind in ("Equal", "NotEqual", "GreaterThan", "LessThan")] == [
        0,
        1,
        1,
        0,
    ]
    for key, value in (("InstanceId", "1"), ("MissingCount", "many"), ("UnheardCount", "1")):
        with pytest.raises(SsmError, match="InvalidFilter"):
            found(key, "Equal", value)
    assert world.call("DescribeInstancePatchStatesForPatchGroup", PatchGroup="other")["InstancePatchStates"] == []


def test_a_node_s_baseline_follows_its_group_and_else_the_default() -> None:
    world = rig()
    group = {"PatchGroup": "app-nonprod", "OperatingSystem": "DEBIAN"}
    registered = world.call("GetPatchBaselineForPatchGroup", **group)["BaselineId"]
    world.run("Scan")
    assert world.state()["BaselineId"] == registered
    assert world.call("GetPatchBaseline", BaselineId=registered)["PatchGroups"] == ["app-nonprod"]
    [mapping] = world.call("DescribePatchGroups")["Mappings"]
    assert mapping["BaselineIdentity"]["BaselineId"] == registered
    default = world.call("GetDefaultPatchBaseline", OperatingSystem="DEBIAN")["BaselineId"]
    other = world.call("GetPatchBaselineForPatchGroup", PatchGroup="other", OperatingSystem="DEBIAN")
    assert other["BaselineId"] == default
    owned = world.call("DescribePatchBaselines", Filters=[{"Key": "OWNER", "Values": ["AWS"]}])
    assert [identity["BaselineId"] for identity in owned["BaselineIdentities"]] == [default]
    with pytest.raises(SsmError, match="DoesNotExistException"):
        world.call("GetPatchBaseline", BaselineId="pb-00000000000000000")
