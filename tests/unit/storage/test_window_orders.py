"""Orders for maintenance windows as rows: one open for an environment, one end, tokens that are never replaced."""

from datetime import timedelta
from typing import Any

import pytest

from patching.nodes import EnvironmentKey
from patching.states import IllegalTransition, OrderState
from patching.window_spec import read_spec
from storage import audit, window_orders
from storage.database import Store
from storage.window_orders import Action, FormUsed, OrderOpen, WindowOrder
from tests.unit.storage.rows import NOW, everything

KEY = EnvironmentKey("orders-db", "nonprod")
WINDOW = "mw-0123456789abcdef0"
SPEC = read_spec(
    {
        "name": "orders",
        "schedule": "rate(7 days)",
        "duration_hours": 2,
        "cutoff_hours": 0,
        "operation": "Scan",
        "targets": {"tag:PatchGroup": ["orders"]},
    }
)


def order(store: Store, action: Action = Action.CREATE, **changed: Any) -> WindowOrder:
    asked: dict[str, Any] = (
        {"spec": SPEC} if action is Action.CREATE else {"window_id": WINDOW, "window_name": "orders"}
    )
    with store.transaction() as tx:
        return window_orders.create(tx, NOW, action=action, key=KEY, requested_by="U0ANN", **asked, **changed)


def test_an_order_has_all_of_its_settings_in_the_audit_and_only_one_is_open(store: Store) -> None:
    first = order(store, form="a")
    assert first.spec == SPEC
    (row,) = audit.rows(store.db, first.ref)
    assert '"schedule":"rate(7 days)"' in row.detail
    before = everything(store)
    with pytest.raises(OrderOpen) as taken:
        order(store, Action.DELETE)
    assert taken.value.order == first
    with pytest.raises(FormUsed):
        order(store, form="a")
    assert everything(store) == before


@pytest.mark.parametrize(
    ("action", "changed"),
    [
        (Action.CREATE, {"window_id": WINDOW}),
        (Action.DELETE, {"spec": SPEC}),
        (Action.EDIT, {}),
    ],
)
def test_an_order_names_what_its_action_needs(store: Store, action: Action, changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"an order to {action}"):
        order(store, action, **changed)


def test_tokens_are_never_replaced_and_what_is_known_only_grows(store: Store) -> None:
    first = order(store)
    with store.transaction() as tx:
        assert window_orders.keep_tokens(tx, first, {"window": "1"}).tokens == {"window": "1"}
        assert window_orders.keep_tokens(tx, first, {"window": "2"}).tokens == {"window": "1"}
        window_orders.advance(tx, first, {"window_id": WINDOW})
        assert window_orders.advance(tx, first, {"target_id": "t"}).progress == {"window_id": WINDOW, "target_id": "t"}


def test_an_order_ends_once_and_frees_its_environment(store: Store) -> None:
    first = order(store)
    with store.transaction() as tx:
        window_orders.postpone(tx, first, NOW + timedelta(seconds=30), "AWS throttled it.")
    assert window_orders.due(store.db, NOW + timedelta(seconds=29)) == []
    assert [each.id for each in window_orders.due(store.db, NOW + timedelta(seconds=30))] == [first.id]
    with store.transaction() as tx, pytest.raises(IllegalTransition):
        window_orders.finish(tx, first, OrderState.REQUESTED, NOW)
    with store.transaction() as tx:
        assert window_orders.finish(tx, first, OrderState.DONE, NOW, known={"window_id": WINDOW})
        assert not window_orders.finish(tx, first, OrderState.FAILED, NOW, note="late")
    ended = window_orders.get(store.db, first.id)
    assert (ended.state, ended.window_id, ended.note) == (OrderState.DONE, WINDOW, "")
    assert window_orders.due(store.db, NOW + timedelta(days=1)) == []
    assert [row.action for row in audit.rows(store.db, first.ref)] == ["window create requested", "window create done"]
    order(store, Action.DELETE)
