"""Whether an Install may be sent at this very moment: asked again for each, since hours may lie between two waves."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlite_utils import Database

from aws.documents import UnusableDocument
from aws.target import Target
from commands.agenda import AgendaUnknown
from commands.decide import problem_in_the_way
from commands.freezes import in_force
from commands.reports import run_report
from commands.timing import as_planned
from patching.agenda import Opening
from patching.backups import Level
from patching.durations import words
from patching.hooks import HOOKS
from patching.model import Node
from patching.phrases import listed
from patching.plan import StepKind
from patching.sequence import failed_in_wave
from patching.states import ChangeState
from patching.wave_gate import moved_rows
from scheduler.parts import Parts
from storage import changes, decisions, evidence, objections, runs, steps
from storage.changes import Change
from storage.runs import Purpose, Run
from storage.steps import Step

SEND_WITHIN = timedelta(minutes=30)  # after the scans that it rests on: later than that the picture is stale
LOOK_AGAIN = timedelta(minutes=2)


class Busy(Exception):
    """Somebody else's command is on a node; the sentence names it."""


def look(parts: Parts, run: Run, step: Step, target: Target) -> str | None:
    """What AWS says against sending an Install now, as a sentence. Raises Busy and AwsError.

    Asked for all that is left of a wave at once, and not again while its batches go out one after the other.
    """
    planned = steps.of_run(parts.store.db, run.id)
    batches = [each for each in planned if each.kind is StepKind.INSTALL and each.wave == step.wave]
    now = parts.clock.now()
    # Not `sent_at`: a doubt may be settled hours after the send that it was about.
    if any(each.sending_at and now - each.sending_at < LOOK_AGAIN for each in batches):
        return None
    other = _another_hook(parts, step, target, nothing(planned))
    if other:
        return other
    left = [node_id for each in batches if each.sending_at is None for node_id in each.node_ids]
    paired = _with_a_failed_one(parts, run, left)
    if paired:
        return f"{paired}; {nothing(planned)}. Ask again when that one is well."
    running = parts.patch_manager.running_elsewhere(target, left)
    if running:
        names = _names(run)
        told = [f"{each.document_name} ({each.command_id}) on {names[node_id]}" for node_id, each in running.items()]
        raise Busy(f"Waiting for somebody else's command to end: {listed(told)}.")
    if not run.production:
        return None
    return _touched(parts, run, left, target) or (_deviated(parts, run) if step.wave > 1 else None)


def _with_a_failed_one(parts: Parts, run: Run, node_ids: list[str]) -> str:
    """Which node shares its `ha_group` with one that failed before it, which the wave's error limit has let pass.

    They are kept in waves of their own so that one of them is well at any time.
    """
    ha_group = parts.config.applications[run.application].ha_group
    if ha_group is None:
        return ""
    progress = steps.progress(parts.store.db, run.id)
    failed = {node_id for wave in {each.wave for each in progress} for node_id in failed_in_wave(progress, wave)}
    tag = ha_group.removeprefix("tag:")
    down = {node.tags[tag]: node for node in run.nodes if node.id in failed and tag in node.tags}
    for node in run.nodes:
        other = down.get(node.tags.get(tag, ""))
        if node.id in node_ids and other:
            return f"{_name(other)} failed, and {_name(node)} is of the same {tag} {node.tags[tag]}"
    return ""


def _another_hook(parts: Parts, step: Step, target: Target, sent: str) -> str | None:
    """A hook that can't be run any more, or is not the one of the plan, as a sentence."""
    for parameter, hook in step.settings.get("hooks", {}).items():
        try:
            found = parts.patch_manager.own_document(target, hook["name"], HOOKS[parameter])
        except UnusableDocument as unusable:
            return str(unusable)
        if (found.version, found.hash) != (hook["version"], hook["hash"]):
            return f"The {HOOKS[parameter]} {found.name} is not the one of the plan any more; {sent}. Ask again."
    return None


def forbidden(parts: Parts, tx: Database, run: Run, step: Step, now: datetime, approvers: frozenset[str]) -> str | None:
    """Why a production Install may not be sent, whatever AWS and evidence say; read in its send's transaction (I3)."""
    planned = steps.of_run(tx, run.id)
    sent = nothing(planned)
    change = changes.find(tx, run.change_id) if run.change_id else None
    if change is None or run.purpose is not Purpose.CHANGE or change.state is not ChangeState.USED:
        return f"There is no approved change behind this Install; {sent}."
    if change.configuration != parts.config.version:
        return f"The configuration has changed since {change.ref} was judged; {sent}. Ask again."
    standing = decisions.approvers(tx, change) & approvers
    if len(standing) < max(change.required, 1):
        return (
            f"{len(standing)} of {change.required} approvers needed for {change.ref} hold the role now; {sent}. "
            "Ask again."
        )
    if run.pins_url is None and (change.parts or {}).get("policy", {}).get("pin") != "off":
        return f"The pinned list of {change.ref} is not in its bucket; {sent}. Ask again."
    held = _held(parts, tx, change, planned, step, now)
    if held:
        return f"{held} {sent[0].upper()}{sent[1:]}. Ask again when that is over."
    if problem_in_the_way(tx, change):
        return f"A problem with {run.application} was reported meanwhile; {sent}. An operator clears it first."
    picture = _picture(tx, run, planned, step)
    if picture is None or (now - picture > SEND_WITHIN and not _wave_is_under_way(planned, step)):
        return f"The scans taken for this Install are older than 30 minutes; {sent}. Ask again."
    old = _too_old(parts, run, planned, now) if not _wave_is_under_way(planned, step) else ""
    return f"{old}; {sent}. Ask again." if old else None


def _held(parts: Parts, tx: Database, change: Change, planned: list[Step], step: Step, now: datetime) -> str:
    """A freeze, an objection, a window that has closed to new work, as a sentence; a wave that has begun goes on."""
    if _wave_is_under_way(planned, step):
        return ""
    standing = objections.standing(tx, change.id)
    if standing:
        return f"Somebody objects to {change.ref}: {standing[0].reason.rstrip('.')}."
    freezes = () if change.emergency else in_force(tx, parts.config, change.application, now, now)
    if freezes:
        return freezes[0].sentence
    return _closed(parts, tx, change, change.opening, now) if change.opening else ""


def _closed(parts: Parts, tx: Database, change: Change, opening: Opening, now: datetime) -> str:
    """As it was when the change was let go, and as AWS plans it by now."""
    try:
        planned = as_planned(tx, parts.config, opening, change, now) if opening.is_open(now) else None
    except AgendaUnknown as unknown:
        return str(unknown)
    return "" if planned and planned.is_open(now) else f"The window {opening.name} is not open to new work any more."


def not_as_approved(db: Database, run: Run, step: Step) -> str | None:
    """What the gate before an Install's wave saw on the Install's nodes and nobody approved, as a sentence (I3).

    Evidence never changes, so this needs no transaction: a wave's is long to read.
    """
    planned = steps.of_run(db, run.id)
    moved = _moved(db, run, planned, step)
    return f"{moved}; {nothing(planned)}. Ask again." if moved else None


def nothing(planned: Iterable[Step]) -> str:
    """What to say of an Install that is not sent: others of its run may have been."""
    sent = any(each.kind is StepKind.INSTALL and each.sending_at for each in planned)
    return "nothing further was sent" if sent else "nothing was sent"


def _picture(db: Database, run: Run, planned: list[Step], step: Step) -> datetime | None:
    """When the oldest scan ended that this Install rests on: its wave's gate, or the scans at the send.

    On the nodes, that is: what was scanned before Patchgate was down for a day is not young because it was read now.
    """
    gates = [each for each in planned if each.kind is StepKind.GATE and each.wave == step.wave]
    if gates:
        ended = [_scanned_at(db, [each.id], each.ended_at) for each in gates if each.ended_at]
        return min(ended) if len(ended) == len(gates) else None
    ended = [
        _scanned_at(db, [each.id for each in steps.of_run(db, scan.id)], scan.ended_at)
        for scan in _scans(db, run)
        if scan.ended_at
    ]
    return min(ended, default=None)


def _scans(db: Database, run: Run) -> list[Run]:
    """The scans at the send: those since the change was let go, for it may have missed a window before."""
    change = changes.find(db, run.change_id) if run.change_id else None
    return runs.of_change(db, change.id, Purpose.SEND, change.released_at) if change else []


def _scanned_at(db: Database, step_ids: list[str], ended_at: datetime) -> datetime:
    return min(ended_at, evidence.newest_end(db, step_ids) or ended_at)


def _too_old(parts: Parts, run: Run, planned: list[Step], now: datetime) -> str:
    """Which backup that the plan took, and that is required, has grown too old while the run was paused or waited.

    Its age counts from its beginning, which is what it restores; it may have taken `timeouts.step` to be complete.
    """
    execution = parts.config.applications[run.application]
    wanted = execution.backup
    allowed = max(wanted.max_age, execution.timeouts.step)
    for each in planned:
        required = (wanted.database if each.document else wanted.instance) is Level.REQUIRED
        if each.kind is StepKind.BACKUP and required and each.sending_at and now - each.sending_at > allowed:
            what = each.document or f"{each.settings['take']} of the nodes"
            return f"The backup taken first ({what}) is older than {words(allowed)}"
    return ""


def _wave_is_under_way(planned: list[Step], step: Step) -> bool:
    return any(each.kind is StepKind.INSTALL and each.wave == step.wave and each.sent_at for each in planned)


def _moved(db: Database, run: Run, planned: list[Step], step: Step) -> str | None:
    gates = [each for each in planned if each.kind is StepKind.GATE and each.wave == step.wave]
    if not gates:
        return None
    scans = [scan for scan in _scans(db, run) if scan.environment == run.environment]
    approved = evidence.of_run(db, scans[-1].id, step.node_ids) if scans else {}
    mine = [gate for gate in gates if set(gate.node_ids) & set(step.node_ids)]
    now = {item.node_id: item for gate in mine for item in evidence.of_step(db, gate.id)}
    names = _names(run)
    unseen = [names[node_id] for node_id in step.node_ids if node_id not in approved or node_id not in now]
    if unseen:
        return f"The gate saw nothing of {listed(unseen)}"
    pins = run.pins if run.pins_url is not None else None
    moved = [each for node_id in step.node_ids for each in moved_rows(approved[node_id], now[node_id], pins)]
    return f"Not as it was approved: {listed(moved)}" if moved else None


def _touched(parts: Parts, run: Run, node_ids: list[str], target: Target) -> str | None:
    """Whether a node shows another operation than the newest of ours: then it may not be as it was when it was judged.

    Somebody else's command that was waited for may have been an Install; and a wave's last batches may go out hours
    after its gate.
    """
    known = evidence.newest_snapshots(parts.store.db, run.application, run.environment, node_ids)
    shown = parts.patch_manager.summaries(target, node_ids)
    names = _names(run)
    touched = [
        names[node_id]
        for node_id in node_ids
        if node_id not in shown or shown[node_id].snapshot_id != known.get(node_id)
    ]
    if not touched:
        return None
    return f"Somebody else's operation ran on {listed(touched)} meanwhile; nothing was sent there. Ask again."


def _deviated(parts: Parts, run: Run) -> str | None:
    """What an earlier wave got that nobody approved must not come to the next one, nor what it silently did not get.

    What is missing on a node that failed is its failure, which the wave's error limit has let pass.
    """
    progress = steps.progress(parts.store.db, run.id)
    failed = {node_id for wave in {each.wave for each in progress} for node_id in failed_in_wave(progress, wave)}
    deviating = [
        each.node_name
        for each in run_report(parts.store, run).results
        if each.unproven or each.removed or (each.deviates and each.node_id not in failed)
    ]
    if not deviating:
        return None
    return f"{listed(deviating)} did not end with exactly the approved list, so nothing further was sent."


def _names(run: Run) -> dict[str, str]:
    return {node.id: _name(node) for node in run.nodes}


def _name(node: Node) -> str:
    return node.name or node.id
