"""Run Command as time passes: delivery, concurrency, errors, timeouts, cancelling.

Source: facts/patch-manager.md section 4, and botocore's documentation of Command and CommandInvocation.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from sandbox.aws.agenda import Agenda
from sandbox.aws.command import Command, Invocation
from sandbox.aws.documents import DOCUMENT, Document, fill
from sandbox.aws.execution import DEEPEST, Execution, Tools
from sandbox.aws.model import SsmError
from sandbox.aws.node import ManagedNode
from sandbox.aws.published import RUN_PATCH_BASELINE
from sandbox.aws.steps import CutShort, Durations


class RunCommand:
    """Moves every command of every account; the agenda calls it back at each turn."""

    def __init__(self, agenda: Agenda, tools: Tools, installed: Callable[[Command, Execution], None]) -> None:
        self._agenda = agenda
        self._tools = tools
        self._durations = tools.durations
        self._installed = installed
        self._waiting: dict[str, list[tuple[Command, Invocation]]] = {}  # by node, until its agent is back
        self._working: dict[str, list[tuple[Command, Invocation]]] = {}  # by node
        self._hanging: dict[str, list[tuple[Command, Invocation]]] = {}  # by node, in a reboot until it is started

    def accept(self, command: Command) -> None:
        """Begin with a command whose invocations are all Pending."""
        self._agenda.add(command.delivery_deadline, partial(self._delivery_over, command))
        self._agenda.add(command.expires, partial(self._expired, command))
        self._fill(command, command.requested)

    def cancel(self, command: Command, invocations: list[Invocation], at: datetime) -> None:
        """Best effort: what hasn't started is cancelled at once, what runs is asked to stop."""
        command.cancelled = command.cancelled or len(invocations) == len(command.invocations)
        for invocation in invocations:
            if invocation.status in ("Pending", "Delayed"):
                self._end(command, invocation, at, ("Cancelled", "Cancelled"))
            elif invocation.status == "InProgress":
                invocation.status = invocation.details = "Cancelling"
                stop = partial(self._stopped, command, invocation)
                self._agenda.add(at + timedelta(seconds=self._durations.cancel), stop)

    def node_back(self, node: ManagedNode, at: datetime) -> None:
        """The agent is in touch again: it goes on where it hung, reports what it owes and takes what waits."""
        for command, invocation in self._hanging.pop(node.id, []):
            self._go_on(command, invocation, at)
        for command, invocation in self._waiting.pop(node.id, []):
            if invocation.terminal:
                continue
            if invocation.unreported is not None:
                invocation.tell_steps()
                self._end(command, invocation, at, invocation.unreported)
            elif invocation.status in ("Pending", "Delayed"):
                self._deliver(command, invocation, at)

    def node_lost_power(self, node: ManagedNode, at: datetime) -> None:
        """Runs die with the packages that were in place by then; their invocations hang until they expire."""
        for command, invocation in self._working.pop(node.id, []):
            self._cut_short(command, invocation, at)

    def _fill(self, command: Command, at: datetime) -> None:
        held = sum(i.dispatched and not i.terminal for i in command.invocations)
        for invocation in command.invocations:
            if held >= command.concurrency:
                return
            if not invocation.dispatched and not invocation.terminal:
                invocation.dispatched = True
                held += 1
                deliver = partial(self._deliver, command, invocation)
                self._agenda.add(at + timedelta(seconds=self._durations.delivery), deliver)

    def _deliver(self, command: Command, invocation: Invocation, at: datetime) -> None:
        node = invocation.node
        if invocation.terminal:
            return
        if node.power != "running" or node.agent == "lost":
            self._end(command, invocation, at, ("Failed", "Undeliverable"))
        elif not node.reachable:
            if node.rebooting:
                invocation.status = invocation.details = "Delayed"
            self._waiting.setdefault(node.id, []).append((command, invocation))
        else:
            self._start(command, invocation, at)

    def _start(self, command: Command, invocation: Invocation, at: datetime) -> None:
        node = invocation.node
        invocation.status = invocation.details = "InProgress"
        invocation.started = at
        if node.running is None and self._patches(node, command.document, command.values):
            node.running = command.id
        self._working.setdefault(node.id, []).append((command, invocation))
        late = at + timedelta(seconds=command.execution_seconds)
        self._agenda.add(late, partial(self._took_too_long, command, invocation))
        if self._tools.faults.node_never_answers(node.id):
            return

        def recorded() -> None:
            self._installed(command, execution)

        execution = invocation.execution = Execution(self._tools, node, command.id, recorded)
        invocation.work = execution.work(command.document, command.values, at)
        self._go_on(command, invocation, at, first=True)

    def _patches(self, node: ManagedNode, document: Document, values: Mapping[str, str], depth: int = 0) -> bool:
        """Whether it is AWS-RunPatchBaseline or runs it somewhere within."""
        if document.name == RUN_PATCH_BASELINE:
            return True
        paths = [fill(step.inputs["documentPath"], values) for step in document.steps if step.action == DOCUMENT]
        return depth < DEEPEST and any(self._inner_patches(node, path, depth) for path in paths)

    def _inner_patches(self, node: ManagedNode, path: str, depth: int) -> bool:
        try:
            inner = self._tools.find(node, path)
        except SsmError:
            return False
        return self._patches(node, inner, {p.name: p.default or "" for p in inner.parameters}, depth + 1)

    def _go_on(self, command: Command, invocation: Invocation, at: datetime, *, first: bool = False) -> None:
        """Let the node work until it waits for the next thing."""
        node, work = invocation.node, invocation.work
        if work is None:
            return
        try:
            wait = next(work) if first else work.send(at)
        except StopIteration:
            self._report(command, invocation, at)
            return
        if node.agent == "online":
            invocation.tell_steps()
        then = self._booted if wait.reboot else self._go_on
        if wait.reboot:
            node.rebooting, node.last_ping = True, at
            if self._tools.faults.node_never_returns(node.id):
                self._hanging.setdefault(node.id, []).append((command, invocation))
                return
        self._agenda.add(at + timedelta(seconds=wait.seconds), partial(then, command, invocation))

    def _booted(self, command: Command, invocation: Invocation, at: datetime) -> None:
        node = invocation.node
        if node.power != "running" or not node.rebooting:
            return
        node.rebooting = False
        node.booted()
        self._go_on(command, invocation, at)
        if node.reachable:
            self.node_back(node, at)

    def _report(self, command: Command, invocation: Invocation, at: datetime) -> None:
        """End the invocation, or keep its result until the agent is in touch again."""
        node, execution = invocation.node, invocation.execution
        self._release(command, invocation)
        if execution is None or invocation.terminal:
            return
        result = execution.outcome
        if node.agent == "online":
            invocation.tell_steps()
            self._end(command, invocation, at, result)
        else:
            invocation.unreported = result
            self._waiting.setdefault(node.id, []).append((command, invocation))

    def _release(self, command: Command, invocation: Invocation) -> None:
        node = invocation.node
        invocation.work = None
        if node.running == command.id:
            node.running = None
        self._working[node.id] = [each for each in self._working.get(node.id, []) if each[1] is not invocation]

    def _stopped(self, command: Command, invocation: Invocation, at: datetime) -> None:
        if not invocation.terminal and invocation.node.reachable:
            self._cut_short(command, invocation, at)
            self._end(command, invocation, at, ("Cancelled", "Cancelled"))

    def _took_too_long(self, command: Command, invocation: Invocation, at: datetime) -> None:
        if invocation.status in ("InProgress", "Cancelling") and self._at_work(invocation):
            self._cut_short(command, invocation, at)
            self._end(command, invocation, at, ("TimedOut", "ExecutionTimedOut"))

    def _at_work(self, invocation: Invocation) -> bool:
        working = self._working.get(invocation.node.id, [])
        return invocation.node.reachable and any(each[1] is invocation for each in working)

    def _cut_short(self, command: Command, invocation: Invocation, at: datetime) -> None:
        """No step follows, not even a final one."""
        if invocation.work is not None:
            with suppress(CutShort):
                invocation.work.throw(CutShort(at))
        self._release(command, invocation)

    def _delivery_over(self, command: Command, at: datetime) -> None:
        for invocation in command.invocations:
            if invocation.status in ("Pending", "Delayed"):
                self._end(command, invocation, at, ("TimedOut", "DeliveryTimedOut"))

    def _expired(self, command: Command, at: datetime) -> None:
        """Whoever never answered counts as not delivered (botocore, Command.ExpiresAfter).

        A node that is only out of reach knows nothing of it, and goes on to its end.
        """
        for invocation in command.invocations:
            if not invocation.terminal:
                if invocation.work is None:
                    self._release(command, invocation)
                self._end(command, invocation, at, ("TimedOut", "DeliveryTimedOut"))

    def _end(self, command: Command, invocation: Invocation, at: datetime, result: tuple[str, str]) -> None:
        invocation.status, invocation.details = result
        invocation.ended = at
        if command.exceeded:
            for other in command.invocations:
                if other.status in ("Pending", "Delayed"):
                    other.status, other.details, other.ended = "Cancelled", "Terminated", at
        self._fill(command, at)


__all__ = ["Durations", "RunCommand"]
