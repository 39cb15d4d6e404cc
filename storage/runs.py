"""Runs: rows and transitions, each transition with its audit row."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlite_utils import Database

from patching.model import Node, Operation, PinnedPatch, Platform
from patching.nodes import EnvironmentKey
from patching.states import RUN_TRANSITIONS, RunState, require
from storage import audit, outbox
from storage.database import compare_and_set, to_json, to_text, to_time


class Purpose(StrEnum):
    REQUEST = "request"  # somebody asked for it
    PREPARE = "prepare"  # evidence for a change's first evaluation
    SEND = "send"  # the fresh scans at the moment of sending
    CHANGE = "change"  # the production Install of an approved change


class EnvironmentBusy(Exception):
    """The environment has an open run; the exception carries it."""

    def __init__(self, run: "Run") -> None:
        super().__init__(f"{run.ref} is still open on {run.application} {run.environment}")
        self.run = run


@dataclass(frozen=True, slots=True)
class Run:
    id: int
    operation: Operation
    application: str
    environment: str
    production: bool
    purpose: Purpose
    change_id: int | None
    state: RunState
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    nodes: tuple[Node, ...]  # as resolved when planning
    pins: tuple[PinnedPatch, ...] | None
    pins_url: str | None
    changed_rows: bool | None  # Install only: whether the verification shows any changed row
    resumed: int  # how often Patchgate was restarted in the middle of it
    note: str
    cancelled_by: str | None  # who asked to send nothing more; the run ends when what was sent has ended (I9)
    cancelled_at: datetime | None

    @property
    def ref(self) -> str:
        """The id people see: scan-12, install-13."""
        return f"{self.operation.value.lower()}-{self.id}"

    @property
    def subject(self) -> str:
        return f"run:{self.id}"


def create(
    tx: Database,
    now: datetime,
    *,
    operation: Operation,
    application: str,
    environment: str,
    production: bool,
    purpose: Purpose,
    requested_by: str,
    change_id: int | None = None,
    pins: Sequence[PinnedPatch] | None = None,
    pins_url: str | None = None,
) -> Run:
    """Commit to a run (I1). Raises EnvironmentBusy when the environment has an open one."""
    try:
        cursor = tx.execute(
            """INSERT INTO run (operation, application, environment, production, purpose, change_id, state,
                                requested_by, requested_at, pins, pins_url)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [
                operation,
                application,
                environment,
                int(production),
                purpose,
                change_id,
                RunState.REQUESTED,
                requested_by,
                to_text(now),
                None if pins is None else to_json([asdict(pin) for pin in pins]),
                pins_url,
            ],
        )
    except sqlite3.IntegrityError:
        busy = open_run(tx, application, environment)
        if busy is None:
            raise
        raise EnvironmentBusy(busy) from None
    run = get(tx, int(cursor.lastrowid or 0))
    audit.append(tx, now, requested_by, run.ref, "requested", {"purpose": purpose, "change": change_id})
    return run


def get(db: Database, run_id: int) -> Run:
    found = find(db, run_id)
    if found is None:
        raise KeyError(f"run {run_id}")
    return found


def find(db: Database, run_id: int) -> Run | None:
    return next(iter(_select(db, "WHERE id = ?", run_id)), None)


def open_run(db: Database, application: str, environment: str) -> Run | None:
    return next(
        iter(
            _select(
                db,
                "WHERE application = ? AND environment = ?"
                " AND state IN ('requested', 'running', 'paused', 'needs_human')",
                application,
                environment,
            )
        ),
        None,
    )


def places(db: Database, run_ids: Collection[int]) -> dict[int, EnvironmentKey]:
    """Run id → the environment that it is about, without reading whole runs."""
    rows = db.execute(
        "SELECT id, application, environment FROM run WHERE id IN (SELECT value FROM json_each(?))",
        [to_json(sorted(run_ids))],
    )
    return {row["id"]: EnvironmentKey(row["application"], row["environment"]) for row in rows}


def in_state(db: Database, *states: RunState, most: int = -1) -> list[Run]:
    """Oldest first, `most` of them where it is not negative: a run is dear to read."""
    marks = ", ".join("?" for _ in states)
    return _select(db, f"WHERE state IN ({marks}) ORDER BY id LIMIT ?", *states, most)


def count(db: Database, *states: RunState) -> int:
    return int(db["run"].count_where(f"state IN ({', '.join('?' for _ in states)})", list(states)))


def of_change(db: Database, change_id: int, purpose: Purpose, since: datetime | None = None) -> list[Run]:
    """Oldest first; with `since`, those that were asked for from then on."""
    return _select(
        db,
        "WHERE change_id = ? AND purpose = ? AND requested_at >= ? ORDER BY id",
        change_id,
        purpose,
        to_text(since) or "",
    )


def newest(db: Database, application: str, environment: str, operation: Operation) -> Run | None:
    """The newest ended run of an operation on an environment, whatever came of it."""
    return next(
        iter(
            _select(
                db,
                "WHERE application = ? AND environment = ? AND operation = ? AND ended_at IS NOT NULL"
                " ORDER BY ended_at DESC, id DESC LIMIT 1",
                application,
                environment,
                operation,
            )
        ),
        None,
    )


def newest_ended(db: Database, application: str, environment: str, operation: Operation, most: int) -> list[Run]:
    """The newest runs that came to an end of their own, newest first: not those that failed or were cancelled."""
    return _select(
        db,
        "WHERE application = ? AND environment = ? AND operation = ? AND state IN ('succeeded', 'deviated')"
        " ORDER BY ended_at DESC, id DESC LIMIT ?",
        application,
        environment,
        operation,
        most,
    )


def newest_that_changed(db: Database, application: str, environment: str) -> Run | None:
    """The newest ended Install that changed any row: its end starts the soak."""
    return next(
        iter(
            _select(
                db,
                "WHERE application = ? AND environment = ? AND operation = 'Install' AND changed_rows = 1"
                " AND ended_at IS NOT NULL ORDER BY ended_at DESC, id DESC LIMIT 1",
                application,
                environment,
            )
        ),
        None,
    )


def recent(db: Database, limit: int, offset: int = 0) -> list[Run]:
    return _select(db, "ORDER BY id DESC LIMIT ? OFFSET ?", limit, offset)


def transition(
    tx: Database, run: Run, new: RunState, now: datetime, actor: str, *, note: str = "", **columns: Any
) -> Run | None:
    """Compare-and-set the run's state; None when it has moved on since `run` was read, and nothing is written."""
    require(RUN_TRANSITIONS, run.state, new)
    if new.ended:
        columns["ended_at"] = to_text(now)
    columns["state"], columns["note"] = new, note
    if not compare_and_set(tx, "run", run.id, run.state, columns):
        return None
    audit.append(tx, now, actor, run.ref, str(new), {"from": run.state, "note": note})
    outbox.touch(tx, run.subject)
    return get(tx, run.id)


def set_note(tx: Database, run: Run, note: str) -> None:
    """What a person should know while it waits, e.g. that AWS throttles. Not a transition; nothing where the run has
    moved on since `run` was read."""
    if run.note != note:
        tx.execute("UPDATE run SET note = ? WHERE id = ? AND state = ?", [note, run.id, run.state])
        outbox.touch(tx, run.subject)


def cancel(tx: Database, run: Run, now: datetime, actor: str) -> Run:
    """Nothing more of it is sent from this commit on; a second time changes nothing."""
    done = tx.execute(
        "UPDATE run SET cancelled_by = ?, cancelled_at = ? WHERE id = ? AND cancelled_at IS NULL",
        [actor, to_text(now), run.id],
    )
    if done.rowcount:
        audit.append(tx, now, actor, run.ref, "cancel asked", {"state": run.state})
        outbox.touch(tx, run.subject)
    return get(tx, run.id)


def mark_resumed(tx: Database, now: datetime) -> list[Run]:
    """After a start: every open run goes on from its rows, and says so."""
    runs = in_state(tx, RunState.REQUESTED, RunState.RUNNING, RunState.PAUSED, RunState.NEEDS_HUMAN)
    for run in runs:
        tx.execute("UPDATE run SET resumed = resumed + 1 WHERE id = ?", [run.id])
        audit.append(tx, now, "clock", run.ref, "resumed", {"state": run.state})
        outbox.touch(tx, run.subject)
    return runs


def nodes_to_json(nodes: Sequence[Node]) -> str:
    return to_json([asdict(node) for node in nodes])


def _select(db: Database, rest: str, *arguments: object) -> list[Run]:
    return [_run(row) for row in db.execute(f"SELECT * FROM run {rest}", list(arguments))]


def _run(row: Any) -> Run:  # noqa: ANN401 - sqlite3.Row is untyped
    values = dict(row)
    values["operation"] = Operation(values["operation"])
    values["purpose"] = Purpose(values["purpose"])
    values["state"] = RunState(values["state"])
    values["production"] = bool(values["production"])
    values["changed_rows"] = None if values["changed_rows"] is None else bool(values["changed_rows"])
    values["nodes"] = _nodes(values["nodes"])
    pins = values["pins"]
    values["pins"] = None if pins is None else tuple(PinnedPatch(**pin) for pin in json.loads(pins))
    for name in ("requested_at", "started_at", "ended_at", "cancelled_at"):
        values[name] = to_time(values[name])
    return Run(**values)


@lru_cache(maxsize=64)
def _nodes(text: str) -> tuple[Node, ...]:
    """Every sweep reads the open runs at every tick, and a run's nodes are written once: parse them once."""
    return tuple(_node(node) for node in json.loads(text))


def _node(values: Mapping[str, Any]) -> Node:
    platform = values["platform"]
    return Node(**{**values, "platform": Platform(**platform) if platform else None})
