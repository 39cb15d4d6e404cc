"""Patchgate-InstallWithHooks on each kind of node: exactly the list, on Windows as far as the baseline approves it."""

import json
from typing import Any

import pytest

from sandbox.aws.fleet import (
    AMAZON_LINUX_2023,
    DEBIAN_12,
    RHEL_9,
    WINDOWS_2022,
    Baseline,
    Package,
    Platform,
    Release,
)
from sandbox.fleet import small_fleet
from tests.unit.simulated_aws.hooks import DEPLOY, LIST, WITH_HOOKS
from tests.unit.simulated_aws.support import Rig

LISTED, OTHER = "listed", "other"


def rig(platform: Platform, entries: list[dict[str, str]], **more: Any) -> Rig:
    rig = Rig(small_fleet(platform=platform, **more), {LIST: json.dumps({"patches": entries}).encode()})
    content = (DEPLOY / f"{WITH_HOOKS}.yaml").read_text(encoding="utf-8")
    rig.call("CreateDocument", Name=WITH_HOOKS, Content=content, DocumentFormat="YAML", DocumentType="Command")
    return rig


def installed(rig: Rig) -> list[str]:
    """Sends the list and returns the titles that came."""
    parameters = {"Operation": ["Install"], "InstallOverrideList": [LIST]}
    sent = rig.call("SendCommand", DocumentName=WITH_HOOKS, InstanceIds=rig.ids[:1], Parameters=parameters)
    rig.later(200)
    assert rig.details(sent["Command"]["CommandId"]) == ["Success"]
    [install] = rig.world.installs()
    return [title for _, title in install.rows[rig.ids[0]]]


@pytest.mark.parametrize(
    ("platform", "arch", "title"),
    [
        (DEBIAN_12, "amd64", "listed.amd64:2"),
        (RHEL_9, "x86_64", "listed.x86_64:0:2"),
        (AMAZON_LINUX_2023, "x86_64", "listed.x86_64:0:2"),
    ],
    ids=["Debian", "RHEL", "AL2023"],
)
def test_linux_gets_the_listed_version_and_nothing_else(platform: Platform, arch: str, title: str) -> None:
    def package(name: str, version: str) -> Package:
        return Package(name, arch, version, suite="security", classification="Security", severity="Important")

    packages = tuple(package(name, "1") for name in (LISTED, OTHER))
    releases = tuple(Release(package(name, version)) for name in (LISTED, OTHER) for version in ("2", "3"))
    pins = [{"id": f"{LISTED}.{arch}", "title": title}]
    world = rig(platform, pins, packages=packages, releases=releases, keeps_old_versions=True)
    assert installed(world) == [title]
    assert not world.world.node(world.ids[0]).pending_reboot


def test_windows_gets_the_listed_update_that_its_baseline_approves() -> None:
    def update(kb: str) -> Release:
        return Release(Package(kb, "", f"Update ({kb})", severity="Critical", classification="SecurityUpdates"))

    releases = tuple(update(kb) for kb in ("KB9000010", "KB9000011", "KB9000012"))
    baseline = Baseline("windows", "WINDOWS", rejected=("KB9000012",))
    pins = [{"id": "KB9000010"}, {"id": "KB9000012"}]
    world = rig(WINDOWS_2022, pins, releases=releases, baseline=baseline)
    assert installed(world) == ["Update (KB9000010)"]
