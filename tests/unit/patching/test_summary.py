"""What a scan's message says: missing by severity, patch by patch."""

import pytest

from patching.severity import severity_label, severity_rank
from patching.summary import MissingPatch, missing_by_severity, missing_patches
from tests.unit.patching.build import (
    FAILED,
    INSTALLED,
    MISSING,
    OPENSSL,
    OPENSSL_NEW,
    OPENSSL_OLD,
    evidence,
    row,
)


@pytest.mark.parametrize(
    "ladder",
    [
        ("Critical", "Important", "Moderate", "Low", "Unspecified"),  # Windows, rpm
        ("Critical", "High", "Medium", "Low", "Negligible", "Untriaged"),  # Ubuntu
        ("required", "important", "standard", "optional", "extra", ""),  # Debian's priorities
    ],
)
def test_every_platform_s_ladder(ladder: tuple[str, ...]) -> None:
    ranks = [severity_rank(word) for word in ladder]
    assert ranks == sorted(set(ranks))


@pytest.mark.parametrize(
    ("reported", "label"), [("", "Unspecified"), ("CRITICAL", "Critical"), ("optional", "Optional")]
)
def test_label(reported: str, label: str) -> None:
    assert severity_label(reported) == label


FLEET = [
    evidence(
        "p2",
        [
            row(OPENSSL, OPENSSL_NEW, MISSING, "Critical", cve_ids=("CVE-2026-1",)),
            row("curl.amd64", "7.88", INSTALLED, "Critical"),
            row("apt.amd64", "2.6.2", MISSING, "Low"),
            row("bash.amd64", "5.2", FAILED),
            row("bash.amd64", "5.2", FAILED),
        ],
    ),
    evidence("p1", [row(OPENSSL, OPENSSL_NEW, MISSING, "Low")]),
    evidence("p3", [row(OPENSSL, OPENSSL_NEW, INSTALLED)]),
]


def test_missing_by_severity_names_every_node() -> None:
    found = missing_by_severity(FLEET)
    assert found == {"i-p1": {"Low": 1}, "i-p2": {"Critical": 1, "Low": 1, "Unspecified": 1}, "i-p3": {}}
    assert list(found["i-p2"]) == ["Critical", "Low", "Unspecified"]


def test_missing_patches_worst_first_with_what_they_replace() -> None:
    known = {("i-p1", OPENSSL): OPENSSL_OLD, ("i-p2", OPENSSL): "3.0.11-1", ("i-p3", OPENSSL): "3.0.1-1"}
    known["i-p2", "apt.amd64"] = "2.6.2"  # the version that is missing now: not what it replaces
    assert missing_patches(FLEET, known) == (
        MissingPatch(
            OPENSSL,
            OPENSSL_NEW,
            ("3.0.11-1", OPENSSL_OLD),
            "Critical",
            "Security",
            ("CVE-2026-1",),
            ("i-p1", "i-p2"),
        ),
        MissingPatch("apt.amd64", "2.6.2", (), "Low", "Security", (), ("i-p2",)),
        MissingPatch("bash.amd64", "5.2", (), "", "", (), ("i-p2",)),
    )
