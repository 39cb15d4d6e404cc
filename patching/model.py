"""The nouns of the domain: nodes, patches, evidence. Frozen values; times are aware UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Operation(StrEnum):
    """What AWS-RunPatchBaseline is asked to do (facts/patch-manager.md section 1)."""

    SCAN = "Scan"
    INSTALL = "Install"


class PatchState(StrEnum):
    """A row's state in the spelling of real responses (facts/patch-manager.md section 2)."""

    INSTALLED = "Installed"
    INSTALLED_OTHER = "InstalledOther"
    INSTALLED_PENDING_REBOOT = "InstalledPendingReboot"
    INSTALLED_REJECTED = "InstalledRejected"
    MISSING = "Missing"
    FAILED = "Failed"
    NOT_APPLICABLE = "NotApplicable"
    AVAILABLE_SECURITY_UPDATE = "AvailableSecurityUpdate"

    @property
    def on_node(self) -> bool:
        """Whether the node has the patch's files. Pending reboot counts, though nothing exercises them yet."""
        return self in _ON_NODE

    @classmethod
    def parse(cls, text: str) -> "PatchState":
        """Read `InstalledOther` and `INSTALLED_OTHER` alike. Raises ValueError for anything else."""
        try:
            return _BY_FOLDED_NAME[text.replace("_", "").casefold()]
        except KeyError:
            raise ValueError(f"unknown patch state {text!r}") from None


_ON_NODE = frozenset(
    {
        PatchState.INSTALLED,
        PatchState.INSTALLED_OTHER,
        PatchState.INSTALLED_PENDING_REBOOT,
        PatchState.INSTALLED_REJECTED,
    }
)
_BY_FOLDED_NAME = {state.value.casefold(): state for state in PatchState}


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """What must be equal for two nodes' patches to be comparable."""

    os: str  # DescribeInstanceInformation's PlatformName, e.g. "Debian GNU/Linux"
    major: str  # first component of PlatformVersion; for Windows the whole of it
    arch: str  # EC2's Architecture: x86_64, arm64

    def __str__(self) -> str:
        return f"{self.os} {self.major} {self.arch}"

    @property
    def is_windows(self) -> bool:
        return "windows" in self.os.casefold()


@dataclass(frozen=True, slots=True)
class Node:
    """A managed node as resolved now: EC2 (name, tags, power) joined with Systems Manager (platform, agent)."""

    id: str
    name: str
    power: str  # EC2 state name: running, stopped, …
    ping: str | None  # Online, ConnectionLost, Inactive; None when Systems Manager does not know the node
    platform: Platform | None  # None when Systems Manager does not know the node
    agent_version: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def reachable(self) -> bool:
        return self.power == "running" and self.ping == "Online"


@dataclass(frozen=True, slots=True)
class PatchRow:
    """One row of DescribeInstancePatches (facts/patch-manager.md section 2)."""

    kb_id: str
    title: str
    state: PatchState
    classification: str = ""
    severity: str = ""
    cve_ids: tuple[str, ...] = ()
    installed_time: datetime | None = None  # None where AWS gives 1970, which means unknown


@dataclass(frozen=True, slots=True)
class PatchSummary:
    """DescribeInstancePatchStates for one node: a picture of the last successful operation by anybody."""

    node_id: str
    snapshot_id: str
    operation: str
    operation_start: datetime | None
    operation_end: datetime | None
    baseline_id: str
    patch_group: str
    reboot_option: str | None
    counts: Mapping[str, int]  # InstalledCount, InstalledOtherCount, …, MissingCount, FailedCount as AWS names them


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a node reported after a run that we started (I8)."""

    node_id: str
    node_name: str
    platform: Platform
    operation: Operation
    snapshot_id: str
    operation_end: datetime
    baseline_id: str
    baseline_content: str  # sha256 over the baseline's content, see `patching.baseline`
    counts: Mapping[str, int]
    rows: tuple[PatchRow, ...]
    run: str  # the run that produced it, e.g. "scan-12"


@dataclass(frozen=True, slots=True)
class PinnedPatch:
    """One proven (id, title) pair of an InstallOverrideList (facts/patch-manager.md section 1)."""

    id: str
    title: str
