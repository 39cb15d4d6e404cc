"""Read models: what a message about a run or a change needs, read from the store after the transition (I5)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from commands.timing import objecting_until
from commands.waves import (
    NO_REACH,
    Paused,
    Reach,
    Seen,
    Wave,
    may_cancel,
    may_continue,
    may_pause,
    paused,
    reach,
    seen,
    waves,
)
from patching.config import Configuration
from patching.evidence import offered
from patching.model import Evidence, Node, Operation, PatchState, PinnedPatch
from patching.outcomes import NodeOutcome, NodeResult, changed, reconcile
from patching.plan import StepKind
from patching.proof import patch_key
from patching.states import RunState, StepState
from patching.summary import MissingPatch, missing_by_severity, missing_patches
from patching.titles import version_of
from storage import (
    absences,
    acknowledgements,
    backups,
    changes,
    decisions,
    evidence,
    objections,
    problems,
    runs,
    steps,
)
from storage.absences import Absence
from storage.backups import NodeBackup
from storage.changes import Change
from storage.database import Store
from storage.decisions import Decision
from storage.invocations import Invocation
from storage.objections import Objection
from storage.problems import Problem
from storage.runs import Purpose, Run
from storage.steps import Step

_DOING = {
    StepKind.BACKUP: "backing up",
    StepKind.GATE: "looking again",
    StepKind.INSTALL: "installing",
    StepKind.HEALTH: "checking health",
    StepKind.VERIFY: "verifying",
    StepKind.SCAN: "scanning",
}


@dataclass(frozen=True, slots=True)
class NodeLine:
    """One expected node of a run."""

    id: str
    name: str
    state: str  # waiting, running, done, failed, unreached, untouched (left alone: its Install is not sent any more)
    detail: str  # a few words: "verifying", "Execution Timed Out", "agent is not online"


@dataclass(frozen=True, slots=True)
class RunReport:
    run: Run
    nodes: tuple[NodeLine, ...]
    stage: str  # requested, scanning, installing, verifying, ended
    # What the nodes reported; empty while a Scan or a non-production Install goes on.
    by_severity: Mapping[str, Mapping[str, int]]  # node id → severity → missing patches; only nodes with evidence
    missing: tuple[MissingPatch, ...]
    installed: Mapping[PinnedPatch, int]  # non-production Install: what changed → on how many nodes
    pending_reboot: Mapping[str, tuple[str, ...]]  # node name → the patches that wait for a reboot, by KBId
    results: tuple[NodeResult, ...]  # production Install: the approved list against each node
    problem: Problem | None  # open on the application
    unsettled: tuple[Step, ...]  # steps of which a person must say whether they were sent
    may_report_problem: bool  # an ended non-production Install
    change: Change | None = None  # the change behind a production Install
    approvals: tuple[Decision, ...] = ()  # of that change, which say where the database's backup is
    taken: Mapping[str, NodeBackup] = field(default_factory=dict)  # node id → the backup that the run took first
    waves: tuple[Wave, ...] = ()  # of an Install, in order
    reach: Reach = NO_REACH  # of an Install
    paused: Paused | None = None
    absences: tuple[Absence, ...] = ()  # of an Install: nodes that were away, or that it does not account for
    may_cancel: bool = False  # these three: whether it can be asked for now, by somebody with the right
    may_pause: bool = False
    may_continue: bool = False

    @property
    def finished_nodes(self) -> int:
        return sum(1 for node in self.nodes if node.state in {"done", "failed", "unreached"})


@dataclass(frozen=True, slots=True)
class ChangeReport:
    change: Change
    decisions: tuple[Decision, ...]
    scans: tuple[Run, ...]  # the scans for the first evaluation and those at send time, in order
    install: Run | None
    superseded: Change | None  # the change that this one asks again for
    successor: Change | None  # the newer change on the same environment, when there is one
    approvers: str  # how the configuration names who may approve, for people: "<@U…>, <!subteam^S…>" ids
    ready: bool  # Approve can be offered: pending and every check passes
    objections: tuple[Objection, ...] = ()  # those that ended too, oldest first
    seen_by: tuple[str, ...] = ()  # who acknowledged it, the first first
    object_until: datetime | None = None  # None: until it is sent


def run_report(store: Store, run: Run) -> RunReport:
    db = store.db
    planned = steps.of_run(db, run.id)
    tracked = seen(db, planned)
    found = waves(planned, tracked)
    ended = run.state.ended
    install = run.operation is Operation.INSTALL
    # Hundreds of rows of each node: while a run goes on, only a production Install is judged by them.
    judged = ended or (install and run.production)
    known = _judged_by(planned, evidence.of_run(db, run.id), install=install) if judged else {}
    titles = evidence.earlier_titles(db, run.id) if known and not install else {}
    versions = {key: version_of(key[1], title) or title for key, title in titles.items()}
    items = tuple(known.values())
    before = evidence.before_run(db, run.id, run.application, run.environment) if install and known else {}
    return RunReport(
        run=run,
        nodes=tuple(_lines(run, planned, tracked)),
        stage=_stage(run, planned),
        by_severity=missing_by_severity(items),
        missing=missing_patches(items, versions),
        installed=_installed(before, known) if install and not run.production else {},
        pending_reboot=_pending(items),
        results=_results(store, run, before, known) if install and run.production else (),
        problem=problems.open_problem(db, run.application),
        # While it is still looked up, nobody is asked: their answer would be refused.
        unsettled=tuple(
            step for step in planned if step.state is StepState.UNKNOWN and run.state is RunState.NEEDS_HUMAN
        ),
        may_report_problem=install and not run.production and ended and run.state is not RunState.CANCELLED,
        change=changes.find(db, run.change_id) if run.change_id and run.purpose is Purpose.CHANGE else None,
        approvals=_approvals(store, run),
        taken={node_id: each for node_id, each in backups.of_run(db, run.id).items() if each.complete},
        waves=found,
        reach=reach(planned, tracked),
        paused=paused(db, run, planned),
        absences=tuple(absences.of_run(db, run.id).values()) if install else (),
        may_cancel=may_cancel(run, planned),
        may_pause=may_pause(run, found),
        may_continue=may_continue(run),
    )


def change_report(store: Store, change: Change, config: Configuration) -> ChangeReport:
    db = store.db
    newest = changes.newest(db, change.application, change.environment)
    installs = runs.of_change(db, change.id, Purpose.CHANGE)
    approver = config.access.approver
    return ChangeReport(
        change=change,
        decisions=tuple(decisions.made(db, change.id)),
        scans=(*runs.of_change(db, change.id, Purpose.PREPARE), *runs.of_change(db, change.id, Purpose.SEND)),
        install=installs[-1] if installs else None,
        superseded=changes.find(db, change.supersedes) if change.supersedes else None,
        successor=newest if newest and newest.id > change.id else None,
        approvers=", ".join(
            [*(f"<!subteam^{group}>" for group in approver.groups), *(f"<@{user}>" for user in approver.users)]
        ),
        ready=change.state.value == "pending",
        objections=tuple(objections.of_change(db, change.id)),
        seen_by=tuple(user_id for user_id, _ in acknowledgements.of_subject(db, change.subject)),
        object_until=objecting_until(config, change),
    )


def _approvals(store: Store, run: Run) -> tuple[Decision, ...]:
    if run.change_id is None or run.purpose is not Purpose.CHANGE:
        return ()
    return tuple(each for each in decisions.made(store.db, run.change_id, "accepted") if each.kind == "approve")


def _stage(run: Run, planned: list[Step]) -> str:
    if run.state.ended:
        return "ended"
    current = next((step for step in planned if not step.state.ended), None)
    if current is None:
        return "requested" if not planned else "ended"
    return _DOING[current.kind]


def _judged_by(planned: list[Step], known: Mapping[str, Evidence], *, install: bool) -> Mapping[str, Evidence]:
    """What a run's outcome is read from: of an Install its verification, not what was seen before it (I8)."""
    if not install:
        return known
    verified = {step.id for step in planned if step.kind is StepKind.VERIFY}
    return {node_id: item for node_id, item in known.items() if item.snapshot_id in verified}


def _lines(run: Run, planned: list[Step], known: Seen) -> list[NodeLine]:
    """The expected nodes, each with the newest thing known of it."""
    lines = []
    steps_of: dict[str, list[Step]] = {}
    for step in planned:
        for node_id in step.node_ids:
            steps_of.setdefault(node_id, []).append(step)
    for node in sorted(run.nodes, key=lambda node: (node.name, node.id)):
        mine = [(step, known[step.id].get(node.id)) for step in steps_of.get(node.id, ())]
        bad = next((found for _, found in mine if found and found.outcome not in (None, NodeOutcome.SUCCEEDED)), None)
        if not mine:
            reason = "stopped" if node.power != "running" else "its agent is not online"
            lines.append(NodeLine(node.id, node.name, "unreached" if planned or run.state.ended else "waiting", reason))
        elif run.cancelled_at and _left_alone(run, mine):
            lines.append(NodeLine(node.id, node.name, "untouched", ""))
        elif bad:
            lines.append(NodeLine(node.id, node.name, "failed", bad.note or bad.details or str(bad.outcome)))
        elif dropped := _never_begun(run, [step for step, _ in mine]):
            lines.append(NodeLine(node.id, node.name, "untouched", dropped.note))
        elif all(step.state.ended for step, _ in mine):
            missed = [step for step, found in mine if found is None and not _left_out(run, step)]
            unsent = missed[0].note if missed else None
            state = "failed" if unsent is not None else "done"
            lines.append(NodeLine(node.id, node.name, state, unsent or ""))
        else:
            lines.append(_under_way(node, mine, several=planned[-1].wave > 1))
    return lines


def _left_out(run: Run, step: Step) -> bool:
    """What a node can do without once nothing more is to be sent: its Install was sent, and is verified."""
    return step.kind is StepKind.HEALTH and (run.cancelled_at is not None or step.sending_at is None)


def _never_begun(run: Run, mine: list[Step]) -> Step | None:
    """The Install of a node that is not sent any more; None where it may be, or was."""
    if run.operation is not Operation.INSTALL:
        return None
    installs = [step for step in mine if step.kind is StepKind.INSTALL]
    return next((step for step in installs if step.state is StepState.FAILED and step.sending_at is None), None)


def _left_alone(run: Run, mine: list[tuple[Step, Invocation | None]]) -> bool:
    """Whether a cancelled run never began on a node what it was for, and nothing else went wrong there."""
    spared = {None, NodeOutcome.SUCCEEDED}
    if run.operation is Operation.SCAN:
        spared.add(NodeOutcome.CANCELLED)  # an Install that somebody cancelled at AWS may have been stopped half-way
    meant = [pair for pair in mine if pair[0].operation is run.operation and pair[0].kind is not StepKind.VERIFY]
    return all(found is None or found.outcome in spared for _, found in mine) and all(
        step.state is StepState.FAILED
        and (step.sending_at is None or (found is not None and found.outcome is NodeOutcome.CANCELLED))
        for step, found in meant
    )


def _under_way(node: Node, mine: list[tuple[Step, Invocation | None]], *, several: bool) -> NodeLine:
    """`several`: the run has more than one wave."""
    step, found = next(pair for pair in mine if not pair[0].state.ended)
    ended = found is not None and found.outcome is not None  # on this node; others of the step may go on
    if ended and step is mine[-1][0]:
        return NodeLine(node.id, node.name, "done", "")
    if found and found.status == "Delayed":
        return NodeLine(node.id, node.name, "waiting", found.note or found.details)
    begun = ended or (found is not None and found.status == "InProgress")
    earlier = any(each.state.ended for each, _ in mine if each.wave == step.wave)
    state = "running" if begun or earlier else "waiting"
    if several and step.wave and state == "waiting":
        return NodeLine(node.id, node.name, state, f"wave {step.wave}")
    # Only a backup that is no command knows how far it is.
    far = f": {found.details}" if found and step.kind is StepKind.BACKUP and not step.document else ""
    doing = "installed, to be verified" if ended and step.kind is StepKind.INSTALL else _DOING[step.kind]
    return NodeLine(node.id, node.name, state, f"{doing}{far}")


def _installed(before: Mapping[str, Evidence], after: Mapping[str, Evidence]) -> dict[PinnedPatch, int]:
    counts: dict[PinnedPatch, int] = {}
    for node_id, item in after.items():
        if node_id in before and before[node_id].snapshot_id != item.snapshot_id:
            for patch in changed(before[node_id], item):
                counts[patch] = counts.get(patch, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: pair[0].id))


def _pending(items: tuple[Evidence, ...]) -> dict[str, tuple[str, ...]]:
    waiting = {
        item.node_name: tuple(row.kb_id for row in item.rows if row.state is PatchState.INSTALLED_PENDING_REBOOT)
        for item in items
    }
    return {name: ids for name, ids in waiting.items() if ids}


def _results(
    store: Store, run: Run, before: Mapping[str, Evidence], after: Mapping[str, Evidence]
) -> tuple[NodeResult, ...]:
    change = changes.find(store.db, run.change_id) if run.change_id else None
    if change is None or run.pins is None:
        return ()
    source = tuple(evidence.newest(store.db, change.application, change.source).values())
    older = _older(run.pins, before)
    return tuple(
        reconcile(run.pins, before[node_id], item, source, older)
        for node_id, item in after.items()
        if node_id in before
    )


def _older(pins: tuple[PinnedPatch, ...], before: Mapping[str, Evidence]) -> tuple[PinnedPatch, ...]:
    """The pins that no node was offered: proven versions that are not the newest (`patching.ready`)."""
    newest = {patch_key(row.kb_id, row.title) for item in before.values() for row in offered(item)}
    return tuple(pin for pin in pins if patch_key(pin.id, pin.title) not in newest)


def newest_time(items: Mapping[str, Evidence]) -> datetime | None:
    """When the oldest of the newest evidence was taken: how fresh a picture is as a whole."""
    return min((item.operation_end for item in items.values()), default=None)
