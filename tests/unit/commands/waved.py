"""An Install in three waves, canary, replicas and primary, as far as a test says that it has come."""

from patching.execution import Execution
from patching.model import Node, Operation
from patching.nodes import EnvironmentKey
from patching.outcomes import NodeOutcome
from patching.plan import Document, Documents, install_plan
from patching.states import ChangeState, RunState, StepState
from storage import invocations, runs, steps
from storage.changes import Change
from storage.database import to_text
from storage.invocations import Invocation
from storage.runs import Purpose, Run
from tests.unit.commands.desk import NOW, Desk

DOCUMENT = Document("AWS-RunPatchBaseline", "1", "d" * 64)
REPLICAS, PRIMARY = ("i-1", "i-2", "i-3"), "i-4"
NODES = tuple(
    Node(node_id, f"db-{node_id[2:]}", "running", "Online", None, "3.3.40.0", {"Role": role})
    for node_id, role in ((*((each, "replica") for each in REPLICAS), (PRIMARY, "primary")))
)
WAVES = Execution.model_validate({"waves": [{"tag:Role": ["replica"]}, {"tag:Role": ["primary"]}], "canary": 1})
PROD = EnvironmentKey("orders-db", "prod")


def install(
    desk: Desk, state: RunState = RunState.RUNNING, *, production: bool = False, execution: Execution = WAVES
) -> Run:
    """Planned, nothing of it sent. In production it is what `change` became."""
    change = used(desk) if production else None
    plan = install_plan(execution, Documents(DOCUMENT, DOCUMENT), NODES, pinned=False, gated=production)
    with desk.store.transaction() as tx:
        run = runs.create(
            tx,
            NOW,
            operation=Operation.INSTALL,
            application="orders-db",
            environment="prod" if production else "nonprod",
            production=production,
            purpose=Purpose.CHANGE if production else Purpose.REQUEST,
            requested_by="U0ANN",
            change_id=change.id if change else None,
        )
        if state is not RunState.REQUESTED:
            ids = iter(f"step-{run.id}-{number}" for number in range(1, 100))
            steps.plan(tx, run.id, plan, lambda: next(ids))
        tx.execute("UPDATE run SET state = ?, nodes = ? WHERE id = ?", [state, runs.nodes_to_json(NODES), run.id])
    return runs.get(desk.store.db, run.id)


def used(desk: Desk) -> Change:
    return desk.change(ChangeState.USED, requesters=("U0ANN", "U0LEE"))


def send(desk: Desk, run: Run, position: int, *begun: str) -> None:
    """A step is with AWS; of its nodes these have begun."""
    _set(desk, run, position, StepState.SENT)
    with desk.store.transaction() as tx:
        for node_id in begun:
            seen = Invocation(_step_id(run, position), node_id, "InProgress", "InProgress", None, "")
            invocations.record(tx, NOW, seen)


def end(desk: Desk, run: Run, *positions: int) -> None:
    """Steps have ended well on all their nodes."""
    for position in positions:
        _set(desk, run, position, StepState.DONE)
        with desk.store.transaction() as tx:
            for node_id in steps.get(tx, _step_id(run, position)).node_ids:
                seen = Invocation(_step_id(run, position), node_id, "Success", "Success", NodeOutcome.SUCCEEDED, "")
                invocations.record(tx, NOW, seen)


def again(desk: Desk, run: Run) -> Run:
    return runs.get(desk.store.db, run.id)


def _set(desk: Desk, run: Run, position: int, state: StepState) -> None:
    at = to_text(desk.clock.now())
    with desk.store.transaction() as tx:
        tx.execute(
            "UPDATE step SET state = ?, sending_at = ?, sent_at = ?, ended_at = ? WHERE id = ?",
            [state, at, at, at if state.ended else None, _step_id(run, position)],
        )


def _step_id(run: Run, position: int) -> str:
    return f"step-{run.id}-{position}"
