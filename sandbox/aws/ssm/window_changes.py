"""Maintenance windows' operations that make and change them, their targets and their tasks."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfoNotFoundError

from sandbox.aws.model import SsmError
from sandbox.aws.ssm.call import Call, Operation
from sandbox.aws.ssm.windows import find, find_target, find_task
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
_DESCRIBED = ("Name", "Description", "OwnerInformation")
_NOT_KEPT = ("ClientToken", "Replace", "WindowTaskId")


def create_maintenance_window(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    def create() -> dict[str, Any]:
        settings = {name: params[name] for name in _SETTINGS if name in params}
        _check(MaintenanceWindow("", settings, call.now, call.now))
        window = call.region.add_window(settings, call.now)
        window.tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags", [])}
        call.world.keep_opening(window, call.now)
        return {"WindowId": window.id}

    return _once(call, params, create)


def update_maintenance_window(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    window = find(call, params["WindowId"])
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


def register_target(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    window = find(call, params["WindowId"])

    def register() -> dict[str, Any]:
        described: dict[str, Any] = {
            name: params[name] for name in ("Name", "Description", "OwnerInformation") if name in params
        }
        target = WindowTarget(str(uuid4()), params["ResourceType"], params["Targets"], described)
        window.targets[target.id] = target
        return {"WindowTargetId": target.id}

    return _once(call, params, register)


def register_task(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    window = find(call, params["WindowId"])
    if params["TaskType"] == "RUN_COMMAND":
        call.region.library.find(params["TaskArn"])

    def register() -> dict[str, Any]:
        task = WindowTask(str(uuid4()), {name: value for name, value in params.items() if name not in _NOT_KEPT})
        window.tasks[task.id] = task
        return {"WindowTaskId": task.id}

    return _once(call, params, register)


def update_target(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """With Replace, what is not given is gone; without, it stays."""
    target = find_target(call, params)
    given = {name: params[name] for name in _DESCRIBED if name in params}
    if params.get("Replace"):
        if not params.get("Targets"):
            raise SsmError("ValidationException", "Replace needs Targets.")
        target.described = given
    else:
        target.described = target.described | given
    target.targets = params.get("Targets", target.targets)
    ids = {"WindowId": params["WindowId"], "WindowTargetId": target.id}
    return {**ids, "Targets": target.targets, **target.described}


def update_task(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """With Replace, what is not given is gone; without, it stays. A task's type can't be changed."""
    task = find_task(call, params)
    given = {name: value for name, value in params.items() if name not in _NOT_KEPT}
    if params.get("Replace"):
        missing = [name for name in ("TaskArn", "Targets") if not given.get(name)]
        if missing:
            raise SsmError("ValidationException", f"Replace needs {', '.join(missing)}.")
        changed = {**given, "TaskType": task.params["TaskType"]}
    else:
        changed = task.params | given
    if changed["TaskType"] == "RUN_COMMAND":
        call.region.library.find(changed["TaskArn"])
    task.params = changed
    told = {name: value for name, value in changed.items() if name != "TaskType"}
    return {**told, "WindowTaskId": task.id}


def deregister_target(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """With Safe, a target that a task refers to stays."""
    target = find_target(call, params)
    window = find(call, params["WindowId"])
    if params.get("Safe") and any(target.id in _referred(task) for task in window.tasks.values()):
        raise SsmError("TargetInUseException", f"Maintenance window target {target.id} is used by a task.")
    del window.targets[target.id]
    return {"WindowId": window.id, "WindowTargetId": target.id}


def deregister_task(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    task = find_task(call, params)
    del find(call, params["WindowId"]).tasks[task.id]
    return {"WindowId": params["WindowId"], "WindowTaskId": task.id}


def _referred(task: WindowTask) -> set[str]:
    targets = task.params.get("Targets", [])
    return {value for each in targets if each["Key"] == "WindowTargetIds" for value in each["Values"]}


def _check(window: MaintenanceWindow) -> None:
    if window.settings["Cutoff"] >= window.settings["Duration"]:
        raise SsmError("ValidationException", "Cutoff must be less than Duration.")
    try:
        next(window.openings(window.modified), None)
    except (ValueError, ZoneInfoNotFoundError) as bad:  # BadSchedule, or a StartDate or EndDate that is no date
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


OPERATIONS: dict[str, Operation] = {
    "CreateMaintenanceWindow": create_maintenance_window,
    "UpdateMaintenanceWindow": update_maintenance_window,
    "DeleteMaintenanceWindow": delete_maintenance_window,
    "RegisterTargetWithMaintenanceWindow": register_target,
    "UpdateMaintenanceWindowTarget": update_target,
    "DeregisterTargetFromMaintenanceWindow": deregister_target,
    "RegisterTaskWithMaintenanceWindow": register_task,
    "UpdateMaintenanceWindowTask": update_task,
    "DeregisterTaskFromMaintenanceWindow": deregister_task,
}
