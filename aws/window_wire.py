"""A window's settings as Systems Manager's requests write them, and read back from its answers.

Field names and limits are those of botocore's ssm model (facts/aws-simulation.md, facts/patch-manager.md section 5).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from patching.documents import operation_of, patches
from patching.model import Operation
from patching.nodes import INSTANCE_IDS
from patching.planned import TargetList
from patching.window_spec import OPERATION, REBOOT_OPTION, SpecProblems, WindowSpec, read_spec

RUN_COMMAND: Final = "RUN_COMMAND"
_WINDOW_TARGETS: Final = "WindowTargetIds"
# What this bot has no word for stays as it is at AWS when a window is edited.
_KEPT_OF_TARGET: Final = ("Name", "Description", "OwnerInformation")
_KEPT_OF_TASK: Final = ("Name", "Description", "AlarmConfiguration")
_OF_DOCUMENT: Final = ("DocumentHash", "DocumentHashType")
_OF_OUTPUT: Final = ("CloudWatchLogGroupName",)
# What AWS shows of a task that was given no role: it can't be passed on, and need not be.
_SERVICE_LINKED: Final = ":role/aws-service-role/"


class NotEditable(Exception):
    """One clear sentence: the window has something that can't be said here, and must be edited in Systems Manager."""


class OnlyScans(Exception):
    """One clear sentence: this would have made a window install where windows may only scan."""


@dataclass(frozen=True, slots=True)
class ExistingWindow:
    """What AWS says of a window: the answers of GetMaintenanceWindow, DescribeMaintenanceWindowTargets and, for each
    task, GetMaintenanceWindowTask."""

    window: Mapping[str, Any]
    targets: Sequence[Mapping[str, Any]]
    tasks: Sequence[Mapping[str, Any]]

    @property
    def id(self) -> str:
        return str(self.window["WindowId"])

    @property
    def target(self) -> Mapping[str, Any] | None:
        return self.targets[0] if self.targets else None

    @property
    def task(self) -> Mapping[str, Any] | None:
        return self.tasks[0] if self.tasks else None

    def check_editable(self) -> None:
        """Raises NotEditable."""
        if len(self.tasks) > 1 or len(self.targets) > 1:
            raise NotEditable(
                f"The window {self.id} has {len(self.tasks)} tasks and {len(self.targets)} targets, and only one with "
                "one of each can be edited here; nothing was changed, edit it in Systems Manager."
            )
        if self.task and self.task["TaskType"] != RUN_COMMAND:
            raise NotEditable(
                f"The task of the window {self.id} is of type {self.task['TaskType']}, and only Run Command tasks can "
                "be edited here; nothing was changed, edit it in Systems Manager."
            )
        if self.target and self.names_nodes_itself:
            raise NotEditable(
                f"The task of the window {self.id} names its nodes beside the window's targets, which can't be edited "
                "here; nothing was changed, edit it in Systems Manager."
            )
        if self.target and self.target["ResourceType"] != "INSTANCE":
            raise NotEditable(
                f"The window {self.id} chooses its nodes by a resource group, which can't be edited here; nothing was "
                "changed, edit it in Systems Manager."
            )

    @property
    def names_nodes_itself(self) -> bool:
        """Whether its task has targets of its own instead of the window's."""
        return bool(self.task) and any(each["Key"] != _WINDOW_TARGETS for each in (self.task or {}).get("Targets", []))

    def may_install(self) -> bool:
        """Whether a task patches and is not known to scan only."""
        return any(
            patches(task["TaskArn"]) and operation_of(task["TaskArn"], _parameters(task)) != "Scan"
            for task in self.tasks
        )

    @property
    def alternatives(self) -> tuple[TargetList, ...]:
        """Its own targets and those that its tasks name themselves."""
        direct = ([each for each in task.get("Targets", []) if each["Key"] != _WINDOW_TARGETS] for task in self.tasks)
        written = (*(target["Targets"] for target in self.targets), *filter(None, direct))
        return tuple(tuple((each["Key"], tuple(each["Values"])) for each in targets) for targets in written)

    def spec(self) -> WindowSpec:
        """Its settings; one without a task reads as one that scans. Raises NotEditable."""
        self.check_editable()
        try:
            return read_spec(_values(self.window, self._written_targets(), self.task or {}))
        except SpecProblems as found:
            raise NotEditable(
                f"The window {self.id} can't be edited here: {found} Nothing was changed, edit it in Systems Manager."
            ) from None

    def _written_targets(self) -> Sequence[Mapping[str, Any]]:
        """Its own, or where it has none those that its task names itself."""
        if self.target:
            return cast("Sequence[Mapping[str, Any]]", self.target["Targets"])
        direct = (self.task or {}).get("Targets", [])
        return [each for each in direct if each["Key"] != _WINDOW_TARGETS]


def window_settings(spec: WindowSpec) -> dict[str, Any]:
    """CreateMaintenanceWindow's and UpdateMaintenanceWindow's members; what is not set is left out."""
    settings = {
        "Name": spec.name,
        "Description": spec.description,
        "Schedule": spec.schedule,
        "ScheduleTimezone": spec.timezone,
        "ScheduleOffset": spec.schedule_offset or None,
        "StartDate": spec.start_date.isoformat() if spec.start_date else None,
        "EndDate": spec.end_date.isoformat() if spec.end_date else None,
        "Duration": spec.duration_hours,
        "Cutoff": spec.cutoff_hours,
        "AllowUnassociatedTargets": spec.allow_unassociated_targets,
    }
    return {name: value for name, value in settings.items() if value is not None}


def written_targets(spec: WindowSpec) -> list[dict[str, Any]]:
    return [
        {"Key": "InstanceIds" if key == INSTANCE_IDS else key, "Values": list(values)}
        for key, values in spec.targets.items()
    ]


def target_settings(spec: WindowSpec, existing: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """RegisterTargetWithMaintenanceWindow's and UpdateMaintenanceWindowTarget's; the rest of `existing` stays."""
    return {"Targets": written_targets(spec), **_kept(existing or {}, _KEPT_OF_TARGET)}


def task_settings(
    spec: WindowSpec, target_id: str | None, *, scan_only: bool, existing: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """RegisterTaskWithMaintenanceWindow's and UpdateMaintenanceWindowTask's; the rest of `existing` stays.

    Without `target_id` the task names its nodes itself. Raises OnlyScans: the last look before a request is made.
    """
    if scan_only and spec.task_parameters[OPERATION] != [Operation.SCAN.value]:
        raise OnlyScans(
            f"The window {spec.name} would install on production, past the gate; nothing was sent. Let it Scan, and "
            "install with `/patch install APP ENV window`."
        )
    targets = [{"Key": _WINDOW_TARGETS, "Values": [target_id]}] if target_id else written_targets(spec)
    settings = {
        "TaskArn": spec.document,
        "Targets": targets,
        "TaskInvocationParameters": {"RunCommand": _run_command(spec, existing or {})},
        "Priority": spec.priority,
        "MaxConcurrency": spec.max_concurrency,
        "MaxErrors": spec.max_errors,
        "ServiceRoleArn": spec.service_role_arn,
        "CutoffBehavior": spec.cutoff_behavior,
        **_kept(existing or {}, _KEPT_OF_TASK),
    }
    return {name: value for name, value in settings.items() if value is not None}


def _run_command(spec: WindowSpec, task: Mapping[str, Any]) -> dict[str, Any]:
    before = _invocation(task)
    group = _kept(before.get("CloudWatchOutputConfig", {}), _OF_OUTPUT)
    notification = {
        "NotificationArn": spec.sns_topic_arn,
        "NotificationEvents": list(spec.sns_events),
        "NotificationType": spec.sns_type,
    }
    same_document = (task.get("TaskArn"), before.get("DocumentVersion")) == (spec.document, spec.document_version)
    settings = {
        "Parameters": spec.task_parameters,
        "TimeoutSeconds": spec.delivery_seconds,
        "Comment": spec.comment or None,
        "DocumentVersion": spec.document_version,
        "OutputS3BucketName": spec.s3_bucket,
        "OutputS3KeyPrefix": spec.s3_prefix or None,
        "NotificationConfig": notification if spec.sns_topic_arn else None,
        "ServiceRoleArn": spec.sns_role_arn,
        "CloudWatchOutputConfig": {**group, "CloudWatchOutputEnabled": True} if spec.cloudwatch_output else None,
        **(_kept(before, _OF_DOCUMENT) if same_document else {}),
    }
    return {name: value for name, value in settings.items() if value is not None}


def _values(
    window: Mapping[str, Any], targets: Sequence[Mapping[str, Any]], task: Mapping[str, Any]
) -> Mapping[str, Any]:
    """As `read_spec` takes them; what AWS does not tell is left to its defaults."""
    command = _invocation(task)
    parameters = dict(_parameters(task)) if task else {OPERATION: [Operation.SCAN.value]}
    notification = command.get("NotificationConfig", {})
    role = str(task.get("ServiceRoleArn", ""))
    logging = task.get("LoggingInfo", {})  # where tasks that were registered long ago have their bucket
    values = {
        "name": window["Name"],
        "description": window.get("Description"),
        "schedule": window["Schedule"],
        "schedule_offset": window.get("ScheduleOffset"),
        "timezone": window.get("ScheduleTimezone"),
        "start_date": window.get("StartDate"),
        "end_date": window.get("EndDate"),
        "duration_hours": window["Duration"],
        "cutoff_hours": window["Cutoff"],
        "allow_unassociated_targets": window["AllowUnassociatedTargets"],
        "document": task.get("TaskArn"),
        "document_version": command.get("DocumentVersion"),
        "comment": command.get("Comment"),
        "delivery_seconds": command.get("TimeoutSeconds"),
        "max_concurrency": task.get("MaxConcurrency"),
        "max_errors": task.get("MaxErrors"),
        "priority": task.get("Priority"),
        "cutoff_behavior": task.get("CutoffBehavior"),
        "service_role_arn": None if _SERVICE_LINKED in role else role,
        "s3_bucket": command.get("OutputS3BucketName") or logging.get("S3BucketName"),
        "s3_prefix": command.get("OutputS3KeyPrefix") or logging.get("S3KeyPrefix"),
        "sns_topic_arn": notification.get("NotificationArn"),
        "sns_events": notification.get("NotificationEvents"),
        "sns_type": notification.get("NotificationType"),
        "sns_role_arn": command.get("ServiceRoleArn"),
        "cloudwatch_output": command.get("CloudWatchOutputConfig", {}).get("CloudWatchOutputEnabled"),
        "reboot_option": _only(parameters.pop(REBOOT_OPTION, [])),
    }
    return {
        **{name: value for name, value in values.items() if value not in (None, "", [])},
        "operation": _only(parameters.pop(OPERATION, [])),
        "parameters": parameters,
        "targets": {INSTANCE_IDS if each["Key"] == "InstanceIds" else each["Key"]: each["Values"] for each in targets},
    }


def _invocation(task: Mapping[str, Any]) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", task.get("TaskInvocationParameters", {}).get("RunCommand", {}))


def _parameters(task: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """Tasks that were registered before TaskInvocationParameters came have theirs elsewhere."""
    older = {name: each.get("Values", []) for name, each in task.get("TaskParameters", {}).items()}
    return _invocation(task).get("Parameters") or older


def _only(values: Sequence[str]) -> str | None:
    """Several are no value that an option may have, and refused as such."""
    return ", ".join(values) or None


def _kept(existing: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: existing[name] for name in names if existing.get(name)}
