"""RHEL, Amazon Linux 2023, Windows and Debian's kernels: facts/patch-manager.md sections 1 to 3."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sandbox.aws.fleet import (
    AMAZON_LINUX_2023,
    RHEL_8,
    RHEL_9,
    WINDOWS_2019,
    WINDOWS_2022,
    Baseline,
    Package,
    Platform,
    Release,
    Rule,
)
from sandbox.fleet import small_fleet
from tests.unit.simulated_aws.support import START, Rig, debian_kernel

LIST = "s3://acme-patchgate/lists/one.json"
DAY = timedelta(days=1)


def rig(*entries: dict[str, str], **fleet: Any) -> Rig:
    return Rig(small_fleet(**fleet), {LIST: json.dumps({"patches": list(entries)}).encode()})


def row(world: Rig, kb_id: str) -> dict[str, Any]:
    filters = [{"Key": "KBId", "Values": [kb_id]}]
    [found] = world.call("DescribeInstancePatches", InstanceId=world.ids[0], Filters=filters)["Patches"]
    return dict(found)


def installed(world: Rig) -> list[str]:
    """Titles that the last Install put on the first node."""
    return [title for _, title in world.world.installs()[-1].rows[world.ids[0]]]


# --- RPM


def rpm(version: str, kind: str = "Security", severity: str = "Important", **more: Any) -> Release:
    package = Package("bash", "x86_64", version, severity=severity, classification=kind)
    return Release(package, cve_ids=("CVE-2026-90001",), **more)


BASH = Package("bash", "x86_64", "4.4.19-12.el8", installed_on=date(2026, 8, 4))


def rpm_rig(*entries: dict[str, str], platform: Platform = RHEL_9, **more: Any) -> Rig:
    settings: dict[str, Any] = {"packages": (BASH,), "releases": (rpm("4.4.19-14.el8"),), "platform": platform}
    return rig(*entries, **(settings | more))


@pytest.mark.parametrize("platform", [RHEL_8, RHEL_9, AMAZON_LINUX_2023])
def test_an_rpm_row_shows_its_epoch_always_and_cves_while_it_is_missing(platform: Platform) -> None:
    world = rpm_rig(platform=platform)
    world.run("Scan")
    assert row(world, "bash.x86_64") == {
        "Title": "bash.x86_64:0:4.4.19-14.el8",
        "KBId": "bash.x86_64",
        "Classification": "Security",
        "Severity": "Important",
        "State": "Missing",
        "InstalledTime": 0.0,
        "CVEIds": "CVE-2026-90001",
    }
    world.run("Install")
    world.run("Scan")
    after = row(world, "bash.x86_64")
    assert (after["State"], "CVEIds" in after) == ("Installed", False)


def test_a_package_of_no_advisory_is_other_blank_and_knows_its_day() -> None:
    world = rpm_rig(releases=())
    world.run("Scan")
    assert row(world, "bash.x86_64") == {
        "Title": "bash.x86_64:0:4.4.19-12.el8",
        "KBId": "bash.x86_64",
        "Classification": "",
        "Severity": "",
        "State": "InstalledOther",
        "InstalledTime": datetime(2026, 8, 4, tzinfo=UTC).timestamp(),
    }


@pytest.mark.parametrize(
    ("days", "shown"),
    [(0, "4.4.19-13.el8"), (1.9, "4.4.19-13.el8"), (2.1, "4.4.19-14.el8"), (9, "4.4.19-14.el8")],
)
def test_approval_counts_from_the_release_date_and_the_newest_approved_version_wins(days: float, shown: str) -> None:
    """The second was released 5 days before the world began: 7 days on, that is day 2, it is approved."""
    releases = (rpm("4.4.19-13.el8", released=-30 * DAY), rpm("4.4.19-14.el8", released=-5 * DAY))
    baseline = Baseline("delayed", RHEL_9.operating_system, rules=(Rule(approve_after_days=7),))
    world = rpm_rig(releases=releases, baseline=baseline, keeps_old_versions=True)
    world.later(days * 86400)
    world.run("Scan")
    assert row(world, "bash.x86_64")["Title"] == f"bash.x86_64:0:{shown}"


def test_what_was_installed_before_its_approval_is_other_until_then() -> None:
    baseline = Baseline("delayed", RHEL_9.operating_system, rules=(Rule(approve_after_days=7),))
    world = rpm_rig({"id": "bash.x86_64"}, baseline=baseline)
    world.run("Install", override=LIST)
    assert row(world, "bash.x86_64")["State"] == "InstalledOther"
    world.later(8 * 86400)
    world.run("Scan")
    assert row(world, "bash.x86_64")["State"] == "Installed"


def test_a_repository_that_keeps_old_versions_gives_the_proven_one_though_it_is_not_the_newest() -> None:
    pin = {"id": "bash.x86_64", "title": "bash.x86_64:0:4.4.19-14.el8"}
    releases = (rpm("4.4.19-14.el8"), rpm("4.4.19-15.el8", available_from=3 * DAY))
    for keeps, expected in ((True, [pin["title"]]), (False, [])):
        world = rpm_rig(pin, releases=releases, keeps_old_versions=keeps)
        world.later(4 * 86400)
        world.run("Install", override=LIST)
        assert installed(world) == expected
        world.run("Scan")
        assert row(world, "bash.x86_64")["Title"] == "bash.x86_64:0:4.4.19-15.el8"


@pytest.mark.parametrize(
    ("kind", "severity", "approved"),
    [
        ("Security", "Critical", True),
        ("Security", "Moderate", False),
        ("Bugfix", "None", True),
        ("Enhancement", "None", False),
        ("", "", False),
    ],
)
def test_the_predefined_baseline_of_red_hat(kind: str, severity: str, approved: bool) -> None:
    """An environment whose group has no baseline falls back on AWS's own: 7 days."""
    world = rpm_rig(releases=(rpm("4.4.19-14.el8", kind, severity),))
    world.world.region("111111111111", "eu-west-1").patch_groups.clear()
    world.run("Scan")
    assert world.state()["MissingCount"] == 0
    world.later(7 * 86400)
    world.run("Scan")
    assert world.state()["MissingCount"] == approved


# --- Windows


def update(kb: str, title: str, kind: str = "SecurityUpdates", severity: str = "Critical", **more: Any) -> Release:
    return Release(Package(kb, "", f"{title} ({kb})", severity=severity, classification=kind), **more)


OCTOBER = update("KB9000010", "2026-10 Cumulative Update")
NOVEMBER = update("KB9000011", "2026-11 Cumulative Update", supersedes=frozenset({"KB9000010"}))
TOOL = update("KB890830", "Removal Tool x64 - v5.139", "UpdateRollups", "Unspecified")
BY_HAND = Package("KB9000001", "", "2026-07 Hotfix (KB9000001)", installed_on=date(2026, 7, 21))
EVERYTHING = Baseline("windows", "WINDOWS")


def windows_rig(*entries: dict[str, str], releases: tuple[Release, ...], **more: Any) -> Rig:
    settings: dict[str, Any] = {"packages": (BY_HAND,), "baseline": EVERYTHING, "platform": WINDOWS_2022}
    return rig(*entries, releases=releases, **(settings | more))


@pytest.mark.parametrize("platform", [WINDOWS_2019, WINDOWS_2022])
def test_windows_shows_what_it_lacks_and_what_came_by_hand_without_a_title(platform: Platform) -> None:
    world = windows_rig(releases=(OCTOBER,), platform=platform)
    world.run("Scan")
    assert row(world, "KB9000010") == {
        "Title": "2026-10 Cumulative Update (KB9000010)",
        "KBId": "KB9000010",
        "Classification": "SecurityUpdates",
        "Severity": "Critical",
        "State": "Missing",
        "InstalledTime": 0.0,
    }
    assert row(world, "KB9000001") == {
        "Title": "",
        "KBId": "KB9000001",
        "Classification": "",
        "Severity": "",
        "State": "InstalledOther",
        "InstalledTime": datetime(2026, 7, 21, tzinfo=UTC).timestamp(),
    }


def test_windows_knows_the_day_of_an_installation_only() -> None:
    world = windows_rig(releases=(OCTOBER,))
    world.run("Install")
    world.run("Scan")
    midnight = START.replace(hour=0).timestamp()
    assert (row(world, "KB9000010")["State"], row(world, "KB9000010")["InstalledTime"]) == ("Installed", midnight)
    assert world.state()["SecurityNonCompliantCount"] == 0


def test_an_approved_cumulative_update_supersedes_and_only_it_is_installed() -> None:
    world = windows_rig(releases=(OCTOBER, NOVEMBER))
    world.run("Scan")
    assert {kb: state for kb, (state, _) in world.rows().items() if kb != "KB9000001"} == {
        "KB9000010": "NotApplicable",
        "KB9000011": "Missing",
    }
    assert (world.state()["MissingCount"], world.state()["NotApplicableCount"]) == (1, 1)
    world.run("Install")
    assert installed(world) == ["2026-11 Cumulative Update (KB9000011)"]


def test_a_cumulative_update_that_waits_for_its_approval_supersedes_nothing_yet() -> None:
    delayed = Baseline("delayed", "WINDOWS", rules=(Rule(approve_after_days=7),))
    later = update("KB9000011", "2026-11 Cumulative Update", supersedes=frozenset({"KB9000010"}), released=-3 * DAY)
    earlier = update("KB9000010", "2026-10 Cumulative Update", released=-30 * DAY)
    world = windows_rig(releases=(earlier, later), baseline=delayed)
    world.run("Scan")
    assert (world.rows()["KB9000010"][0], "KB9000011" in world.rows()) == ("Missing", False)
    world.later(4.1 * 86400)
    world.run("Scan")
    assert [world.rows()[kb][0] for kb in ("KB9000010", "KB9000011")] == ["NotApplicable", "Missing"]


def test_an_installed_update_counts_as_such_until_its_successor_is_installed_too() -> None:
    later = update("KB9000011", "2026-11 CU", supersedes=frozenset({"KB9000010"}), available_from=DAY)
    world = windows_rig(releases=(OCTOBER, later))
    world.run("Install")
    world.later(2 * 86400)
    world.run("Scan")
    assert [world.rows()[kb][0] for kb in ("KB9000010", "KB9000011")] == ["Installed", "Missing"]
    world.run("Install")
    world.run("Scan")
    assert [world.rows()[kb][0] for kb in ("KB9000010", "KB9000011")] == ["NotApplicable", "Installed"]


def test_a_successor_that_no_baseline_approves_still_makes_its_predecessor_needless_once_it_is_there() -> None:
    preview = update("KB9000013", "2026-11 Preview", "Updates", "Unspecified", supersedes=frozenset({"KB9000010"}))
    baseline = Baseline("strict", "WINDOWS", rules=(Rule({"CLASSIFICATION": ("SecurityUpdates",)}),))
    for packages, expected in (((BY_HAND,), "Missing"), ((preview.package,), "NotApplicable")):
        world = windows_rig(releases=(OCTOBER, preview), packages=packages, baseline=baseline)
        world.run("Scan")
        assert world.rows()["KB9000010"][0] == expected


def test_an_update_that_came_with_the_image_is_not_applicable_once_its_successor_is_there() -> None:
    """Nobody offers it any more; the node still has it."""
    image = Package("KB9000010", "", "2026-10 CU (KB9000010)", classification="SecurityUpdates")
    world = windows_rig(releases=(NOVEMBER,), packages=(image,))
    world.run("Scan")
    assert world.rows()["KB9000010"][0] == "Installed"
    world.run("Install")
    world.run("Scan")
    assert world.rows()["KB9000010"][0] == "NotApplicable"


def test_the_removal_tool_comes_every_month_under_the_same_number_with_another_title() -> None:
    following = update("KB890830", "Removal Tool x64 - v5.140", "UpdateRollups", "Unspecified", available_from=30 * DAY)
    world = windows_rig(releases=(TOOL, following))
    world.run("Install")
    world.run("Scan")
    assert world.rows()["KB890830"] == ("Installed", "Removal Tool x64 - v5.139 (KB890830)")
    world.later(31 * 86400)
    world.run("Scan")
    assert world.rows()["KB890830"] == ("Missing", "Removal Tool x64 - v5.140 (KB890830)")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"id": "KB890830"}, ["Removal Tool x64 - v5.139 (KB890830)"]),
        ({"id": "KB890830", "title": "quite another"}, ["Removal Tool x64 - v5.139 (KB890830)"]),
        ({"id": "KB9000010"}, []),
        ({"id": "KB9000012"}, []),
    ],
)
def test_a_list_on_windows_goes_by_id_and_installs_only_what_is_approved_and_needed(
    entry: dict[str, str], expected: list[str]
) -> None:
    """KB9000010 is superseded, KB9000012 rejected."""
    rejected = Baseline("windows", "WINDOWS", rejected=("KB9000012",))
    releases = (OCTOBER, NOVEMBER, TOOL, update("KB9000012", "2026-11 Another"))
    world = windows_rig(entry, releases=releases, baseline=rejected)
    world.run("Install", override=LIST)
    assert installed(world) == expected


@pytest.mark.parametrize(("shows", "expected"), [(True, "AvailableSecurityUpdate"), (False, None)])
def test_a_security_update_before_its_approval_shows_where_the_baseline_says_so(
    shows: bool, expected: str | None
) -> None:
    delayed, refused = (Rule(approve_after_days=7),), ("KB9000012",)
    baseline = Baseline("delayed", "WINDOWS", delayed, rejected=refused, shows_available_security_updates=shows)
    world = windows_rig(releases=(OCTOBER, TOOL, update("KB9000012", "2026-11 Another")), baseline=baseline)
    world.run("Scan")
    assert world.rows().get("KB9000010", (None, ""))[0] == expected
    assert not {"KB890830", "KB9000012"} & set(world.rows())
    assert world.state()["AvailableSecurityUpdateCount"] == shows
    baseline_id = world.state()["BaselineId"]
    answer = world.call("GetPatchBaseline", BaselineId=baseline_id)
    assert answer.get("AvailableSecurityUpdatesComplianceStatus") == ("COMPLIANT" if shows else None)


# --- Debian's kernels


def test_a_new_kernel_on_debian_is_a_new_id_that_comes_along_and_never_was_missing() -> None:
    old_meta, old_image = debian_kernel("6.1.0-40", "6.1.153-1")
    new_meta, new_image = debian_kernel("6.1.0-41", "6.1.158-1")
    pin = {"id": "linux-image-amd64.amd64", "title": "linux-image-amd64.amd64:6.1.158-1"}
    world = rig(pin, packages=(old_meta, old_image), releases=(Release(new_meta, brings=(new_image,)),))
    world.run("Scan")
    assert {kb for kb, (state, _) in world.rows().items() if state == "Missing"} == {"linux-image-amd64.amd64"}
    world.run("Install", override=LIST)
    assert installed(world) == [
        "linux-image-amd64.amd64:6.1.158-1",
        "linux-image-6.1.0-41-amd64.amd64:6.1.158-1",
    ]
    world.run("Scan")
    assert set(world.rows()) == {
        "linux-image-amd64.amd64",
        "linux-image-6.1.0-40-amd64.amd64",
        "linux-image-6.1.0-41-amd64.amd64",
    }
