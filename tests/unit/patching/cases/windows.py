"""Windows. Real rows: aws-examples' describe-instance-patches, and the titles in facts/patch-manager.md section 2."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from patching.compare import Verdict
from patching.model import PatchRow, PatchState
from tests.unit.patching.build import WINDOWS
from tests.unit.patching.cases.case import ANOTHER, EPOCH, FAILED_SCAN, MADE, OLD, REAL, Case

MISSING, INSTALLED, OTHER = PatchState.MISSING, PatchState.INSTALLED, PatchState.INSTALLED_OTHER
PENDING, FAILED, REJECTED = PatchState.INSTALLED_PENDING_REBOOT, PatchState.FAILED, PatchState.INSTALLED_REJECTED
NOT_APPLICABLE = PatchState.NOT_APPLICABLE

SERVER = "Windows Server 2019 (1809) for x64-based Systems"


def update(kb_id: str, title: str, state: PatchState = MISSING) -> PatchRow:
    return PatchRow(kb_id, f"{title} ({kb_id})" if title else "", state)


FLASH = update(
    "KB4480979", "2019-01 Security Update for Adobe Flash Player for Windows Server 2016 for x64-based Systems"
)
TOOL = update("KB890830", "Windows Malicious Software Removal Tool x64 - February 2019")
TOOL_NEXT = update("KB890830", "Windows Malicious Software Removal Tool x64 - v5.144")  # agent#681
MARCH = update("KB5023702", f"2023-03 Cumulative Update for {SERVER}")
APRIL = update("KB5025229", f"2023-04 Cumulative Update for {SERVER}")
FEBRUARY = update("KB5022840", f"2023-02 Cumulative Update for {SERVER}")
NET_APRIL = update("KB5022782", f"2023-04 Cumulative Update for .NET Framework 3.5, 4.7.2 and 4.8 for {SERVER}")
ROLLUP = update("KB5023765", "2023-03 Security Monthly Quality Rollup for Windows Server 2012 R2 for x64-based Systems")
ROLLUP_NEXT = update(
    "KB5025285", "2023-04 Security Monthly Quality Rollup for Windows Server 2012 R2 for x64-based Systems"
)


def on(state: PatchState, *updates: PatchRow) -> tuple[PatchRow, ...]:
    return tuple(replace(each, state=state) for each in updates)


def case(
    origin: str, name: str, offer: PatchRow, nodes: Sequence[tuple[PatchRow, ...]], verdict: Verdict, **options: Any
) -> Case:
    return Case("Windows", name, origin, WINDOWS, offer, tuple(nodes), verdict, **options)


UNTITLED = replace(TOOL, title="", state=OTHER)

CASES: tuple[Case, ...] = (
    case(REAL, "the same KB and title", MARCH, [on(INSTALLED, MARCH)], Verdict.TESTED),
    case(REAL, "the same KB and title, twice", FLASH, [on(INSTALLED, FLASH), on(OTHER, FLASH)], Verdict.TESTED),
    case(REAL, "a KB in lower case", TOOL, [(replace(TOOL, kb_id="kb890830", state=INSTALLED),)], Verdict.TESTED),
    case(
        REAL,
        "never applied to the second node",
        FLASH,
        [on(INSTALLED, FLASH), on(NOT_APPLICABLE, FLASH)],
        Verdict.TESTED,
    ),
    case(REAL, "the month before beside it", MARCH, [on(INSTALLED, FEBRUARY, MARCH)], Verdict.TESTED),
    case(REAL, "another product's newer month", MARCH, [on(INSTALLED, MARCH, NET_APRIL)], Verdict.TESTED),
    case(REAL, "another KB is rejected", MARCH, [on(INSTALLED, MARCH)], Verdict.TESTED, rejected=("KB5023",)),
    case(REAL, "on no node", MARCH, [on(INSTALLED, FEBRUARY)], Verdict.UNTESTED),
    case(REAL, "missing there as well", MARCH, [on(INSTALLED, MARCH), on(MISSING, MARCH)], Verdict.UNTESTED),
    case(REAL, "another month's tool", TOOL, [on(INSTALLED, TOOL_NEXT)], Verdict.OTHER_TITLE),
    case(
        REAL,
        "another month's tool on one of two",
        TOOL_NEXT,
        [on(INSTALLED, TOOL_NEXT), on(INSTALLED, TOOL)],
        Verdict.OTHER_TITLE,
    ),
    case(REAL, "not applicable there", FLASH, [on(NOT_APPLICABLE, FLASH)], Verdict.SUPERSEDED),
    case(
        REAL,
        "next month's update there, the old one not applicable",
        MARCH,
        [on(NOT_APPLICABLE, MARCH) + on(INSTALLED, APRIL)],
        Verdict.SUPERSEDED,
    ),
    case(REAL, "next month's update there, the old one unreported", MARCH, [on(INSTALLED, APRIL)], Verdict.SUPERSEDED),
    case(
        REAL,
        "one node stayed, the other is a month on",
        MARCH,
        [on(INSTALLED, MARCH), on(INSTALLED, APRIL)],
        Verdict.SUPERSEDED,
    ),
    case(MADE, "a monthly rollup is cumulative too", ROLLUP, [on(INSTALLED, ROLLUP_NEXT)], Verdict.SUPERSEDED),
    case(REAL, "it failed there", MARCH, [on(FAILED, MARCH)], Verdict.FAILED),
    case(REAL, "it failed on one of two", FLASH, [on(INSTALLED, FLASH), on(FAILED, FLASH)], Verdict.FAILED),
    case(REAL, "not booted into", MARCH, [on(PENDING, MARCH)], Verdict.PENDING_REBOOT),
    case(REAL, "rejected by its KB", MARCH, [on(INSTALLED, MARCH)], Verdict.REJECTED, rejected=("KB5023702",)),
    case(REAL, "there although rejected", TOOL, [on(REJECTED, TOOL)], Verdict.REJECTED),
    case(REAL, "no title there, so no content", TOOL, [(UNTITLED,)], Verdict.UNREADABLE),
    case(
        REAL,
        "a scan with counts of -1",
        MARCH,
        [on(INSTALLED, MARCH), on(INSTALLED, MARCH)],
        Verdict.UNREADABLE,
        source=FAILED_SCAN,
    ),
    case(
        REAL,
        "a scan of 1970",
        MARCH,
        [on(INSTALLED, MARCH), on(INSTALLED, MARCH)],
        Verdict.UNREADABLE,
        source={"operation_end": EPOCH},
    ),
    case(
        REAL,
        "another build",
        MARCH,
        [on(INSTALLED, MARCH)],
        Verdict.NO_COUNTERPART,
        source={"platform": replace(WINDOWS, major="10.0.20348")},
    ),
    case(
        REAL,
        "another baseline",
        MARCH,
        [on(INSTALLED, MARCH)],
        Verdict.OTHER_BASELINE,
        target={"baseline_content": ANOTHER},
    ),
    case(
        REAL,
        "an unknown baseline on both sides",
        MARCH,
        [on(INSTALLED, MARCH)],
        Verdict.OTHER_BASELINE,
        source={"baseline_content": ""},
        target={"baseline_content": ""},
    ),
    case(REAL, "an old scan there", MARCH, [on(INSTALLED, MARCH)], Verdict.STALE, source={"operation_end": OLD}),
    case(
        REAL,
        "somebody's operation there",
        MARCH,
        [on(INSTALLED, MARCH), on(INSTALLED, MARCH)],
        Verdict.FOREIGN,
        foreign=("np2",),
    ),
)
