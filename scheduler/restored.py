"""Sweep `restored`: a database that is older than what AWS knows decides nothing in production by itself (I2, I3).

Somebody put a copy back, with `patchgate restore` or by hand. What was sent, approved or refused after the copy was
made is not in it: an open production run needs a person, an open approval expires, an order for a window is given up.
"""

import logging
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlite_utils import Database

from aws.commands import SentCommand
from aws.errors import AwsError
from commands.announcing import call_off_without_configuration
from patching.plan import StepKind
from patching.states import ChangeState, OrderState, RunState, StepState
from scheduler.parts import Parts, target_of
from storage import audit, changes, pauses, rechecks, runs, steps, window_orders
from storage.changes import Change
from storage.database import to_text
from storage.rechecks import DECIDING, GOING_ON, Recheck
from storage.runs import Run
from storage.window_orders import WindowOrder

log = logging.getLogger(__name__)

SUBJECT = "database"  # of the audit rows that are about the database as a whole
LATER = "later commands found"
RUN_NOTE = (
    "The database was replaced by an older copy, so what was sent since is not on record. It is looked up at AWS, and "
    "nothing is sent again. What isn't found there, an admin settles after a look at the nodes."
)
UNPLANNED_NOTE = "The database was replaced by an older copy before this was sent; nothing is sent. Ask again."
CHANGE_NOTE = (
    "The database was replaced by an older copy: what was decided and sent since is not on record, so this request "
    "counts no more. Look at the nodes, then ask again if it is still wanted."
)
ORDER_NOTE = (
    "The database was replaced by an older copy, so whether this was carried out since is not on record; nothing more "
    "is done. Look at the window in Systems Manager, then ask again if it is still wanted."
)
_COMMENT = re.compile(r"patchgate \S+-\d+ ([0-9a-f-]{36})")


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a replaced database no longer goes on with by itself."""

    runs: tuple[Run, ...]
    changes: tuple[Change, ...]
    orders: tuple[WindowOrder, ...] = ()


def stop(tx: Database, now: datetime, why: str, detail: dict[str, object]) -> Stopped:
    """Every open production run needs a person, every open request for production expires, every order for a window
    ends; each with its audit row. Those who were told that a change comes are told of it (I7).

    `why` is the action of an audit row about the database itself. An Install or a Scan that is still planned may have
    been sent since: it becomes a doubt, which is looked up. A verification is looked up before it is sent in any case.
    """
    audit.append(tx, now, "clock", SUBJECT, why, detail)
    stopped = [_stop(tx, now, run) for run in runs.in_state(tx, *GOING_ON) if run.production]
    expired = [
        changes.transition(tx, change, ChangeState.EXPIRED, now, "clock", note=CHANGE_NOTE)
        for change in changes.in_state(tx, *DECIDING)
    ]
    for change in filter(None, expired):
        call_off_without_configuration(tx, now, change, CHANGE_NOTE)
    orders = window_orders.open_orders(tx)
    for order in orders:
        window_orders.finish(tx, order, OrderState.FAILED, now, note=ORDER_NOTE)
    return Stopped(tuple(filter(None, stopped)), tuple(filter(None, expired)), tuple(orders))


def _stop(tx: Database, now: datetime, run: Run) -> Run | None:
    if run.state is RunState.REQUESTED:
        return runs.transition(tx, run, RunState.FAILED, now, "clock", note=UNPLANNED_NOTE)
    for step in steps.of_run(tx, run.id):
        if step.state is StepState.PLANNED and step.kind in {StepKind.SCAN, StepKind.INSTALL}:
            since = to_text(run.requested_at)  # when it was sent is not known any more; not before this
            steps.transition(tx, step, StepState.UNKNOWN, now, run.ref, note=RUN_NOTE, sending_at=since)
    return runs.transition(tx, run, RunState.NEEDS_HUMAN, now, "clock", note=RUN_NOTE)


def tick(parts: Parts, now: datetime) -> None:
    for recheck in rechecks.owed(parts.store.db):
        lane = parts.lane(recheck.key.application, recheck.key.environment)
        parts.pool.submit(("restored", recheck.key), partial(look, parts, recheck), lane=lane)
    for run in runs.in_state(parts.store.db, RunState.NEEDS_HUMAN):
        _go_on(parts, run)


def look(parts: Parts, recheck: Recheck) -> None:
    """Does AWS know of commands of ours that the database doesn't? Until that is known, nothing is installed there."""
    environment = parts.config.environment(recheck.key)
    later: tuple[str, ...] = ()
    if environment is not None:
        target = target_of(environment)
        try:
            nodes = {node.id for node in parts.patch_manager.resolve(target, environment.targets)}
            sent = parts.patch_manager.sent_since(target, recheck.since)
        except AwsError as error:
            log.warning("nothing is installed in %s before AWS says what it knows: %s", recheck.key, error)
            return  # asked again at the next tick
        later = _unknown(parts.store.db, sent, nodes)
    with parts.store.transaction() as tx:
        rechecks.done(tx, recheck.key)
        if later:
            stop(tx, parts.clock.now(), LATER, {"steps": list(later)})
    for name in ("dispatch", "settle", "deliver", "changes"):
        parts.wake(name)


def _unknown(db: Database, sent: Collection[SentCommand], nodes: Collection[str]) -> tuple[str, ...]:
    """Steps that some Patchgate sent to these nodes and that are not on record; what was found before is."""
    found = {
        match[1]: command
        for command in sent
        if (match := _COMMENT.fullmatch(command.comment)) and set(nodes) & set(command.instance_ids)
    }
    known = {row["id"] for row in db.execute("SELECT id FROM step")}
    acknowledged = db.execute(
        """SELECT each.value AS id FROM audit, json_each(audit.detail, '$.steps') AS each
           WHERE subject = ? AND action = ?""",
        [SUBJECT, LATER],
    )
    known |= {row["id"] for row in acknowledged}
    return tuple(sorted(set(found) - known))


def _go_on(parts: Parts, run: Run) -> None:
    """A run that was stopped goes on when there is no doubt left about any command of it."""
    db = parts.store.db
    doubts = [step for step in steps.of_run(db, run.id) if step.state is StepState.UNKNOWN]
    stopped = db["audit"].count_where(
        "subject = ? AND action = ? AND json_extract(detail, '$.note') = ?", [run.ref, RunState.NEEDS_HUMAN, RUN_NOTE]
    )
    if doubts or not stopped:
        return
    with parts.store.transaction() as tx:
        note = "AWS knows every command of it; it is followed to its end."
        pauses.go_on(tx, run, parts.clock.now(), "clock", note)
    for name in ("track", "finish", "deliver"):
        parts.wake(name)
