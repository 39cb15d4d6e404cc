"""Run Command as time passes: delivery, concurrency, errors, timeouts, cancelling.

Source: facts/patch-manager.md section 4, and botocore's documentation of Command and CommandInvocation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sandbox.aws.agenda import Agenda
from sandbox.aws.baseline import PatchBaseline
from sandbox.aws.command import Command, Invocation
from sandbox.aws.faults import Faults
from sandbox.aws.node import ManagedNode
from sandbox.aws.patchrun import PatchRequest, PatchRun, RunFailed

_COMPLAINTS = {
    "apt": "Upgrade failed. dpkg: error processing package",
    "dnf": "Upgrade failed. Error unpacking rpm package",
    "windows": "Installation failed for",
}


@dataclass
class Durations:
    """Seconds of the world's time. A scan takes about 6 s, an install of 30 packages about 20 with its reboot."""

    delivery: float = 0.4
    scan: float = 6.0
    install_per_package: float = 0.25
    reboot: float = 6.0
    cancel: float = 1.0


class RunCommand:
    """Moves every command of every account; the agenda calls it back at each turn."""

    def __init__(
        self,
        agenda: Agenda,
        faults: Faults,
        durations: Durations,
        baseline_of: Callable[[ManagedNode], PatchBaseline],
        read: Callable[[ManagedNode, str], bytes],
        installed: Callable[[Command, PatchRun], None],
    ) -> None:
        self._agenda = agenda
        self._faults = faults
        self._durations = durations
        self._baseline_of = baseline_of
        self._read = read
        self._installed = installed
        self._waiting: dict[str, list[tuple[Command, Invocation]]] = {}  # by node, until its agent is back

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
                self._end(command, invocation, at, ("Cancelled", "Cancelled", -1, ""))
            elif invocation.status == "InProgress":
                invocation.status = invocation.details = "Cancelling"
                stop = partial(self._stopped, command, invocation)
                self._agenda.add(at + timedelta(seconds=self._durations.cancel), stop)

    def node_back(self, node: ManagedNode, at: datetime) -> None:
        """The agent is in touch again: it reports what it owes and takes what waits."""
        for command, invocation in self._waiting.pop(node.id, []):
            if invocation.terminal:
                continue
            if invocation.unreported is not None:
                self._end(command, invocation, at, invocation.unreported)
            elif invocation.status in ("Pending", "Delayed"):
                self._deliver(command, invocation, at)

    def node_lost_power(self, command: Command, invocation: Invocation, at: datetime) -> None:
        """The run dies with the packages that were in place by then; its invocation hangs until it expires."""
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
            self._end(command, invocation, at, ("Failed", "Undeliverable", -1, ""))
        elif not node.reachable:
            if node.rebooting:
                invocation.status = invocation.details = "Delayed"
            self._waiting.setdefault(node.id, []).append((command, invocation))
        else:
            self._start(command, invocation, at)

    def _start(self, command: Command, invocation: Invocation, at: datetime) -> None:
        node, values = invocation.node, command.values
        invocation.status = invocation.details = "InProgress"
        invocation.started = at
        step_timeout = int(values["StepTimeoutSeconds"])
        if node.running is not None:
            # Two runs on one node: the payload of the second can't be unpacked (section 9 item 2).
            message = "Unable to load and extract the content of payload, abort."
            self._end(command, invocation, at, ("Failed", "Failed", 152, message))
            return
        node.running = command.id
        self._agenda.add(at + timedelta(seconds=step_timeout), partial(self._took_too_long, command, invocation))
        if self._faults.node_never_answers(node.id):
            return
        request = PatchRequest(
            operation=values["Operation"],
            snapshot_id=values["SnapshotId"],
            reboot_option=values["RebootOption"],
            override_url=values["InstallOverrideList"] or None,
            step_timeout=step_timeout,
        )
        try:
            run = PatchRun.begin(node, request, self._baseline_of(node), partial(self._read, node), at)
        except RunFailed as failed:
            node.running = None
            self._end(command, invocation, at, ("Failed", "Failed", failed.code, str(failed)))
            return
        invocation.run = run
        if request.installs:
            self._installed(command, run)
        seconds = self._durations.scan + len(run.plan) * self._durations.install_per_package
        self._agenda.add(at + timedelta(seconds=seconds), partial(self._work_done, command, invocation))

    def _work_done(self, command: Command, invocation: Invocation, at: datetime) -> None:
        run, node = invocation.run, invocation.node
        if run is None or invocation.terminal or node.running != command.id:
            return
        run.install(at)
        if run.request.installs:
            self._installed(command, run)
        reboot = run.needs_reboot
        # The payload uploads before it reboots, and also where a package failed (main_entrance.py); only a run
        # that gave up earlier leaves the old picture.
        if node.agent == "online":
            node.report = run.report(at)
        if reboot:
            node.rebooting = True
            booted = partial(self._booted, command, invocation)
            self._agenda.add(at + timedelta(seconds=self._durations.reboot), booted)
        else:
            self._report(command, invocation, at)

    def _booted(self, command: Command, invocation: Invocation, at: datetime) -> None:
        node = invocation.node
        if node.power != "running" or not node.rebooting:
            return
        node.rebooting = False
        node.booted()
        if not invocation.terminal:
            self._report(command, invocation, at)
        if node.reachable:
            self.node_back(node, at)

    def _report(self, command: Command, invocation: Invocation, at: datetime) -> None:
        """End the invocation, or keep its result until the agent is in touch again."""
        run, node = invocation.run, invocation.node
        node.running = None
        names = ", ".join(release.package.name for release in run.failed) if run else ""
        result = ("Success", "Success", 0, "")
        if names:
            result = ("Failed", "Failed", 1, f"{_COMPLAINTS[node.platform.manager]} {names}")
        if node.agent == "online":
            self._end(command, invocation, at, result)
        else:
            invocation.unreported = result
            self._waiting.setdefault(node.id, []).append((command, invocation))

    def _stopped(self, command: Command, invocation: Invocation, at: datetime) -> None:
        if not invocation.terminal and invocation.node.reachable:
            self._cut_short(command, invocation, at)
            self._end(command, invocation, at, ("Cancelled", "Cancelled", -1, ""))

    def _took_too_long(self, command: Command, invocation: Invocation, at: datetime) -> None:
        if not invocation.terminal and invocation.node.reachable and invocation.node.running == command.id:
            self._cut_short(command, invocation, at)
            self._end(command, invocation, at, ("TimedOut", "ExecutionTimedOut", -1, ""))

    def _cut_short(self, command: Command, invocation: Invocation, at: datetime) -> None:
        """What dpkg had finished by now stays; nothing is reported."""
        node, run = invocation.node, invocation.run
        if node.running != command.id:
            return
        node.running = None
        if run is None or not run.request.installs or run.done or invocation.started is None:
            return
        worked = (at - invocation.started).total_seconds() - self._durations.scan
        run.install(at, max(int(worked / max(self._durations.install_per_package, 1e-9)), 0))
        self._installed(command, run)

    def _delivery_over(self, command: Command, at: datetime) -> None:
        for invocation in command.invocations:
            if invocation.status in ("Pending", "Delayed"):
                self._end(command, invocation, at, ("TimedOut", "DeliveryTimedOut", -1, ""))

    def _expired(self, command: Command, at: datetime) -> None:
        """Whoever never answered counts as not delivered (botocore, Command.ExpiresAfter)."""
        for invocation in command.invocations:
            if not invocation.terminal:
                if invocation.node.running == command.id:
                    invocation.node.running = None
                self._end(command, invocation, at, ("TimedOut", "DeliveryTimedOut", -1, ""))

    def _end(self, command: Command, invocation: Invocation, at: datetime, result: tuple[str, str, int, str]) -> None:
        invocation.status, invocation.details, invocation.response_code, invocation.error = result
        invocation.ended = at
        invocation.output = _output(invocation)
        if command.exceeded:
            for other in command.invocations:
                if other.status in ("Pending", "Delayed"):
                    other.status, other.details, other.ended = "Cancelled", "Terminated", at
        self._fill(command, at)


def _output(invocation: Invocation) -> str:
    run = invocation.run
    if run is None:
        return ""
    lines = [f"Patch baseline operation {run.request.operation}, snapshot {run.request.snapshot_id}"]
    lines += [f"Package {title} is installed." for _, title in run.done]
    return "\n".join(lines)
