"""The comparison rule (facts/patch-manager.md section 2), a table of what source nodes may show."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patching.compare import WHOLE_NODE, Comparison, Verdict, compare
from patching.model import Evidence, PatchRow, PatchState, Platform
from tests.unit.patching.build import (
    DEBIAN,
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
    UBUNTU,
    WINDOWS,
    evidence,
    only,
    row,
    verdicts,
)

NEW = row(OPENSSL, OPENSSL_NEW, INSTALLED)
KERNEL = "linux-headers-5.11.0-1020-aws.amd64"
# Real: aws-examples/describe-instance-patches.windows.json.
MSRT = PatchRow("KB890830", "Windows Malicious Software Removal Tool x64 - February 2019 (KB890830)", MISSING)
CUMULATIVE = PatchRow(
    "KB5023702", "2023-03 Cumulative Update for Windows Server 2019 (1809) for x64-based Systems (KB5023702)", MISSING
)


def windows(each: PatchRow, state: PatchState, title: str | None = None) -> PatchRow:
    return replace(each, state=state, title=each.title if title is None else title)


def debian(*rows_by_node: tuple[PatchRow, ...]) -> list[Evidence]:
    return [evidence(f"np{number}", rows) for number, rows in enumerate(rows_by_node, start=1)]


# What the source nodes show of openssl, and the verdict on the target's offer of OPENSSL_NEW. Constructed.
DEBIAN_CASES: dict[str, tuple[list[tuple[PatchRow, ...]], Verdict]] = {
    "tested: on the only node": ([(NEW,)], Verdict.TESTED),
    "tested: InstalledOther": ([(row(OPENSSL, OPENSSL_NEW, OTHER),)], Verdict.TESTED),
    "rejected: there although rejected": (
        [(row(OPENSSL, OPENSSL_NEW, PatchState.INSTALLED_REJECTED),)],
        Verdict.REJECTED,
    ),
    "tested: a node without the package does not count": ([(NEW,), ()], Verdict.TESTED),
    "tested: NotApplicable says nothing": (
        [(NEW,), (row(OPENSSL, OPENSSL_NEW, PatchState.NOT_APPLICABLE),)],
        Verdict.TESTED,
    ),
    "untested: on no node": ([()], Verdict.UNTESTED),
    "untested: only available there": (
        [(row(OPENSSL, OPENSSL_NEW, PatchState.AVAILABLE_SECURITY_UPDATE),)],
        Verdict.UNTESTED,
    ),
    "untested: missing on one of two": ([(NEW,), (row(OPENSSL, OPENSSL_NEW, MISSING),)], Verdict.UNTESTED),
    "other_version: older": ([(row(OPENSSL, OPENSSL_OLD, INSTALLED),)], Verdict.OTHER_VERSION),
    "other_version: older on one of two": ([(NEW,), (row(OPENSSL, OPENSSL_OLD, INSTALLED),)], Verdict.OTHER_VERSION),
    "ahead: newer": ([(row(OPENSSL, OPENSSL_NEWER, INSTALLED),)], Verdict.AHEAD),
    "ahead: newer on one of two": ([(NEW,), (row(OPENSSL, OPENSSL_NEWER, OTHER),)], Verdict.AHEAD),
    "failed: on one of two": ([(NEW,), (row(OPENSSL, OPENSSL_NEW, FAILED),)], Verdict.FAILED),
    "pending_reboot: only": ([(row(OPENSSL, OPENSSL_NEW, PENDING),)], Verdict.PENDING_REBOOT),
    "pending_reboot: on one of two": ([(NEW,), (row(OPENSSL, OPENSSL_NEW, PENDING),)], Verdict.PENDING_REBOOT),
    "unreadable: a source title": ([(NEW,), (replace(NEW, title="openssl, some version"),)], Verdict.UNREADABLE),
}


@pytest.mark.parametrize(("source", "verdict"), DEBIAN_CASES.values(), ids=DEBIAN_CASES)
def test_verdict(source: list[tuple[PatchRow, ...]], verdict: Verdict) -> None:
    comparison = compare(debian(*source), [evidence("p1", [row(OPENSSL, OPENSSL_NEW, MISSING)])])
    assert only(comparison).verdict is verdict
    assert only(comparison).detail.endswith(".")
    assert bool(comparison.tested) is (verdict is Verdict.TESTED)
    assert bool(comparison.mismatches) is (verdict is not Verdict.TESTED)


def test_failed_on_the_target_is_attempted_again() -> None:
    comparison = compare(debian((NEW,)), [evidence("p1", [row(OPENSSL, OPENSSL_NEW, FAILED)])])
    assert only(comparison).verdict is Verdict.TESTED


@pytest.mark.parametrize("state", [state for state in PatchState if state not in {MISSING, FAILED}])
def test_what_the_target_would_not_get_is_no_finding(state: PatchState) -> None:
    assert compare(debian((NEW,)), [evidence("p1", [row(OPENSSL, OPENSSL_NEW, state)])]).findings == ()


def test_a_debian_kernel_is_a_new_id_each_time() -> None:
    source = debian((row("linux-headers-5.11.0-1019-aws.amd64", "5.11.0-1019.20", INSTALLED),))
    comparison = compare(source, [evidence("p1", [row(KERNEL, "5.11.0-1020.21", MISSING)])])
    assert only(comparison).verdict is Verdict.NEW_DEPENDENCY


@pytest.mark.parametrize(
    "platform", [UBUNTU, replace(DEBIAN, major="11"), replace(DEBIAN, arch="arm64")], ids=["os", "major", "arch"]
)
def test_no_counterpart(platform: Platform) -> None:
    target = [evidence("p1", [row(OPENSSL, OPENSSL_NEW, MISSING)], platform=platform)]
    finding = only(compare(debian((NEW,)), target))
    assert (finding.verdict, finding.platform) == (Verdict.NO_COUNTERPART, platform)
    assert str(platform) in finding.detail


def test_platforms_are_judged_apart() -> None:
    title = replace(NEW, kb_id="bash.x86_64", title="bash.x86_64:0:4.4.19-14.el8")
    source = [evidence("np1", [NEW]), evidence("np2", [title], platform=REDHAT)]
    target = [
        evidence("p1", [row(OPENSSL, OPENSSL_NEW, MISSING)]),
        evidence("p2", [replace(title, state=MISSING)], platform=REDHAT),
        evidence("p3", [row(OPENSSL, OPENSSL_NEW, MISSING)], platform=REDHAT),
    ]
    assert {(each.platform, each.kb_id, each.verdict) for each in compare(source, target).findings} == {
        (REDHAT, OPENSSL, Verdict.UNTESTED),
        (REDHAT, "bash.x86_64", Verdict.TESTED),
        (DEBIAN, OPENSSL, Verdict.TESTED),
    }


UNREADABLE = {
    "counts of -1": {"counts": {"InstalledCount": -1}},
    "an end in 1970": {"operation_end": datetime(1970, 1, 1, tzinfo=UTC)},
}


@pytest.mark.parametrize("changes", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_source_proves_nothing(changes: dict[str, object]) -> None:
    source = [evidence("np1", [NEW]), evidence("np2", [NEW], **changes)]  # type: ignore[arg-type]
    finding = only(compare(source, [evidence("p1", [row(OPENSSL, OPENSSL_NEW, MISSING)])]))
    assert finding.verdict is Verdict.UNREADABLE
    assert "np2" in finding.detail


@pytest.mark.parametrize("changes", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_target_is_never_nothing_missing(changes: dict[str, object]) -> None:
    finding = only(compare(debian((NEW,)), [evidence("p1", [], **changes)]))  # type: ignore[arg-type]
    assert (finding.kb_id, finding.verdict, finding.nodes) == (WHOLE_NODE, Verdict.UNREADABLE, ("i-p1",))


def test_rows_of_an_unreadable_target_are_not_believed() -> None:
    target = [evidence("p1", [row(OPENSSL, OPENSSL_NEW, MISSING)], counts={"MissingCount": -1})]
    assert verdicts(compare(debian((NEW,)), target)) == {f"{WHOLE_NODE} ": Verdict.UNREADABLE}


def test_unreadable_target_title() -> None:
    target = [evidence("p1", [replace(NEW, state=MISSING, title="openssl 3.0.22")])]
    finding = only(compare(debian((NEW,)), target))
    assert (finding.verdict, finding.version) == (Verdict.UNREADABLE, "")


# Windows. Real rows; source states constructed.
WINDOWS_CASES = {
    "the same content": (MSRT, windows(MSRT, INSTALLED), Verdict.TESTED),
    "spelled in lower case": (MSRT, replace(MSRT, kb_id="kb890830", state=INSTALLED), Verdict.TESTED),
    "a recurring KB with other content": (
        MSRT,
        windows(MSRT, INSTALLED, "Windows Malicious Software Removal Tool x64 - v5.144 (KB890830)"),
        Verdict.OTHER_TITLE,
    ),
    "InstalledOther has no title": (MSRT, windows(MSRT, OTHER, ""), Verdict.UNREADABLE),
    "superseded there": (CUMULATIVE, windows(CUMULATIVE, PatchState.NOT_APPLICABLE), Verdict.SUPERSEDED),
}


@pytest.mark.parametrize(("offer", "shown", "verdict"), WINDOWS_CASES.values(), ids=WINDOWS_CASES)
def test_windows(offer: PatchRow, shown: PatchRow, verdict: Verdict) -> None:
    source, target = [evidence("np1", [shown], platform=WINDOWS)], [evidence("p1", [offer], platform=WINDOWS)]
    assert only(compare(source, target)).verdict is verdict


def test_spelling_changes_nothing() -> None:
    """dnf writes an epoch of 0, the console writes `name-epoch:version-release.arch`."""
    spellings = ["bash.x86_64:0:4.4.19-14.el8", "bash.x86_64:4.4.19-14.el8", "bash-0:4.4.19-14.el8.x86_64"]
    for mine in spellings:
        for theirs in spellings:
            source = [evidence("np1", [PatchRow("bash.x86_64", mine, INSTALLED)], platform=REDHAT)]
            target = [evidence("p1", [PatchRow("bash.x86_64", theirs, MISSING)], platform=REDHAT)]
            assert only(compare(source, target)).verdict is Verdict.TESTED, (mine, theirs)


def test_one_finding_gathers_its_nodes_and_the_worst_of_its_rows() -> None:
    target = [
        evidence("p2", [row(OPENSSL, OPENSSL_NEW, MISSING, "Critical", cve_ids=("CVE-2026-2",))]),
        evidence("p1", [row(OPENSSL, OPENSSL_NEW, MISSING, "Low", cve_ids=("CVE-2026-1",))]),
        evidence("p3", [row(OPENSSL, OPENSSL_NEW, FAILED)]),
    ]
    finding = only(compare(debian((row(OPENSSL, OPENSSL_OLD, INSTALLED),)), target))
    assert finding.nodes == ("i-p1", "i-p2", "i-p3")
    assert finding.severity == "Critical"
    assert finding.classification == "Security"
    assert finding.cve_ids == ("CVE-2026-1", "CVE-2026-2")
    assert finding.source_versions == (OPENSSL_OLD,)


def test_the_detail_names_who_differs_and_by_what() -> None:
    target = [evidence("p1", [row(OPENSSL, OPENSSL_NEW, MISSING)])]
    finding = only(compare(debian((NEW,), (row(OPENSSL, OPENSSL_OLD, INSTALLED),)), target))
    assert finding.detail.startswith(f"Non-production has {OPENSSL_OLD} on np2;")
    assert finding.source_versions == (OPENSSL_OLD, OPENSSL_NEW)


def test_counts_and_order_worst_first() -> None:
    source = debian((NEW, row("curl.amd64", "7.1-1", FAILED), row("apt.amd64", "2.6.1", INSTALLED)))
    target = [
        evidence(
            "p1",
            [
                row(OPENSSL, OPENSSL_NEW, MISSING),
                row("apt.amd64", "2.6.2", MISSING, "Low"),
                row("bind9.amd64", "1:9.18.1-1", MISSING, "Low"),
                row("curl.amd64", "7.1-1", MISSING),
                row("dpkg.amd64", "1.21.22", MISSING, "Critical"),
            ],
        )
    ]
    comparison = compare(source, target)
    assert [each.kb_id.split(".")[0] for each in comparison.findings] == ["curl", "apt", "dpkg", "bind9", "openssl"]
    assert {verdict: count for verdict, count in comparison.counts.items() if count} == {
        Verdict.FAILED: 1,
        Verdict.OTHER_VERSION: 1,
        Verdict.UNTESTED: 2,
        Verdict.TESTED: 1,
    }
    assert set(comparison.counts) == set(Verdict)
    assert (comparison.source_nodes, comparison.target_nodes) == (("i-np1",), ("i-p1",))


PACKAGES = ("openssl.amd64", "curl.amd64", "apt.amd64")
ROWS = st.builds(row, st.sampled_from(PACKAGES), st.sampled_from(("1.0", "1.1", "1:0.9")), st.sampled_from(PatchState))
FLEET = st.lists(st.lists(ROWS, max_size=5), min_size=1, max_size=4).map(lambda nodes: debian(*map(tuple, nodes)))


@settings(deadline=None)
@given(source=FLEET, target=FLEET, data=st.data())
def test_order_and_duplicates_change_nothing(
    source: list[Evidence], target: list[Evidence], data: st.DataObject
) -> None:
    def shuffled(fleet: list[Evidence]) -> list[Evidence]:
        mixed = [replace(each, rows=tuple(data.draw(st.permutations(each.rows + each.rows)))) for each in fleet]
        return data.draw(st.permutations(mixed + mixed))

    assert compare(shuffled(source), shuffled(target)) == compare(source, target)


@settings(deadline=None)
@given(source=FLEET, target=FLEET)
def test_tested_means_what_the_rule_says(source: list[Evidence], target: list[Evidence]) -> None:
    """The rule written a second time, by plain search."""
    for finding in compare(source, target).findings:
        shown = [each for node in source for each in node.rows if each.kb_id == finding.kb_id]
        says = {each.state for each in shown} - {PatchState.NOT_APPLICABLE, PatchState.AVAILABLE_SECURITY_UPDATE}
        exact = [each for each in shown if each.state.on_node and each.title == finding.title]
        others = [each for each in shown if each.state.on_node and each.title != finding.title]
        tested = bool(exact) and not others and not says & {MISSING, FAILED, PENDING, PatchState.INSTALLED_REJECTED}
        assert (finding.verdict is Verdict.TESTED) is tested


@settings(deadline=None)
@given(source=FLEET, target=FLEET, more=FLEET)
def test_more_source_nodes_never_make_a_failed_patch_tested(
    source: list[Evidence], target: list[Evidence], more: list[Evidence]
) -> None:
    before = verdicts(compare(source, target))
    after = verdicts(compare(source + more, target))
    for patch, verdict in before.items():
        if verdict not in {Verdict.TESTED, Verdict.UNTESTED}:
            assert after[patch].rank <= verdict.rank


def test_a_comparison_of_nothing_is_empty() -> None:
    assert compare([], []) == Comparison((), (), ())
