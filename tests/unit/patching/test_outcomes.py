"""I9: a node's outcome from its own invocation, and its result from its evidence."""

from dataclasses import replace

import pytest

from patching.model import Evidence, PatchRow, PinnedPatch
from patching.outcomes import NodeOutcome, NodeResult, changed, outcome_of, reconcile
from tests.unit.patching.build import (
    FAILED,
    INSTALLED,
    MISSING,
    OPENSSL,
    OPENSSL_NEW,
    OPENSSL_NEWER,
    OPENSSL_OLD,
    OTHER,
    PENDING,
    REDHAT,
    WINDOWS,
    evidence,
    row,
)

# facts/patch-manager.md section 4; the first is real (aws-examples/list-command-invocations.json).
INVOCATIONS = [
    ("Success", "Success", NodeOutcome.SUCCEEDED),
    ("Pending", "Pending", None),
    ("InProgress", "InProgress", None),
    ("Delayed", "Delayed", None),
    ("Cancelling", "Cancelling", None),
    ("Failed", "Failed", NodeOutcome.FAILED),
    ("Failed", "", NodeOutcome.FAILED),
    ("Failed", "Something new", NodeOutcome.FAILED),
    ("Failed", "Terminated", NodeOutcome.TERMINATED),
    ("Failed", "Undeliverable", NodeOutcome.UNDELIVERABLE),
    ("Failed", "Invalid Platform", NodeOutcome.INVALID_PLATFORM),
    ("Failed", "AccessDenied", NodeOutcome.ACCESS_DENIED),
    ("TimedOut", "Execution Timed Out", NodeOutcome.TIMED_OUT),
    ("TimedOut", "Delivery Timed Out", NodeOutcome.DELIVERY_TIMED_OUT),
    ("TimedOut", "DeliveryTimedOut", NodeOutcome.DELIVERY_TIMED_OUT),
    ("TimedOut", "", NodeOutcome.TIMED_OUT),
    ("Cancelled", "Cancelled", NodeOutcome.CANCELLED),
    ("Success", "Terminated", NodeOutcome.TERMINATED),
    ("Failed", "Success", NodeOutcome.FAILED),
    ("Unheard", "Success", None),
]


@pytest.mark.parametrize(("status", "details", "outcome"), INVOCATIONS)
def test_i9_outcome(status: str, details: str, outcome: NodeOutcome | None) -> None:
    assert outcome_of(status, details) is outcome


CURL, DEPENDENCY = "curl.amd64", "libnew1.amd64"


def pin(kb_id: str, version: str) -> PinnedPatch:
    return PinnedPatch(kb_id, f"{kb_id}:{version}")


APPROVED = (pin(OPENSSL, OPENSSL_NEW),)
BEFORE = evidence("p1", [row(OPENSSL, OPENSSL_NEW, MISSING), row(CURL, "7.88", INSTALLED)])
SOURCE = [
    evidence(
        "np1",
        [row(OPENSSL, OPENSSL_NEW, INSTALLED), row(DEPENDENCY, "1.0", OTHER), row(CURL, "7.88", INSTALLED)],
    )
]
GOT = row(OPENSSL, OPENSSL_NEW, INSTALLED)
KEPT = row(CURL, "7.88", INSTALLED)


def after(*rows: PatchRow) -> Evidence:
    return evidence("p1", rows)


# What the verification Scan shows, the lists that are not empty, and whether the node deviates. Constructed.
RESULTS: dict[str, tuple[Evidence, dict[str, tuple[PinnedPatch, ...]], bool]] = {
    "as approved": (after(GOT, KEPT), {"installed": APPROVED}, False),
    "rows flip to InstalledOther": (
        after(GOT, row(CURL, "7.88", OTHER)),
        {"installed": APPROVED},
        False,
    ),
    "a proven dependency came along": (
        after(GOT, KEPT, row(DEPENDENCY, "1.0", OTHER)),
        {"installed": APPROVED, "dependencies": (pin(DEPENDENCY, "1.0"),)},
        False,
    ),
    "an unproven version of it came along": (
        after(GOT, KEPT, row(DEPENDENCY, "1.1", OTHER)),
        {"installed": APPROVED, "unproven": (pin(DEPENDENCY, "1.1"),)},
        True,
    ),
    "a package that the source has not": (
        after(GOT, KEPT, row("libother.amd64", "1.0", OTHER)),
        {"installed": APPROVED, "unproven": (pin("libother.amd64", "1.0"),)},
        True,
    ),
    "another version than approved": (
        after(row(OPENSSL, OPENSSL_NEWER, INSTALLED), KEPT),
        {"unproven": (pin(OPENSSL, OPENSSL_NEWER),), "missing": APPROVED},
        True,
    ),
    "still missing": (after(row(OPENSSL, OPENSSL_NEW, MISSING), KEPT), {"missing": APPROVED}, True),
    "gone from the repository": (after(KEPT), {"gone": APPROVED}, True),
    "gone, and the version that Missing hid shows again": (
        after(row(OPENSSL, OPENSSL_OLD, OTHER), KEPT),
        {"gone": APPROVED},
        True,
    ),
    "gone, and the mirror offers the next one": (
        after(row(OPENSSL, OPENSSL_NEWER, MISSING), KEPT),
        {"gone": APPROVED},
        True,
    ),
    "failed": (after(row(OPENSSL, OPENSSL_NEW, FAILED), KEPT), {"missing": APPROVED, "failed": APPROVED}, True),
    "waits for a reboot": (
        after(row(OPENSSL, OPENSSL_NEW, PENDING), KEPT),
        {"installed": APPROVED, "pending_reboot": APPROVED},
        False,
    ),
    "a package vanished": (after(GOT), {"installed": APPROVED, "removed": (pin(CURL, "7.88"),)}, True),
    "a newer version of something else is offered meanwhile": (
        after(GOT, row(CURL, "7.89", MISSING)),
        {"installed": APPROVED},
        False,
    ),
    "missing, but nobody approved it": (
        after(GOT, KEPT, row("apt.amd64", "2.6.2", MISSING), row("dpkg.amd64", "1", FAILED)),
        {"installed": APPROVED},
        False,
    ),
}


@pytest.mark.parametrize(("seen", "lists", "deviates"), RESULTS.values(), ids=RESULTS)
def test_i9_reconcile(seen: Evidence, lists: dict[str, tuple[PinnedPatch, ...]], deviates: bool) -> None:
    empty = NodeResult("i-p1", "p1", (), (), (), (), (), ())
    result = reconcile(APPROVED, BEFORE, seen, SOURCE)
    assert result == replace(empty, **lists)  # type: ignore[arg-type]
    assert result.deviates is deviates


def test_a_pin_that_was_not_for_this_node_is_not_missing() -> None:
    approved = (*APPROVED, pin("postgresql-15.amd64", "15.8-1"))
    assert reconcile(approved, BEFORE, after(GOT, KEPT), SOURCE).missing == ()


def test_a_pin_that_the_node_came_to_miss_during_the_run_is_missing() -> None:
    late = pin("postgresql-15.amd64", "15.8-1")
    result = reconcile((*APPROVED, late), BEFORE, after(GOT, KEPT, row(late.id, "15.8-1", MISSING)), SOURCE)
    assert result.missing == (late,)


def test_a_dependency_that_one_source_node_has_in_another_version_is_not_proven() -> None:
    source = [*SOURCE, evidence("np2", [row(DEPENDENCY, "1.1", OTHER)])]
    result = reconcile(APPROVED, BEFORE, after(GOT, KEPT, row(DEPENDENCY, "1.0", OTHER)), source)
    assert result.unproven == (pin(DEPENDENCY, "1.0"),)


def test_what_was_gone_from_the_source_too_may_vanish() -> None:
    source = [evidence("np1", [GOT])]
    assert not reconcile(APPROVED, BEFORE, after(GOT), source).deviates


def test_changed() -> None:
    before = evidence("np1", [row(OPENSSL, OPENSSL_OLD, INSTALLED), KEPT, row("apt.amd64", "2.6.2", MISSING)])
    now = evidence("np1", [GOT, KEPT, row("apt.amd64", "2.6.2", MISSING), row(DEPENDENCY, "1.0", PENDING)])
    assert changed(before, now) == (pin(DEPENDENCY, "1.0"), pin(OPENSSL, OPENSSL_NEW))
    assert changed(now, now) == ()


def test_with_nothing_known_before_everything_counts_as_changed() -> None:
    assert changed(None, evidence("np1", [GOT, row(CURL, "7.88", MISSING)])) == APPROVED


def test_windows_rows_that_lose_their_title_have_not_changed() -> None:
    titled = PatchRow("KB4480979", "2019-01 Security Update for Adobe Flash Player (KB4480979)", INSTALLED)
    blank = PatchRow("KB4480979", "", OTHER)
    one, other = (evidence("np1", [each], platform=WINDOWS) for each in (titled, blank))
    assert (changed(one, other), changed(other, one)) == ((), ())


def test_a_newer_version_that_an_rpm_repository_offers_since_hides_what_is_there() -> None:
    """Such a repository keeps the approved one, so nothing says whether the node found it: it deviates."""
    bash, newer = pin(BASH, "0:4.4.19-14.el8"), "0:4.4.20-4.el8_6"
    before = evidence("p1", [row(BASH, "0:4.4.19-14.el8", MISSING)], platform=REDHAT)
    result = reconcile([bash], before, evidence("p1", [row(BASH, newer, MISSING)], platform=REDHAT), [])
    assert (result.hidden, result.gone, result.missing, result.deviates) == ((bash,), (), (), True)


def test_how_many_patches_were_for_a_node() -> None:
    lists = dict.fromkeys(("installed", "missing", "gone", "hidden", "unconfirmed", "dependencies"), APPROVED)
    assert replace(NodeResult("i-p1", "p1", (), (), (), (), (), ()), **lists).approved == 5  # type: ignore[arg-type]


BASH = "bash.x86_64"
OLDER = pin(BASH, "0:4.4.19-14.el8")
OFFERED = evidence("p1", [row(BASH, "0:4.4.20-4.el8_6", MISSING)])

# An older version on the list: what the scan after the Install shows, and whether that confirms it.
OLDER_CASES: dict[str, tuple[PatchRow | None, bool]] = {
    "it shows it": (row(BASH, "0:4.4.19-14.el8", INSTALLED), True),
    "it shows it, waiting for a reboot": (row(BASH, "0:4.4.19-14.el8", PENDING), True),
    "the newer one on offer hides what is there": (row(BASH, "0:4.4.20-4.el8_6", MISSING), False),
    "the repository has dropped it": (row(BASH, "0:4.4.17-1.el8", INSTALLED), False),
    "the package is gone": (None, False),
}


@pytest.mark.parametrize(("shown", "confirmed"), OLDER_CASES.values(), ids=OLDER_CASES)
def test_an_older_version_that_a_node_does_not_show_is_reported(shown: PatchRow | None, confirmed: bool) -> None:
    result = reconcile([OLDER], OFFERED, after(*([shown] if shown else [])), SOURCE, older=[OLDER])
    assert result.unconfirmed == (() if confirmed else (OLDER,))


def test_an_older_version_is_nothing_to_a_node_that_was_not_offered_the_package() -> None:
    assert reconcile([OLDER], BEFORE, after(KEPT), SOURCE, older=[OLDER]).unconfirmed == ()
