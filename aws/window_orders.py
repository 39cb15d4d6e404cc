"""Making and changing maintenance windows: each call by itself, for `scheduler/window_orders.py` to put together.

What makes something takes a client token: asked for again after a lost answer, AWS gives the one that was made. What
changes something says all of it, so that it may be said twice. Requests that change something are sent once: the sweep
repeats them, which knows what was asked for and for how long. Every method raises AwsError.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from aws.backup_answers import PREFIX
from aws.caller import Caller
from aws.errors import calling
from aws.target import Target
from aws.window_wire import RUN_COMMAND, ExistingWindow, target_settings, task_settings, window_settings
from aws.windows import parse_execution_time
from patching.window_spec import WindowSpec

_PAGE: Final = 100


class WindowOrders(Caller):
    def create(self, target: Target, spec: WindowSpec, tags: Mapping[str, str], token: str) -> str:
        """The new window's id. `tags`, here without our prefix, tell whose it is."""
        client = self._sessions.client("ssm", target, retries=False)
        with calling("CreateMaintenanceWindow", target, spec.name):
            made = client.create_maintenance_window(
                **window_settings(spec),
                ClientToken=token,
                Tags=[{"Key": f"{PREFIX}{name}", "Value": value} for name, value in tags.items()],
            )
            return made["WindowId"]

    def register_target(self, target: Target, window_id: str, spec: WindowSpec, token: str) -> str:
        """The new target's id."""
        client = self._sessions.client("ssm", target, retries=False)
        with calling("RegisterTargetWithMaintenanceWindow", target, window_id):
            made = client.register_target_with_maintenance_window(
                WindowId=window_id, ResourceType="INSTANCE", ClientToken=token, **target_settings(spec)
            )
            return made["WindowTargetId"]

    def register_task(
        self, target: Target, window_id: str, target_id: str, spec: WindowSpec, token: str, *, scan_only: bool
    ) -> str:
        """The new task's id. Raises OnlyScans too."""
        settings = task_settings(spec, target_id, scan_only=scan_only)
        client = self._sessions.client("ssm", target, retries=False)
        with calling("RegisterTaskWithMaintenanceWindow", target, window_id):
            made = client.register_task_with_maintenance_window(
                WindowId=window_id, TaskType=RUN_COMMAND, ClientToken=token, **settings
            )
            return made["WindowTaskId"]

    def existing(self, target: Target, window_id: str) -> ExistingWindow:
        """The window as it is now.

        Calls: GetMaintenanceWindow, DescribeMaintenanceWindowTargets, DescribeMaintenanceWindowTasks, and
        GetMaintenanceWindowTask for each task.
        """
        client = self._sessions.client("ssm", target)
        with calling("GetMaintenanceWindow", target, window_id):
            window = client.get_maintenance_window(WindowId=window_id)
        with calling("DescribeMaintenanceWindowTargets", target, window_id):
            target_pages = client.get_paginator("describe_maintenance_window_targets").paginate(
                WindowId=window_id, PaginationConfig={"PageSize": _PAGE}
            )
            targets = [each for page in target_pages for each in page["Targets"]]
        with calling("DescribeMaintenanceWindowTasks", target, window_id):
            task_pages = client.get_paginator("describe_maintenance_window_tasks").paginate(
                WindowId=window_id, PaginationConfig={"PageSize": _PAGE}
            )
            task_ids = [each["WindowTaskId"] for page in task_pages for each in page["Tasks"]]
        tasks = []
        for task_id in task_ids:
            with calling("GetMaintenanceWindowTask", target, f"{window_id}/{task_id}"):
                tasks.append(client.get_maintenance_window_task(WindowId=window_id, WindowTaskId=task_id))
        return ExistingWindow(window, targets, tasks)

    def read(self, target: Target, window_id: str) -> WindowSpec:
        """Its settings, for a form to begin with. Raises NotEditable too."""
        return self.existing(target, window_id).spec()

    def update_window(self, target: Target, existing: ExistingWindow, spec: WindowSpec) -> None:
        """It stays enabled or disabled as it was."""
        client = self._sessions.client("ssm", target, retries=False)
        with calling("UpdateMaintenanceWindow", target, existing.id):
            client.update_maintenance_window(
                WindowId=existing.id, Replace=True, Enabled=existing.window["Enabled"], **window_settings(spec)
            )

    def update_target(self, target: Target, existing: ExistingWindow, spec: WindowSpec) -> None:
        """Of a window with a target."""
        registered = existing.targets[0]
        client = self._sessions.client("ssm", target, retries=False)
        with calling("UpdateMaintenanceWindowTarget", target, existing.id):
            client.update_maintenance_window_target(
                WindowId=existing.id,
                WindowTargetId=registered["WindowTargetId"],
                Replace=True,
                **target_settings(spec, registered),
            )

    def update_task(
        self, target: Target, existing: ExistingWindow, target_id: str | None, spec: WindowSpec, *, scan_only: bool
    ) -> None:
        """Of a window with a task, which refers to `target_id`, or names its nodes itself. Raises OnlyScans too."""
        task = existing.tasks[0]
        settings = task_settings(spec, target_id, scan_only=scan_only, existing=task)
        client = self._sessions.client("ssm", target, retries=False)
        with calling("UpdateMaintenanceWindowTask", target, existing.id):
            client.update_maintenance_window_task(
                WindowId=existing.id, WindowTaskId=task["WindowTaskId"], Replace=True, **settings
            )

    def set_enabled(self, target: Target, window_id: str, enabled: bool) -> None:
        client = self._sessions.client("ssm", target, retries=False)
        with calling("UpdateMaintenanceWindow", target, window_id):
            client.update_maintenance_window(WindowId=window_id, Enabled=enabled)

    def delete(self, target: Target, window_id: str) -> None:
        """With its targets and tasks. One that is gone already is no error."""
        client = self._sessions.client("ssm", target, retries=False)
        with calling("DeleteMaintenanceWindow", target, window_id):
            client.delete_maintenance_window(WindowId=window_id)

    def next_executions(self, target: Target, window_id: str, count: int) -> tuple[datetime, ...]:
        """The next `count`, at most 100, as AWS tells them; none of a disabled window."""
        client = self._sessions.client("ssm", target)
        with calling("DescribeMaintenanceWindowSchedule", target, window_id):
            page = client.describe_maintenance_window_schedule(WindowId=window_id, MaxResults=_PAGE)
            times = sorted(parse_execution_time(each["ExecutionTime"]) for each in page["ScheduledWindowExecutions"])
            return tuple(times[:count])
