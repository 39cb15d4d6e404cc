"""Maintenance windows that will run on an environment's nodes, and what their tasks do there."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypedDict

from aws.caller import MOST_IDS, Caller, batches
from aws.errors import calling
from aws.target import Target
from patching.nodes import INSTANCE_IDS

if TYPE_CHECKING:
    from mypy_boto3_ssm.literals import MaintenanceWindowResourceTypeType
    from mypy_boto3_ssm.type_defs import (
        GetMaintenanceWindowTaskResultTypeDef,
        MaintenanceWindowIdentityTypeDef,
        PatchOrchestratorFilterTypeDef,
        ScheduledWindowExecutionTypeDef,
        TargetOutputTypeDef,
        TargetTypeDef,
    )

    class _ScheduleOf(TypedDict, total=False):
        WindowId: str
        Targets: list[TargetTypeDef]
        ResourceType: MaintenanceWindowResourceTypeType


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


@dataclass(frozen=True, slots=True)
class WindowTask:
    """One task of a window: what it runs with which parameters, and where.

    targets: lists of (key, values) as Systems Manager writes them; a node must match all of one list. There are
    none where the task names its nodes in its parameters, as an Automation may.
    """

    document: str  # TaskArn: a name, or an ARN as of a shared document
    parameters: Mapping[str, Sequence[str]]
    targets: tuple[tuple[tuple[str, tuple[str, ...]], ...], ...]


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
            by_targets: _ScheduleOf = {"Targets": portion, "ResourceType": "INSTANCE"}
            for execution in self._schedule(target, by_targets, after, before):
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

    def covering(
        self, target: Target, targets: Mapping[str, Sequence[str]], node_ids: Sequence[str]
    ) -> Mapping[str, str]:
        """{window id: name} of the enabled windows that AWS finds for these targets or for one of these nodes.

        Both are asked, because AWS does not say that a window on tags is found by the ids of its nodes. Calls:
        DescribeMaintenanceWindowsForTarget for the tags and for each 50 ids, DescribeMaintenanceWindows if any.
        Raises AwsError.
        """
        tags = {key: values for key, values in targets.items() if key != INSTANCE_IDS}
        asked: list[list[TargetTypeDef]] = list(_portions(tags))
        asked += [[{"Key": "InstanceIds", "Values": ids}] for ids in batches(node_ids, MOST_IDS)]
        client = self._sessions.client("ssm", target)
        found: set[str] = set()
        for portion in asked:
            with calling("DescribeMaintenanceWindowsForTarget", target):
                pages = client.get_paginator("describe_maintenance_windows_for_target").paginate(
                    Targets=portion, ResourceType="INSTANCE"
                )
                found |= {window["WindowId"] for page in pages for window in page["WindowIdentities"]}
        if not found:
            return {}
        enabled = self._windows(target)
        return {window_id: enabled[window_id]["Name"] for window_id in sorted(found) if window_id in enabled}

    def tasks(self, target: Target, window_id: str, wanted: Callable[[str], bool]) -> tuple[WindowTask, ...]:
        """The window's tasks whose document is `wanted`; of a Lambda or Step Functions task it is asked for their ARN.

        Calls: DescribeMaintenanceWindowTasks, then GetMaintenanceWindowTask for each wanted one, which alone has the
        parameters (facts/patch-manager.md section 5), and DescribeMaintenanceWindowTargets where a task refers to
        the window's targets. Raises AwsError.
        """
        client = self._sessions.client("ssm", target)
        with calling("DescribeMaintenanceWindowTasks", target, window_id):
            task_pages = client.get_paginator("describe_maintenance_window_tasks").paginate(
                WindowId=window_id, PaginationConfig={"PageSize": _LARGEST_PAGE}
            )
            task_ids = [
                task["WindowTaskId"] for page in task_pages for task in page["Tasks"] if wanted(task["TaskArn"])
            ]
        found: list[GetMaintenanceWindowTaskResultTypeDef] = []
        for task_id in task_ids:
            with calling("GetMaintenanceWindowTask", target, f"{window_id}/{task_id}"):
                found.append(client.get_maintenance_window_task(WindowId=window_id, WindowTaskId=task_id))
        registered: dict[str, list[TargetOutputTypeDef]] = {}
        if any(each["Key"] == "WindowTargetIds" for task in found for each in task.get("Targets", [])):
            with calling("DescribeMaintenanceWindowTargets", target, window_id):
                target_pages = client.get_paginator("describe_maintenance_window_targets").paginate(
                    WindowId=window_id, PaginationConfig={"PageSize": _LARGEST_PAGE}
                )
                registered = {
                    each["WindowTargetId"]: each["Targets"] for page in target_pages for each in page["Targets"]
                }
        return tuple(_task(task, registered) for task in found)

    def next_execution(self, target: Target, window_id: str, after: datetime, before: datetime) -> datetime | None:
        """The window's first execution from `after` until just before `before`; None without one. Raises AwsError."""
        times = (
            parse_execution_time(execution["ExecutionTime"])
            for execution in self._schedule(target, {"WindowId": window_id}, after, before)
        )
        return min((time for time in times if after <= time < before), default=None)

    def _schedule(
        self, target: Target, of: "_ScheduleOf", after: datetime, before: datetime
    ) -> "list[ScheduledWindowExecutionTypeDef]":
        """`of` says whose: {"WindowId": …}, or {"Targets": […], "ResourceType": "INSTANCE"}."""
        client = self._sessions.client("ssm", target)
        limits: list[PatchOrchestratorFilterTypeDef] = [
            # AWS does not say whether "after" takes in the moment itself; `upcoming` cuts to the exact period.
            {"Key": "ScheduledAfter", "Values": [_written(after - timedelta(minutes=1))]},
            {"Key": "ScheduledBefore", "Values": [_written(before)]},
        ]
        with calling("DescribeMaintenanceWindowSchedule", target):
            pages = client.get_paginator("describe_maintenance_window_schedule").paginate(
                **of,
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


def _task(
    task: "GetMaintenanceWindowTaskResultTypeDef", registered: "Mapping[str, list[TargetOutputTypeDef]]"
) -> WindowTask:
    invocation = task.get("TaskInvocationParameters", {})
    given = invocation.get("RunCommand", {}).get("Parameters") or invocation.get("Automation", {}).get("Parameters")
    # Tasks that were registered before TaskInvocationParameters came have theirs here.
    older = {name: expression.get("Values", []) for name, expression in task.get("TaskParameters", {}).items()}
    direct = [each for each in task.get("Targets", []) if each["Key"] != "WindowTargetIds"]
    referred = [
        registered[target_id]
        for each in task.get("Targets", [])
        if each["Key"] == "WindowTargetIds"
        for target_id in each["Values"]
        if target_id in registered
    ]
    return WindowTask(
        document=task["TaskArn"],
        parameters=given or older,
        targets=tuple(
            tuple((each["Key"], tuple(each["Values"])) for each in targets)
            for targets in (*([direct] if direct else ()), *referred)
        ),
    )


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
