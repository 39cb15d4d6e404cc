"""A Run Command command and its invocations, as data: what each status means and what the parent makes of them."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sandbox.aws.documents import Document, Step
from sandbox.aws.execution import Execution, Work
from sandbox.aws.node import ManagedNode
from sandbox.aws.steps import StepResult

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
    execution: Execution | None = None
    work: Work | None = None  # what still goes on
    steps: dict[str, StepResult] = field(default_factory=dict)  # as far as the agent has told
    unreported: tuple[str, str] | None = None  # a status and its details that the agent couldn't deliver yet

    @property
    def terminal(self) -> bool:
        return self.status in TERMINAL

    def tell_steps(self) -> None:
        """The agent tells how far it is."""
        if self.execution is not None:
            self.steps = {name: replace(result) for name, result in self.execution.steps.items()}

    def speaks_for(self, document: Document, step: Step) -> bool:
        """Whether the invocation's own status is that of this step: it runs now, or would have run first."""
        running = [name for name, result in self.steps.items() if result.ended is None]
        if running or self.steps:
            return step.name in running
        fitting = [each.name for each in document.steps if self.node.platform.type in each.platforms]
        return fitting[:1] == [step.name]

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
        return self.delivery_deadline + timedelta(seconds=self.execution_seconds)

    @property
    def execution_seconds(self) -> int:
        """How long a node may work on it."""
        given = self.values.get("StepTimeoutSeconds")
        return int(given) if given else self.document.execution_seconds

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
