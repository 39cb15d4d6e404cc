"""Run Command's operations."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.aws.command import Command, Invocation
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
    steps = dict(command.document.steps)
    plugin = params.get("PluginName")
    if plugin not in steps:  # a document of several steps needs the name of one
        raise SsmError("InvalidPluginName")
    ran = steps[plugin] == invocation.node.platform.type
    began, ended = (invocation.started, invocation.ended) if ran else (None, None)
    elapsed = f"PT{(ended - began).total_seconds():.3f}S" if began and ended else ""
    return {
        "CommandId": command.id,
        "InstanceId": invocation.node.id,
        "Comment": command.comment,
        "DocumentName": command.document.name,
        "DocumentVersion": command.document_version or "$DEFAULT",
        "PluginName": plugin,
        "ResponseCode": invocation.response_code if ran else 0 if invocation.terminal else -1,
        "ExecutionStartDateTime": _iso(began),
        "ExecutionElapsedTime": elapsed,
        "ExecutionEndDateTime": _iso(ended),
        "Status": invocation.status,
        "StatusDetails": invocation.details,
        "StandardOutputContent": (invocation.output if ran else _SKIPPED)[:24000],
        "StandardOutputUrl": "",
        "StandardErrorContent": (invocation.error if ran else "")[:8000],
        "StandardErrorUrl": "",
        "CloudWatchOutputConfig": _NO_CLOUDWATCH,
    }


_SKIPPED = "Step execution skipped due to unsupported platform"


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
        "CommandPlugins": [_plugin(call, invocation, *step) for step in command.document.steps] if details else [],
        "ServiceRole": "",
        "NotificationConfig": _NO_NOTIFICATION,
        "CloudWatchOutputConfig": _NO_CLOUDWATCH,
    }


def _plugin(call: Call, invocation: Invocation, name: str, platform: str) -> dict[str, Any]:
    """A step for another platform succeeds without doing anything, once the invocation is over."""
    plugin: dict[str, Any] = {"Name": name, "StandardOutputUrl": "", "StandardErrorUrl": ""}
    if platform != invocation.node.platform.type:
        over = invocation.status == "Success"
        status = "Success" if over else "Pending"
        plugin |= {"Status": status, "StatusDetails": status, "ResponseCode": 0 if over else -1}
        return plugin | {"Output": _SKIPPED if over else "", "OutputS3Region": call.region.name}
    status = "InProgress" if invocation.status == "Cancelling" else invocation.status
    plugin |= {"Status": "Pending" if status == "Delayed" else status, "StatusDetails": invocation.details}
    plugin |= {"ResponseCode": invocation.response_code, "OutputS3Region": call.region.name}
    plugin |= {"ResponseStartDateTime": invocation.started, "ResponseFinishDateTime": invocation.ended}
    return plugin | {"Output": (invocation.output + invocation.error)[:2500]}


def _iso(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z" if moment else ""


OPERATIONS: dict[str, Operation] = {
    "SendCommand": send_command,
    "CancelCommand": cancel_command,
    "ListCommands": list_commands,
    "ListCommandInvocations": list_command_invocations,
    "GetCommandInvocation": get_command_invocation,
}
