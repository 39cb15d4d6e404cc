"""What becomes of an approved version that production is no longer offered."""

import pytest

from patching.leaving import no_longer_offered
from patching.model import Evidence, PatchRow, PatchState, PinnedPatch
from tests.unit.patching.build import (
    INSTALLED,
    MISSING,
    OPENSSL,
    OPENSSL_NEW,
    OPENSSL_NEWER,
    OPENSSL_OLD,
    OTHER,
    REDHAT,
    WINDOWS,
    evidence,
    row,
)

PIN = PinnedPatch(OPENSSL, f"{OPENSSL}:{OPENSSL_NEW}")
BASH = PinnedPatch("bash.x86_64", "bash.x86_64:0:4.4.19-14.el8")
TOOL = PinnedPatch("KB890830", "Removal Tool x64 - v5.139 (KB890830)")


def windows(state: PatchState, title: str = TOOL.title) -> Evidence:
    return evidence("p1", [PatchRow(TOOL.id, title, state)], platform=WINDOWS)


def rpm(*rows: PatchRow) -> Evidence:
    return evidence("p1", rows, platform=REDHAT)


CASES: dict[str, tuple[PinnedPatch, Evidence, str]] = {
    "a mirror has moved on": (
        PIN,
        evidence("p1", [row(OPENSSL, OPENSSL_NEWER, MISSING)]),
        f"{OPENSSL} {OPENSSL_NEW} is gone from the repository, which offers {OPENSSL_NEWER} now",
    ),
    "a mirror has it no more": (
        PIN,
        evidence("p1", [row(OPENSSL, OPENSSL_OLD, OTHER)]),
        f"{OPENSSL} {OPENSSL_NEW} is gone from the repository: no node is offered it any more",
    ),
    "somebody installed it": (
        PIN,
        evidence("p1", [row(OPENSSL, OPENSSL_NEW, INSTALLED)]),
        f"{OPENSSL} {OPENSSL_NEW} came onto 1 node meanwhile; no node misses it any more",
    ),
    "an RPM repository has a newer one too": (
        BASH,
        rpm(row(BASH.id, "0:4.4.20-4.el8_6", MISSING)),
        "bash.x86_64 0:4.4.19-14.el8 is not the newest any more: the repository offers 0:4.4.20-4.el8_6 now",
    ),
    "an RPM repository offers none": (
        BASH,
        rpm(row(BASH.id, "0:4.4.17-1.el8", INSTALLED)),
        "bash.x86_64 0:4.4.19-14.el8 is gone from the repository, or waits for the baseline's approval again: "
        "no node is offered it any more",
    ),
    "a KB with other content": (
        TOOL,
        windows(MISSING, "Removal Tool x64 - v5.140 (KB890830)"),
        "KB890830 Removal Tool x64 - v5.139 comes with other content now: Removal Tool x64 - v5.140",
    ),
    "a superseded KB": (
        TOOL,
        windows(PatchState.NOT_APPLICABLE),
        "KB890830 Removal Tool x64 - v5.139 is superseded: the nodes report it as not applicable",
    ),
    "a KB that is not approved any more": (
        TOOL,
        windows(PatchState.AVAILABLE_SECURITY_UPDATE),
        "KB890830 Removal Tool x64 - v5.139 is not approved by the baseline any more",
    ),
    "a KB that is not there any more": (
        TOOL,
        evidence("p1", platform=WINDOWS),
        "KB890830 Removal Tool x64 - v5.139 is no longer offered: Windows Update has withdrawn it, or the baseline "
        "does not approve it any more",
    ),
}


@pytest.mark.parametrize(("pin", "seen", "sentence"), CASES.values(), ids=CASES)
def test_why(pin: PinnedPatch, seen: Evidence, sentence: str) -> None:
    assert no_longer_offered([pin], [seen]) == {pin.id: sentence}


def test_what_one_node_is_still_offered_has_not_left() -> None:
    target = [
        evidence("p1", [row(OPENSSL, OPENSSL_NEWER, MISSING)]),
        evidence("p2", [row(OPENSSL, OPENSSL_NEW, MISSING)]),
    ]
    assert no_longer_offered([PIN], target) == {}
