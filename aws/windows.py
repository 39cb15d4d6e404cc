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
        MaintenanceWindowFilterTypeDef,
        MaintenanceWindowIdentityTypeDef,
        MaintenanceWindowTaskTypeDef,
        PatchOrchestratorFilterTypeDef,
        ScheduledWindowExecutionTypeDef,
        TargetOutputTypeDef,
        TargetTypeDef,
    )

    class _ScheduleOf(TypedDict, total=False):
        WindowId: str
        Targets: list[TargetTypeDef]
        ResourceType: MaintenanceWindowResourceTypeType


TargetList = tuple[tuple[str, tuple[str, ...]], ...]  # (key, values) as Systems Manager writes them; all must match

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

    id: str
    document: str  # TaskArn: a name, or an ARN as of a shared document
    parameters: Mapping[str, Sequence[str]]
    targets: tuple[TargetList, ...]


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
        found = [
            self._whole_task(target, window_id, task["WindowTaskId"])
            for task in self._listed_tasks(target, window_id)
            if wanted(task["TaskArn"])
        ]
        refers = any(each["Key"] == "WindowTargetIds" for task in found for each in task.get("Targets", []))
        registered = self._registered(target, window_id) if refers else {}
        return tuple(_task(task, registered, _parameters(task)) for task in found)

    def content(
        self, target: Target, window_id: str, wanted: Callable[[str], bool]
    ) -> tuple[tuple[TargetList, ...], tuple[WindowTask, ...]]:
        """The window's registered targets and all its tasks, with their parameters where the document is `wanted`.

        Calls: DescribeMaintenanceWindowTargets, DescribeMaintenanceWindowTasks, GetMaintenanceWindowTask for each
        wanted task. Raises AwsError.
        """
        registered = self._registered(target, window_id)
        tasks: list[WindowTask] = []
        for task in self._listed_tasks(target, window_id):
            if wanted(task["TaskArn"]):
                whole = self._whole_task(target, window_id, task["WindowTaskId"])
                tasks.append(_task(whole, registered, _parameters(whole)))
            else:
                tasks.append(_task(task, registered, {}))
        return tuple(_target_list(each) for each in registered.values()), tuple(tasks)

    def listed(self, target: Target) -> "list[MaintenanceWindowIdentityTypeDef]":
        """Every window of the account and Region, the disabled ones too. Raises AwsError."""
        return self._identities(target, [])

    def executions(self, target: Target, after: datetime, before: datetime) -> tuple[tuple[str, datetime], ...]:
        """(window id, time) of every execution of the account and Region from `after` until just before `before`.

        One call for each 100: without WindowId and Targets it is asked about all. Raises AwsError.
        """
        found = {
            (execution["WindowId"], parse_execution_time(execution["ExecutionTime"]))
            for execution in self._schedule(target, {}, after, before)
        }
        return tuple(sorted((each for each in found if after <= each[1] < before), key=lambda each: (each[1], each[0])))

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
        """`of` says whose: {"WindowId": …}, {"Targets": […], "ResourceType": "INSTANCE"}, or {} for all."""
        client = self._sessions.client("ssm", target)
        limits: list[PatchOrchestratorFilterTypeDef] = [
            # AWS does not say whether "after" takes in the moment itself; callers cut to the exact period.
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
        enabled = self._identities(target, [{"Key": "Enabled", "Values": ["true"]}])
        return {window["WindowId"]: window for window in enabled}

    def _identities(
        self, target: Target, filters: "list[MaintenanceWindowFilterTypeDef]"
    ) -> "list[MaintenanceWindowIdentityTypeDef]":
        client = self._sessions.client("ssm", target)
        with calling("DescribeMaintenanceWindows", target):
            pages = client.get_paginator("describe_maintenance_windows").paginate(
                Filters=filters, PaginationConfig={"PageSize": _LARGEST_PAGE}
            )
            return [window for page in pages for window in page["WindowIdentities"]]

    def _listed_tasks(self, target: Target, window_id: str) -> "list[MaintenanceWindowTaskTypeDef]":
        client = self._sessions.client("ssm", target)
        with calling("DescribeMaintenanceWindowTasks", target, window_id):
            pages = client.get_paginator("describe_maintenance_window_tasks").paginate(
                WindowId=window_id, PaginationConfig={"PageSize": _LARGEST_PAGE}
            )
            return [task for page in pages for task in page["Tasks"]]

    def _whole_task(self, target: Target, window_id: str, task_id: str) -> "GetMaintenanceWindowTaskResultTypeDef":
        client = self._sessions.client("ssm", target)
        with calling("GetMaintenanceWindowTask", target, f"{window_id}/{task_id}"):
            return client.get_maintenance_window_task(WindowId=window_id, WindowTaskId=task_id)

    def _registered(self, target: Target, window_id: str) -> "dict[str, list[TargetOutputTypeDef]]":
        """The window's own targets by their ids."""
        client = self._sessions.client("ssm", target)
        with calling("DescribeMaintenanceWindowTargets", target, window_id):
            pages = client.get_paginator("describe_maintenance_window_targets").paginate(
                WindowId=window_id, PaginationConfig={"PageSize": _LARGEST_PAGE}
            )
            return {each["WindowTargetId"]: each["Targets"] for page in pages for each in page["Targets"]}


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
    task: "GetMaintenanceWindowTaskResultTypeDef | MaintenanceWindowTaskTypeDef",
    registered: "Mapping[str, list[TargetOutputTypeDef]]",
    parameters: Mapping[str, Sequence[str]],
) -> WindowTask:
    direct = [each for each in task.get("Targets", []) if each["Key"] != "WindowTargetIds"]
    referred = [
        registered[target_id]
        for each in task.get("Targets", [])
        if each["Key"] == "WindowTargetIds"
        for target_id in each["Values"]
        if target_id in registered
    ]
    return WindowTask(
        id=task["WindowTaskId"],
        document=task["TaskArn"],
        parameters=parameters,
        targets=tuple(_target_list(targets) for targets in (*([direct] if direct else ()), *referred)),
    )


def _parameters(task: "GetMaintenanceWindowTaskResultTypeDef") -> Mapping[str, Sequence[str]]:
    invocation = task.get("TaskInvocationParameters", {})
    given = invocation.get("RunCommand", {}).get("Parameters") or invocation.get("Automation", {}).get("Parameters")
    # Tasks that were registered before TaskInvocationParameters came have theirs here.
    return given or {name: each.get("Values", []) for name, each in task.get("TaskParameters", {}).items()}


def _target_list(targets: "Iterable[TargetOutputTypeDef]") -> TargetList:
    return tuple((each["Key"], tuple(each["Values"])) for each in targets)


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
