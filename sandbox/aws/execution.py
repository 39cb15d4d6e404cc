"""One document on one node, step by step: what an agent does with `mainSteps`.

An execution is a generator: it yields how long it now works or reboots, and is sent the time when that is over. Whoever
drives it throws `CutShort` into it when the work is broken off.

Sources: facts/patch-manager.md section 1; the User Guide's plugin reference (shared inputs, exit codes 168, 169 and
194); where it is silent the agent's own source (agent/framework/runpluginutil, agent/plugins/rundocument).
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import uuid4

from sandbox.aws.baseline import PatchBaseline
from sandbox.aws.documents import DOCUMENT, POWERSHELL, Document, Step, fill
from sandbox.aws.faults import Faults
from sandbox.aws.model import SsmError
from sandbox.aws.node import ManagedNode, version_key
from sandbox.aws.patchrun import PatchRequest, PatchRun, RunFailed, missing
from sandbox.aws.published import EXIT_UNLESS_NEEDED, RUN_PATCH_BASELINE
from sandbox.aws.shell import Shell
from sandbox.aws.steps import SUCCESS_AND_EXIT, CutShort, Durations, StepResult, Wait

OLDEST_AGENT_FOR_HOOKS = "3.0.502"
_REBOOT = 194
DEEPEST = 3  # documents within documents
_BUSY = "Unable to load and extract the content of payload, abort."
_COMPLAINTS = {
    "apt": "Upgrade failed. dpkg: error processing package",
    "dnf": "Upgrade failed. Error unpacking rpm package",
    "windows": "Installation failed for",
}


class _Again(Exception):
    """The node has rebooted within an inner document, which starts from its beginning."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at.isoformat())
        self.at = at


@dataclass(frozen=True)
class Tools:
    """What a node uses that is not its own. `find` gives the document that a name means in the node's Region."""

    faults: Faults
    durations: Durations
    baseline_of: Callable[[ManagedNode], PatchBaseline]
    read: Callable[[ManagedNode, str], bytes]
    find: Callable[[ManagedNode, str], Document]


Work = Generator[Wait, datetime, datetime]


@dataclass
class Execution:
    """`steps` are the results of the document that was sent, `runs` all patch operations within it."""

    tools: Tools
    node: ManagedNode
    command_id: str
    recorded: Callable[[], None]  # called when an Install has begun or has put something in place
    steps: dict[str, StepResult] = field(default_factory=dict)
    runs: list[PatchRun] = field(default_factory=list)

    @property
    def outcome(self) -> tuple[str, str]:
        """The invocation's status and its details: the worst step's."""
        statuses = {result.status for result in self.steps.values()}
        if "TimedOut" in statuses:
            return "TimedOut", "ExecutionTimedOut"
        return ("Failed", "Failed") if "Failed" in statuses else ("Success", "Success")

    @property
    def done(self) -> tuple[tuple[str, str], ...]:
        """What all its Installs put in place."""
        return tuple(pair for run in self.runs if run.request.installs for pair in run.done)

    def work(self, document: Document, values: Mapping[str, str], at: datetime) -> Work:
        return self._document(document, values, at, self.steps, 0)

    def _document(
        self, document: Document, values: Mapping[str, str], at: datetime, results: dict[str, StepResult], depth: int
    ) -> Work:
        if self._too_old_for(document):
            message = f"This command is not supported with SSM Agent version less than {OLDEST_AGENT_FOR_HOOKS}."
            results[document.steps[0].name] = StepResult(at)
            results[document.steps[0].name].end(at, -1, error=message)
            return at
        left = False
        for step in document.steps:
            result = results[step.name] = StepResult(at)
            why_not = self._why_not(step, values, left=left and not (step.is_finally and step is document.steps[-1]))
            if why_not:
                result.end(at, 0, why_not)
                result.skipped = True
                continue
            at = yield from self._step(document, step, values, at, result, depth)
            if result.status == "Failed" and step.on_failure == "successAndExit":
                result.status, result.code = "Success", SUCCESS_AND_EXIT
            left = left or result.ends_document(step)
        return at

    def _too_old_for(self, document: Document) -> bool:
        old = version_key(self.node.agent_version) < version_key(OLDEST_AGENT_FOR_HOOKS)
        return old and any(step.steers for step in document.steps)

    def _why_not(self, step: Step, values: Mapping[str, str], *, left: bool) -> str:
        """Why a step is skipped, "" where it isn't."""
        if left:
            return f"Plugin with name {step.action} and id {step.name} skipped due to prior step with an exit condition"
        platform = self.node.platform.type
        if platform not in step.platforms:
            return "Step execution skipped due to unsupported platform"
        for one, other in step.equals:
            if "platformType" not in (one, other) and fill(one, values) != fill(other, values):
                return f"Step execution skipped due to unsatisfied preconditions: '{one}, {other}'"
        return ""

    def _step(
        self,
        document: Document,
        step: Step,
        values: Mapping[str, str],
        at: datetime,
        result: StepResult,
        depth: int,
    ) -> Work:
        fault = self.tools.faults.of_step(self.node.id, document.name, step.name)
        if fault == "step-hangs":
            at = yield Wait(step.seconds)
            result.time_out(at)
        elif fault is not None:
            at = yield Wait(self.tools.durations.script)
            result.end(at, 1, error=f"The sandbox was told to let {step.name} of {document.name} fail.")
        elif document.name == RUN_PATCH_BASELINE:
            at = yield from self._patch(values, at, result)
        elif step.action == DOCUMENT:
            at = yield from self._inner(fill(dict(step.inputs), values), at, result, depth)
        else:
            at = yield from self._script(step, values, at, result, depth)
        return at

    def _inner(self, inputs: Mapping[str, object], at: datetime, result: StepResult, depth: int) -> Work:
        """aws:runDocument. What its steps said is its own, and one failed step makes it fail."""
        try:
            if depth == DEEPEST:
                raise SsmError("InvalidDocument", f"Maximum depth for document execution exceeded: {DEEPEST}")
            document = self.tools.find(self.node, str(inputs["documentPath"]))
            given = inputs.get("documentParameters") or {}
            parameters = {name: [str(value)] for name, value in given.items()} if isinstance(given, dict) else {}
            values = document.fill_in(parameters)
        except SsmError as refused:
            result.end(at, 1, error=f"There was an error while preparing documents - {refused.message}")
            return at
        while True:
            results: dict[str, StepResult] = {}
            try:
                at = yield from self._document(document, values, at, results, depth + 1)
            except _Again as again:
                if depth:
                    raise
                at = again.at
                continue
            break
        spoken = [each for each in results.values() if not each.skipped]
        output, error = (
            "\n".join(filter(None, said)) for said in ([s.output for s in spoken], [s.error for s in spoken])
        )
        statuses = {each.status for each in spoken}
        if "TimedOut" in statuses:
            result.time_out(at, output, error)
        else:
            result.end(at, int("Failed" in statuses), output, error)
        return at

    def _script(self, step: Step, values: Mapping[str, str], at: datetime, result: StepResult, depth: int) -> Work:
        """A script that ends with 194 has the node rebooted and is run once more from its beginning."""
        while True:
            at = yield Wait(self.tools.durations.script)
            shell = Shell(
                self.node.application,
                {EXIT_UNLESS_NEEDED: partial(self._exit_unless_needed, at)},
                powershell=step.action == POWERSHELL,
            )
            code = shell.run([str(line) for line in fill(step.inputs.get("runCommand", []), values)])
            if code != _REBOOT:
                break
            at = yield Wait(self.tools.durations.reboot, reboot=True)
            if depth:
                raise _Again(at)
        if code:
            shell.complaints.append(f"failed to run commands: exit status {code}")
        result.end(at, code, "\n".join(shell.said), "\n".join(shell.complaints))
        return at

    def _exit_unless_needed(self, at: datetime, words: list[str]) -> int:
        """AWS's script after the first Scan of AWS-RunPatchBaselineWithHooks."""
        operation, reboot = words
        if operation == "Install":
            lacks = missing(self.node, self.tools.baseline_of(self.node), at)
            if lacks or (self.node.pending_reboot and reboot == "RebootIfNeeded"):
                return 0
        return SUCCESS_AND_EXIT

    def _patch(self, values: Mapping[str, str], at: datetime, result: StepResult) -> Work:
        """AWS-RunPatchBaseline: install, upload, reboot, in this order and without a Scan afterwards."""
        node, durations = self.node, self.tools.durations
        request = PatchRequest(
            operation=values["Operation"],
            snapshot_id=values["SnapshotId"] or str(uuid4()),
            reboot_option=values["RebootOption"],
            override_url=values["InstallOverrideList"] or None,
        )
        try:
            if node.running != self.command_id:
                # Two runs on one node: the payload of the second can't be unpacked (section 9 item 2).
                raise RunFailed(152, _BUSY)
            run = PatchRun.begin(node, request, self.tools.baseline_of(node), partial(self.tools.read, node), at)
        except RunFailed as failed:
            result.end(at, failed.code, error=str(failed))
            return at
        self.runs.append(run)
        if request.installs:
            self.recorded()
        try:
            at = yield Wait(durations.scan + len(run.plan) * durations.install_per_package)
        except CutShort as cut:
            self._keep_what_is_done(run, cut.at)
            raise
        run.install(at)
        if request.installs:
            self.recorded()
        reboot = run.needs_reboot
        # The payload uploads before it reboots, and also where a package failed (main_entrance.py); only a run
        # that gave up earlier leaves the old picture.
        if node.agent == "online":
            node.report = run.report(at)
        if reboot:
            at = yield Wait(durations.reboot, reboot=True)
        names = ", ".join(release.package.name for release in run.failed)
        result.end(at, int(bool(names)), _said(run), f"{_COMPLAINTS[node.platform.manager]} {names}" if names else "")
        return at

    def _keep_what_is_done(self, run: PatchRun, at: datetime) -> None:
        """What dpkg had finished by now stays; nothing is reported."""
        if run.request.installs:
            durations = self.tools.durations
            worked = (at - run.started).total_seconds() - durations.scan
            run.install(at, max(int(worked / max(durations.install_per_package, 1e-9)), 0))
            self.recorded()


def _said(run: PatchRun) -> str:
    lines = [f"Patch baseline operation {run.request.operation}, snapshot {run.request.snapshot_id}"]
    return "\n".join([*lines, *(f"Package {title} is installed." for _, title in run.done)])
