"""The ready part: the proven and soaked subset, what stays behind and why, and versions that are proven, not newest."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from patching.clocks import Clocks, Holds
from patching.compare import WHOLE_NODE, Comparison, compare
from patching.model import Evidence, PatchRow, PinnedPatch, Platform
from patching.proof import patch_key
from patching.ready import Part, ready_part
from patching.soak import Readiness, SoakPolicy, readiness
from tests.unit.patching.build import (
    DEBIAN,
    FAILED,
    INSTALLED,
    MISSING,
    NOW,
    OPENSSL,
    OPENSSL_NEW,
    OPENSSL_NEWER,
    OPENSSL_OLD,
    PENDING,
    REDHAT,
    UBUNTU,
    WINDOWS,
    evidence,
    row,
)

POLICY = SoakPolicy(timedelta(days=7))
SOAKED, YOUNG = NOW - timedelta(days=8), NOW - timedelta(days=3)
BASH = "bash.x86_64"
BASH_OLD, BASH_NEW = "0:4.4.19-14.el8", "0:4.4.20-4.el8_6"


def part_of(
    source: list[Evidence],
    target: list[Evidence],
    clocks: Mapping[Platform, Clocks],
    *,
    holds: Holds = (),
    **options: Any,
) -> Part:
    comparison = compare(source, target)
    soaked = readiness(comparison.findings, clocks, POLICY, holds, NOW)
    return ready_part(target, comparison, soaked, source, clocks, POLICY, holds, NOW, **options)


def running(platform: Platform, *rows: PatchRow, since: datetime = SOAKED) -> dict[Platform, Clocks]:
    return {platform: {patch_key(each.kb_id, each.title): since for each in rows}}


def test_31_of_34() -> None:
    installed = [row(f"package{number:02}.x86_64", "0:1-1.el9", INSTALLED) for number in range(34)]
    offered = [replace(each, state=MISSING) for each in installed]
    clocks = {REDHAT: {patch_key(each.kb_id, each.title): SOAKED for each in installed[:31]}}
    clocks[REDHAT] |= {patch_key(each.kb_id, each.title): YOUNG for each in installed[31:]}
    source = [evidence(name, installed, platform=REDHAT) for name in ("np1", "np2")]
    part = part_of(source, [evidence(name, offered, platform=REDHAT) for name in ("p1", "p2")], clocks)
    assert part.pins == tuple(PinnedPatch(each.kb_id, each.title) for each in installed[:31])
    assert [(finding.kb_id, why) for finding, why in part.stays_behind] == [
        (each.kb_id, "Soaks for another 4 d.") for each in installed[31:]
    ]
    assert part.older == ()


NEW, OLD = row(OPENSSL, OPENSSL_NEW, INSTALLED), row(OPENSSL, OPENSSL_OLD, INSTALLED)
OFFER = row(OPENSSL, OPENSSL_NEW, MISSING)

# What the source shows of openssl, its clock, holds; why it stays behind.
BEHIND: dict[str, tuple[PatchRow, datetime | None, Holds, str]] = {
    "soaking": (NEW, YOUNG, (), "Soaks for another 4 d."),
    "held": (NEW, SOAKED, ((YOUNG, None),), "held while a problem is reported or an alarm is on"),
    "no clock": (NEW, None, (), "No verification Scan of ours"),
    "older there, and apt's mirrors drop versions": (OLD, SOAKED, (), f"Non-production has {OPENSSL_OLD} on np1"),
    "not booted into": (replace(NEW, state=PENDING), SOAKED, (), "Waits for a reboot on np1"),
    "failed": (replace(NEW, state=FAILED), SOAKED, (), "It failed to install on np1"),
}


@pytest.mark.parametrize(("shown", "since", "holds", "why"), BEHIND.values(), ids=BEHIND)
def test_what_stays_behind_and_why(shown: PatchRow, since: datetime | None, holds: Holds, why: str) -> None:
    clocks = running(DEBIAN, shown, since=since) if since else {}
    part = part_of([evidence("np1", [shown])], [evidence("p1", [OFFER])], clocks, holds=holds)
    assert (part.pins, part.older) == ((), ())
    ((finding, said),) = part.stays_behind
    assert finding.kb_id == OPENSSL
    assert why in said


def test_everything_ready_is_the_whole_list() -> None:
    part = part_of([evidence("np1", [NEW])], [evidence("p1", [OFFER])], running(DEBIAN, NEW))
    assert part == Part((PinnedPatch(OPENSSL, f"{OPENSSL}:{OPENSSL_NEW}"),), (), ())


def test_a_node_of_which_nothing_is_known_stays_behind() -> None:
    target = [evidence("p1", [OFFER]), evidence("p2", [OFFER], counts={"MissingCount": -1})]
    part = part_of([evidence("np1", [NEW])], target, running(DEBIAN, NEW))
    assert [finding.kb_id for finding, _ in part.stays_behind] == [WHOLE_NODE]
    assert len(part.pins) == 1


def test_a_finding_that_nobody_judged_stays_behind() -> None:
    source, target = [evidence("np1", [NEW])], [evidence("p1", [OFFER])]
    comparison: Comparison = compare(source, target)
    part = ready_part(target, comparison, Readiness(()), source, running(DEBIAN, NEW), POLICY, (), NOW)
    assert part.pins == ()


PROVEN, OFFERED = row(BASH, BASH_OLD, INSTALLED), row(BASH, BASH_NEW, MISSING)
AMAZON = Platform("Amazon Linux", "2023", "x86_64")
SLES = Platform("SLES", "15", "x86_64")


@pytest.mark.parametrize("platform", [REDHAT, AMAZON, SLES], ids=str)
def test_rpm_repositories_keep_the_proven_version(platform: Platform) -> None:
    source = [evidence("np1", [PROVEN], platform=platform), evidence("np2", [PROVEN], platform=platform)]
    part = part_of(source, [evidence("p1", [OFFERED], platform=platform)], running(platform, PROVEN))
    pin = PinnedPatch(BASH, f"{BASH}:{BASH_OLD}")
    assert part.pins == (pin,)
    ((older),) = part.older
    assert (older.pin, older.version, older.finding.version) == (pin, BASH_OLD, BASH_NEW)
    assert part.stays_behind == ()


def test_a_proven_version_that_only_hides_behind_a_newer_offer_is_named() -> None:
    """Live repositories move in non-production, too: its rows then show the offer alone, its clocks what soaked."""
    source = [evidence("np1", [OFFERED], platform=REDHAT), evidence("np2", [OFFERED], platform=REDHAT)]
    part = part_of(source, [evidence("p1", [OFFERED], platform=REDHAT)], running(REDHAT, PROVEN))
    assert part.pins == (PinnedPatch(BASH, f"{BASH}:{BASH_OLD}"),)
    assert [each.version for each in part.older] == [BASH_OLD]


NOT_OLDER: dict[str, tuple[list[Evidence], list[Evidence], dict[Platform, Clocks], dict[str, Any]]] = {
    "still soaking": (
        [evidence("np1", [PROVEN], platform=REDHAT)],
        [evidence("p1", [OFFERED], platform=REDHAT)],
        running(REDHAT, PROVEN, since=YOUNG),
        {},
    ),
    "on one of two nodes only": (
        [
            evidence("np1", [PROVEN], platform=REDHAT),
            evidence("np2", [replace(OFFERED, state=MISSING)], platform=REDHAT),
        ],
        [evidence("p1", [OFFERED], platform=REDHAT)],
        running(REDHAT, PROVEN),
        {},
    ),
    "two versions there": (
        [
            evidence("np1", [PROVEN], platform=REDHAT),
            evidence("np2", [row(BASH, "0:4.4.19-12.el8", INSTALLED)], platform=REDHAT),
        ],
        [evidence("p1", [OFFERED], platform=REDHAT)],
        running(REDHAT, PROVEN),
        {},
    ),
    "newer there": (
        [evidence("np1", [row(BASH, BASH_NEW, INSTALLED)], platform=REDHAT)],
        [evidence("p1", [row(BASH, BASH_OLD, MISSING)], platform=REDHAT)],
        running(REDHAT, row(BASH, BASH_NEW, INSTALLED)),
        {},
    ),
    "the proven version is rejected": (
        [evidence("np1", [PROVEN], platform=REDHAT)],
        [evidence("p1", [OFFERED], platform=REDHAT)],
        running(REDHAT, PROVEN),
        {"baselines": {"b" * 64: {"RejectedPatches": ["bash-4.4.19-14.el8.x86_64"]}}},
    ),
    "another platform is offered the same package": (
        [evidence("np1", [PROVEN], platform=REDHAT), evidence("np2", [PROVEN], platform=AMAZON)],
        [evidence("p1", [OFFERED], platform=REDHAT), evidence("p2", [OFFERED], platform=AMAZON)],
        running(REDHAT, PROVEN),
        {},
    ),
    "hidden, still soaking": (
        [evidence("np1", [OFFERED], platform=REDHAT)],
        [evidence("p1", [OFFERED], platform=REDHAT)],
        running(REDHAT, PROVEN, since=YOUNG),
        {},
    ),
    "hidden, never soaked": (
        [evidence("np1", [OFFERED], platform=REDHAT)],
        [evidence("p1", [OFFERED], platform=REDHAT)],
        {},
        {},
    ),
    "hidden, two versions soaked": (
        [evidence("np1", [OFFERED], platform=REDHAT), evidence("np2", [OFFERED], platform=REDHAT)],
        [evidence("p1", [OFFERED], platform=REDHAT)],
        running(REDHAT, PROVEN, row(BASH, "0:4.4.19-12.el8", INSTALLED)),
        {},
    ),
    "hidden and rejected": (
        [evidence("np1", [OFFERED], platform=REDHAT)],
        [evidence("p1", [OFFERED], platform=REDHAT)],
        running(REDHAT, PROVEN),
        {"baselines": {"b" * 64: {"RejectedPatches": ["bash-4.4.19-14.el8.x86_64"]}}},
    ),
    "hidden on Ubuntu": (
        [evidence("np1", [OFFER], platform=UBUNTU)],
        [evidence("p1", [OFFER], platform=UBUNTU)],
        running(UBUNTU, OLD),
        {},
    ),
    "Ubuntu": (
        [evidence("np1", [OLD], platform=UBUNTU)],
        [evidence("p1", [OFFER], platform=UBUNTU)],
        running(UBUNTU, OLD),
        {},
    ),
}


@pytest.mark.parametrize(("source", "target", "clocks", "options"), NOT_OLDER.values(), ids=NOT_OLDER)
def test_no_older_version(
    source: list[Evidence], target: list[Evidence], clocks: dict[Platform, Clocks], options: dict[str, Any]
) -> None:
    part = part_of(source, target, clocks, **options)
    assert (part.pins, part.older) == ((), ())
    assert part.stays_behind


TOOL = PatchRow("KB890830", "Windows Malicious Software Removal Tool x64 - v5.144 (KB890830)", INSTALLED)
TOOL_NEXT = replace(TOOL, title="Windows Malicious Software Removal Tool x64 - v5.145 (KB890830)")
SERVER_2022 = replace(WINDOWS, major="10.0.20348")


def test_one_list_for_all_platforms() -> None:
    """The same KB soaks on one platform and is ready on the other; the list can't tell them apart."""
    source = [evidence("np1", [TOOL], platform=WINDOWS), evidence("np2", [TOOL], platform=SERVER_2022)]
    target = [
        evidence("p1", [replace(TOOL, state=MISSING)], platform=WINDOWS),
        evidence("p2", [replace(TOOL, state=MISSING)], platform=SERVER_2022),
    ]
    clocks = running(WINDOWS, TOOL) | running(SERVER_2022, TOOL, since=YOUNG)
    part = part_of(source, target, clocks)
    assert part.pins == ()
    assert any(str(SERVER_2022) in why for _, why in part.stays_behind)


def test_a_windows_entry_names_the_kb_whatever_its_content() -> None:
    source = [evidence("np1", [TOOL], platform=WINDOWS)]
    target = [
        evidence("p1", [replace(TOOL, state=MISSING)], platform=WINDOWS),
        evidence("p2", [replace(TOOL_NEXT, state=MISSING)], platform=WINDOWS),
    ]
    assert part_of(source, target, running(WINDOWS, TOOL)).pins == ()


def test_different_versions_on_two_platforms_are_two_entries() -> None:
    other = row(OPENSSL, OPENSSL_NEWER, INSTALLED)
    source = [evidence("np1", [NEW]), evidence("np2", [other], platform=UBUNTU)]
    target = [evidence("p1", [OFFER]), evidence("p2", [replace(other, state=MISSING)], platform=UBUNTU)]
    clocks = running(DEBIAN, NEW) | running(UBUNTU, other, since=YOUNG)
    part = part_of(source, target, clocks)
    assert part.pins == (PinnedPatch(OPENSSL, f"{OPENSSL}:{OPENSSL_NEW}"),)
    assert [finding.platform for finding, _ in part.stays_behind] == [UBUNTU]
