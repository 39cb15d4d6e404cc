"""Rows to begin with: runs, steps, changes and notices, each in the state that a test asks for."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

from sqlite_utils import Database

from patching.model import Operation
from patching.plan import Document, scan_plan
from patching.states import ChangeState, NoticeState, RunState, StepState
from storage import changes, outbox, runs, steps
from storage.changes import Change
from storage.database import Store, to_text
from storage.outbox import Medium, Notice
from storage.runs import Purpose, Run
from storage.steps import Step

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_IDS = count(1)


def everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, so that "nothing was written" can be said with one comparison."""
    names = [row["name"] for row in store.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: [tuple(row) for row in store.db.execute(f"SELECT * FROM {name} ORDER BY rowid")] for name in names}


def run_in(
    store: Store, state: RunState = RunState.REQUESTED, *, environment: str = "nonprod", application: str = "orders-db"
) -> Run:
    """A run with its card. Its state is written past the table, as an earlier life of the process left it."""
    with store.transaction() as tx:
        run = runs.create(
            tx,
            NOW,
            operation=Operation.SCAN,
            application=application,
            environment=environment,
            production=environment == "prod",
            purpose=Purpose.REQUEST,
            requested_by="U0ANN",
        )
        tx.execute("UPDATE run SET state = ? WHERE id = ?", [state, run.id])
        card_of(tx, run.subject, f"run:{run.id}:card", "run-card")
    return runs.get(store.db, run.id)


def step_in(store: Store, state: StepState = StepState.PLANNED, *, run: Run | None = None) -> Step:
    run = run or run_in(store, RunState.RUNNING, environment=f"env-{next(_IDS)}")
    step_id = f"step-{next(_IDS)}"
    plan = scan_plan(Document("AWS-RunPatchBaseline", "1", "a" * 64), ["i-0123456789abcdef0"])
    with store.transaction() as tx:
        steps.plan(tx, run.id, plan, lambda: step_id)
        tx.execute("UPDATE step SET state = ? WHERE id = ?", [state, step_id])
    return steps.get(store.db, step_id)


def change_in(store: Store, state: ChangeState = ChangeState.PREPARING, *, application: str = "orders-db") -> Change:
    with store.transaction() as tx:
        change = changes.create(
            tx,
            NOW,
            application=application,
            environment="prod",
            source="nonprod",
            requested_by="U0ANN",
            configuration="c" * 64,
        )
        tx.execute("UPDATE change SET state = ?, digest = ? WHERE id = ?", [state, "d" * 64, change.id])
        card_of(tx, change.subject, f"change:{change.id}:card", "change-card")
    return changes.get(store.db, change.id)


def card_of(tx: Database, subject: str, key: str, kind: str) -> None:
    """A card that is posted and up to date: whatever touches it makes it due again."""
    outbox.owe(tx, NOW, key=key, kind=kind, medium=Medium.CHANNEL, recipient="C0ORDERS", subject=subject)
    tx.execute(
        "UPDATE notice SET state = 'sent', ts = '1.0', channel = 'C0ORDERS', shown_revision = revision, sent_at = ?"
        " WHERE key = ?",
        [to_text(NOW), key],
    )


def owed(
    store: Store,
    key: str,
    *,
    kind: str = "run-card",
    medium: Medium = Medium.CHANNEL,
    recipient: str = "C0ORDERS",
    subject: str = "run:1",
    at: datetime = NOW,
) -> bool:
    with store.transaction() as tx:
        return outbox.owe(tx, at, key=key, kind=kind, medium=medium, recipient=recipient, subject=subject)


def notice_of(store: Store, key: str) -> Notice:
    row = store.db.execute("SELECT id FROM notice WHERE key = ?", [key]).fetchone()
    found = {each.id: each for each in notices(store)}
    return found[row["id"]]


def notices(store: Store) -> list[Notice]:
    return [outbox._notice(row) for row in store.db.execute("SELECT * FROM notice ORDER BY id")]


def set_notice(store: Store, key: str, state: NoticeState) -> None:
    with store.transaction() as tx:
        tx.execute("UPDATE notice SET state = ? WHERE key = ?", [state, key])


def audit_count(store: Store) -> int:
    return int(store.db.execute("SELECT count(*) AS n FROM audit").fetchone()["n"])


@contextmanager
def killed_half_way(store: Store) -> Iterator[Database]:
    """A transaction whose process dies after its writes and before its commit."""
    try:
        with store.transaction() as tx:
            yield tx
            raise Died
    except Died:
        pass


class Died(Exception):
    pass
