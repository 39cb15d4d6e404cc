"""When a patch's clock starts, goes on, is lost and restarts on one node."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patching.clocks import Clocks, advance, earliest
from patching.model import Evidence, Operation, PatchRow, PatchState
from patching.proof import patch_key
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
    OTHER,
    PENDING,
    REDHAT,
    WINDOWS,
    evidence,
    row,
)

OLD, NEW, NEWER = (row(OPENSSL, version, INSTALLED) for version in (OPENSSL_OLD, OPENSSL_NEW, OPENSSL_NEWER))
CURL = row("curl.amd64", "7.88.1-10+deb12u15", INSTALLED)
KEY, KEY_OLD, KEY_NEWER = (patch_key(each.kb_id, each.title) for each in (NEW, OLD, NEWER))
CURL_KEY = patch_key(CURL.kb_id, CURL.title)

LONG_AGO = NOW - timedelta(days=5)
RUNNING: Clocks = {KEY: LONG_AGO}
TOOL = PatchRow("KB890830", "Windows Malicious Software Removal Tool x64 - v5.144 (KB890830)", INSTALLED)
TOOL_KEY = patch_key(TOOL.kb_id, TOOL.title)


def scan(*rows: PatchRow) -> Evidence:
    return evidence("np1", rows, operation_end=NOW)


def state(each: PatchRow, new: PatchState) -> PatchRow:
    return replace(each, state=new)


# before, after, verified, the clocks that run then: those of RUNNING go on since LONG_AGO.
CASES: dict[str, tuple[Clocks, Evidence | None, Evidence, bool, Clocks]] = {
    "a verification Scan starts it": ({}, scan(OLD), scan(NEW), True, {KEY: NOW}),
    "what was there before our first Install starts, too": ({}, None, scan(CURL, NEW), True, {KEY: NOW, CURL_KEY: NOW}),
    "a plain Scan starts nothing": ({}, scan(OLD), scan(NEW), False, {}),
    "a plain Scan lets it go on": (RUNNING, scan(NEW), scan(NEW), False, RUNNING),
    "another verification Scan does not restart it": (RUNNING, scan(NEW), scan(NEW), True, RUNNING),
    "Installed becomes InstalledOther when repositories move": (
        RUNNING,
        scan(NEW),
        scan(state(NEW, OTHER)),
        False,
        RUNNING,
    ),
    "not before the reboot": ({}, scan(OLD), scan(state(NEW, PENDING)), True, {}),
    "after the reboot": ({}, scan(state(NEW, PENDING)), scan(NEW), True, {KEY: NOW}),
    "an upgrade of ours moves on to the next version": (RUNNING, scan(NEW), scan(NEWER), True, {KEY_NEWER: NOW}),
    "a rollback": (RUNNING, scan(NEW), scan(OLD), False, {}),
    "a rollback, then our Install: from the start": (RUNNING, scan(OLD), scan(OLD), True, {KEY_OLD: NOW}),
    "a restored image: missing again": (RUNNING, scan(NEW), scan(state(NEW, MISSING)), False, {}),
    "a restored image after the repository moved": (RUNNING, scan(NEW), scan(state(NEWER, MISSING)), False, {}),
    "a failure": (RUNNING, scan(NEW), scan(state(NEW, FAILED)), False, {}),
    "a failure of a newer version": (RUNNING, scan(NEW), scan(NEW, state(NEWER, FAILED)), True, {}),
    "gone altogether": (RUNNING, scan(NEW), scan(CURL), False, {}),
    "installed again since the last boot": (RUNNING, scan(NEW), scan(state(NEW, PENDING)), False, {}),
    "an unreadable scan says nothing": (
        RUNNING,
        scan(NEW),
        replace(scan(), counts={"InstalledCount": -1}),
        True,
        RUNNING,
    ),
    "a scan of 1970 says nothing": (
        RUNNING,
        scan(NEW),
        replace(scan(), operation_end=datetime(1970, 1, 1, tzinfo=UTC)),
        True,
        RUNNING,
    ),
    "I8 an Install's own report says nothing": (
        RUNNING,
        scan(NEW),
        replace(scan(OLD), operation=Operation.INSTALL),
        True,
        RUNNING,
    ),
}


@pytest.mark.parametrize(("clocks", "before", "after", "verified", "expected"), CASES.values(), ids=CASES)
def test_without_anybody_else(
    clocks: Clocks, before: Evidence | None, after: Evidence, verified: bool, expected: Clocks
) -> None:
    assert advance(clocks, before, after, verified=verified, foreign_install=False) == expected


BASH_14, BASH_15 = (row("bash.x86_64", f"0:4.4.{minor}-1.el8", INSTALLED) for minor in (19, 20))
ZLIB = row("zlib.x86_64", "0:1.2.11-21.el8", INSTALLED)
SOAKING: Clocks = {patch_key(each.kb_id, each.title): LONG_AGO for each in (BASH_14, ZLIB)}
ZLIB_ONLY: Clocks = {patch_key(ZLIB.kb_id, ZLIB.title): LONG_AGO}


def rpm_scan(*rows: PatchRow) -> Evidence:
    return replace(scan(*rows), platform=REDHAT)


# On an RPM family, where a Missing row of a newer version hides the one that soaks.
HIDDEN: dict[str, tuple[Evidence, bool, Clocks]] = {
    "while another clock vouches for the node": (rpm_scan(state(BASH_15, MISSING), ZLIB), False, SOAKING),
    "not where nothing vouches": (rpm_scan(state(BASH_15, MISSING), state(ZLIB, MISSING)), False, {}),
    "not where another clock is lost": (rpm_scan(state(BASH_15, MISSING)), False, {}),
    "not behind a failure": (rpm_scan(state(BASH_15, FAILED), ZLIB), False, ZLIB_ONLY),
    "not where the very version is missing": (rpm_scan(state(BASH_14, MISSING), ZLIB), False, ZLIB_ONLY),
    "not under somebody else's Install": (rpm_scan(state(BASH_15, MISSING), ZLIB), True, ZLIB_ONLY),
}


@pytest.mark.parametrize(("after", "foreign", "expected"), HIDDEN.values(), ids=HIDDEN)
def test_a_version_that_a_newer_offer_hides(after: Evidence, foreign: bool, expected: Clocks) -> None:
    before = rpm_scan(BASH_14, ZLIB)
    assert advance(SOAKING, before, after, verified=False, foreign_install=foreign) == expected


# I8: somebody else's Install between `before` and `after`.
FOREIGN: dict[str, tuple[Clocks, Evidence | None, Evidence, bool, Clocks]] = {
    "what it left alone goes on": (RUNNING, scan(NEW), scan(NEW), False, RUNNING),
    "what it brought has no clock in a plain Scan": (RUNNING, scan(NEW), scan(NEWER), False, {}),
    "what it brought starts in a verification Scan": (
        RUNNING,
        scan(NEW),
        scan(NEW, CURL),
        True,
        {KEY: LONG_AGO, CURL_KEY: NOW},
    ),
    "with no scan before, everything restarts": (RUNNING, None, scan(NEW), False, {KEY: NOW}),
    "with an unreadable scan before, everything restarts": (
        RUNNING,
        replace(scan(NEW), counts={"InstalledCount": -1}),
        scan(NEW),
        False,
        {KEY: NOW},
    ),
    "gone and back, which of two Installs can't be told": (RUNNING, scan(OLD), scan(NEW), True, {KEY: NOW}),
    "it rebooted what waited": (RUNNING, scan(state(NEW, PENDING)), scan(NEW), False, {KEY: NOW}),
}


@pytest.mark.parametrize(("clocks", "before", "after", "verified", "expected"), FOREIGN.values(), ids=FOREIGN)
def test_i8_with_a_foreign_install(
    clocks: Clocks, before: Evidence | None, after: Evidence, verified: bool, expected: Clocks
) -> None:
    assert advance(clocks, before, after, verified=verified, foreign_install=True) == expected


def windows(*rows: PatchRow) -> Evidence:
    return evidence("np1", rows, platform=WINDOWS, operation_end=NOW)


UNTITLED = replace(TOOL, title="", state=OTHER)
OTHER_CONTENT = replace(TOOL, title="Windows Malicious Software Removal Tool x64 - v5.145 (KB890830)")
WINDOWS_CASES: dict[str, tuple[Evidence, Clocks]] = {
    "the title is blank once it is InstalledOther": (windows(UNTITLED), {TOOL_KEY: LONG_AGO}),
    "other content under the same KB": (
        windows(OTHER_CONTENT),
        {patch_key(OTHER_CONTENT.kb_id, OTHER_CONTENT.title): NOW},
    ),
    "superseded meanwhile": (windows(replace(TOOL, state=PatchState.NOT_APPLICABLE)), {}),
}


@pytest.mark.parametrize(("after", "expected"), WINDOWS_CASES.values(), ids=WINDOWS_CASES)
def test_windows(after: Evidence, expected: Clocks) -> None:
    assert advance({TOOL_KEY: LONG_AGO}, windows(TOOL), after, verified=True, foreign_install=False) == expected


def test_a_foreign_reinstall_of_an_untitled_kb_restarts_it() -> None:
    clocks = advance({TOOL_KEY: LONG_AGO}, windows(), windows(UNTITLED), verified=False, foreign_install=True)
    assert clocks == {TOOL_KEY: NOW}


def test_the_earliest_clock_of_each_platform() -> None:
    source = [evidence("np1", [NEW]), evidence("np2", [NEW]), evidence("np3", [NEW], platform=REDHAT)]
    clocks = {
        "i-np1": {KEY: LONG_AGO + timedelta(days=1), CURL_KEY: NOW},
        "i-np2": {KEY: LONG_AGO},
        "i-np3": {KEY: NOW},
        "i-gone": {KEY: LONG_AGO - timedelta(days=30)},
    }
    assert earliest(clocks, source) == {DEBIAN: {KEY: LONG_AGO, CURL_KEY: NOW}, REDHAT: {KEY: NOW}}


ROWS = st.builds(
    row,
    st.sampled_from((OPENSSL, "curl.amd64")),
    st.sampled_from((OPENSSL_OLD, OPENSSL_NEW, OPENSSL_NEWER)),
    st.sampled_from((INSTALLED, OTHER, PENDING, MISSING, FAILED)),
)
SCANS = st.lists(ROWS, max_size=3, unique_by=lambda each: each.kb_id).map(lambda rows: scan(*rows))


@settings(deadline=None)
@given(history=st.lists(st.tuples(SCANS, st.booleans(), st.booleans()), min_size=1, max_size=8))
def test_a_clock_never_runs_longer_than_its_version_was_seen_running(
    history: list[tuple[Evidence, bool, bool]],
) -> None:
    """Written a second time: look back from the end for as long as every scan shows the version up and running."""
    clocks: Clocks = {}
    before = None
    shown: list[tuple[datetime, set[tuple[str, str]], bool]] = []
    for number, (each, verified, foreign) in enumerate(history):
        at = NOW + timedelta(hours=number)
        after = replace(each, operation_end=at)
        clocks = advance(clocks, before, after, verified=verified, foreign_install=foreign)
        before = after
        up = {patch_key(one.kb_id, one.title) for one in each.rows if one.state in {INSTALLED, OTHER}}
        shown.append((at, up, verified))
    for key, since in clocks.items():
        held = [(at, verified) for at, up, verified in shown if at >= since and key in up]
        assert len(held) == sum(at >= since for at, _, _ in shown)
    assert clocks.keys() <= {key for _, up, verified in shown if verified for key in up}
