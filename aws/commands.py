"""Run Command: the document as it is now, one send that is never repeated, and what became of it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Literal

from aws.caller import MOST_IDS, Caller
from aws.errors import DefiniteRefusal, calling
from aws.target import Target
from patching.following import CommandStatus

if TYPE_CHECKING:
    from mypy_boto3_ssm.type_defs import (
        CommandFilterTypeDef,
        CommandTypeDef,
        ListCommandsRequestPaginateTypeDef,
        ListCommandsResultTypeDef,
        SendCommandRequestTypeDef,
    )

LONGEST_COMMENT = 100
UNKNOWN_COMMAND = "InvalidCommandId"  # AWS's code for a command that it does not know (it keeps them for 30 days)
# AWS's clock and ours may differ; a look-up that starts too early costs a page, one that starts too late a doubt.
_CLOCK_SKEW = timedelta(minutes=15)
_UNFINISHED: tuple[Literal["Pending", "InProgress", "Delayed"], ...] = ("Pending", "InProgress", "Delayed")
_ENDED = frozenset({"Success", "Cancelled", "Failed", "TimedOut"})


@dataclass(frozen=True, slots=True)
class SendRequest:
    """One SendCommand to at most 50 nodes; `comment` carries the step's UUID (I2)."""

    document_name: str
    document_version: str
    document_hash: str
    instance_ids: tuple[str, ...]
    parameters: Mapping[str, Sequence[str]]
    comment: str
    timeout_seconds: int  # to deliver, not to run
    max_concurrency: str
    max_errors: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.instance_ids) <= MOST_IDS:
            raise ValueError(f"{len(self.instance_ids)} instance ids; a command takes 1 to {MOST_IDS}")
        if len(self.comment) > LONGEST_COMMENT:
            raise ValueError(f"comment of {len(self.comment)} characters; a command takes {LONGEST_COMMENT}")


@dataclass(frozen=True, slots=True)
class Invocation:
    """One node's part of a command, status and details as AWS spells them (facts/patch-manager.md section 4)."""

    node_id: str
    status: str
    status_details: str
    requested_at: datetime

    @property
    def ended(self) -> bool:
        return self.status in _ENDED


@dataclass(frozen=True, slots=True)
class SentCommand:
    comment: str
    instance_ids: tuple[str, ...]  # as the sender named them; none where tags were
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class RunningCommand:
    command_id: str
    document_name: str
    comment: str


class Commands(Caller):
    def send(self, target: Target, request: SendRequest) -> str:
        """Send once, without a retry at any layer, and give the command's id.

        Raises DefiniteRefusal when nothing was sent, Doubt when it may have been (I2).
        """
        client = self._sessions.client("ssm", target, retries=False)
        arguments: SendCommandRequestTypeDef = {
            "DocumentName": request.document_name,
            "DocumentVersion": request.document_version,
            "InstanceIds": list(request.instance_ids),
            "Parameters": {name: list(values) for name, values in request.parameters.items()},
            "Comment": request.comment,
            "TimeoutSeconds": request.timeout_seconds,
            "MaxConcurrency": request.max_concurrency,
            "MaxErrors": request.max_errors,
        }
        if request.document_hash:
            arguments |= {"DocumentHash": request.document_hash, "DocumentHashType": "Sha256"}
        with calling("SendCommand", target):
            return client.send_command(**arguments)["Command"]["CommandId"]

    def find(self, target: Target, step_uuid: str, since: datetime, instance_id: str | None = None) -> str | None:
        """The id of the command whose comment has `step_uuid`, sent at `since` or later; None proves nothing (I2)."""
        with calling("ListCommands", target):
            for command in self._listed(target, since - _CLOCK_SKEW, instance_id):
                if step_uuid in command.get("Comment", ""):
                    return command["CommandId"]
        return None

    def sent_since(self, target: Target, since: datetime) -> tuple[SentCommand, ...]:
        """Every command that anybody sent after `since`, by AWS's clock."""
        with calling("ListCommands", target):
            return tuple(
                SentCommand(
                    comment=command.get("Comment", ""),
                    instance_ids=tuple(command.get("InstanceIds", [])),
                    requested_at=command["RequestedDateTime"].astimezone(UTC),
                )
                for command in self._listed(target, since)
                if command["RequestedDateTime"] > since
            )

    def _listed(self, target: Target, since: datetime, instance_id: str | None = None) -> "Iterator[CommandTypeDef]":
        for page in self._pages(target, since, instance_id):
            yield from page["Commands"]

    def _pages(
        self, target: Target, since: datetime, instance_id: str | None = None
    ) -> "Iterator[ListCommandsResultTypeDef]":
        arguments: ListCommandsRequestPaginateTypeDef = {
            "Filters": [{"key": "InvokedAfter", "value": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}],
            "PaginationConfig": {"PageSize": MOST_IDS},
        }
        if instance_id is not None:
            arguments["InstanceId"] = instance_id
        yield from self._sessions.client("ssm", target).get_paginator("list_commands").paginate(**arguments)

    def statuses(self, target: Target, command_ids: Collection[str], since: datetime) -> Mapping[str, CommandStatus]:
        """Each of these commands as a whole; one that AWS does not know, or not any more, is left out.

        Calls: a page for each 50 commands that anybody sent at `since` or later, until all are found. What stands
        behind more pages than there are commands left is asked for by its id, which is then no dearer.
        """
        missing = set(command_ids)
        found: dict[str, CommandStatus] = {}
        with calling("ListCommands", target):
            for page in islice(self._pages(target, since - _CLOCK_SKEW), len(missing)):
                found |= {each["CommandId"]: _status(each) for each in page["Commands"] if each["CommandId"] in missing}
                missing -= found.keys()
                if not missing:
                    break
        for command_id in sorted(missing):
            try:
                found[command_id] = self.command(target, command_id)
            except DefiniteRefusal as error:
                if error.code != UNKNOWN_COMMAND:
                    raise
        return found

    def command(self, target: Target, command_id: str) -> CommandStatus:
        """Raises DefiniteRefusal where AWS does not know the command, or not any more."""
        client = self._sessions.client("ssm", target)
        with calling("ListCommands", target, command_id):
            found = client.list_commands(CommandId=command_id)["Commands"]
            if not found:
                raise DefiniteRefusal(
                    f"AWS does not know command {command_id} in {target}; check the account and Region.",
                    code=UNKNOWN_COMMAND,
                    operation="ListCommands",
                )
            return _status(found[0])

    def invocations(self, target: Target, command_id: str) -> tuple[Invocation, ...]:
        """One for each node that AWS has taken the command up for, which may be fewer than were named (I9)."""
        client = self._sessions.client("ssm", target)
        with calling("ListCommandInvocations", target, command_id):
            pages = client.get_paginator("list_command_invocations").paginate(
                CommandId=command_id, PaginationConfig={"PageSize": MOST_IDS}
            )
            return tuple(
                Invocation(
                    node_id=found["InstanceId"],
                    status=found["Status"],
                    status_details=found["StatusDetails"],
                    requested_at=found["RequestedDateTime"].astimezone(UTC),
                )
                for page in pages
                for found in page["CommandInvocations"]
            )

    def running_elsewhere(self, target: Target, node_ids: Collection[str]) -> Mapping[str, RunningCommand]:
        """A command by anybody, us included, that has not ended on a node: a second patch run there would fail.

        Three calls whatever the number of nodes (facts/patch-manager.md section 9 item 2).
        """
        client = self._sessions.client("ssm", target)
        wanted = frozenset(node_ids)
        running: dict[str, RunningCommand] = {}
        for status in _UNFINISHED:
            unfinished: CommandFilterTypeDef = {"key": "Status", "value": status}
            with calling("ListCommandInvocations", target):
                pages = client.get_paginator("list_command_invocations").paginate(
                    Filters=[unfinished], PaginationConfig={"PageSize": MOST_IDS}
                )
                running |= {
                    found["InstanceId"]: RunningCommand(
                        found["CommandId"], found["DocumentName"], found.get("Comment", "")
                    )
                    for page in pages
                    for found in page["CommandInvocations"]
                    if found["InstanceId"] in wanted
                }
        return running

    def cancel(self, target: Target, command_id: str) -> None:
        """Ask for an end, which is best-effort: only an invocation that has ended is over (I9)."""
        client = self._sessions.client("ssm", target, retries=False)
        with calling("CancelCommand", target, command_id):
            client.cancel_command(CommandId=command_id)


def _status(command: "CommandTypeDef") -> CommandStatus:
    return CommandStatus(
        status=command["Status"],
        details=command["StatusDetails"],
        target_count=command["TargetCount"],
        completed_count=command["CompletedCount"],
        error_count=command["ErrorCount"],
        delivery_timed_out_count=command.get("DeliveryTimedOutCount", 0),
    )
