"""Run Command's operations."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.aws.command import Command, Invocation
from sandbox.aws.documents import Step
from sandbox.aws.model import SsmError
from sandbox.aws.ssm.call import Call, Operation
from sandbox.aws.ssm.paging import page

_NO_NOTIFICATION = {"NotificationArn": "", "NotificationEvents": [], "NotificationType": ""}
_NO_CLOUDWATCH = {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": False}
# GetCommandInvocation may not know what was sent a moment ago (facts/patch-manager.md section 4).
_UNKNOWN_FOR = timedelta(milliseconds=200)


def send_command(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    ids, targets = params.get("InstanceIds", []), params.get("Targets", [])
    if bool(ids) == bool(targets):
        raise SsmError("ValidationException", "Specify either InstanceIds or Targets, and not both.")
    if len(set(ids)) < len(ids):
        raise SsmError("DuplicateInstanceId")
    account = call.region.account
    gone = [i for i in ids if i not in call.region.nodes or not call.world.registered(call.region.nodes[i])]
    if gone:
        message = f"Instances [[{', '.join(gone)}]] not in a valid state for account {account}"
        raise SsmError("InvalidInstanceId", message)
    nodes = [call.region.nodes[i] for i in ids] if ids else call.world.resolve(call.region, targets)
    platforms = call.region.library.find(params["DocumentName"], params.get("DocumentVersion")).platforms
    if any(node.platform.type not in platforms for node in nodes):
        raise SsmError("UnsupportedPlatformType", f"The document runs on {', '.join(platforms)} only.")
    command = call.world.send(call.region, nodes, call.now, params, foreign=False)
    return {"Command": _command(command)}


def cancel_command(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    command = _find(call, params["CommandId"])
    ids = params.get("InstanceIds", [])
    if len(set(ids)) < len(ids):
        raise SsmError("DuplicateInstanceId")
    chosen = [i for i in command.invocations if not ids or i.node.id in ids]
    if len(chosen) < len(ids):
        raise SsmError("InvalidInstanceId", "An instance is not a target of the command.")
    call.world.cancel(command, chosen, call.now)
    return {}


def list_commands(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    commands = _chosen(call, params)
    filters = _filters(params, ("InvokedAfter", "InvokedBefore", "Status", "ExecutionStage", "DocumentName"))
    commands = [c for c in commands if _passes(c, filters) and _has_status(filters, *c.status)]
    shown, token = page(params, commands, default=50)
    return {"Commands": [_command(command) for command in shown], **token}


def list_command_invocations(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    filters = _filters(params, ("InvokedAfter", "InvokedBefore", "Status", "DocumentName"))
    invocations = [
        (command, invocation)
        for command in _chosen(call, params)
        if _passes(command, filters)
        for invocation in command.invocations
        if params.get("InstanceId") in (None, invocation.node.id)
        and _has_status(filters, invocation.status, invocation.details)
    ]
    shown, token = page(params, invocations, default=50)
    details = params.get("Details", False)
    return {"CommandInvocations": [_invocation(call, c, i, details) for c, i in shown], **token}


def get_command_invocation(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    command = call.region.commands.get(params["CommandId"])
    invocation = command.invocation(params["InstanceId"]) if command else None
    if command is None or invocation is None or call.now < command.requested + _UNKNOWN_FOR:
        raise SsmError("InvocationDoesNotExist")
    steps = {step.name: step for step in command.document.steps}
    plugin = params.get("PluginName") or (next(iter(steps)) if len(steps) == 1 else "")
    if plugin not in steps:  # a document of several steps needs the name of one
        raise SsmError("InvalidPluginName")
    seen = _seen(command, invocation, steps[plugin])
    began, ended = (None, None) if seen.skipped else (seen.started, seen.ended)
    elapsed = f"PT{(ended - began).total_seconds():.3f}S" if began and ended else ""
    return {
        "CommandId": command.id,
        "InstanceId": invocation.node.id,
        "Comment": command.comment,
        "DocumentName": command.document.name,
        "DocumentVersion": command.document_version or "$DEFAULT",
        "PluginName": plugin,
        "ResponseCode": seen.code,
        "ExecutionStartDateTime": _iso(began),
        "ExecutionElapsedTime": elapsed,
        "ExecutionEndDateTime": _iso(ended),
        "Status": seen.status,
        "StatusDetails": seen.details,
        "StandardOutputContent": seen.output[:24000],
        "StandardOutputUrl": "",
        "StandardErrorContent": seen.error[:8000],
        "StandardErrorUrl": "",
        "CloudWatchOutputConfig": _NO_CLOUDWATCH,
    }


@dataclass(frozen=True)
class _Seen:
    """A step as SSM shows it."""

    status: str
    details: str
    code: int = -1
    started: datetime | None = None
    ended: datetime | None = None
    output: str = ""
    error: str = ""
    skipped: bool = False


def _seen(command: Command, invocation: Invocation, step: Step) -> _Seen:
    """A step that has ended tells its own result; the one that is at work, or would be the first, the invocation's."""
    result = invocation.steps.get(step.name)
    if result is not None and result.ended is not None:
        times = (result.started, result.ended)
        details = "ExecutionTimedOut" if result.status == "TimedOut" else result.status
        return _Seen(result.status, details, result.code, *times, result.output, result.error, skipped=result.skipped)
    if invocation.speaks_for(command.document, step):
        began = result.started if result is not None else invocation.started
        return _Seen(invocation.status, invocation.details, -1, began, invocation.ended)
    return _Seen("Pending", "Pending")


def _find(call: Call, command_id: str) -> Command:
    command = call.region.commands.get(command_id)
    if command is None:
        raise SsmError("InvalidCommandId")
    return command


def _chosen(call: Call, params: dict[str, Any]) -> list[Command]:
    """Newest first, narrowed by CommandId and InstanceId."""
    if params.get("CommandId"):
        commands = [_find(call, params["CommandId"])]
    else:
        commands = list(reversed(call.region.commands.values()))
    if params.get("InstanceId"):
        commands = [command for command in commands if command.invocation(params["InstanceId"])]
    return commands


def _filters(params: dict[str, Any], known: tuple[str, ...]) -> dict[str, str]:
    filters = {item["key"]: item["value"] for item in params.get("Filters", [])}
    if any(key not in known for key in filters):
        raise SsmError("InvalidFilterKey")
    return filters


def _passes(command: Command, filters: dict[str, str]) -> bool:
    if "InvokedAfter" in filters and command.requested < _moment(filters["InvokedAfter"]):
        return False
    if "InvokedBefore" in filters and command.requested > _moment(filters["InvokedBefore"]):
        return False
    if filters.get("DocumentName", command.document.name) != command.document.name:
        return False
    complete = command.completed == len(command.invocations)
    return filters.get("ExecutionStage") in (None, "Complete" if complete else "Executing")


def _has_status(filters: dict[str, str], status: str, details: str) -> bool:
    return filters.get("Status") in (None, status, details)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as bad:
        raise SsmError("ValidationException", f"The filter value {text} is not a timestamp.") from bad
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _command(command: Command) -> dict[str, Any]:
    status, details = command.status
    return {
        "CommandId": command.id,
        "DocumentName": command.document.name,
        "DocumentVersion": command.document_version or "$DEFAULT",
        "Comment": command.comment,
        "ExpiresAfter": command.expires,
        "Parameters": command.given,
        "InstanceIds": command.instance_ids,
        "Targets": command.targets,
        "RequestedDateTime": command.requested,
        "Status": status,
        "StatusDetails": details,
        "MaxConcurrency": command.max_concurrency,
        "MaxErrors": command.max_errors,
        "TargetCount": len(command.invocations),
        "CompletedCount": command.completed,
        "ErrorCount": command.errors,
        "DeliveryTimedOutCount": sum(i.details == "DeliveryTimedOut" for i in command.invocations),
        "ServiceRole": "",
        "NotificationConfig": _NO_NOTIFICATION,
        "CloudWatchOutputConfig": _NO_CLOUDWATCH,
        "TimeoutSeconds": command.timeout_seconds,
    }


def _invocation(call: Call, command: Command, invocation: Invocation, details: bool) -> dict[str, Any]:
    return {
        "CommandId": command.id,
        "InstanceId": invocation.node.id,
        "InstanceName": invocation.node.name,
        "Comment": command.comment,
        "DocumentName": command.document.name,
        "DocumentVersion": command.document_version or "$DEFAULT",
        "RequestedDateTime": command.requested,
        "Status": invocation.status,
        "StatusDetails": invocation.details,
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
        "CommandPlugins": [_plugin(call, command, invocation, step) for step in command.document.steps]
        if details
        else [],
        "ServiceRole": "",
        "NotificationConfig": _NO_NOTIFICATION,
        "CloudWatchOutputConfig": _NO_CLOUDWATCH,
    }


def _plugin(call: Call, command: Command, invocation: Invocation, step: Step) -> dict[str, Any]:
    seen = _seen(command, invocation, step)
    status = {"Cancelling": "InProgress", "Delayed": "Pending"}.get(seen.status, seen.status)
    plugin = {"Name": step.name, "Status": status, "StatusDetails": seen.details, "ResponseCode": seen.code}
    if not seen.skipped:
        plugin |= {"ResponseStartDateTime": seen.started, "ResponseFinishDateTime": seen.ended}
    said = {"Output": (seen.output + seen.error)[:2500], "OutputS3Region": call.region.name}
    return plugin | {"StandardOutputUrl": "", "StandardErrorUrl": ""} | said


def _iso(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z" if moment else ""


OPERATIONS: dict[str, Operation] = {
    "SendCommand": send_command,
    "CancelCommand": cancel_command,
    "ListCommands": list_commands,
    "ListCommandInvocations": list_command_invocations,
    "GetCommandInvocation": get_command_invocation,
}
