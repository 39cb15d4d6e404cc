"""What moved on a node between the approval and its wave, one case for each kind."""

import pytest

from patching.model import Evidence, PatchRow, PinnedPatch
from patching.wave_gate import moved_rows
from tests.unit.patching.build import FAILED, INSTALLED, MISSING, PENDING, evidence, row

SSL, TAR = "openssl.amd64", "tar.amd64"
OLD, NEW, NEWER = "3.0.15-1", "3.0.17-1", "3.0.18-1"
PINS = (PinnedPatch(SSL, f"{SSL}:{NEW}"),)
APPROVED = [row(SSL, NEW, MISSING), row(TAR, "1.34", INSTALLED)]
GONE = f"db is no longer offered {SSL} {NEW}"

CASES: dict[str, tuple[list[PatchRow], list[str], list[str]]] = {
    # what is there now: what stops a pinned Install, what stops one that takes all
    "nothing moved": (APPROVED, [], []),
    "it failed there before": ([row(SSL, NEW, FAILED)], [], []),
    "it is there already": ([row(SSL, NEW, INSTALLED)], [], []),
    "it is there and waits for a reboot": ([row(SSL, NEW, PENDING)], [], []),
    "an epoch of 0 is written out": ([row(SSL, f"0:{NEW}", MISSING)], [], []),
    "gone from the repository": ([row(SSL, OLD, INSTALLED)], [GONE], [GONE]),
    "nothing is said about it any more": ([], [GONE], [GONE]),
    "a newer version in its place": (
        [row(SSL, NEWER, MISSING)],
        [f"{GONE}, but {NEWER}"],
        [f"{GONE}, but {NEWER}", f"db is offered {SSL} {NEWER}, which nobody approved"],
    ),
    "somebody installed another version": ([row(SSL, NEWER, INSTALLED)], [GONE], [GONE]),
    "something else is offered too": (
        [*APPROVED, row(TAR, "1.35", MISSING)],
        [],
        [f"db is offered {TAR} 1.35, which nobody approved"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_I3_what_moved_on_a_node_since_it_was_approved(name: str) -> None:
    rows, pinned, unpinned = CASES[name]
    was, now = evidence("db", APPROVED), evidence("db", rows)
    assert list(moved_rows(was, now, PINS)) == pinned
    assert list(moved_rows(was, now, None)) == unpinned


def test_I3_what_is_offered_and_not_on_the_list_may_go() -> None:
    was = evidence("db", [*APPROVED, row(TAR, "1.35", MISSING)])
    assert list(moved_rows(was, evidence("db", APPROVED), PINS)) == []
    assert list(moved_rows(was, evidence("db", APPROVED), None)) == [f"db is no longer offered {TAR} 1.35"]


def test_I3_a_listed_patch_that_this_node_never_missed_is_not_asked_for() -> None:
    was = evidence("db", [row(TAR, "1.35", MISSING)])
    assert list(moved_rows(was, was, PINS)) == []


@pytest.mark.parametrize("pins", [PINS, None], ids=["pinned", "not pinned"])
def test_I3_another_baseline_stops_it_whatever_it_offers(pins: tuple[PinnedPatch, ...] | None) -> None:
    was: Evidence = evidence("db", APPROVED)
    now = evidence("db", APPROVED, baseline_content="c" * 64)
    assert list(moved_rows(was, now, pins)) == ["the baseline of db is another one"]
