"""Sweep `finish`: a run whose steps have all ended gets its end, judged by its nodes (I9)."""

from datetime import datetime
from functools import partial

from patching.model import Operation
from patching.outcomes import changed
from patching.plan import StepKind
from patching.states import ChangeState, RunState
from scheduler import notices
from scheduler.ending import judge
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
    state, note = judge(parts.store, run, planned)
    moved = _changed_rows(parts, run, planned) if run.operation is Operation.INSTALL else None
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        ended = runs.transition(
            tx, run, state, now, "clock", note=note, changed_rows=None if moved is None else int(moved)
        )
        if ended is None:
            return
        if run.purpose in {Purpose.REQUEST, Purpose.CHANGE} and evidence.is_of_run(tx, run.id):
            notices.owe_details(tx, now, parts.config, run.subject, run.application, "run-details")
        if run.operation is Operation.INSTALL:
            notices.owe_about_install(tx, now, parts.config, ended, "ended")
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


def _nothing_sent(planned: list[Step]) -> bool:
    """No Install ever began to be sent, or each was definitely refused. A person's "it did not" is no proof."""
    return all(step.sending_at is None for step in planned if step.kind is StepKind.INSTALL)


def _changed_rows(parts: Parts, run: Run, planned: list[Step]) -> bool:
    """Whether the Install changed any row of any node; what can't be told apart from a change counts as one (I8).

    An Install that may have been sent and whose verification tells nothing has changed something, for all we know:
    a person's "it did not" is no proof.
    """
    sent = [step for step in planned if step.kind is StepKind.INSTALL and step.sending_at]
    installed = {node_id for step in sent for node_id in step.node_ids}
    before = evidence.before_run(parts.store.db, run.id, run.application, run.environment)
    after = evidence.of_run(parts.store.db, run.id)
    verified = {node_id for node_id in after if after[node_id] != before.get(node_id)}
    return any(node_id not in verified or bool(changed(before.get(node_id), after[node_id])) for node_id in installed)
