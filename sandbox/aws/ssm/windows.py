"""Maintenance windows' operations that only tell; what changes them is in `window_changes.py`."""

from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import Any

from sandbox.aws.model import SsmError
from sandbox.aws.ssm.call import Call, Operation, filter_values
from sandbox.aws.ssm.paging import page
from sandbox.aws.windows import MaintenanceWindow, WindowTarget, WindowTask

_LONGEST_LOOK_AHEAD = 200  # executions of one window


def get_maintenance_window(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    window = find(call, params["WindowId"])
    return {
        "WindowId": window.id,
        **window.settings,
        "NextExecutionTime": _next(window, call.now),
        "Enabled": window.enabled,
        "CreatedDate": window.created,
        "ModifiedDate": window.modified,
    }


def describe_maintenance_windows(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    filters = filter_values(params, ("Name", "Enabled"), "ValidationException")
    windows = [
        window
        for window in call.region.windows.values()
        if window.settings["Name"] in filters.get("Name", [window.settings["Name"]])
        and str(window.enabled).lower() in [value.lower() for value in filters.get("Enabled", ["true", "false"])]
    ]
    shown, token = page(params, windows, default=50)
    hidden = ("AllowUnassociatedTargets",)
    identities = [
        {
            "WindowId": window.id,
            **{name: value for name, value in window.settings.items() if name not in hidden},
            "Enabled": window.enabled,
            "NextExecutionTime": _next(window, call.now),
        }
        for window in shown
    ]
    return {"WindowIdentities": identities, **token}


def describe_maintenance_window_schedule(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    filters = filter_values(params, ("ScheduledBefore", "ScheduledAfter"), "ValidationException")
    after = max(_time(filters.get("ScheduledAfter"), call.now), call.now)
    before = _time(filters.get("ScheduledBefore"), datetime.max.replace(tzinfo=UTC))
    if "WindowId" in params:
        windows = [find(call, params["WindowId"])]
    elif "Targets" in params:
        windows = _covering(call, params["Targets"])
    else:
        windows = list(call.region.windows.values())
    planned = [
        (at, window)
        for window in windows
        if window.enabled
        for at in takewhile(lambda at: at <= before, islice(window.openings(after), _LONGEST_LOOK_AHEAD))
    ]
    planned.sort(key=lambda item: item[0])
    shown, token = page(params, planned, default=50)
    executions = [
        {"WindowId": window.id, "Name": window.settings["Name"], "ExecutionTime": at.strftime("%Y-%m-%dT%H:%MZ")}
        for at, window in shown
    ]
    return {"ScheduledWindowExecutions": executions, **token}


def describe_maintenance_windows_for_target(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    shown, token = page(params, _covering(call, params["Targets"]), default=50)
    identities = [{"WindowId": window.id, "Name": window.settings["Name"]} for window in shown]
    return {"WindowIdentities": identities, **token}


def describe_maintenance_window_executions(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    filters = filter_values(params, ("ExecutedBefore", "ExecutedAfter"), "ValidationException")
    after = _time(filters.get("ExecutedAfter"), datetime.min.replace(tzinfo=UTC))
    before = _time(filters.get("ExecutedBefore"), datetime.max.replace(tzinfo=UTC))
    window = call.region.windows.get(params["WindowId"])
    executions = reversed(window.executions if window else [])
    shown, token = page(params, [e for e in executions if after <= e.started <= before], default=50)
    return {
        "WindowExecutions": [
            {
                "WindowId": params["WindowId"],
                "WindowExecutionId": execution.id,
                "Status": execution.status,
                "StatusDetails": execution.details or None,
                "StartTime": execution.started,
                "EndTime": execution.ended,
            }
            for execution in shown
        ],
        **token,
    }


def describe_maintenance_window_targets(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    window = find(call, params["WindowId"])
    filters = filter_values(params, ("Type", "WindowTargetId", "OwnerInformation"), "ValidationException")
    targets = [
        target
        for target in window.targets.values()
        if target.resource_type in filters.get("Type", [target.resource_type])
        and target.id in filters.get("WindowTargetId", [target.id])
        and target.described.get("OwnerInformation", "") in filters.get("OwnerInformation", [_owner(target)])
    ]
    shown, token = page(params, targets, default=50)
    return {
        "Targets": [
            {
                "WindowId": window.id,
                "WindowTargetId": target.id,
                "ResourceType": target.resource_type,
                "Targets": target.targets,
                **target.described,
            }
            for target in shown
        ],
        **token,
    }


def describe_maintenance_window_tasks(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    window = find(call, params["WindowId"])
    filters = filter_values(params, ("WindowTaskId", "TaskArn", "Priority", "TaskType"), "ValidationException")
    tasks = [
        task
        for task in window.tasks.values()
        if all(str({**task.params, "WindowTaskId": task.id}.get(key)) in values for key, values in filters.items())
    ]
    shown, token = page(params, tasks, default=50)
    hidden = ("TaskInvocationParameters", "TaskType")
    return {
        "Tasks": [
            {
                **{name: value for name, value in task.params.items() if name not in hidden},
                "WindowTaskId": task.id,
                "Type": task.params["TaskType"],
            }
            for task in shown
        ],
        **token,
    }


def get_maintenance_window_task(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    task = find_task(call, params)
    return {**task.params, "WindowTaskId": task.id}


def find(call: Call, window_id: str) -> MaintenanceWindow:
    window = call.region.windows.get(window_id)
    if window is None:
        raise SsmError("DoesNotExistException", f"Maintenance window {window_id} does not exist")
    return window


def find_target(call: Call, params: dict[str, Any]) -> WindowTarget:
    target = find(call, params["WindowId"]).targets.get(params["WindowTargetId"])
    if target is None:
        raise SsmError("DoesNotExistException", f"Maintenance window target {params['WindowTargetId']} does not exist")
    return target


def find_task(call: Call, params: dict[str, Any]) -> WindowTask:
    task = find(call, params["WindowId"]).tasks.get(params["WindowTaskId"])
    if task is None:
        raise SsmError("DoesNotExistException", f"Maintenance window task {params['WindowTaskId']} does not exist")
    return task


def _covering(call: Call, targets: list[dict[str, Any]]) -> list[MaintenanceWindow]:
    """The windows whose registered targets include one of the nodes that `targets` name now."""
    asked = {node.id for node in call.world.resolve(call.region, targets)}
    return [
        window
        for window in call.region.windows.values()
        if any(
            node.id in asked
            for target in window.targets.values()
            for node in call.world.resolve(call.region, target.targets)
        )
    ]


def _owner(target: WindowTarget) -> str:
    return str(target.described.get("OwnerInformation", ""))


def _next(window: MaintenanceWindow, now: datetime) -> str | None:
    at = window.next_opening(now)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z" if at else None


def _time(values: list[str] | None, otherwise: datetime) -> datetime:
    if not values:
        return otherwise
    try:
        moment = datetime.fromisoformat(values[0])
    except ValueError as bad:
        raise SsmError("ValidationException", f"The filter value {values[0]} is not a timestamp.") from bad
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


OPERATIONS: dict[str, Operation] = {
    "GetMaintenanceWindow": get_maintenance_window,
    "DescribeMaintenanceWindows": describe_maintenance_windows,
    "DescribeMaintenanceWindowSchedule": describe_maintenance_window_schedule,
    "DescribeMaintenanceWindowsForTarget": describe_maintenance_windows_for_target,
    "DescribeMaintenanceWindowExecutions": describe_maintenance_window_executions,
    "DescribeMaintenanceWindowTargets": describe_maintenance_window_targets,
    "DescribeMaintenanceWindowTasks": describe_maintenance_window_tasks,
    "GetMaintenanceWindowTask": get_maintenance_window_task,
}
