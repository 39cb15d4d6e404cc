"""Maintenance windows' operations."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import uuid4

from sandbox.aws.model import SsmError
from sandbox.aws.ssm.call import Call, Operation, filter_values
from sandbox.aws.ssm.paging import page
from sandbox.aws.windows import MaintenanceWindow, WindowTarget, WindowTask

_SETTINGS = (
    "Name",
    "Description",
    "StartDate",
    "EndDate",
    "Schedule",
    "ScheduleTimezone",
    "ScheduleOffset",
    "Duration",
    "Cutoff",
    "AllowUnassociatedTargets",
)
_REQUIRED = ("Name", "Schedule", "Duration", "Cutoff", "AllowUnassociatedTargets")
_LONGEST_LOOK_AHEAD = 200  # executions of one window


def create_maintenance_window(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    def create() -> dict[str, Any]:
        settings = {name: params[name] for name in _SETTINGS if name in params}
        _check(MaintenanceWindow("", settings, call.now, call.now))
        window = call.region.add_window(settings, call.now)
        call.world.keep_opening(window, call.now)
        return {"WindowId": window.id}

    return _once(call, params, create)


def update_maintenance_window(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    window = _find(call, params["WindowId"])
    given = {name: params[name] for name in _SETTINGS if name in params}
    settings = given if params.get("Replace") else window.settings | given
    missing = [name for name in _REQUIRED if name not in settings]
    if missing:
        raise SsmError("ValidationException", f"Replace needs {', '.join(missing)}.")
    _check(MaintenanceWindow(window.id, settings, window.created, call.now))
    window.settings, window.modified = settings, call.now
    window.enabled = params.get("Enabled", window.enabled)
    window.changes += 1
    call.world.keep_opening(window, call.now)
    return {"WindowId": window.id, **settings, "Enabled": window.enabled}


def delete_maintenance_window(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """Deleting what isn't there is no error."""
    window = call.region.windows.pop(params["WindowId"], None)
    if window is not None:
        window.changes += 1
    return {"WindowId": params["WindowId"]}


def get_maintenance_window(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    window = _find(call, params["WindowId"])
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
        windows = [_find(call, params["WindowId"])]
    elif "Targets" in params:
        windows = _covering(call, params["Targets"])
    else:
        windows = list(call.region.windows.values())
    planned = [
        (at, window)
        for window in windows
        if window.enabled
        for at in islice(window.openings(after), _LONGEST_LOOK_AHEAD)
        if at <= before
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


def register_target(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    window = _find(call, params["WindowId"])

    def register() -> dict[str, Any]:
        described: dict[str, Any] = {
            name: params[name] for name in ("Name", "Description", "OwnerInformation") if name in params
        }
        target = WindowTarget(str(uuid4()), params["ResourceType"], params["Targets"], described)
        window.targets[target.id] = target
        return {"WindowTargetId": target.id}

    return _once(call, params, register)


def register_task(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    window = _find(call, params["WindowId"])
    if params["TaskType"] == "RUN_COMMAND":
        call.region.library.find(params["TaskArn"])

    def register() -> dict[str, Any]:
        task = WindowTask(str(uuid4()), {name: value for name, value in params.items() if name != "ClientToken"})
        window.tasks[task.id] = task
        return {"WindowTaskId": task.id}

    return _once(call, params, register)


def describe_maintenance_window_targets(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    window = _find(call, params["WindowId"])
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
    window = _find(call, params["WindowId"])
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
    task = _find(call, params["WindowId"]).tasks.get(params["WindowTaskId"])
    if task is None:
        raise SsmError("DoesNotExistException", f"Maintenance window task {params['WindowTaskId']} does not exist")
    return {**task.params, "WindowTaskId": task.id}


def _find(call: Call, window_id: str) -> MaintenanceWindow:
    window = call.region.windows.get(window_id)
    if window is None:
        raise SsmError("DoesNotExistException", f"Maintenance window {window_id} does not exist")
    return window


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


def _check(window: MaintenanceWindow) -> None:
    if window.settings["Cutoff"] >= window.settings["Duration"]:
        raise SsmError("ValidationException", "Cutoff must be less than Duration.")
    try:
        next(window.openings(window.modified), None)
    except ValueError as bad:  # BadSchedule, or a StartDate or EndDate that is no date
        raise SsmError("ValidationException", str(bad)) from bad


def _once(call: Call, params: dict[str, Any], act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The same ClientToken with the same parameters gives the same answer, and acts once."""
    token = params.get("ClientToken")
    if token is None:
        return act()
    if token not in call.region.tokens:
        call.region.tokens[token] = (params, act())
    asked, answer = call.region.tokens[token]
    if asked != params:
        raise SsmError("IdempotentParameterMismatch", "The client token was used with other parameters.")
    return answer


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
    "CreateMaintenanceWindow": create_maintenance_window,
    "UpdateMaintenanceWindow": update_maintenance_window,
    "DeleteMaintenanceWindow": delete_maintenance_window,
    "GetMaintenanceWindow": get_maintenance_window,
    "DescribeMaintenanceWindows": describe_maintenance_windows,
    "DescribeMaintenanceWindowSchedule": describe_maintenance_window_schedule,
    "DescribeMaintenanceWindowsForTarget": describe_maintenance_windows_for_target,
    "DescribeMaintenanceWindowExecutions": describe_maintenance_window_executions,
    "DescribeMaintenanceWindowTargets": describe_maintenance_window_targets,
    "DescribeMaintenanceWindowTasks": describe_maintenance_window_tasks,
    "GetMaintenanceWindowTask": get_maintenance_window_task,
    "RegisterTargetWithMaintenanceWindow": register_target,
    "RegisterTaskWithMaintenanceWindow": register_task,
}
