"""Red Hat's family. Real rows: RHEL 8's of facts/patch-manager.md section 2; the others follow its form."""

from dataclasses import replace

from patching.compare import Verdict
from patching.model import Platform
from tests.unit.patching.build import REDHAT
from tests.unit.patching.cases.case import ANOTHER, EPOCH, INSTALL_REPORT, MADE, OLD, REAL, YOUNG, Case, Family

R = Family("RHEL 8", REDHAT, "x86_64")
A = Family("AlmaLinux and Rocky 9", Platform("AlmaLinux", "9", "x86_64"), "x86_64")
C = Family("Oracle Linux and CentOS", Platform("Oracle Linux Server", "8", "x86_64"), "x86_64")

NM, BASH = "NetworkManager 1:1.30.0-7.el8", "bash 0:4.4.19-14.el8"
GLIBC = "glibc 0:2.34-168.el9_6.23"
SUDO = "sudo 0:1.9.5p2-10.el8_10.1"

RHEL_CASES: tuple[Case, ...] = (
    R.case(REAL, "the very version", NM, [f"Installed {NM}"], Verdict.TESTED),
    R.case(
        REAL,
        "a scan of exactly the oldest age",
        BASH,
        [f"Installed {BASH}"],
        Verdict.TESTED,
        source={"operation_end": YOUNG},
    ),
    R.case(REAL, "an epoch of 0 left out", BASH, ["Installed bash 4.4.19-14.el8"], Verdict.TESTED),
    R.case(REAL, "a release before", NM, ["Installed NetworkManager 1:1.30.0-5.el8"], Verdict.OTHER_VERSION),
    R.case(REAL, "an epoch before", NM, ["Installed NetworkManager 0:1.40.0-1.el8"], Verdict.OTHER_VERSION),
    R.case(REAL, "a minor release's update there", NM, ["Installed NetworkManager 1:1.30.0-7.el8_4"], Verdict.AHEAD),
    R.case(REAL, "on no node", BASH, ["Installed zlib 0:1.2.11-25.el8"], Verdict.UNTESTED),
    R.case(
        REAL, "on one of two, missing on the other", BASH, [f"Missing {BASH}", f"Installed {BASH}"], Verdict.UNTESTED
    ),
    R.case(REAL, "it failed there", BASH, [f"Failed {BASH}"], Verdict.FAILED),
    R.case(REAL, "not booted into", NM, [f"InstalledPendingReboot {NM}"], Verdict.PENDING_REBOOT),
    R.case(
        REAL,
        "rejected by its full name",
        BASH,
        [f"Installed {BASH}"],
        Verdict.REJECTED,
        rejected=("bash-4.4.19-14.el8.x86_64",),
    ),
    R.case(
        REAL,
        "rejected by name and wildcard",
        NM,
        [f"Installed {NM}"],
        Verdict.REJECTED,
        rejected=("NetworkManager-*.el8.x86_64",),
    ),
    R.case(
        REAL,
        "another version of it is rejected",
        BASH,
        [f"Installed {BASH}"],
        Verdict.TESTED,
        rejected=("bash-4.4.20-1.el8.x86_64",),
    ),
    R.case(
        REAL,
        "another baseline",
        BASH,
        [f"Installed {BASH}"],
        Verdict.OTHER_BASELINE,
        target={"baseline_content": ANOTHER},
    ),
    R.case(
        REAL,
        "RHEL 9 there",
        BASH,
        [f"Installed {BASH}"],
        Verdict.NO_COUNTERPART,
        source={"platform": replace(REDHAT, major="9")},
    ),
    R.case(
        REAL,
        "an end in 1970",
        BASH,
        [f"Installed {BASH}", f"Installed {BASH}"],
        Verdict.UNREADABLE,
        source={"operation_end": EPOCH},
    ),
    R.case(
        REAL, "an Install's own report is no scan", BASH, [f"Installed {BASH}"], Verdict.STALE, source=INSTALL_REPORT
    ),
    R.case(REAL, "somebody's operation there", BASH, [f"Installed {BASH}"], Verdict.FOREIGN, foreign=("np1",)),
    R.case(
        MADE,
        "a kernel is no new dependency where its version isn't in the id",
        "kernel 0:4.18.0-553.el8_10",
        ["Installed kernel 0:4.18.0-552.el8_10"],
        Verdict.OTHER_VERSION,
    ),
)

ALMA_CASES: tuple[Case, ...] = (
    A.case(MADE, "the very version", GLIBC, [f"Installed {GLIBC}"], Verdict.TESTED),
    A.case(
        MADE,
        "without an architecture",
        "tzdata/noarch 0:2025b-1.el9",
        ["Installed tzdata/noarch 0:2025b-1.el9"],
        Verdict.TESTED,
    ),
    A.case(MADE, "a distribution's own rebuild there", GLIBC, [f"Installed {GLIBC}.alma.1"], Verdict.AHEAD),
    A.case(MADE, "a release before", GLIBC, ["Installed glibc 0:2.34-168.el9_6.20"], Verdict.OTHER_VERSION),
    A.case(
        MADE,
        "a release candidate before",
        "podman 6:5.4.0-1.el9",
        ["Installed podman 6:5.4.0~rc3-1.el9"],
        Verdict.OTHER_VERSION,
    ),
    A.case(MADE, "a snapshot after", "podman 6:5.4.0-1.el9", ["Installed podman 6:5.4.0^git2-1.el9"], Verdict.AHEAD),
    A.case(MADE, "on no node", GLIBC, [""], Verdict.UNTESTED),
    A.case(MADE, "it failed on one of two", GLIBC, [f"Installed {GLIBC}", f"Failed {GLIBC}"], Verdict.FAILED),
    A.case(
        MADE,
        "not booted into",
        GLIBC,
        [f"Installed {GLIBC}", f"InstalledPendingReboot {GLIBC}"],
        Verdict.PENDING_REBOOT,
    ),
    A.case(
        MADE,
        "rejected with its epoch",
        "podman 6:5.4.0-1.el9",
        ["Installed podman 6:5.4.0-1.el9"],
        Verdict.REJECTED,
        rejected=("podman-6:5.4.0-1.el9.x86_64",),
    ),
    A.case(MADE, "there although rejected", GLIBC, [f"InstalledRejected {GLIBC}"], Verdict.REJECTED),
    A.case(
        MADE,
        "Rocky Linux is no counterpart",
        GLIBC,
        [f"Installed {GLIBC}"],
        Verdict.NO_COUNTERPART,
        source={"platform": Platform("Rocky Linux", "9", "x86_64")},
    ),
    A.case(MADE, "a title without a version", "glibc ?", [f"Installed {GLIBC}"], Verdict.UNREADABLE),
)

ORACLE_CASES: tuple[Case, ...] = (
    C.case(MADE, "the very version", SUDO, [f"Installed {SUDO}"], Verdict.TESTED),
    C.case(MADE, "a node without the package says nothing", SUDO, [f"Installed {SUDO}", ""], Verdict.TESTED),
    C.case(MADE, "a release before", SUDO, ["Installed sudo 0:1.9.5p2-9.el8"], Verdict.OTHER_VERSION),
    C.case(MADE, "a release after", SUDO, ["Installed sudo 0:1.9.5p2-10.el8_10.2"], Verdict.AHEAD),
    C.case(MADE, "on no node", SUDO, [""], Verdict.UNTESTED),
    C.case(MADE, "it failed there", SUDO, [f"Failed {SUDO}"], Verdict.FAILED),
    C.case(MADE, "not booted into", SUDO, [f"InstalledPendingReboot {SUDO}"], Verdict.PENDING_REBOOT),
    C.case(
        MADE,
        "the unbreakable kernel before",
        "kernel-uek 0:5.15.0-313.189.5.el8uek",
        ["Installed kernel-uek 0:5.15.0-312.187.5.el8uek"],
        Verdict.OTHER_VERSION,
    ),
    C.case(MADE, "there although rejected", SUDO, [f"InstalledRejected {SUDO}"], Verdict.REJECTED),
    C.case(
        MADE,
        "CentOS is no counterpart",
        SUDO,
        [f"Installed {SUDO}"],
        Verdict.NO_COUNTERPART,
        source={"platform": Platform("CentOS Linux", "8", "x86_64")},
    ),
    C.case(
        MADE, "an old scan in production", SUDO, [f"Installed {SUDO}"], Verdict.STALE, target={"operation_end": OLD}
    ),
)

CASES = RHEL_CASES + ALMA_CASES + ORACLE_CASES
