"""What a patch operation uploads: the node's rows, and the state counted from them."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

UNKNOWN_TIME = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Row:
    """One patch of DescribeInstancePatches; `state` is spelled as real answers spell it.

    `compliance_level` is the approving rule's; it decides what counts as critical and is not shown in the row.
    """

    kb_id: str
    title: str
    classification: str
    severity: str
    state: str
    installed_at: datetime | None = None
    cve_ids: tuple[str, ...] = ()
    compliance_level: str = "UNSPECIFIED"

    def wire(self) -> dict[str, Any]:
        row = {
            "Title": self.title,
            "KBId": self.kb_id,
            "Classification": self.classification,
            "Severity": self.severity,
            "State": self.state,
            "InstalledTime": self.installed_at or UNKNOWN_TIME,
        }
        return row | {"CVEIds": ",".join(self.cve_ids)} if self.cve_ids else row


_NON_COMPLIANT = frozenset({"Missing", "Failed", "InstalledPendingReboot", "InstalledRejected"})


@dataclass(frozen=True)
class Report:
    """The picture left by the last operation, whoever ran it (facts/patch-manager.md section 2, "Staleness")."""

    operation: str
    snapshot_id: str
    baseline_id: str
    patch_group: str | None
    started: datetime
    ended: datetime
    reboot_option: str
    override_list: str | None
    last_no_reboot_install: datetime | None
    rows: tuple[Row, ...]

    @cached_property
    def counts(self) -> dict[str, int]:
        """Critical and security may overlap: a row counts in both (payload, package_compliance.py)."""
        states = Counter(row.state for row in self.rows)
        broken = [row for row in self.rows if row.state in _NON_COMPLIANT]
        return {
            "InstalledCount": states["Installed"],
            "InstalledOtherCount": states["InstalledOther"],
            "InstalledPendingRebootCount": states["InstalledPendingReboot"],
            "InstalledRejectedCount": states["InstalledRejected"],
            "MissingCount": states["Missing"],
            "FailedCount": states["Failed"],
            "NotApplicableCount": states["NotApplicable"],
            "AvailableSecurityUpdateCount": states["AvailableSecurityUpdate"],
            "UnreportedNotApplicableCount": 0,
            "CriticalNonCompliantCount": sum(row.compliance_level == "CRITICAL" for row in broken),
            "SecurityNonCompliantCount": sum(_is_security(row) for row in broken),
            "OtherNonCompliantCount": sum(
                row.compliance_level != "CRITICAL" and not _is_security(row) for row in broken
            ),
        }

    def state(self, instance_id: str) -> dict[str, Any]:
        """InstancePatchState; the model wants a patch group even where a node has none."""
        return {
            "InstanceId": instance_id,
            "PatchGroup": self.patch_group or "default",
            "BaselineId": self.baseline_id,
            "SnapshotId": self.snapshot_id,
            "InstallOverrideList": self.override_list,
            **self.counts,
            "Operation": self.operation,
            "OperationStartTime": self.started,
            "OperationEndTime": self.ended,
            "LastNoRebootInstallOperationTime": self.last_no_reboot_install,
            "RebootOption": self.reboot_option,
        }


def _is_security(row: Row) -> bool:
    """`Security` on Linux, `SecurityUpdates` on Windows."""
    return row.classification.startswith("Security")
