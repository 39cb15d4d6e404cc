from typing import Any

import pytest

from patching.advisories import links
from patching.compare import WHOLE_NODE, Finding, Verdict
from patching.model import Platform
from tests.unit.views.made import DEBIAN, HOSTILE, LONG, finding

UBUNTU = Platform("Ubuntu", "22", "x86_64")
RHEL = Platform("Red Hat Enterprise Linux", "9", "x86_64")
ROCKY = Platform("Rocky Linux", "9", "x86_64")
AL2 = Platform("Amazon Linux", "2", "x86_64")
AL2023 = Platform("Amazon Linux", "2023", "arm64")
SLES = Platform("SLES", "15", "x86_64")
WINDOWS = Platform("Microsoft Windows Server 2022 Datacenter", "10.0.20348", "x86_64")
CVE = "CVE-2026-12345"


def of(platform: Platform, kb_id: str, *cve_ids: str, **changed: Any) -> Finding:
    return finding(Verdict.TESTED, platform=platform, kb_id=kb_id, cve_ids=cve_ids, **changed)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (of(WINDOWS, "KB5023702", CVE), [("KB5023702", "https://support.microsoft.com/help/5023702")]),
        (of(WINDOWS, "kb890830"), [("KB890830", "https://support.microsoft.com/help/890830")]),
        (
            of(DEBIAN, "libstdc++6.amd64"),
            [("libstdc++6 in Debian", "https://security-tracker.debian.org/tracker/source-package/libstdc++6")],
        ),
        (of(UBUNTU, "g++.amd64"), [("g++ in Ubuntu", "https://ubuntu.com/security/cves?package=g%2B%2B")]),
        (of(RHEL, "openssl.x86_64", CVE), [(f"{CVE} (openssl)", f"https://access.redhat.com/security/cve/{CVE}")]),
        (of(RHEL, "openssl.x86_64"), []),
        (of(AL2023, "glibc.aarch64", CVE), [(f"{CVE} (glibc)", f"https://alas.aws.amazon.com/cve/html/{CVE}.html")]),
        (of(AL2, "glibc.x86_64"), [("Amazon Linux 2 advisories", "https://alas.aws.amazon.com/alas2.html")]),
        (of(AL2023, "glibc.aarch64"), [("Amazon Linux 2023 advisories", "https://alas.aws.amazon.com/alas2023.html")]),
        (of(SLES, "bash.x86_64", CVE), [(f"{CVE} (bash)", f"https://nvd.nist.gov/vuln/detail/{CVE}")]),
        (
            of(ROCKY, "python3.11.x86_64", CVE, "CVE-2026-2222"),
            [
                (f"{CVE} (python3.11)", f"https://nvd.nist.gov/vuln/detail/{CVE}"),
                ("CVE-2026-2222 (python3.11)", "https://nvd.nist.gov/vuln/detail/CVE-2026-2222"),
            ],
        ),
        (of(DEBIAN, WHOLE_NODE), []),
    ],
)
def test_each_platform_has_its_pages(given: Finding, expected: list[tuple[str, str]]) -> None:
    assert [(each["label"], each["url"]) for each in links([given])] == expected


def test_the_worst_severity_comes_first_and_each_address_once() -> None:
    found = links(
        [
            of(ROCKY, "low.x86_64", "CVE-2026-0003", "CVE-2026-0001", severity="Low"),
            of(ROCKY, "bad.x86_64", "CVE-2026-0001", severity="Critical"),
            of(ROCKY, "mid.x86_64", "CVE-2026-0002", severity="Important"),
        ]
    )
    labels = ["CVE-2026-0001 (bad)", "CVE-2026-0002 (mid)", "CVE-2026-0003 (low)"]
    assert [each["label"] for each in found] == labels


@pytest.mark.parametrize("platform", [DEBIAN, UBUNTU, RHEL, WINDOWS, SLES], ids=str)
@pytest.mark.parametrize("text", [HOSTILE, LONG, "", "KB1/../x", "../../etc", "a b", "CVE-2026-1234/x", "KB٣٤٥٦٧"])
def test_i10_nothing_from_outside_makes_an_address(platform: Platform, text: str) -> None:
    assert links([of(platform, text, text)]) == []
