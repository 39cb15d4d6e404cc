"""Maintenance windows: when they open, whom they cover, and what their tasks do."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypedDict

from aws.caller import MOST_IDS, Caller, batches
from aws.errors import calling
from aws.target import Target
from patching.nodes import INSTANCE_IDS
from patching.planned import TargetList

if TYPE_CHECKING:
    from mypy_boto3_ssm.type_defs import (
        GetMaintenanceWindowTaskResultTypeDef,
        MaintenanceWindowFilterTypeDef,
        MaintenanceWindowIdentityTypeDef,
        MaintenanceWindowTaskTypeDef,
        PatchOrchestratorFilterTypeDef,
        TargetOutputTypeDef,
        TargetTypeDef,
    )

    class _ScheduleOf(TypedDict, total=False):
        WindowId: str


_MOST_TARGETS = 5
_LARGEST_PAGE = 100


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

    def executions(
        self, target: Target, after: datetime, before: datetime, window_id: str = ""
    ) -> tuple[tuple[str, datetime], ...]:
        """(window id, time) of every execution from `after` until just before `before`, soonest first.

        Of the whole account and Region, or of one window: a call for each 100. Raises AwsError.
        """
        client = self._sessions.client("ssm", target)
        limits: list[PatchOrchestratorFilterTypeDef] = [
            # AWS does not say whether "after" takes in the moment itself, so the exact period is cut out below.
            {"Key": "ScheduledAfter", "Values": [_written(after - timedelta(minutes=1))]},
            {"Key": "ScheduledBefore", "Values": [_written(before)]},
        ]
        of: _ScheduleOf = {"WindowId": window_id} if window_id else {}
        with calling("DescribeMaintenanceWindowSchedule", target):
            pages = client.get_paginator("describe_maintenance_window_schedule").paginate(
                **of, Filters=limits, PaginationConfig={"PageSize": _LARGEST_PAGE}
            )
            # Read here, so that a time nobody can parse is reported as AWS's answer to this call.
            found = {
                (parse_execution_time(each["ExecutionTime"]), each["WindowId"])
                for page in pages
                for each in page["ScheduledWindowExecutions"]
            }
        return tuple((each, time) for time, each in sorted(found) if after <= time < before)

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
        {"Key": key, "Values": values}
        for key, all_values in targets.items()
        for values in batches(all_values, MOST_IDS)
    ]
    for start in range(0, len(written), _MOST_TARGETS):
        yield written[start : start + _MOST_TARGETS]


def _written(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
