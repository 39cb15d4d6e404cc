"""A database of a release before waves, with a production Install under way in it, goes on as it was approved."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from patching.sequence import next_to_send
from patching.states import StepState
from storage import evidence, invocations, steps
from storage.database import Store, to_text
from storage.schema import migrations
from tests.unit.storage.rows import NOW

NODES = tuple(f"i-{number:017x}" for number in range(4))
BATCHES = ("first", "second", "verify-first", "verify-second")
OPENED = ("openssl.amd64", "openssl-3.0.17", "Missing", "Security", "Important", "[]", None)


@pytest.fixture
def upgraded(tmp_path: Path) -> Iterator[Store]:
    path = tmp_path / "old.db"
    old = Database(sqlite3.connect(path))
    migrations.apply(old, stop_before="m013_plans")
    old.conn.execute("PRAGMA foreign_keys = ON")
    fill(old)
    old.conn.commit()
    old.close()
    opened = Store(path)
    yield opened
    opened.close()


def fill(old: Database) -> None:
    """An Install of four nodes in two batches of which the first is with AWS, as the release before wrote it."""
    at = to_text(NOW)
    old.conn.execute(
        "INSERT INTO run (id, operation, application, environment, production, purpose, state, requested_by,"
        " requested_at, started_at) VALUES (7, 'Install', 'orders-db', 'prod', 1, 'change', 'running', 'U0ANN', ?, ?)",
        [at, at],
    )
    rows = [
        ("first", 1, "install", "Install", f'["{NODES[0]}","{NODES[1]}"]', "sent", "command-1", at),
        ("second", 2, "install", "Install", f'["{NODES[2]}","{NODES[3]}"]', "planned", None, None),
        ("verify-first", 3, "verify", "Scan", f'["{NODES[0]}","{NODES[1]}"]', "planned", None, None),
        ("verify-second", 4, "verify", "Scan", f'["{NODES[2]}","{NODES[3]}"]', "planned", None, None),
    ]
    old.conn.executemany(
        "INSERT INTO step (id, run_id, position, kind, operation, document, document_version, document_hash,"
        " parameters, node_ids, max_concurrency, max_errors, delivery_timeout, state, command_id, sent_at, sending_at)"
        " VALUES (?, 7, ?, ?, ?, 'AWS-RunPatchBaseline', '1', 'aa', '{}', ?, '50%', '0', 600, ?, ?, ?, ?)",
        [(*row, row[-1]) for row in rows],
    )
    old.conn.execute(
        "INSERT INTO invocation (step_id, node_id, status, details, updated_at)"
        " VALUES ('first', ?, 'InProgress', 'InProgress', ?)",
        [NODES[0], at],
    )
    old.conn.execute(
        "INSERT INTO evidence (run_id, step_id, application, environment, node_id, node_name, os, major, arch,"
        " operation, snapshot_id, operation_end, baseline_id, baseline_content, counts, read_at)"
        " VALUES (7, 'first', 'orders-db', 'prod', ?, 'db-1', 'Debian', '12', 'x86_64', 'Scan', 'first', ?, 'pb-1',"
        " 'b', '{}', ?)",
        [NODES[0], at, at],
    )
    old.conn.execute("INSERT INTO evidence_row VALUES (1, ?, ?, ?, ?, ?, ?, ?)", OPENED)


def test_every_row_is_there_and_points_where_it_did(upgraded: Store) -> None:
    db = upgraded.db
    assert [step.id for step in steps.of_run(db, 7)] == list(BATCHES)
    assert invocations.of_step(db, "first")[NODES[0]].status == "InProgress"
    (item,) = evidence.of_step(db, "first")
    assert [row.kb_id for row in item.rows] == ["openssl.amd64"]
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    referred = {
        row["table"] for name in ("invocation", "evidence") for row in db.execute(f"PRAGMA foreign_key_list({name})")
    }
    assert referred == {"step", "run"}
    with pytest.raises(sqlite3.IntegrityError), upgraded.transaction() as tx:
        tx.execute("DELETE FROM step WHERE id = 'first'")


def test_I3_its_batches_still_go_one_after_the_other(upgraded: Store) -> None:
    """Its rows know no rate of a wave: each batch has its own, which was approved for one batch at a time."""
    assert next_to_send(steps.progress(upgraded.db, 7)) is None  # the first batch is under way
    with upgraded.transaction() as tx:
        steps.transition(tx, steps.get(tx, "first"), StepState.DONE, NOW, "install-7")
    assert next_to_send(steps.progress(upgraded.db, 7)) == 2
