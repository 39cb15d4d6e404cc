"""Orders to make, edit, disable, enable or delete a maintenance window at AWS, each a row before it goes out."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlite_utils import Database

from patching.nodes import EnvironmentKey
from patching.states import ORDER_TRANSITIONS, OrderState, require
from patching.window_spec import WindowSpec
from storage import audit, outbox
from storage.database import compare_and_set, to_json, to_text, to_time


class Action(StrEnum):
    CREATE = "create"
    EDIT = "edit"
    ENABLE = "enable"
    DISABLE = "disable"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class WindowOrder:
    """`window_id` is None until a window that is to be made exists; `spec` is there for create and edit alone.

    `progress`: what is known of AWS so far, as the sweep writes it: "window_id", "target_id" and "task_id" as they come
    to exist; of an edit "enabled", whether the window is, and "changed", which of its parts; "unclear" once an answer
    was lost; "refused", AWS's sentence, while what was made is to be deleted again; and when the order is done "next",
    ISO times of the next executions, with "error" where they could not be read.
    """

    id: int
    action: Action
    key: EnvironmentKey
    window_id: str | None
    window_name: str
    spec: WindowSpec | None
    state: OrderState
    requested_by: str
    requested_at: datetime
    tokens: Mapping[str, str]
    progress: Mapping[str, Any]
    attempts: int
    not_before: datetime | None
    ended_at: datetime | None
    note: str

    @property
    def subject(self) -> str:
        return f"window-order:{self.id}"

    @property
    def ref(self) -> str:
        return f"window-order-{self.id}"


class OrderOpen(Exception):
    """An order for the environment has not ended yet; the exception carries it."""

    def __init__(self, order: WindowOrder) -> None:
        super().__init__(f"{order.ref} is still open for {order.key}")
        self.order = order


class FormUsed(Exception):
    """The form was sent before; the exception carries the order that it asked for."""

    def __init__(self, order: WindowOrder) -> None:
        super().__init__(f"{order.ref} was asked for by the same form")
        self.order = order


def create(
    tx: Database,
    now: datetime,
    *,
    action: Action,
    key: EnvironmentKey,
    requested_by: str,
    spec: WindowSpec | None = None,
    window_id: str | None = None,
    window_name: str = "",
    form: str | None = None,
) -> WindowOrder:
    """`spec` for create and edit, `window_id` and `window_name` for all but create. `form` counts once.

    Raises OrderOpen and FormUsed.
    """
    if (spec is None) == (action in (Action.CREATE, Action.EDIT)) or (window_id is None) != (action is Action.CREATE):
        raise ValueError(f"an order to {action} has other settings")
    name = spec.name if spec and action is Action.CREATE else window_name
    used = tx.execute("SELECT id FROM window_order WHERE form = ?", [form]).fetchone()
    if used:
        raise FormUsed(get(tx, used[0]))
    try:
        cursor = tx.execute(
            """INSERT INTO window_order
                   (action, application, environment, window_id, window_name, form, spec, state, requested_by,
                    requested_at)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [
                action,
                *key,
                window_id,
                name,
                form,
                spec.model_dump_json() if spec else None,
                OrderState.REQUESTED,
                requested_by,
                to_text(now),
            ],
        )
    except sqlite3.IntegrityError:
        found = open_of(tx, key)
        if found is None:
            raise
        raise OrderOpen(found) from None
    order = get(tx, int(cursor.lastrowid or 0))
    detail: dict[str, Any] = {"of": str(key), "window": window_id, "name": name}
    if spec:
        detail["settings"] = spec.model_dump(mode="json")
    audit.append(tx, now, requested_by, order.ref, f"window {action} requested", detail)
    return order


def keep_tokens(tx: Database, order: WindowOrder, tokens: Mapping[str, str]) -> WindowOrder:
    """The client tokens with which AWS makes nothing twice: committed before the first call, and never replaced."""
    tx.execute("UPDATE window_order SET tokens = ? WHERE id = ? AND tokens = '{}'", [to_json(tokens), order.id])
    return get(tx, order.id)


def advance(tx: Database, order: WindowOrder, known: Mapping[str, Any]) -> WindowOrder:
    """What has come to exist at AWS, added to what is known."""
    progress = {**get(tx, order.id).progress, **known}
    tx.execute("UPDATE window_order SET progress = ? WHERE id = ?", [to_json(progress), order.id])
    return get(tx, order.id)


def postpone(tx: Database, order: WindowOrder, not_before: datetime, note: str) -> None:
    """Tried in vain: it stays requested, and its card says why."""
    tx.execute(
        "UPDATE window_order SET not_before = ?, note = ?, attempts = attempts + 1 WHERE id = ? AND state = ?",
        [to_text(not_before), note, order.id, OrderState.REQUESTED],
    )
    outbox.touch(tx, order.subject)


def finish(
    tx: Database,
    order: WindowOrder,
    state: OrderState,
    now: datetime,
    *,
    note: str = "",
    known: Mapping[str, Any] | None = None,
) -> bool:
    """The order's one end; False when it has ended already. `known` joins the progress, "window_id" the row."""
    require(ORDER_TRANSITIONS, OrderState.REQUESTED, state)
    progress = {**get(tx, order.id).progress, **(known or {})}
    window_id = order.window_id or progress.get("window_id")
    columns = {
        "state": state,
        "window_id": window_id,
        "ended_at": to_text(now),
        "note": note,
        "progress": to_json(progress),
    }
    if not compare_and_set(tx, "window_order", order.id, OrderState.REQUESTED, columns):
        return False
    ids = {name: progress[name] for name in ("target_id", "task_id") if name in progress}
    detail: dict[str, Any] = {"of": str(order.key), "window": window_id, "name": order.window_name, "note": note}
    audit.append(tx, now, "clock", order.ref, f"window {order.action} {state}", detail | ids)
    outbox.touch(tx, order.subject)
    return True


def get(db: Database, order_id: int) -> WindowOrder:
    """Raises LookupError."""
    row = db.execute("SELECT * FROM window_order WHERE id = ?", [order_id]).fetchone()
    if row is None:
        raise LookupError(f"there is no window-order-{order_id}")
    return _order(row)


def open_of(db: Database, key: EnvironmentKey) -> WindowOrder | None:
    row = db.execute(
        "SELECT * FROM window_order WHERE application = ? AND environment = ? AND state = 'requested'", [*key]
    ).fetchone()
    return _order(row) if row else None


def open_orders(db: Database) -> list[WindowOrder]:
    """All that have not ended."""
    return [_order(row) for row in db.execute("SELECT * FROM window_order WHERE state = 'requested' ORDER BY id")]


def due(db: Database, now: datetime) -> list[WindowOrder]:
    """Requested, and not put off until later than `now`."""
    rows = db.execute(
        "SELECT * FROM window_order WHERE state = 'requested' AND (not_before IS NULL OR not_before <= ?) ORDER BY id",
        [to_text(now)],
    )
    return [_order(row) for row in rows]


def _order(row: Any) -> WindowOrder:  # noqa: ANN401 - sqlite3.Row is untyped
    values = dict(row)
    return WindowOrder(
        id=values["id"],
        action=Action(values["action"]),
        key=EnvironmentKey(values["application"], values["environment"]),
        window_id=values["window_id"],
        window_name=values["window_name"],
        spec=WindowSpec.from_json(values["spec"]) if values["spec"] else None,
        state=OrderState(values["state"]),
        requested_by=values["requested_by"],
        requested_at=datetime.fromisoformat(values["requested_at"]),
        tokens=json.loads(values["tokens"]),
        progress=json.loads(values["progress"]),
        attempts=values["attempts"],
        not_before=to_time(values["not_before"]),
        ended_at=to_time(values["ended_at"]),
        note=values["note"],
    )
