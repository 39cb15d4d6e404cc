"""What a maintenance window does when it opens, and a window that installs without asking anybody."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sandbox.aws.fleet import Environment
from sandbox.aws.model import SsmError
from sandbox.aws.node import ManagedNode
from sandbox.aws.region import Region
from sandbox.aws.windows import Execution, MaintenanceWindow, WindowTarget, WindowTask

Resolve = Callable[[Region, Iterable[Mapping[str, Any]]], list[ManagedNode]]
Send = Callable[[Region, list[ManagedNode], datetime, dict[str, Any]], object]


def run_tasks(region: Region, window: MaintenanceWindow, at: datetime, resolve: Resolve, send: Send) -> None:
    """Run the window's Run Command tasks, by priority; there is nobody whom it would ask."""
    tasks = [task.params for task in window.tasks.values() if task.params["TaskType"] == "RUN_COMMAND"]
    status, details = "SUCCESS", "" if tasks else "No tasks to execute."
    for task in sorted(tasks, key=lambda params: params.get("Priority", 1)):
        run = task.get("TaskInvocationParameters", {}).get("RunCommand", {})
        params = {"DocumentName": task["TaskArn"], **run}
        params |= {name: task[name] for name in ("MaxConcurrency", "MaxErrors") if name in task}
        try:
            send(region, _nodes(region, window, task, resolve), at, params)
        except SsmError as refused:
            status, details = "FAILED", f"One or more tasks in the orchestration failed: {refused.message}"[:250]
    window.executions.append(Execution(str(uuid4()), at, at + timedelta(seconds=1), status, details))


def _nodes(region: Region, window: MaintenanceWindow, task: dict[str, Any], resolve: Resolve) -> list[ManagedNode]:
    nodes: dict[str, ManagedNode] = {}
    for target in task.get("Targets", []):
        if target["Key"] == "WindowTargetIds":
            chosen = [window.targets[value].targets for value in target["Values"] if value in window.targets]
        else:
            chosen = [[target]]
        for targets in chosen:
            nodes |= {node.id: node for node in resolve(region, targets)}
    return list(nodes.values())


def install_window(region: Region, environment: Environment, at: datetime) -> MaintenanceWindow:
    """A weekly window, on Sundays at 03:00 UTC, whose one task installs on the environment's patch group."""
    settings = {
        "Name": f"{environment.patch_group}-install",
        "Schedule": "cron(0 3 ? * SUN *)",
        "Duration": 3,
        "Cutoff": 1,
        "AllowUnassociatedTargets": False,
    }
    window = region.add_window(settings, at)
    group = [{"Key": "tag:PatchGroup", "Values": [environment.patch_group]}]
    target = WindowTarget(str(uuid4()), "INSTANCE", group, {})
    task = {
        "WindowId": window.id,
        "TaskArn": "AWS-RunPatchBaseline",
        "TaskType": "RUN_COMMAND",
        "Targets": [{"Key": "WindowTargetIds", "Values": [target.id]}],
        "TaskInvocationParameters": {"RunCommand": {"Parameters": {"Operation": ["Install"]}}},
        "Priority": 1,
        "MaxConcurrency": "50",
        "MaxErrors": "0",
    }
    window.targets[target.id] = target
    task_id = str(uuid4())
    window.tasks[task_id] = WindowTask(task_id, task)
    return window
