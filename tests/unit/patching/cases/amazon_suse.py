"""Amazon Linux and SLES. Real rows: Amazon Linux 2's of facts/patch-manager.md section 2.

No real AL2023 or SLES row was found; theirs follow the form that the payload's writers use (same section).
"""

from dataclasses import replace

from patching.compare import Verdict
from patching.model import Platform
from tests.unit.patching.cases.case import ANOTHER, FAILED_SCAN, MADE, OLD, REAL, Case, Family

AL2 = Family("Amazon Linux 2", Platform("Amazon Linux", "2", "x86_64"), "x86_64")
AL2023 = Family("Amazon Linux 2023", Platform("Amazon Linux", "2023", "arm64"), "aarch64")
S = Family("SLES 15", Platform("SLES", "15", "x86_64"), "x86_64")

TEST = "test 0:4.2.46-34.amzn2"
KERNEL = "kernel 0:6.1.158-180.294.amzn2023"
ZYPP = "libzypp 0:17.37.18-150600.3.85.1"

AMAZON_CASES: tuple[Case, ...] = (
    AL2.case(REAL, "the very version", TEST, [f"Installed {TEST}"], Verdict.TESTED),
    AL2.case(REAL, "InstalledOther has it too", TEST, [f"InstalledOther {TEST}"], Verdict.TESTED),
    AL2.case(REAL, "a release before", TEST, ["Installed test 0:4.2.46-33.amzn2"], Verdict.OTHER_VERSION),
    AL2.case(REAL, "a release after", TEST, ["Installed test 0:4.2.46-34.amzn2.0.1"], Verdict.AHEAD),
    AL2.case(REAL, "on no node", TEST, [""], Verdict.UNTESTED),
    AL2.case(REAL, "only available there", TEST, [f"AvailableSecurityUpdate {TEST}"], Verdict.UNTESTED),
    AL2.case(REAL, "it failed there", TEST, [f"Failed {TEST}"], Verdict.FAILED),
    AL2.case(REAL, "not booted into", TEST, [f"InstalledPendingReboot {TEST}"], Verdict.PENDING_REBOOT),
    AL2.case(
        REAL, "rejected by a wildcard", TEST, [f"Installed {TEST}"], Verdict.REJECTED, rejected=("test-*.amzn2.x86_64",)
    ),
    AL2.case(
        REAL,
        "Amazon Linux 2023 there",
        TEST,
        [f"Installed {TEST}"],
        Verdict.NO_COUNTERPART,
        source={"platform": AL2023.platform},
    ),
    AL2.case(
        REAL,
        "two baselines in non-production",
        TEST,
        [f"Installed {TEST}", f"Installed {TEST}"],
        Verdict.OTHER_BASELINE,
        source={"baseline_content": ANOTHER},
    ),
    AL2.case(REAL, "a row there without a version", TEST, ["Installed test ?"], Verdict.UNREADABLE),
    AL2023.case(MADE, "the very version", KERNEL, [f"Installed {KERNEL}"], Verdict.TESTED),
    AL2023.case(
        MADE,
        "without an architecture",
        "system-release/noarch 0:2023.9.20251117-0.amzn2023",
        ["Installed system-release/noarch 0:2023.9.20251117-0.amzn2023"],
        Verdict.TESTED,
    ),
    # The release lock is ignored (section 9, 3), so environments drift apart by the week.
    AL2023.case(
        MADE,
        "a locked release before",
        "system-release/noarch 0:2023.9.20251117-0.amzn2023",
        ["Installed system-release/noarch 0:2023.9.20251105-0.amzn2023"],
        Verdict.OTHER_VERSION,
    ),
    AL2023.case(
        MADE,
        "a locked release after",
        "system-release/noarch 0:2023.9.20251105-0.amzn2023",
        ["Installed system-release/noarch 0:2023.9.20251117-0.amzn2023"],
        Verdict.AHEAD,
    ),
    AL2023.case(
        MADE, "a kernel before", KERNEL, ["Installed kernel 0:6.1.158-178.288.amzn2023"], Verdict.OTHER_VERSION
    ),
    AL2023.case(MADE, "on no node", "kernel6.12 0:6.12.55-74.119.amzn2023", [f"Installed {KERNEL}"], Verdict.UNTESTED),
    AL2023.case(MADE, "it failed on one of two", KERNEL, [f"Failed {KERNEL}", f"Installed {KERNEL}"], Verdict.FAILED),
    AL2023.case(MADE, "not booted into", KERNEL, [f"InstalledPendingReboot {KERNEL}"], Verdict.PENDING_REBOOT),
    AL2023.case(
        MADE,
        "rejected by name and architecture",
        KERNEL,
        [f"Installed {KERNEL}"],
        Verdict.REJECTED,
        rejected=("kernel.aarch64",),
    ),
    AL2023.case(
        MADE,
        "x86_64 there",
        KERNEL,
        [f"Installed {KERNEL}"],
        Verdict.NO_COUNTERPART,
        source={"platform": replace(AL2023.platform, arch="x86_64")},
    ),
    AL2023.case(
        MADE, "an old scan there", KERNEL, [f"Installed {KERNEL}"], Verdict.STALE, source={"operation_end": OLD}
    ),
    AL2023.case(MADE, "somebody's operation there", KERNEL, [f"Installed {KERNEL}"], Verdict.FOREIGN, foreign=("np1",)),
)

SUSE_CASES: tuple[Case, ...] = (
    S.case(MADE, "the very version", ZYPP, [f"Installed {ZYPP}"], Verdict.TESTED),
    S.case(MADE, "an epoch of 0 left out", ZYPP, ["Installed libzypp 17.37.18-150600.3.85.1"], Verdict.TESTED),
    S.case(
        MADE, "a maintenance update before", ZYPP, ["Installed libzypp 0:17.37.18-150600.3.82.1"], Verdict.OTHER_VERSION
    ),
    S.case(MADE, "another service pack's there", ZYPP, ["Installed libzypp 0:17.37.18-150700.3.1.1"], Verdict.AHEAD),
    S.case(MADE, "on no node", ZYPP, [""], Verdict.UNTESTED),
    S.case(MADE, "missing there as well", ZYPP, [f"Missing {ZYPP}"], Verdict.UNTESTED),
    S.case(MADE, "it failed there", ZYPP, [f"Failed {ZYPP}"], Verdict.FAILED),
    S.case(MADE, "not booted into", ZYPP, [f"InstalledPendingReboot {ZYPP}"], Verdict.PENDING_REBOOT),
    S.case(
        MADE,
        "rejected by its file's name",
        ZYPP,
        [f"Installed {ZYPP}"],
        Verdict.REJECTED,
        rejected=("libzypp-17.37.18-150600.3.85.1.x86_64.rpm",),
    ),
    S.case(
        MADE,
        "rejected by a wildcard over architectures",
        ZYPP,
        [f"Installed {ZYPP}"],
        Verdict.REJECTED,
        rejected=("libzypp-17.37.18-150600.3.85.1.*.rpm",),
    ),
    S.case(
        MADE,
        "the agent, which patching may leave disabled",
        "amazon-ssm-agent 0:3.3.3050.0-150000.5.23.1",
        ["Installed amazon-ssm-agent 0:3.3.2299.0-150000.5.20.1"],
        Verdict.OTHER_VERSION,
    ),
    S.case(
        MADE,
        "SLES 12 there",
        ZYPP,
        [f"Installed {ZYPP}"],
        Verdict.NO_COUNTERPART,
        source={"platform": replace(S.platform, major="12")},
    ),
    S.case(
        MADE,
        "another baseline",
        ZYPP,
        [f"Installed {ZYPP}"],
        Verdict.OTHER_BASELINE,
        source={"baseline_content": ANOTHER},
    ),
    S.case(MADE, "a scan that gave nothing", ZYPP, [f"Installed {ZYPP}"], Verdict.UNREADABLE, source=FAILED_SCAN),
)

CASES = AMAZON_CASES + SUSE_CASES
