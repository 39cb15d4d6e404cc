"""The database file: its migrations, its lock, its transactions and its threads."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlite_utils import Database

from storage import audit, runs
from storage.database import StorageError, Store, to_json, to_text, to_time
from storage.schema import migrations
from tests.unit.storage.rows import NOW, everything, killed_half_way, run_in


def test_a_new_file_gets_every_table_and_is_strict(store: Store) -> None:
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
    found = {row["name"]: row["sql"] for row in store.db.execute(query)}
    ours = {name for name in found if not name.startswith(("sqlite_", "_sqlite_"))}
    assert {"run", "step", "invocation", "evidence", "change", "decision", "problem", "notice", "audit"} <= ours
    assert [name for name in ours if not found[name].rstrip().endswith("STRICT")] == []


@pytest.mark.parametrize("applied", range(len(migrations._migrations)))
def test_a_file_of_any_earlier_version_is_brought_up_to_date(tmp_path: Path, applied: int) -> None:
    """With its rows: a run written by the first version is there afterwards."""
    path = tmp_path / "old.db"
    old = Database(sqlite3.connect(path))
    migrations.apply(old, stop_before=migrations._migrations[applied].name)
    if applied:
        old.conn.execute(
            "INSERT INTO run (operation, application, environment, production, purpose, state, requested_by,"
            " requested_at) VALUES ('Scan', 'orders-db', 'nonprod', 0, 'request', 'succeeded', 'U0ANN', ?)",
            [to_text(NOW)],
        )
        old.conn.commit()
    old.close()

    store = Store(path)
    try:
        everything(store)  # every table is there
        assert len(list(migrations.applied(store.db))) == len(migrations._migrations)
        assert len(everything(store)["run"]) == (1 if applied else 0)
    finally:
        store.close()


def test_opening_a_file_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "patchgate.db"
    first = Store(path)
    run_in(first)
    before, schema = everything(first), schema_of(first)
    first.close()
    second = Store(path)
    assert (everything(second), schema_of(second)) == (before, schema)
    second.close()


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "patchgate.db"
    make_newer(path)
    content = path.read_bytes()
    with pytest.raises(StorageError, match="written by a newer Patchgate") as refused:
        Store(path)
    assert "m999_teleport" in str(refused.value)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"this is no database" * 100, "can't be opened", id="another kind of file"),
        pytest.param(None, "can't be opened", id="a folder that is not there"),
    ],
)
def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / ("here.db" if content else "nowhere/here.db")
    if content:
        path.write_bytes(content)
    with pytest.raises(StorageError, match=words):
        Store(path)
    if content:
        assert path.read_bytes() == content


def test_one_process_holds_a_database(tmp_path: Path) -> None:
    first = Store(tmp_path / "a.db", exclusive=True)
    other = Store(tmp_path / "b.db", exclusive=True)  # another database is another matter
    with pytest.raises(StorageError, match="Another patchgate is already running on"):
        Store(tmp_path / "a.db", exclusive=True)
    run_in(first)  # the one that runs is unharmed
    reader = Store(tmp_path / "a.db")  # and `patchgate check` may look
    assert len(everything(reader)["run"]) == 1
    first.close()
    second = Store(tmp_path / "a.db", exclusive=True)
    for each in (reader, second, other):
        each.close()


def test_the_lock_goes_with_the_process_that_held_it(tmp_path: Path) -> None:
    program = """
import sys, threading
from storage.database import Store
store = Store(sys.argv[1], exclusive=True)
print("held", flush=True)
threading.Event().wait()
"""
    path = tmp_path / "a.db"
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StorageError, match="already running"):
            Store(path, exclusive=True)
        holder.kill()
    Store(path, exclusive=True).close()


@pytest.mark.parametrize("newer", [True, False], ids=["newer", "no database"])
def test_a_refused_start_lets_the_lock_go(tmp_path: Path, newer: bool) -> None:
    path = tmp_path / "a.db"
    if newer:
        make_newer(path)
    else:
        path.write_bytes(b"this is no database" * 100)
    for _ in range(2):
        with pytest.raises(StorageError, match="newer Patchgate" if newer else "can't be opened"):
            Store(path, exclusive=True)


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    before = everything(store)
    with killed_half_way(store) as tx:
        audit.append(tx, NOW, "clock", "scan-1", "lost")
    assert everything(store) == before


def test_I12_what_is_refused_before_the_commit_leaves_nothing(store: Store) -> None:
    def too_late() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError), store.transaction(before_commit=too_late) as tx:
        audit.append(tx, NOW, "clock", "scan-1", "lost")
    assert everything(store)["audit"] == []
    with store.transaction() as tx:  # and the connection is fit for the next one
        audit.append(tx, NOW, "clock", "scan-1", "kept")
    assert len(everything(store)["audit"]) == 1


def test_a_reader_sees_whole_transactions_only(store: Store) -> None:
    seen: list[int] = []

    def look() -> None:
        seen.append(len(everything(store)["audit"]))

    with store.transaction() as tx:
        audit.append(tx, NOW, "clock", "scan-1", "one")
        in_a_thread(look)
        audit.append(tx, NOW, "clock", "scan-1", "two")
    in_a_thread(look)
    assert seen == [0, 2]


def test_every_thread_has_a_connection_of_its_own(store: Store) -> None:
    seen: list[int] = []
    in_a_thread(lambda: seen.append(id(store.db.conn)))
    assert seen[0] != id(store.db.conn)
    assert store.db is store.db


def test_twenty_threads_append_to_one_chain(store: Store) -> None:
    def write(number: int) -> None:
        for turn in range(10):
            with store.transaction() as tx:
                audit.append(tx, NOW, f"U{number}", "scan-1", f"turn {turn}")

    threads = [threading.Thread(target=write, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    rows = list(audit.rows(store.db))
    assert len(rows) == 200
    assert audit.first_broken(store.db) is None
    for number in range(20):
        assert [row.action for row in rows if row.actor == f"U{number}"] == [f"turn {turn}" for turn in range(10)]


def test_I2_what_is_committed_survives_a_power_cut(store: Store) -> None:
    """synchronous is FULL (2) and the journal is WAL: otherwise a "sending" row could be lost after its send."""
    assert store.db.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert store.db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert store.db.execute("PRAGMA foreign_keys").fetchone()[0] == 1


def test_a_row_that_points_nowhere_is_refused(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as tx:
        tx.execute(
            "INSERT INTO problem (application, run_id, reported_by, reported_at, reason) VALUES ('a', 9, 'U', 't', 'r')"
        )


@pytest.mark.parametrize(
    "moment",
    [
        NOW,
        datetime(2026, 11, 20, 13, tzinfo=timezone(timedelta(hours=1))),
        datetime(2026, 11, 20, 12, 0, 0, 1, tzinfo=UTC),
    ],
)
def test_I11_times_are_kept_as_utc(moment: datetime) -> None:
    text = to_text(moment)
    assert text is not None
    assert text.endswith("+00:00")
    assert to_time(text) == moment


def test_I11_texts_of_times_sort_like_the_times() -> None:
    moments = [NOW + timedelta(microseconds=step) for step in (0, 1, 999_999, 1_000_000, 86_400_000_000)]
    texts = [to_text(moment) or "" for moment in moments]
    assert texts == sorted(texts)
    assert (to_text(None), to_time(None)) == (None, None)


def test_json_has_one_spelling() -> None:
    assert to_json({"b": 1, "a": "é"}) == '{"a":"é","b":1}' == to_json({"a": "é", "b": 1})


def make_newer(path: Path) -> None:
    store = Store(path)
    with store.transaction() as tx:
        tx.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('patchgate', 'm999_teleport', '2027-01-01')"
        )
    store.close()


def schema_of(store: Store) -> list[str]:
    return [row["sql"] for row in store.db.execute("SELECT sql FROM sqlite_master")]


def in_a_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)


def test_a_database_that_a_bot_holds_is_written_to_beside_it(tmp_path: Path) -> None:
    held = Store(tmp_path / "patchgate.db", exclusive=True)
    beside = Store(held.path, existing=True)
    run = run_in(beside)
    assert runs.find(held.db, run.id) == run
    beside.close()
    held.close()


@pytest.mark.parametrize("mode", ["existing", "readonly"])
def test_what_is_opened_as_it_is_is_neither_made_nor_migrated(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "patchgate.db"
    with pytest.raises(StorageError, match="can't be opened"):
        Store(path, **{mode: True})
    assert not path.exists()
    sqlite3.connect(path).close()
    older = Database(path)
    migrations.apply(older, stop_before=migrations._migrations[-1].name)
    older.close()
    content = path.read_bytes()
    with pytest.raises(StorageError, match="written by an older Patchgate; nothing was done"):
        Store(path, **{mode: True})
    assert path.read_bytes() == content
