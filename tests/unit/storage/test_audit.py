"""The audit trail: append-only, chained; whoever changes a byte is found (I6)."""

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from patching.chain import GENESIS
from storage import audit
from storage.database import Store
from tests.unit.storage.rows import NOW, everything, killed_half_way

COLUMNS = ("at", "actor", "subject", "action", "detail", "previous", "hash")


@pytest.fixture
def trail(store: Store) -> Store:
    """Five rows."""
    for number in range(1, 6):
        with store.transaction() as tx:
            audit.append(tx, NOW + timedelta(seconds=number), "U0ANN", "scan-1", f"done {number}", {"step": number})
    return store


def test_I6_a_chain_begins_at_genesis_and_each_row_holds_the_one_before(trail: Store) -> None:
    rows = list(audit.rows(trail.db))
    assert rows[0].previous == GENESIS
    assert [row.previous for row in rows[1:]] == [row.hash for row in rows[:-1]]
    assert audit.head(trail.db) == rows[-1].hash
    assert len({row.hash for row in rows}) == 5
    assert audit.first_broken(trail.db) is None


def test_I6_an_empty_trail_is_whole(store: Store) -> None:
    assert audit.head(store.db) == GENESIS
    assert audit.first_broken(store.db) is None


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'U0EVE' WHERE id = 3", "DELETE FROM audit"])
def test_I6_the_database_itself_refuses_to_change_or_delete(trail: Store, statement: str) -> None:
    before = everything(trail)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"), trail.transaction() as tx:
        tx.execute(statement)
    assert everything(trail) == before


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("row_id", [1, 3, 5])
def test_I6_one_changed_byte_is_found_in_its_row(trail: Store, column: str, row_id: int) -> None:
    forge(trail.path, f"UPDATE audit SET {column} = ? || substr({column}, 2) WHERE id = ?", ["\x7f", row_id])
    assert audit.first_broken(trail.db) == row_id


@pytest.mark.parametrize("column", COLUMNS)
def test_I6_the_last_byte_counts_as_much_as_the_first(trail: Store, column: str) -> None:
    forge(trail.path, f"UPDATE audit SET {column} = substr({column}, 1, length({column}) - 1) || ? WHERE id = 2", ["~"])
    assert audit.first_broken(trail.db) == 2


def test_I6_text_moved_from_one_column_to_the_next_is_found(trail: Store) -> None:
    forge(trail.path, "UPDATE audit SET actor = actor || 's', subject = substr(subject, 2) WHERE id = 4", [])
    assert audit.first_broken(trail.db) == 4


@pytest.mark.parametrize(("gone", "found"), [(1, 2), (3, 4)])
def test_I6_a_row_taken_out_breaks_the_next(trail: Store, gone: int, found: int) -> None:
    forge(trail.path, "DELETE FROM audit WHERE id = ?", [gone])
    assert audit.first_broken(trail.db) == found


def test_I6_a_row_taken_off_the_end_changes_the_head_that_receipts_show(trail: Store) -> None:
    shown = audit.head(trail.db)
    forge(trail.path, "DELETE FROM audit WHERE id = 5", [])
    assert audit.head(trail.db) != shown


def test_I6_two_rows_swapped_are_found(trail: Store) -> None:
    for old, new in ((2, 99), (3, 2), (99, 3)):
        forge(trail.path, "UPDATE audit SET id = ? WHERE id = ?", [new, old])
    assert audit.first_broken(trail.db) == 2


def test_I6_a_row_made_up_at_the_end_is_found(trail: Store) -> None:
    insert = "INSERT INTO audit (at, actor, subject, action, detail, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"
    forge(trail.path, insert, ["2026-11-20", "U0EVE", "change-1", "approved", "{}", audit.head(trail.db), "f" * 64])
    assert audit.first_broken(trail.db) == 6


def test_I6_a_trail_is_told_by_subject(trail: Store) -> None:
    with trail.transaction() as tx:
        audit.append(tx, NOW, "clock", "install-2", "requested")
    assert [row.action for row in audit.rows(trail.db, "install-2")] == ["requested"]
    assert len(list(audit.rows(trail.db))) == 6


def test_I6_a_transaction_that_dies_leaves_the_chain_as_it_was(trail: Store) -> None:
    before = audit.head(trail.db)
    with killed_half_way(trail) as tx:
        assert audit.append(tx, NOW, "clock", "scan-1", "lost") != before
    assert audit.head(trail.db) == before
    with trail.transaction() as tx:
        audit.append(tx, NOW, "clock", "scan-1", "kept")
    assert audit.first_broken(trail.db) is None


def forge(path: Path, statement: str, arguments: list[Any]) -> None:
    """As somebody with the file and without scruples would: the triggers are dropped first."""
    connection = sqlite3.connect(path)
    with connection:
        for verb in ("update", "delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS audit_no_{verb}")
        connection.execute(statement, arguments)
    connection.close()
