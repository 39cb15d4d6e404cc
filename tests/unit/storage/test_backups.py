"""When a document last succeeded on nodes: commands of ours alone, by the moment of their send."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from patching.model import Operation
from patching.nodes import EnvironmentKey
from patching.outcomes import NodeOutcome
from patching.plan import Document, scan_plan
from patching.states import RunState
from storage import steps
from storage.backups import ran_since
from storage.database import Store, to_text
from tests.unit.storage.rows import NOW, run_in

PROD = EnvironmentKey("orders-db", "prod")
DAY_AGO = NOW - timedelta(hours=24)


def sent(
    store: Store,
    at: datetime,
    outcomes: Mapping[str, NodeOutcome | None],
    *,
    document: str = "DumpOrders",
    key: EnvironmentKey = PROD,
) -> None:
    """A command with the document that ended so on each node."""
    run = run_in(store, RunState.SUCCEEDED, application=key.application, environment=key.environment)
    step_id = f"step-of-{run.ref}"
    (plan,) = scan_plan(Document(document, "1", "a" * 64), outcomes)
    with store.transaction() as tx:
        steps.plan(tx, run.id, [replace(plan, operation=Operation.SCAN)], lambda: step_id)
        tx.execute("UPDATE step SET sent_at = ? WHERE id = ?", [to_text(at), step_id])
        for node_id, outcome in outcomes.items():
            tx.execute(
                """INSERT INTO invocation (step_id, node_id, status, details, outcome, updated_at)
                   VALUES (?, ?, 'Success', 'Success', ?, ?)""",
                [step_id, node_id, outcome, to_text(at)],
            )


def test_the_newest_success_of_each_node(store: Store) -> None:
    good, bad = NodeOutcome.SUCCEEDED, NodeOutcome.FAILED
    sent(store, NOW - timedelta(hours=9), {"i-1": good, "i-2": good})
    sent(store, NOW - timedelta(hours=2), {"i-1": good, "i-2": bad, "i-3": None})
    assert ran_since(store.db, PROD, "DumpOrders", DAY_AGO) == {
        "i-1": NOW - timedelta(hours=2),
        "i-2": NOW - timedelta(hours=9),
    }


def test_what_is_older_or_of_another_document_or_environment_does_not_count(store: Store) -> None:
    good = {"i-1": NodeOutcome.SUCCEEDED}
    sent(store, DAY_AGO - timedelta(seconds=1), good)
    sent(store, NOW, good, document="StopOrders")
    sent(store, NOW, good, key=EnvironmentKey("orders-db", "nonprod"))
    sent(store, NOW, good, key=EnvironmentKey("billing-db", "prod"))
    assert ran_since(store.db, PROD, "DumpOrders", DAY_AGO) == {}
    sent(store, DAY_AGO, good)
    assert set(ran_since(store.db, PROD, "DumpOrders", DAY_AGO)) == {"i-1"}
