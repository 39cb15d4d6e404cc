"""A Run Command command and its invocations, as data: what each status means and what the parent makes of them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.aws.library import Document
from sandbox.aws.node import ManagedNode
from sandbox.aws.patchrun import PatchRun

TERMINAL = frozenset({"Success", "Failed", "TimedOut", "Cancelled"})


@dataclass
class Invocation:
    """One node's part. `status` is the model's CommandInvocationStatus, `details` the finer StatusDetails."""

    node: ManagedNode
    requested: datetime
    status: str = "Pending"
    details: str = "Pending"
    dispatched: bool = False  # it holds one of MaxConcurrency's places
    started: datetime | None = None
    ended: datetime | None = None
    response_code: int = -1
    output: str = ""
    error: str = ""
    run: PatchRun | None = None
    unreported: tuple[str, str, int, str] | None = None  # a result that the agent couldn't deliver yet

    @property
    def terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def counts_as_error(self) -> bool:
        """Failures and execution timeouts count towards MaxErrors, deliveries never do (section 4)."""
        return self.details in ("Failed", "ExecutionTimedOut")


@dataclass
class Command:
    id: str
    document: Document
    document_version: str  # as it was asked for, "" where it wasn't
    values: dict[str, str]  # every parameter, defaults included
    given: dict[str, list[str]]
    comment: str
    requested: datetime
    timeout_seconds: int
    max_concurrency: str
    max_errors: str
    instance_ids: list[str]
    targets: list[dict[str, object]]
    foreign: bool
    invocations: list[Invocation] = field(default_factory=list)
    cancelled: bool = False

    @property
    def delivery_deadline(self) -> datetime:
        return self.requested + timedelta(seconds=self.timeout_seconds)

    @property
    def expires(self) -> datetime:
        """The total timeout: delivery plus execution (botocore, Command.ExpiresAfter)."""
        return self.delivery_deadline + timedelta(seconds=int(self.values.get("StepTimeoutSeconds", "3600")))

    @property
    def concurrency(self) -> int:
        return max(_share(self.max_concurrency, len(self.invocations)), 1)

    @property
    def errors(self) -> int:
        return sum(invocation.counts_as_error for invocation in self.invocations)

    @property
    def exceeded(self) -> bool:
        """Error number MaxErrors + 1 stops the command; 10 % of 50 nodes stops it at the sixth."""
        return self.errors > _share(self.max_errors, len(self.invocations))

    @property
    def completed(self) -> int:
        return sum(invocation.terminal for invocation in self.invocations)

    @property
    def status(self) -> tuple[str, str]:
        """(Status, StatusDetails). Undeliverable nodes don't count at all, so a parent can be Success with nodes
        untouched (facts/patch-manager.md section 4)."""
        if not self.invocations:
            return "Failed", "NoInstancesInTag"
        if self.completed < len(self.invocations):
            if self.cancelled:
                return "Cancelling", "Cancelling"
            waiting = all(invocation.status in ("Pending", "Delayed") for invocation in self.invocations)
            return ("Pending", "Pending") if waiting else ("InProgress", "InProgress")
        details = {i.details for i in self.invocations if i.details != "Undeliverable"}
        if self.cancelled and "Cancelled" in details:
            return "Cancelled", "Cancelled"
        if self.exceeded:
            return ("TimedOut", "ExecutionTimedOut") if details == {"ExecutionTimedOut"} else ("Failed", "Failed")
        if details == {"DeliveryTimedOut"}:
            return "TimedOut", "DeliveryTimedOut"
        return ("Success", "Success") if details <= {"Success"} else ("Success", "Incomplete")

    def invocation(self, instance_id: str) -> Invocation | None:
        return next((i for i in self.invocations if i.node.id == instance_id), None)


def _share(setting: str, nodes: int) -> int:
    """A number, or a percentage of the nodes rounded down."""
    return int(setting[:-1]) * nodes // 100 if setting.endswith("%") else int(setting)
