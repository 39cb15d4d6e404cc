"""Sweep `window-orders`: what somebody asked of a maintenance window is carried out at AWS, and its outcome kept.

Where AWS gave no clear answer it is asked again, with the same client tokens for what it makes, so that nothing is made
twice. A definite refusal ends the order; of a window that was only half made, the half is deleted again.
"""

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from aws.errors import AwsError, Doubt, Throttled, Unreached
from aws.window_wire import NotEditable, OnlyScans
from commands.agenda import where_of
from patching.phrases import listed
from patching.states import OrderState
from patching.window_spec import refusals
from scheduler import window_steps
from scheduler.parts import Parts, gone, target_of
from scheduler.window_steps import Job, Unfit
from storage import agenda, window_orders
from storage.window_orders import Action, WindowOrder

log = logging.getLogger(__name__)

RETRY_AFTER: Final = timedelta(seconds=30)
GIVE_UP_AFTER: Final = timedelta(hours=1)
"""Nobody expects a window to change hours after it was asked for, and AWS does not say how long a token counts."""

EXECUTIONS_TOLD: Final = 5
_PARTS_OF_WINDOW: Final = ("task", "targets", "times")


def tick(parts: Parts, now: datetime) -> None:
    for order in window_orders.due(parts.store.db, now):
        work = partial(_work, parts, order.id)
        parts.pool.submit(("window-orders", order.id), work, lane=parts.lane(*order.key))


def _work(parts: Parts, order_id: int) -> None:
    order = window_orders.get(parts.store.db, order_id)
    if order.state is not OrderState.REQUESTED:
        return None  # it ended between the look for what is due and now
    environment = parts.config.environment(order.key)
    if environment is None:
        return _end(parts, order, OrderState.FAILED, f"{gone(order.key)}{_left(order)}")
    job = Job(parts, order, target_of(environment), scan_only=environment.production)
    if parts.clock.now() - order.requested_at > GIVE_UP_AFTER and "task_id" not in order.progress:
        return _end(parts, order, OrderState.FAILED, _too_late(order))
    problems = refusals(order.spec, environment) if order.spec else {}
    try:
        if "refused" not in order.progress:
            if problems:
                raise Unfit(f"{' '.join(problems.values())} Nothing more was changed.")
            window_steps.carry_out(job)
            return _end(parts, job.order, OrderState.DONE, "", **_next(job))
    except (Throttled, Unreached, Doubt) as passing:
        if isinstance(passing, Doubt) and passing.operation == "CreateMaintenanceWindow":
            job.keep(unclear=True)
        return _put_off(parts, job.order, _why_again(passing))
    except (AwsError, NotEditable, OnlyScans, Unfit) as refused:
        if order.action is not Action.CREATE or "window_id" not in job.order.progress:
            return _end(parts, job.order, OrderState.FAILED, f"{refused}{_left(job.order)}")
        job.keep(refused=str(refused))
    return _undo(job)


def _undo(job: Job) -> None:
    """Delete what was made of a window before AWS refused the rest of it."""
    refused, window_id = str(job.order.progress["refused"]), str(job.order.progress["window_id"])
    try:
        job.aws.delete(job.target, window_id)
    except (Throttled, Unreached, Doubt) as passing:
        note = f"{refused} What was made of it is still to be deleted. {_why_again(passing)}"
        return _put_off(job.parts, job.order, note)
    except AwsError as error:
        note = f"{refused}{_left(job.order)} It could not be deleted: {error}"
        return _end(job.parts, job.order, OrderState.FAILED, note)
    note = f"{refused} What had been made of it, the window {window_id}, was deleted again."
    return _end(job.parts, job.order, OrderState.FAILED, note, undone=True)


def _next(job: Job) -> dict[str, Any]:
    """The next executions as AWS tells them: for people, so the order is done without them too."""
    if job.order.action in (Action.DISABLE, Action.DELETE):
        return {}
    window_id = job.order.window_id or str(job.order.progress["window_id"])
    try:
        times = job.aws.next_executions(job.target, window_id, EXECUTIONS_TOLD)
    except AwsError as error:
        return {"next": [], "error": str(error)}
    return {"next": [time.isoformat() for time in times]}


def _put_off(parts: Parts, order: WindowOrder, note: str) -> None:
    log.warning("%s is tried again: %s", order.ref, note)
    with parts.store.transaction() as tx:
        window_orders.postpone(tx, order, parts.clock.now() + RETRY_AFTER, note)
    parts.wake("deliver")


def _end(parts: Parts, order: WindowOrder, state: OrderState, note: str, **known: object) -> None:
    environment = parts.config.environment(order.key)
    with parts.store.transaction() as tx:
        window_orders.finish(tx, order, state, parts.clock.now(), note=note, known=known)
        window_id = order.window_id or order.progress.get("window_id")
        if environment and window_id:
            agenda.look_again(tx, where_of(environment), str(window_id))
    parts.wake("agenda")
    parts.wake("deliver")


def _why_again(error: AwsError) -> str:
    """A doubt here needs nobody who looks: what is asked for again is made once."""
    if not isinstance(error, Doubt):
        return str(error)
    return f"AWS gave no clear answer to {error.operation} ({error.code}); it is asked again, which does nothing twice."


def _too_late(order: WindowOrder) -> str:
    if "refused" in order.progress:
        return f"{order.progress['refused']}{_left(order)}"
    why = f" The last answer was: {order.note}" if order.note else ""
    return (
        "It could not be carried out within an hour of being asked for, so it is given up; look whether it is still "
        f"wanted, and ask again.{_left(order, unclear=bool(order.tokens))}{why}"
    )


def _left(order: WindowOrder, *, unclear: bool = False) -> str:
    """What exists at AWS, or was changed there, of an order that is not carried out to its end.

    `unclear`: it was sent, and nobody knows what became of it.
    """
    known = order.progress
    if order.action is Action.CREATE:
        if "window_id" in known:
            lacking = "its task" if "target_id" in known else "targets and a task"
            return f" The window {known['window_id']} exists without {lacking}, so nothing runs in it: delete it."
        if unclear or known.get("unclear"):
            return f" AWS may have made a window named {order.window_name} all the same: look in Systems Manager."
        return ""
    changed = [part for part in _PARTS_OF_WINDOW if part in known.get("changed", ())]
    if not changed:
        return ""
    others = [part for part in _PARTS_OF_WINDOW if part not in changed]
    kept = f"; its {listed(others)} may not have been" if others else ""
    return f" Its {listed(changed)} had been changed already{kept}."
