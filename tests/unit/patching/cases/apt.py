"""Debian and Ubuntu. Real rows: Debian 12's of sandbox/data/debian12-packages.json, Ubuntu's of facts section 2."""

from dataclasses import replace

from patching.compare import Verdict
from patching.model import Platform
from tests.unit.patching.build import DEBIAN, UBUNTU
from tests.unit.patching.cases.case import ANOTHER, FAILED_SCAN, MADE, OLD, REAL, Case, Family

D = Family("Debian", DEBIAN, "amd64")
U = Family("Ubuntu", UBUNTU, "amd64")

SSL, SSL_WAS = "openssl 3.0.22-1~deb12u2", "openssl 3.0.19-1~deb12u2"
LIBCAP, LIBCAP_WAS = "libcap2 1:2.66-4+deb12u3+b1", "libcap2 1:2.66-4+deb12u2+b2"
BIND, APPORT = "bind9-libs 1:9.16.1-0ubuntu2.9", "apport 2.20.11-0ubuntu27.21"
HEADERS = "linux-headers-5.11.0-1020-aws 5.11.0-1020.21~20.04.2"

DEBIAN_CASES: tuple[Case, ...] = (
    D.case(REAL, "the very version", SSL, [f"Installed {SSL}"], Verdict.TESTED),
    D.case(REAL, "InstalledOther has it too", LIBCAP, [f"InstalledOther {LIBCAP}"], Verdict.TESTED),
    D.case(REAL, "a node without the package says nothing", SSL, [f"Installed {SSL}", ""], Verdict.TESTED),
    D.case(
        REAL,
        "an entry of the list for another package",
        SSL,
        [f"Installed {SSL}"],
        Verdict.TESTED,
        rejected=("openssh*",),
    ),
    D.case(REAL, "on no node", "curl 7.88.1-10+deb12u15", [f"Installed {SSL}"], Verdict.UNTESTED),
    D.case(REAL, "still missing on one of two", SSL, [f"Installed {SSL}", f"Missing {SSL}"], Verdict.UNTESTED),
    D.case(REAL, "a security update before", SSL, [f"Installed {SSL_WAS}"], Verdict.OTHER_VERSION),
    D.case(REAL, "a binary rebuild before", LIBCAP, [f"Installed {LIBCAP_WAS}"], Verdict.OTHER_VERSION),
    D.case(REAL, "a tilde sorts before", "libxmlb2 0.3.22-1~deb12u1", ["Installed libxmlb2 0.3.22-1"], Verdict.AHEAD),
    D.case(REAL, "an epoch more there", "passwd 1:4.13+dfsg1-1+deb12u2", ["Installed passwd 2:4.13"], Verdict.AHEAD),
    D.case(REAL, "it failed on one of two", SSL, [f"Installed {SSL}", f"Failed {SSL}"], Verdict.FAILED),
    D.case(REAL, "not booted into", SSL, [f"InstalledPendingReboot {SSL}"], Verdict.PENDING_REBOOT),
    D.case(
        REAL,
        "not booted into on one of two",
        LIBCAP,
        [f"InstalledPendingReboot {LIBCAP}", f"Installed {LIBCAP}"],
        Verdict.PENDING_REBOOT,
    ),
    D.case(
        MADE,
        "a new kernel",
        "linux-image-6.1.0-41-amd64 6.1.158-1",
        ["Installed linux-image-6.1.0-40-amd64 6.1.153-1"],
        Verdict.NEW_DEPENDENCY,
    ),
    D.case(
        REAL,
        "perl's modules of another series",
        "perl-modules-5.36/all 5.36.0-7+deb12u4",
        ["Installed perl-modules-5.34/all 5.34.0-5"],
        Verdict.NEW_DEPENDENCY,
    ),
    D.case(
        MADE,
        "a kernel of another flavour is no relative",
        "linux-image-6.1.0-41-cloud-amd64 6.1.158-1",
        ["Installed linux-image-6.1.0-40-amd64 6.1.153-1"],
        Verdict.UNTESTED,
    ),
    D.case(REAL, "rejected by its bare name", SSL, [f"Installed {SSL}"], Verdict.REJECTED, rejected=("openssl",)),
    D.case(
        REAL,
        "rejected by a wildcard",
        "libssl3 3.0.22-1~deb12u2",
        ["Installed libssl3 3.0.22-1~deb12u2"],
        Verdict.REJECTED,
        rejected=("libssl*",),
    ),
    D.case(REAL, "there although rejected", SSL, [f"InstalledRejected {SSL}"], Verdict.REJECTED),
    D.case(
        REAL,
        "another baseline in non-production",
        SSL,
        [f"Installed {SSL}"],
        Verdict.OTHER_BASELINE,
        source={"baseline_content": ANOTHER},
    ),
    D.case(
        REAL,
        "two baselines in non-production",
        SSL,
        [f"Installed {SSL}", f"Installed {SSL}"],
        Verdict.OTHER_BASELINE,
        source={"baseline_content": ANOTHER},
    ),
    D.case(MADE, "a title without a version", "openssl ?", [f"Installed {SSL}"], Verdict.UNREADABLE),
    D.case(
        REAL,
        "a scan that gave nothing",
        SSL,
        [f"Installed {SSL}", f"Installed {SSL}"],
        Verdict.UNREADABLE,
        source=FAILED_SCAN,
    ),
    D.case(
        REAL,
        "only another release there",
        SSL,
        [f"Installed {SSL}"],
        Verdict.NO_COUNTERPART,
        source={"platform": replace(DEBIAN, major="11")},
    ),
    D.case(
        REAL,
        "an old scan there",
        SSL,
        [f"Installed {SSL}", f"Installed {SSL}"],
        Verdict.STALE,
        source={"operation_end": OLD},
    ),
    D.case(REAL, "somebody's operation there", SSL, [f"Installed {SSL}"], Verdict.FOREIGN, foreign=("np1",)),
)

UBUNTU_CASES: tuple[Case, ...] = (
    U.case(REAL, "with an epoch", BIND, [f"Installed {BIND}"], Verdict.TESTED),
    U.case(REAL, "without an epoch", APPORT, [f"InstalledOther {APPORT}"], Verdict.TESTED),
    U.case(REAL, "an epoch of 0 written out", APPORT, ["Installed apport 0:2.20.11-0ubuntu27.21"], Verdict.TESTED),
    U.case(REAL, "a security update before", BIND, ["Installed bind9-libs 1:9.16.1-0ubuntu2.8"], Verdict.OTHER_VERSION),
    U.case(
        MADE, "ten comes after nine", "bind9-libs 1:9.16.1-0ubuntu2.10", [f"Installed {BIND}"], Verdict.OTHER_VERSION
    ),
    U.case(REAL, "newer there", APPORT, ["Installed apport 2.20.11-0ubuntu27.22"], Verdict.AHEAD),
    U.case(
        MADE,
        "the kernel's headers of another build",
        HEADERS,
        ["InstalledOther linux-headers-5.11.0-1019-aws 5.11.0-1019.20~20.04.1"],
        Verdict.NEW_DEPENDENCY,
    ),
    U.case(MADE, "the kernel's headers themselves", HEADERS, [f"InstalledOther {HEADERS}"], Verdict.TESTED),
    U.case(
        MADE,
        "the kernel's headers, missing there too",
        HEADERS,
        [f"Missing {HEADERS};Installed linux-headers-5.11.0-1019-aws 5.11.0-1019.20"],
        Verdict.UNTESTED,
    ),
    U.case(REAL, "on no node", BIND, [""], Verdict.UNTESTED),
    U.case(REAL, "it failed in another version", BIND, ["Failed bind9-libs 1:9.16.1-0ubuntu2.8"], Verdict.FAILED),
    U.case(REAL, "not booted into", APPORT, [f"InstalledPendingReboot {APPORT}"], Verdict.PENDING_REBOOT),
    U.case(REAL, "rejected by its bare name", APPORT, [f"Installed {APPORT}"], Verdict.REJECTED, rejected=("apport",)),
    U.case(
        REAL,
        "another baseline in production",
        BIND,
        [f"Installed {BIND}"],
        Verdict.OTHER_BASELINE,
        target={"baseline_content": ANOTHER},
    ),
    U.case(
        REAL, "a row there without a version", BIND, [f"Installed {BIND}", "Installed bind9-libs ?"], Verdict.UNREADABLE
    ),
    U.case(
        REAL,
        "another architecture",
        BIND,
        [f"Installed {BIND}"],
        Verdict.NO_COUNTERPART,
        source={"platform": replace(UBUNTU, arch="arm64")},
    ),
    U.case(
        REAL,
        "production's own scan is too old",
        BIND,
        [f"Installed {BIND}"],
        Verdict.STALE,
        target={"operation_end": OLD},
    ),
    U.case(REAL, "somebody's operation in production", BIND, [f"Installed {BIND}"], Verdict.FOREIGN, foreign=("p1",)),
    U.case(
        MADE,
        "Debian is no Ubuntu",
        BIND,
        [f"Installed {BIND}"],
        Verdict.NO_COUNTERPART,
        source={"platform": Platform("Debian GNU/Linux", "20", "x86_64")},
    ),
)

CASES = DEBIAN_CASES + UBUNTU_CASES
