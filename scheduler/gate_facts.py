"""What the store knows of an environment and its application for the gate: evidence, the newest Install, the soak."""

from datetime import datetime

from patching.gate import EnvironmentFacts, InstallFact, NodeFact, ProblemFact
from patching.model import Node, Operation
from patching.nodes import EnvironmentKey
from patching.outcomes import NodeOutcome
from patching.plan import StepKind
from scheduler.parts import Parts
from storage import evidence, invocations, problems, runs, steps


def environment_facts(parts: Parts, key: EnvironmentKey, nodes: tuple[Node, ...]) -> EnvironmentFacts:
    """The nodes as resolved now, each with its newest evidence and how it came out of the newest Install."""
    settings = parts.config.environments()[key]
    known = evidence.newest(parts.store.db, key.application, key.environment)
    outcomes = _install_outcomes(parts, key)
    return EnvironmentFacts(
        name=key.environment,
        account=settings.account,
        region=settings.region,
        production=settings.production,
        nodes=tuple(NodeFact(node, known.get(node.id), outcomes.get(node.id)) for node in nodes),
    )


def _install_outcomes(parts: Parts, key: EnvironmentKey) -> dict[str, NodeOutcome]:
    """How each node came out of the newest Install: the worst of its steps."""
    run = runs.newest(parts.store.db, key.application, key.environment, Operation.INSTALL)
    outcomes: dict[str, NodeOutcome] = {}
    for step in steps.of_run(parts.store.db, run.id) if run else ():
        for node_id, found in invocations.of_step(parts.store.db, step.id).items():
            if found.outcome and outcomes.get(node_id, NodeOutcome.SUCCEEDED) is NodeOutcome.SUCCEEDED:
                outcomes[node_id] = found.outcome
    return outcomes


def install_fact(parts: Parts, key: EnvironmentKey) -> InstallFact | None:
    """The newest Install with the nodes that did not come through it; None before the first has ended."""
    db = parts.store.db
    run = runs.newest(db, key.application, key.environment, Operation.INSTALL)
    if run is None or run.ended_at is None:
        return None
    failed: dict[str, str] = {}
    verifications = [step for step in steps.of_run(db, run.id) if step.kind is StepKind.VERIFY]
    for step in steps.of_run(db, run.id):
        for node_id, found in invocations.of_step(db, step.id).items():
            if found.outcome is not NodeOutcome.SUCCEEDED:
                failed.setdefault(node_id, found.note or found.details or "never ended")
    read = {item.node_id for step in verifications for item in evidence.of_step(db, step.id)}
    named = {node_id for step in verifications for node_id in step.node_ids}
    return InstallFact(run.ref, run.state, run.ended_at, bool(named) and named <= read, failed)


def soak_start(parts: Parts, key: EnvironmentKey, now: datetime) -> datetime | None:
    """The end of the newest Install that changed a row, moved on by the time for which a problem held the clock.

    Somebody else's Install restarts it (I8).
    """
    db = parts.store.db
    run = runs.newest_that_changed(db, key.application, key.environment)
    if run is None or run.ended_at is None:
        return None
    foreign = evidence.newest_foreign_install(db, key.application, key.environment)
    start = max(run.ended_at, foreign) if foreign else run.ended_at
    return start + problems.held(db, key.application, start, now)


def problem_fact(parts: Parts, application: str) -> ProblemFact | None:
    found = problems.open_problem(parts.store.db, application)
    return ProblemFact(found.reported_by, found.reported_at, found.reason) if found else None
