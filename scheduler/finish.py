"""Sweep `finish`: a run whose steps have all ended gets its end, judged by its nodes (I9)."""

from datetime import datetime
from functools import partial

from commands.reports import run_report
from patching.model import Operation
from patching.outcomes import NodeOutcome, changed
from patching.phrases import counted
from patching.plan import StepKind
from patching.states import ChangeState, RunState, StepState
from scheduler import notices
from scheduler.backup_steps import failures
from scheduler.parts import Parts
from storage import changes, evidence, runs, steps
from storage.runs import Purpose, Run
from storage.steps import Step


def tick(parts: Parts, now: datetime) -> None:
    for run in runs.in_state(parts.store.db, RunState.RUNNING, RunState.PAUSED):
        planned = steps.of_run(parts.store.db, run.id)
        if planned and all(step.state.ended for step in planned):
            parts.pool.submit(("finish", run.id), partial(finish, parts, run))


def finish(parts: Parts, run: Run) -> None:
    planned = steps.of_run(parts.store.db, run.id)
    state, note = _judge(parts, run, planned)
    moved = _changed_rows(parts, run, planned) if run.operation is Operation.INSTALL else None
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        ended = runs.transition(
            tx, run, state, now, "clock", note=note, changed_rows=None if moved is None else int(moved)
        )
        if ended is None:
            return
        if run.purpose in {Purpose.REQUEST, Purpose.CHANGE} and evidence.of_run(tx, run.id):
            notices.owe_details(tx, now, parts.config, run.subject, run.application, "run-details")
        if run.operation is Operation.INSTALL:
            notices.owe_to_owners(tx, now, parts.config, ended, "ended")
        if run.purpose is Purpose.CHANGE and run.change_id is not None:
            change = changes.get(tx, run.change_id)
            if _nothing_sent(planned):
                # As after any other refusal before the send: whoever asks next asks again for this (I4).
                changes.transition(tx, change, ChangeState.SUPERSEDED, now, "clock", note=note)
            else:
                changes.transition(tx, change, ChangeState.DONE, now, "clock", note=f"{run.ref} ended as {state}.")
            notices.owe_receipts(tx, now, change)
    parts.wake("deliver")
    parts.wake("changes")


def _judge(parts: Parts, run: Run, planned: list[Step]) -> tuple[RunState, str]:
    """The end state, and why in a sentence when it is not success."""
    named = {node_id for step in planned for node_id in step.node_ids}
    left_out = [node.name for node in run.nodes if node.id not in named]
    failed = {
        node_id: found
        for step in planned
        for node_id, found in runs.invocations(parts.store.db, step.id).items()
        if found.outcome is not NodeOutcome.SUCCEEDED
    }
    unsent = [step for step in planned if step.state is StepState.FAILED and not step.sent_at]
    results = run_report(parts.store, run).results
    deviating = [result.node_name for result in results if result.deviates]
    stopped = any(found.outcome is NodeOutcome.CANCELLED for found in failed.values())
    if run.cancelled_at and (unsent or stopped):
        return RunState.CANCELLED, f"{_sent(run, planned)} Nothing more was sent after it was cancelled."
    sent = {node_id for step in planned if step.sent_at for node_id in step.node_ids if step.kind is StepKind.INSTALL}
    if unsent and any(result.deviates and result.node_id in sent for result in results):
        return RunState.DEVIATED, f"{_some(deviating)} did not end with exactly the approved list; {_rest(unsent)}"
    if unsent:
        return RunState.FAILED, f"{unsent[0].note or run.note} {failures(parts.store.db, run, planned)}".strip()
    if failed:
        return RunState.FAILED, f"{len(failed)} of {len(run.nodes)} nodes did not succeed."
    if left_out:
        return RunState.FAILED, f"{len(left_out)} of {len(run.nodes)} nodes were never reached: {_some(left_out)}."
    if deviating:
        return RunState.DEVIATED, f"{_some(deviating)} did not end with exactly the approved list."
    if run.purpose is Purpose.CHANGE and len(results) < len(named):
        return RunState.FAILED, "Not every node could be compared with the approved list."
    return RunState.SUCCEEDED, ""


def _sent(run: Run, planned: list[Step]) -> str:
    installs = [step for step in planned if step.kind is StepKind.INSTALL and step.sent_at]
    reached = {node_id for step in installs for node_id in step.node_ids}
    if run.operation is not Operation.INSTALL:
        return ""
    return f"Installed on {len(reached)} of {counted(len(run.nodes), 'node')}." if reached else "Nothing was installed."


def _rest(unsent: list[Step]) -> str:
    left = {node_id for step in unsent if step.kind is StepKind.INSTALL for node_id in step.node_ids}
    return f"{counted(len(left), 'node')} after that {'was' if len(left) == 1 else 'were'} left alone."


def _nothing_sent(planned: list[Step]) -> bool:
    """No Install ever began to be sent, or each was definitely refused. A person's "it did not" is no proof."""
    return all(step.sending_at is None for step in planned if step.kind is StepKind.INSTALL)


def _changed_rows(parts: Parts, run: Run, planned: list[Step]) -> bool:
    """Whether the Install changed any row of any node; what can't be told apart from a change counts as one (I8).

    An Install that may have been sent and whose verification tells nothing has changed something, for all we know.
    """
    sent = [step for step in planned if step.kind is StepKind.INSTALL and step.sent_at]
    installed = {node_id for step in sent for node_id in step.node_ids}
    before = evidence.before_run(parts.store.db, run.id, run.application, run.environment)
    after = evidence.of_run(parts.store.db, run.id)
    verified = {node_id for node_id in after if after[node_id] != before.get(node_id)}
    return any(node_id not in verified or bool(changed(before.get(node_id), after[node_id])) for node_id in installed)


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
