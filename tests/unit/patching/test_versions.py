"""Titles and the order of versions. Pairs marked real are from Debian 12 and from facts/patch-manager.md section 2."""

from functools import cmp_to_key

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patching.model import Platform
from patching.titles import canonical_title, is_windows_kb, name_of, version_of
from patching.versions import compare_versions
from tests.unit.patching.build import DEBIAN, REDHAT, UBUNTU, WINDOWS

TITLES = {
    "rpm, real": ("NetworkManager.x86_64", "NetworkManager.x86_64:1:1.30.0-7.el8", "1:1.30.0-7.el8"),
    "rpm with epoch 0, real": ("test.x86_64", "test.x86_64:0:4.2.46-34.amzn2", "0:4.2.46-34.amzn2"),
    "apt with an epoch, real": ("bind9-libs.amd64", "bind9-libs.amd64:1:9.16.1-0ubuntu2.9", "1:9.16.1-0ubuntu2.9"),
    "apt without an epoch, real": ("apport.amd64", "apport.amd64:2.20.11-0ubuntu27.21", "2.20.11-0ubuntu27.21"),
    "a dot in the name": ("python3.11.amd64", "python3.11.amd64:3.11.2-6+deb12u6", "3.11.2-6+deb12u6"),
    "a plus in the name": ("libstdc++6.amd64", "libstdc++6.amd64:12.2.0-14", "12.2.0-14"),
    "a tilde": ("openssl.amd64", "openssl.amd64:3.0.19-1~deb12u2", "3.0.19-1~deb12u2"),
    "the console's form": ("bash.x86_64", "bash-0:4.4.19-14.el8.x86_64", "0:4.4.19-14.el8"),
    "spaces around": ("curl.amd64", " curl.amd64:7.88.1-10 ", "7.88.1-10"),
    "Windows, real": (
        "KB5023702",
        "2023-03 Cumulative Update for Windows Server 2019 (1809) for x64-based Systems (KB5023702)",
        "2023-03 Cumulative Update for Windows Server 2019 (1809) for x64-based Systems",
    ),
    "Windows without a title, real": ("KB4481031", "", ""),
    "Windows, None": ("KB4481031", None, ""),
    "another package's title": ("curl.amd64", "wget.amd64:1.21", None),
    "no version": ("curl.amd64", "curl.amd64:", None),
    "nothing": ("curl.amd64", "", None),
    "None": ("curl.amd64", None, None),
    "prose": ("curl.amd64", "curl.amd64:some version", None),
    "no prefix": ("curl.amd64", "7.88.1-10", None),
    "no architecture": ("curl", "curl-7.88", None),
    "endless": ("curl.amd64", "curl.amd64:" + "1" * 5000, None),
}


@pytest.mark.parametrize(("kb_id", "title", "version"), TITLES.values(), ids=TITLES)
def test_version_of(kb_id: str, title: str | None, version: str | None) -> None:
    assert version_of(kb_id, title) == version


@pytest.mark.parametrize(
    ("kb_id", "name", "windows"),
    [
        ("openssl.amd64", "openssl", False),
        ("python3.11.amd64", "python3.11", False),
        ("linux-headers-5.11.0-1020-aws.amd64", "linux-headers-5.11.0-1020-aws", False),
        ("tzdata", "tzdata", False),
        ("KB890830", "KB890830", True),
        ("kb890830", "kb890830", True),
        ("KBD.noarch", "KBD", False),
    ],
)
def test_names(kb_id: str, name: str, windows: bool) -> None:
    assert (name_of(kb_id), is_windows_kb(kb_id)) == (name, windows)


def test_canonical_title_is_the_override_list_s_spelling() -> None:
    assert canonical_title("bash.x86_64", "bash-0:4.4.19-14.el8.x86_64") == "bash.x86_64:0:4.4.19-14.el8"
    assert canonical_title("bash.x86_64", "no version in here") == "no version in here"


OLDER_NEWER = [
    # Real, Debian 12: installed and candidate.
    (DEBIAN, "3.0.19-1~deb12u2", "3.0.22-1~deb12u2"),
    (DEBIAN, "12.4+deb12u11", "12.4+deb12u15"),
    (DEBIAN, "0.16.1-2", "0.16.1-2+b1"),
    (DEBIAN, "6.1.187-1", "6.1.192-2"),
    (DEBIAN, "3.7.9-2+deb12u6", "3.7.9-2+deb12u7"),
    # Constructed by deb-version(7), each checked with dpkg --compare-versions.
    (UBUNTU, "1.0~rc1", "1.0"),
    (UBUNTU, "1.0~~", "1.0~"),
    (DEBIAN, "9.9", "1:0.1"),
    (DEBIAN, "1.9", "1.10"),
    (DEBIAN, "1.0", "1.0a"),
    (DEBIAN, "1.0a", "1.0+"),
    (DEBIAN, "1.0-1", "1.0-1.1"),
    (DEBIAN, "1-2-3", "1-2-4"),
    # Constructed by rpm's own tests (rpmvercmp.at).
    (REDHAT, "4.4.19-14.el8", "4.4.20-1.el8"),
    (REDHAT, "2.0-1", "2.0.1-1"),
    (REDHAT, "1.0~rc1-1", "1.0-1"),
    (REDHAT, "1.0-1", "1.0^git1-1"),
    (REDHAT, "1.0^git1-1", "1.0.1-1"),
    (REDHAT, "1.0a-1", "1.0.1-1"),
    (REDHAT, "5.5p1-1", "5.5p10-1"),
    (REDHAT, "9.9-1", "1:0.1-1"),
    (REDHAT, "1.0-9.el8", "1.0-10.el8"),
]


@pytest.mark.parametrize(("platform", "older", "newer"), OLDER_NEWER)
def test_order(platform: Platform, older: str, newer: str) -> None:
    assert compare_versions(platform, older, newer) == -1
    assert compare_versions(platform, newer, older) == 1


@pytest.mark.parametrize(
    ("platform", "a", "b"),
    [(DEBIAN, "1.0", "0:1.0"), (DEBIAN, "1.0", "1.0-0"), (REDHAT, "0:1.0-1", "1.0-1"), (REDHAT, "1.0-1", "1_0-1")],
)
def test_level(platform: Platform, a: str, b: str) -> None:
    assert compare_versions(platform, a, b) == 0


def test_the_families_differ() -> None:
    assert compare_versions(DEBIAN, "1.0a-1", "1.0.1-1") == -1
    assert compare_versions(DEBIAN, "1.0^git1-1", "1.0.1-1") == 1
    assert compare_versions(REDHAT, "1.0^git1-1", "1.0.1-1") == -1


def test_windows_has_no_order() -> None:
    assert compare_versions(WINDOWS, "v5.143", "v5.144") is None


VERSIONS = st.text("019ab.+~-:^", min_size=1, max_size=8)


@settings(deadline=None)
@given(platform=st.sampled_from((DEBIAN, REDHAT)), a=VERSIONS, b=VERSIONS, c=VERSIONS)
def test_it_is_an_order(platform: Platform, a: str, b: str, c: str) -> None:
    def order(left: str, right: str) -> int:
        found = compare_versions(platform, left, right)
        assert found is not None
        return found

    assert order(a, a) == 0
    assert order(a, b) == -order(b, a)
    low, middle, high = sorted((a, b, c), key=cmp_to_key(order))
    assert order(low, middle) <= 0
    assert order(middle, high) <= 0
    assert order(low, high) <= 0
