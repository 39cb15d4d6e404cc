"""What nodes reported to Patch Manager, in the fewest calls: states first, details only where the state moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aws.caller import MOST_IDS, Caller, batches, known_time
from aws.errors import calling
from aws.target import Target
from patching.model import PatchRow, PatchState, PatchSummary

if TYPE_CHECKING:
    from mypy_boto3_ssm.type_defs import InstancePatchStateTypeDef, PatchComplianceDataTypeDef


@dataclass(frozen=True, slots=True)
class Reading:
    """What one `read` found out (I8).

    summaries: every node that has ever reported, as read last; a node that is not in it never did.
    rows: the nodes whose state differed from what was known and stood still while the details were read.
    unstable: the nodes whose state moved meanwhile; read them again.
    """

    summaries: Mapping[str, PatchSummary]
    rows: Mapping[str, tuple[PatchRow, ...]]
    unstable: frozenset[str]


class EvidenceReader(Caller):
    def summaries(self, target: Target, node_ids: Sequence[str]) -> Mapping[str, PatchSummary]:
        """DescribeInstancePatchStates, 50 nodes a call; a node that never reported is left out."""
        client = self._sessions.client("ssm", target)
        found: dict[str, PatchSummary] = {}
        for ids in batches(node_ids):
            with calling("DescribeInstancePatchStates", target):
                pages = client.get_paginator("describe_instance_patch_states").paginate(
                    InstanceIds=ids, PaginationConfig={"PageSize": MOST_IDS}
                )
                found |= {
                    state["InstanceId"]: _summary(state) for page in pages for state in page["InstancePatchStates"]
                }
        return found

    def rows(self, target: Target, node_id: str) -> tuple[PatchRow, ...]:
        """DescribeInstancePatches, all pages; an unknown state raises Doubt rather than being skipped."""
        client = self._sessions.client("ssm", target)
        with calling("DescribeInstancePatches", target, node_id):
            pages = client.get_paginator("describe_instance_patches").paginate(
                InstanceId=node_id, PaginationConfig={"PageSize": MOST_IDS}
            )
            return tuple(_row(patch) for page in pages for patch in page["Patches"])

    def read(
        self,
        target: Target,
        node_ids: Sequence[str],
        known: Mapping[str, tuple[str, datetime | None]],
        snapshot_id: str | None = None,
    ) -> Reading:
        """Details of the nodes whose (SnapshotId, OperationEndTime) is not in `known`; where a `snapshot_id` is
        awaited, only of those that show it.

        Calls: ceil(N/50) for states, the details' pages of M changed nodes, ceil(M/50) for their states again:
        rows count only where both states are equal (design.md I8).
        """
        before = self.summaries(target, node_ids)
        changed = [
            node_id
            for node_id, summary in before.items()
            if known.get(node_id) != (summary.snapshot_id, summary.operation_end)
            and snapshot_id in (None, summary.snapshot_id)
        ]
        rows = {node_id: self.rows(target, node_id) for node_id in changed}
        after = self.summaries(target, changed)
        unstable = frozenset(node_id for node_id in changed if after.get(node_id) != before[node_id])
        return Reading(
            summaries={**before, **after},
            rows={node_id: found for node_id, found in rows.items() if node_id not in unstable},
            unstable=unstable,
        )

    def baseline(self, target: Target, baseline_id: str) -> Mapping[str, Any]:
        """GetPatchBaseline as AWS gives it; the id of a baseline that AWS owns may be an ARN."""
        client = self._sessions.client("ssm", target)
        with calling("GetPatchBaseline", target, baseline_id):
            answer = client.get_patch_baseline(BaselineId=baseline_id)
            return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def _summary(state: "InstancePatchStateTypeDef") -> PatchSummary:
    return PatchSummary(
        node_id=state["InstanceId"],
        snapshot_id=state.get("SnapshotId", ""),
        operation=state["Operation"],
        operation_start=known_time(state["OperationStartTime"]),
        operation_end=known_time(state["OperationEndTime"]),
        baseline_id=state["BaselineId"],
        patch_group=state["PatchGroup"],
        reboot_option=state.get("RebootOption"),
        counts={key: value for key, value in state.items() if key.endswith("Count") and isinstance(value, int)},
    )


def _row(patch: "PatchComplianceDataTypeDef") -> PatchRow:
    return PatchRow(
        kb_id=patch["KBId"],
        title=patch["Title"],
        state=PatchState.parse(patch["State"]),
        classification=patch.get("Classification", ""),
        severity=patch.get("Severity", ""),
        cve_ids=tuple(cve.strip() for cve in patch.get("CVEIds", "").split(",") if cve.strip()),
        installed_time=known_time(patch.get("InstalledTime")),
    )
