"""Maintenance windows that will run on an environment's nodes, for its reminders."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aws.caller import MOST_IDS, Caller, batches
from aws.errors import calling
from aws.nodes import INSTANCE_IDS
from aws.target import Target

if TYPE_CHECKING:
    from mypy_boto3_ssm.type_defs import (
        MaintenanceWindowIdentityTypeDef,
        PatchOrchestratorFilterTypeDef,
        ScheduledWindowExecutionTypeDef,
        TargetTypeDef,
    )

_MOST_TARGETS = 5
_LARGEST_PAGE = 100


@dataclass(frozen=True, slots=True)
class UpcomingWindow:
    """One execution to come. No new task starts in the last `cutoff_hours` (facts/patch-manager.md section 5)."""

    window_id: str
    name: str
    execution_time: datetime
    duration_hours: int
    cutoff_hours: int
    timezone: str | None  # the IANA name that its schedule is written in


class MaintenanceWindows(Caller):
    def upcoming(
        self, target: Target, targets: Mapping[str, Sequence[str]], after: datetime, before: datetime
    ) -> tuple[UpcomingWindow, ...]:
        """Executions of enabled windows from `after` until just before `before`, soonest first.

        `targets` as in `Nodes.resolve`. AWS compares them with how a window's own targets are written: a window
        on tags is found by its tags, one on instance ids by ids. Raises AwsError.
        """
        found: dict[tuple[str, datetime], ScheduledWindowExecutionTypeDef] = {}
        for portion in _portions(targets):
            for execution in self._schedule(target, portion, after, before):
                found[execution["WindowId"], parse_execution_time(execution["ExecutionTime"])] = execution
        if not found:
            return ()
        windows = self._windows(target)
        return tuple(
            UpcomingWindow(
                window_id=window_id,
                name=execution["Name"],
                execution_time=time,
                duration_hours=windows[window_id]["Duration"],
                cutoff_hours=windows[window_id]["Cutoff"],
                timezone=windows[window_id].get("ScheduleTimezone"),
            )
            for (window_id, time), execution in sorted(found.items(), key=lambda item: (item[0][1], item[0][0]))
            if window_id in windows and after <= time < before
        )

    def _schedule(
        self, target: Target, targets: "list[TargetTypeDef]", after: datetime, before: datetime
    ) -> "list[ScheduledWindowExecutionTypeDef]":
        client = self._sessions.client("ssm", target)
        limits: list[PatchOrchestratorFilterTypeDef] = [
            # AWS does not say whether "after" takes in the moment itself; `upcoming` cuts to the exact period.
            {"Key": "ScheduledAfter", "Values": [_written(after - timedelta(minutes=1))]},
            {"Key": "ScheduledBefore", "Values": [_written(before)]},
        ]
        with calling("DescribeMaintenanceWindowSchedule", target):
            pages = client.get_paginator("describe_maintenance_window_schedule").paginate(
                Targets=targets,
                ResourceType="INSTANCE",
                Filters=limits,
                PaginationConfig={"PageSize": _LARGEST_PAGE},
            )
            # Read here, so that a time nobody can parse is reported as AWS's answer to this call.
            executions = [execution for page in pages for execution in page["ScheduledWindowExecutions"]]
            for execution in executions:
                parse_execution_time(execution["ExecutionTime"])
            return executions

    def _windows(self, target: Target) -> "dict[str, MaintenanceWindowIdentityTypeDef]":
        """The enabled windows of the account and Region, by id."""
        client = self._sessions.client("ssm", target)
        with calling("DescribeMaintenanceWindows", target):
            pages = client.get_paginator("describe_maintenance_windows").paginate(
                Filters=[{"Key": "Enabled", "Values": ["true"]}], PaginationConfig={"PageSize": _LARGEST_PAGE}
            )
            return {window["WindowId"]: window for page in pages for window in page["WindowIdentities"]}


def parse_execution_time(text: str) -> datetime:
    """`2020-02-19T16:00Z` or `2020-02-19T16:00+01:00[Europe/Berlin]`, as aware UTC.

    AWS leaves out seconds that are zero, and may add the zone's name in brackets. Raises ValueError for
    anything else, a time without an offset included.
    """
    time = datetime.fromisoformat(text.partition("[")[0])
    if time.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC")
    return time.astimezone(UTC)


def _portions(targets: Mapping[str, Sequence[str]]) -> "Iterable[list[TargetTypeDef]]":
    """Targets as Systems Manager writes them, at most 5 with at most 50 values each for one call."""
    written: list[TargetTypeDef] = [
        {"Key": "InstanceIds" if key == INSTANCE_IDS else key, "Values": values}
        for key, all_values in targets.items()
        for values in batches(all_values, MOST_IDS)
    ]
    for start in range(0, len(written), _MOST_TARGETS):
        yield written[start : start + _MOST_TARGETS]


def _written(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
