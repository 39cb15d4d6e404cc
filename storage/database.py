"""The database file: opening it, one connection per thread, one write transaction at a time, one `run` at a time."""

import fcntl
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from sqlite_utils import Database

from storage.schema import migrations


class StorageError(Exception):
    """One clear sentence: what is wrong with the database, and what to do."""


class Store:
    """SQLite in WAL mode. Reads go through `db`, writes through `transaction()`.

    `synchronous=FULL`: a row that says "sending" must survive a power cut, or a command could be sent twice (I1, I2).
    """

    def __init__(
        self, path: str | Path, *, exclusive: bool = False, readonly: bool = False, existing: bool = False
    ) -> None:
        """Opens and migrates. `exclusive`: no other process may hold it, from before the first change to `close`.

        `existing` neither makes nor migrates it, so it may write to a database that a running bot holds; `readonly`
        changes nothing at all. Raises StorageError.
        """
        self.path = Path(path)
        self._mode = "ro" if readonly else "rw" if existing else "rwc"
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        # SQLite's own waiting polls with growing pauses, so under load somebody's ack would lose its turn for seconds.
        self._writing = threading.Lock()
        self._lock_file: IO[str] | None = None
        if exclusive:
            self._lock_file = hold(self.path)
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    @property
    def db(self) -> Database:
        """This thread's connection."""
        found: Database | None = getattr(self._local, "db", None)
        if found is None:
            found = self._local.db = self._connect()
        return found

    @contextmanager
    def transaction(self, before_commit: Callable[[], None] | None = None) -> Iterator[Database]:
        """A write transaction that has the write lock from its start (BEGIN IMMEDIATE); rolls back on any exception.

        `before_commit` may raise to refuse what is about to be committed. Transactions don't nest.
        """
        db = self.db
        if db.conn.in_transaction:
            raise RuntimeError("this thread is in a transaction already")
        with self._writing:
            db.conn.execute("BEGIN IMMEDIATE")
            try:
                yield db
                if before_commit:
                    before_commit()
                db.conn.execute("COMMIT")
            except BaseException:
                if db.conn.in_transaction:
                    db.conn.execute("ROLLBACK")
                raise

    def close(self) -> None:
        with self._guard:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
        if self._lock_file:
            self._lock_file.close()
            self._lock_file = None

    def _connect(self) -> Database:
        try:
            address = f"{self.path.absolute().as_uri()}?mode={self._mode}"
            connection = sqlite3.connect(address, uri=True, timeout=30, check_same_thread=False)
            with self._guard:
                self._connections.append(connection)
            connection.row_factory = sqlite3.Row
            if self._mode == "rwc":
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error as error:
            raise _unusable(self.path, str(error)) from None
        return Database(connection)

    def _migrate(self) -> None:
        db = self.db
        known = {migration.name for migration in migrations._migrations}
        newer = sorted(row.name for row in migrations.applied(db) if row.name not in known)
        if newer:
            raise StorageError(
                f"The database {self.path} was written by a newer Patchgate (it has {newer[-1]}); nothing was changed. "
                "Run that version, or restore a backup made before the upgrade."
            )
        if self._mode == "rwc":
            # A migration that builds a table anew must not have the rows that refer to it fall with the old one.
            db.execute("PRAGMA foreign_keys = OFF")
            migrations.apply(db)
            db.execute("PRAGMA foreign_keys = ON")
        elif migrations.pending(db):
            raise StorageError(
                f"The database {self.path} was written by an older Patchgate; nothing was done. "
                "Start this version's bot on it once, which brings it up to date."
            )


def hold(path: Path) -> IO[str]:
    """Take the exclusive lock beside a database, kept until the file is closed. Raises StorageError."""
    try:
        lock_file = open(path.with_name(path.name + ".lock"), "a", encoding="utf-8")  # noqa: SIM115 - kept open
    except OSError as error:
        raise _unusable(path, error.strerror) from None
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock_file.close()
        raise StorageError(
            f"Another patchgate is already running on {path}; nothing was started. "
            "Stop it first, or give this one another PATCHGATE_DATABASE."
        ) from None
    return lock_file


def _unusable(path: Path, why: str | None) -> StorageError:
    return StorageError(
        f"The database {path} can't be opened ({why}); nothing was started. "
        "Check PATCHGATE_DATABASE, its folder and its rights."
    )


def compare_and_set(tx: Database, table: str, row_id: int | str, old_state: str, columns: Mapping[str, Any]) -> bool:
    """Write `columns`, the new state among them, if the row still is in `old_state`; False when it has moved on."""
    sets = ", ".join(f"{name} = ?" for name in columns)
    done = tx.execute(f"UPDATE {table} SET {sets} WHERE id = ? AND state = ?", [*columns.values(), row_id, old_state])
    return done.rowcount == 1


def to_text(moment: datetime | None) -> str | None:
    """Aware UTC → ISO text that sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds") if moment else None


def to_time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def to_json(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
