"""`patchgate backup` and `patchgate restore`: a copy of the database, and a copy put back with what that means (I2)."""

import contextlib
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from commands.ports import Clock
from patching.phrases import counted
from scheduler import restored
from scheduler.restored import Stopped
from storage import audit
from storage.database import StorageError, Store, hold

_SHORT = 12  # characters of a hash, as in messages
_NEXT = (
    "Start Patchgate. It looks up at AWS what was sent since the copy was made; what it doesn't find, an admin settles "
    "on the run's message. Look at the nodes before asking again for what has expired."
)


@dataclass(frozen=True, slots=True)
class _Chain:
    rows: int
    head: str

    def __str__(self) -> str:
        return f"{counted(self.rows, 'audit row')}, head {self.head[:_SHORT]}"


def back_up(database: Path, file: Path) -> tuple[str, ...]:
    """Copy the database, in use or not, to a new file; sentences on what was done. Raises StorageError."""
    if not database.exists():
        raise StorageError(f"There is no database {database}; nothing was copied. Check PATCHGATE_DATABASE.")
    if file.exists():
        raise StorageError(f"{file} is there already; nothing was copied. Name another file.")
    Store(database, readonly=True).close()  # of this version, or it says so
    _copy(database, file)
    chain = _verified(file, f"The copy {file} was made, but it is of no use")
    return (f"The database {database} was copied to {file} ({chain}).",)


def restore(database: Path, file: Path, clock: Clock) -> tuple[str, ...]:
    """Put a copy in place of the database; sentences on what was done. Raises StorageError, with nothing changed.

    The copy is made ready beside the database and takes its place in one transaction, while nothing else may run on it.
    """
    if not file.exists():
        raise StorageError(f"There is no file {file}; nothing was restored.")
    now = clock.now()
    with closing(hold(database)), tempfile.TemporaryDirectory(dir=database.parent) as folder:
        ready = Path(folder) / "ready.db"
        _copy(file, ready)
        with closing(Store(ready)) as copy:
            chain = _verified(ready, f"{file} was not restored")
            with copy.transaction() as tx:
                stopped = restored.stop(tx, now, "restored from a copy", {"rows": chain.rows, "head": chain.head})
        kept = _put_in_place(ready, database, f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    return (
        f"{file} is whole ({chain}) and is the database {database} now.",
        f"What was there is kept as {kept}." if kept else "There was none before.",
        *_told(stopped),
        _NEXT,
    )


def _put_in_place(ready: Path, database: Path, when: str) -> Path | None:
    """At every moment there is a whole database, the old one or the new. Where the old one is kept, if there is one."""
    kept = None
    if database.exists():
        kept = database.with_name(f"{database.name}.replaced-{when}")
        _settle(database)
        shutil.copyfile(database, kept)
        for rest in ("-wal", "-shm"):
            # SQLite would read an old log into the new file. It is left only where the old file can't be read.
            left = database.with_name(database.name + rest)
            if left.exists():
                left.rename(kept.with_name(kept.name + rest))
    _belongs_to_the_bot(database, ready, database.with_name(f"{database.name}.lock"))
    os.replace(ready, database)
    return kept


def _belongs_to_the_bot(database: Path, *files: Path) -> None:
    """Root may restore for a bot that runs as somebody else, who then must be able to write."""
    owner = (database if database.exists() else database.parent).stat()
    if os.geteuid() == 0:
        for file in files:
            os.chown(file, owner.st_uid, owner.st_gid)


def _settle(database: Path) -> None:
    """Everything into the one file. One that SQLite can't read is kept as it is."""
    with closing(sqlite3.connect(database)) as last, contextlib.suppress(sqlite3.DatabaseError):
        last.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _told(stopped: Stopped) -> tuple[str, ...]:
    runs = [f"{run.ref} ({run.application} {run.environment})" for run in stopped.runs]
    changes = [f"{change.ref} ({change.application} {change.environment})" for change in stopped.changes]
    orders = [f"{order.ref} ({order.key})" for order in stopped.orders]
    return (
        f"Stopped, since it may have gone on after the copy was made: {', '.join(runs)}."
        if runs
        else "No production run was open in it.",
        f"Expired, since it may have been decided after the copy was made: {', '.join(changes)}."
        if changes
        else "No request for production was open in it.",
        *(
            [f"Given up, since it may have been carried out after the copy was made: {', '.join(orders)}."]
            if orders
            else []
        ),
    )


def _verified(path: Path, otherwise: str) -> _Chain:
    """The audit chain of a database. Raises StorageError where it is not whole: `otherwise` says what that means."""
    with closing(Store(path, readonly=True)) as store:
        broken = audit.check(store.db)
        if broken:
            raise StorageError(f"{otherwise}: its audit chain is not whole. {broken.sentence} Take another copy.")
        return _Chain(store.db["audit"].count, audit.head(store.db))


def _copy(source: Path, target: Path) -> None:
    """A consistent copy in one file, of a database in use too. Raises StorageError."""
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")  # no second file that could be left behind
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise StorageError(f"{source} can't be copied to {target} ({error}); nothing else was done.") from None
