"""The gate's questions about the source: was the set installed there, did it work, has it soaked?"""

from patching.durations import words
from patching.gate_facts import Action, CheckResult, GateInput, Heading
from patching.model import Evidence, PatchState, PinnedPatch
from patching.outcomes import NodeOutcome
from patching.phrases import counted, listed
from patching.proof import Verdict
from patching.soak import Readiness, Ripeness, Soaked
from patching.states import RunState

INSTALL_VERIFIED = Heading("install-verified", "Installed and verified in non-production")
NODES_SUCCEEDED = Heading("nodes-succeeded", "Every non-production node succeeded")
NO_PENDING_REBOOT = Heading("no-pending-reboot", "Nothing waits for a reboot")
NO_PROBLEM = Heading("no-problem", "No problem reported")
SOAK_OVER = Heading("soak-over", "Soak over")


def install_verified(gate: GateInput) -> CheckResult:
    """A non-production Install of ours ended, succeeded, and its verification Scan was read (I8)."""
    install, name = gate.install, gate.source.name
    if install is None:
        return INSTALL_VERIFIED.failed(
            f"We have installed nothing in {name} yet.", f"Install in {name} first.", Action.INSTALL_SOURCE
        )
    if install.state is RunState.NEEDS_HUMAN:
        return INSTALL_VERIFIED.failed(
            f"{install.run} in {name} waits for a person to settle a doubt.",
            f"An admin settles {install.run}, then ask again.",
        )
    if not install.state.ended:
        return INSTALL_VERIFIED.failed(
            f"{install.run} in {name} has not ended ({_plain(install.state)}).",
            f"Wait for the end of {install.run}, then ask again.",
            Action.ASK_AGAIN,
        )
    if install.state is not RunState.SUCCEEDED:
        return INSTALL_VERIFIED.failed(
            f"{install.run} in {name} ended as {_plain(install.state)}.",
            f"See what went wrong in {install.run}, then install in {name} again.",
            Action.INSTALL_SOURCE,
        )
    if not install.verified:
        return INSTALL_VERIFIED.failed(
            f"No verification Scan of {install.run} in {name} was read.",
            f"Install in {name} again; that ends with a verification Scan.",
            Action.INSTALL_SOURCE,
        )
    return INSTALL_VERIFIED.passed(f"{install.run} succeeded in {name}, its verification Scan was read.")


def nodes_succeeded(gate: GateInput) -> CheckResult:
    """Every source node was in the newest Install and came out of it well (I9)."""
    name, nodes = gate.source.name, gate.source.nodes
    if gate.install is None or not nodes:
        missing = "no node" if gate.install else "no Install of ours"
        return NODES_SUCCEEDED.failed(
            f"There is {missing} in {name} to judge by.", f"Install in {name} first.", Action.INSTALL_SOURCE
        )
    reasons = {fact.label: _reason(fact.install_outcome) for fact in nodes if not _succeeded(fact.install_outcome)}
    reasons |= {_label(gate, node): reason for node, reason in gate.install.failed_nodes.items()}
    if reasons:
        return NODES_SUCCEEDED.failed(
            f"{len(reasons)} of {counted(len(nodes), 'node')} in {name} did not succeed in {gate.install.run}: "
            f"{listed(f'{node} ({reason})' for node, reason in reasons.items())}.",
            f"See to {listed(reasons)}, then install in {name} again.",
            Action.INSTALL_SOURCE,
        )
    return NODES_SUCCEEDED.passed(f"{counted(len(nodes), 'node')} of {name} succeeded in {gate.install.run}.")


def no_pending_reboot(gate: GateInput) -> CheckResult:
    """No source node has a patch that nothing exercises until the next boot, by its rows or by its counts."""
    name = gate.source.name
    if gate.source.without_evidence or not gate.source.nodes:
        return NO_PENDING_REBOOT.failed(
            f"Not known for {listed(gate.source.without_evidence) or f'{name}, which has no node'}.",
            f"Scan {name}.",
            Action.SCAN_SOURCE,
        )
    waiting = {each.node_name: _pending(each) for each in gate.source.evidence if _pending(each)}
    if waiting:
        return NO_PENDING_REBOOT.failed(
            f"{counted(sum(waiting.values()), 'patch', 'patches')} in {name} "
            f"{'waits' if sum(waiting.values()) == 1 else 'wait'} for a reboot, on {listed(waiting)}.",
            f"Install in {name} again; that reboots what waits, and scans.",
            Action.INSTALL_SOURCE,
        )
    return NO_PENDING_REBOOT.passed(f"0 patches wait for a reboot on {counted(len(gate.source.nodes), 'node')}.")


def no_problem(gate: GateInput) -> CheckResult:
    """Nobody has reported a problem with what soaks, or an operator has cleared it."""
    if gate.problem is None:
        return NO_PROBLEM.passed(f"Nobody has reported a problem in {gate.source.name}.")
    return NO_PROBLEM.failed(
        f"Problem in {gate.source.name}: “{gate.problem.reason}”, reported by {gate.problem.reported_by}",
        "An operator looks at it and clears it, with a reason.",
        Action.CLEAR_PROBLEM,
        at=gate.problem.at,
    )


def soak_over(gate: GateInput) -> CheckResult:
    """The planned start is no earlier than the end of every patch's soak, with the time for which it was held.

    Where `readiness` is not given: no earlier than the last change in the source plus the soak, and where no Install
    of ours changed anything, everything was there at the latest when the newest one ended. `at`: when that is.
    """
    if gate.part:
        return _part_soaked(gate)
    if gate.readiness is not None and gate.readiness.items:
        return _soaked_by_patch(gate, gate.readiness)
    name = gate.source.name
    since = gate.last_change or (gate.install.ended_at if gate.install else None)
    if since is None:
        return SOAK_OVER.failed(
            f"Nothing soaks in {name}: no Install there is known.", f"Install in {name} first.", Action.INSTALL_SOURCE
        )
    ready, soaked = since + gate.soak, gate.planned_start - since
    if gate.planned_start < ready:
        return SOAK_OVER.failed(
            f"{words(soaked)} of {words(gate.soak)} in {name}, {words(ready - gate.planned_start)} to go; ready",
            "Ask again then.",
            Action.ASK_AGAIN,
            at=ready,
        )
    return SOAK_OVER.passed(f"{words(soaked)} in {name}, at least {words(gate.soak)} asked for; ready since", at=ready)


def _soaked_by_patch(gate: GateInput, readiness: Readiness) -> CheckResult:
    name, total = gate.source.name, counted(len(readiness.items), "patch", "patches")
    waiting = [item for item in readiness.items if not _is_ripe(item, gate)]
    unjudged = len({*gate.comparison.findings} - {item.finding for item in readiness.items})
    if unjudged:
        return SOAK_OVER.failed(
            f"The soak of {unjudged} of {len(gate.comparison.findings)} patches is not known.",
            "Ask again.",
            Action.ASK_AGAIN,
        )
    if not waiting:
        since = max(item.ready_at for item in readiness.items if item.ready_at)
        return SOAK_OVER.passed(f"{total} of {gate.target.name} have soaked in {name}; ready since", at=since)
    ready = f"{len(readiness.items) - len(waiting)} of {total} have soaked in {name}"
    if any(item.ripeness is Ripeness.HELD for item in waiting):
        return SOAK_OVER.failed(
            f"{ready}; the clock is held while a problem is reported or an alarm is on.",
            "See to that, then ask again.",
            Action.ASK_AGAIN,
        )
    idle = [item for item in waiting if item.ripeness is Ripeness.NEVER_STARTED]
    if any(item.finding.verdict is Verdict.TESTED for item in idle):
        return SOAK_OVER.failed(
            f"{ready}; the soak of {len(idle)} has not begun.",
            f"Install in {name}: its verification Scan starts the clock.",
            Action.INSTALL_SOURCE,
        )
    if idle:
        return SOAK_OVER.failed(
            f"{ready}; {len(idle)} are not tested there, so their soak has not begun.",
            "Ask again when they are, or install the ready part now.",
            Action.ASK_AGAIN,
        )
    return SOAK_OVER.failed(
        f"{ready}; all are ready",
        "Ask again then, or install the ready part now.",
        Action.ASK_AGAIN,
        at=max(item.ready_at for item in waiting if item.ready_at),
    )


def _part_soaked(gate: GateInput) -> CheckResult:
    """Every entry of the part's list has soaked by the planned start, or is an older version that has."""
    part, name = gate.ready_part, gate.source.name
    if part is None or gate.readiness is None:
        return SOAK_OVER.failed(f"What has soaked in {name} is not known.", "Ask again.", Action.ASK_AGAIN)
    ripe = {
        PinnedPatch(item.finding.kb_id, item.finding.title) for item in gate.readiness.items if _is_ripe(item, gate)
    }
    early = [pin.id for pin in part.pins if pin not in ripe | {each.pin for each in part.older}]
    if early or not part.pins:
        return SOAK_OVER.failed(
            f"Not soaked: {listed(early)}." if early else "Nothing has soaked yet.",
            "Ask again when they have.",
            Action.ASK_AGAIN,
        )
    return SOAK_OVER.passed(
        f"{counted(len(part.pins), 'patch', 'patches')} of the ready part have soaked in {name}; "
        f"{len(part.stays_behind)} stay behind."
    )


def _is_ripe(item: Soaked, gate: GateInput) -> bool:
    """Judged again at the planned start, whenever the readiness was computed."""
    return item.ripeness is Ripeness.READY and item.ready_at is not None and item.ready_at <= gate.planned_start


def _plain(state: RunState) -> str:
    return state.value.replace("_", " ")


def _succeeded(outcome: NodeOutcome | None) -> bool:
    return outcome is NodeOutcome.SUCCEEDED


def _reason(outcome: NodeOutcome | None) -> str:
    return "was not in it" if outcome is None else outcome.value.replace("_", " ")


def _label(gate: GateInput, node: str) -> str:
    """A failed node's name where its id was given."""
    return next((fact.label for fact in gate.source.nodes if fact.node.id == node), node)


def _pending(evidence: Evidence) -> int:
    rows = sum(row.state is PatchState.INSTALLED_PENDING_REBOOT for row in evidence.rows)
    return max(rows, evidence.counts.get("InstalledPendingRebootCount", 0))
