"""How a run ended, judged by its nodes, and the sentences that say why (I9)."""

from collections.abc import Iterator, Sequence

from commands.reports import run_report
from commands.waves import Seen, reach, seen
from patching.model import Operation
from patching.outcomes import NodeOutcome, NodeResult
from patching.phrases import counted
from patching.plan import StepKind
from patching.states import RunState, StepState
from storage.database import Store
from storage.runs import Purpose, Run
from storage.steps import Step

_TOLD = frozenset({StepKind.BACKUP, StepKind.GATE})
"""What stops the rest by what single nodes said, so that the end says it as well."""


def judge(store: Store, run: Run, planned: Sequence[Step]) -> tuple[RunState, str]:
    """The end state of a run whose steps have all ended, and when it is not success why, in a few sentences."""
    known = seen(store.db, planned)
    outcomes = [(node_id, found.outcome) for each in known.values() for node_id, found in each.items()]
    failed = {node_id for node_id, outcome in outcomes if outcome is not NodeOutcome.SUCCEEDED}
    unsent = [step for step in planned if step.state is StepState.FAILED and not step.sent_at]
    unwell = [step for step in planned if step.state is StepState.FAILED and step.sent_at and not step.node_ids]
    results = run_report(store, run).results
    stopped = any(outcome is NodeOutcome.CANCELLED for _, outcome in outcomes)
    if run.cancelled_at and (unsent or stopped):
        far = _how_far(run, planned, known)
        return RunState.CANCELLED, f"{far} Nothing more was sent after it was cancelled.".strip()
    if unsent or unwell:
        tried = {node_id for step in planned if _tried(step) for node_id in step.node_ids}
        by_itself = tried - failed  # what is missing on a node that failed is its failure
        deviating = [each.node_name for each in results if each.deviates and each.node_id in by_itself]
        state = RunState.DEVIATED if deviating else RunState.FAILED
        why = [_not_as_approved(deviating)] if deviating else _reasons(run, planned, known, unsent, unwell)
        return state, " ".join([*why, *([_how_far(run, planned, known)] if _half_done(planned) else [])])
    return _judge_nodes(run, planned, failed, results)


def _judge_nodes(
    run: Run, planned: Sequence[Step], failed: set[str], results: Sequence[NodeResult]
) -> tuple[RunState, str]:
    """Where everything was sent."""
    named = {node_id for step in planned for node_id in step.node_ids}
    left_out = [node.name for node in run.nodes if node.id not in named]
    deviating = [result.node_name for result in results if result.deviates]
    if failed:
        return RunState.FAILED, f"{len(failed)} of {len(run.nodes)} nodes did not succeed."
    if left_out:
        return RunState.FAILED, f"{len(left_out)} of {len(run.nodes)} nodes were never reached: {_some(left_out)}."
    if deviating:
        return RunState.DEVIATED, _not_as_approved(deviating)
    if run.purpose is Purpose.CHANGE and len(results) < len(named):
        return RunState.FAILED, "Not every node could be compared with the approved list."
    return RunState.SUCCEEDED, ""


def _reasons(
    run: Run, planned: Sequence[Step], known: Seen, unsent: Sequence[Step], unwell: Sequence[Step]
) -> Iterator[str]:
    """What went wrong first, and what nodes and alarms said of it."""
    if unsent and (unsent[0].note or run.note):
        yield unsent[0].note or run.note
    yield from (step.note for step in unwell if step.note)
    names = {node.id: node.name or node.id for node in run.nodes}
    told = [
        f"{names.get(node_id, node_id)}: {(found.note or found.details).rstrip('.')}."
        for step in planned
        if step.kind in _TOLD
        for node_id, found in sorted(known[step.id].items())
        if found.outcome not in {None, NodeOutcome.SUCCEEDED, NodeOutcome.CANCELLED}
    ]
    yield from told[:1]
    if len(told) > 1:
        yield f"So it went for {counted(len(told) - 1, 'more node')}."


def _tried(step: Step) -> bool:
    return step.kind is StepKind.INSTALL and step.sent_at is not None


def _half_done(planned: Sequence[Step]) -> bool:
    """Installed on some nodes and not begun on others."""
    installs = [step for step in planned if step.kind is StepKind.INSTALL]
    return any(step.sending_at for step in installs) and any(step.sending_at is None for step in installs)


def _how_far(run: Run, planned: Sequence[Step], known: Seen) -> str:
    """`Installed on 1 of 4 nodes, 1 did not succeed, 2 were left alone.`; of a Scan nothing."""
    if run.operation is not Operation.INSTALL:
        return ""
    found = reach(planned, known)
    if not found.ended:
        return "Nothing was installed."
    installs = [known[step.id] for step in planned if step.kind is StepKind.INSTALL]
    well = sum(each.outcome is NodeOutcome.SUCCEEDED for nodes in installs for each in nodes.values())
    parts = [f"Installed on {well or 'none'} of {counted(len(run.nodes), 'node')}"]
    if len(found.ended) > well:
        parts.append(f"{len(found.ended) - well:,} did not succeed")
    if found.untouched:
        parts.append(f"{len(found.untouched):,} {'was' if len(found.untouched) == 1 else 'were'} left alone")
    return f"{', '.join(parts)}."


def _not_as_approved(names: Sequence[str]) -> str:
    return f"{_some(names)} did not end with exactly the approved list."


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
