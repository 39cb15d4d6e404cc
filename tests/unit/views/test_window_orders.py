"""The card of an order for a maintenance window: in every state it says what is committed, and no text breaks it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from bot.views.window_orders import window_order_card
from patching.nodes import EnvironmentKey
from patching.states import OrderState
from patching.window_spec import WindowSpec, read_spec
from storage.window_orders import Action, WindowOrder
from tests.unit.views.made import ANN, HOSTILE, LONG, NOW
from tests.unit.views.seen import assert_accepted, shown

WINDOW = "mw-0123456789abcdef0"
NEXT = {"next": [(NOW + timedelta(days=day)).isoformat() for day in (1, 8, 15, 22, 29)]}


def spec(**changed: object) -> WindowSpec:
    values: dict[str, Any] = {
        "name": "orders-monthly",
        "schedule": "cron(0 2 ? * TUE#2 *)",
        "timezone": "Europe/Dublin",
        "duration_hours": 3,
        "cutoff_hours": 1,
        "operation": "Scan",
        "targets": {"tag:PatchGroup": ["orders-db-prod"]},
    }
    return read_spec({**values, **changed})


def order(
    action: Action,
    state: OrderState,
    *,
    of: WindowSpec | None = None,
    progress: Mapping[str, Any] | None = None,
    note: str = "",
    name: str = "orders-monthly",
    put_off: bool = False,
) -> WindowOrder:
    return WindowOrder(
        id=3,
        action=action,
        key=EnvironmentKey("orders-db", "prod"),
        window_id=WINDOW if action is not Action.CREATE or state is OrderState.DONE else None,
        window_name=name,
        spec=(of or spec()) if action in (Action.CREATE, Action.EDIT) else None,
        state=state,
        requested_by=ANN,
        requested_at=NOW,
        tokens={},
        progress=progress or {},
        attempts=1 if put_off else 0,
        not_before=NOW + timedelta(seconds=30) if put_off else None,
        ended_at=None if state is OrderState.REQUESTED else NOW + timedelta(minutes=3),
        note=note,
    )


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("state", OrderState)
def test_every_order_in_every_state_names_the_window_and_who_asked(action: Action, state: OrderState) -> None:
    card = window_order_card(
        order(action, state, progress=NEXT, note="" if state is OrderState.DONE else "AWS said no.")
    )
    assert_accepted(card)
    text = shown(card)
    assert "orders-monthly" in text
    assert f"<@{ANN}>" in text
    assert "window-order-3" in text
    done = {Action.CREATE: "Created", Action.EDIT: "Edited", Action.ENABLE: "Enabled"}
    done |= {Action.DISABLE: "Disabled", Action.DELETE: "Deleted"}
    assert (f"*{done[action]}:*" in text) == (state is OrderState.DONE), "no more is promised than is committed (I5)"
    assert (f"*Not {done[action].lower()}:*" in text) == (state is OrderState.FAILED)
    assert ("AWS said no." in text) == (state is not OrderState.DONE)


def test_what_was_made_is_told_with_its_next_executions() -> None:
    text = shown(window_order_card(order(Action.CREATE, OrderState.DONE, of=spec(schedule_offset=3), progress=NEXT)))
    assert "`cron(0 2 ? * TUE#2 *)`, 3 days later in `Europe/Dublin`, for 3 h; nothing begins in its last 1 h" in text
    assert "`tag:PatchGroup` `orders-db-prod`; at most 50% at once" in text
    assert "*Scan* by `AWS-RunPatchBaseline`" in text
    assert text.count("<!date^") == 6  # five times, and when it was asked for
    assert f"`{WINDOW}`" in text


@pytest.mark.parametrize(
    ("action", "progress", "said"),
    [
        (Action.CREATE, {"next": []}, "AWS plans no execution of it"),
        (
            Action.CREATE,
            {"next": [], "error": "AWS throttled it."},
            "When it opens could not be read: AWS throttled it.",
        ),
        (Action.EDIT, {"next": [], "enabled": False}, "It is disabled, and stays so."),
        (Action.EDIT, {**NEXT, "enabled": True}, "It opens next, as AWS plans it:"),
        (Action.ENABLE, NEXT, "It opens next, as AWS plans it:"),
        (Action.DISABLE, {}, "`/patch window enable orders-db prod`"),
        (Action.DELETE, {}, "It is gone, with its targets and its task"),
    ],
)
def test_what_follows_from_an_order(action: Action, progress: Mapping[str, Any], said: str) -> None:
    assert said in shown(window_order_card(order(action, OrderState.DONE, progress=progress)))


def test_what_is_put_off_says_when_it_is_tried_again_and_why() -> None:
    text = shown(window_order_card(order(Action.DELETE, OrderState.REQUESTED, note="AWS throttled it.", put_off=True)))
    assert "*To be deleted*, tried again <!date^" in text
    assert "AWS throttled it." in text


def test_a_window_that_installs_says_so() -> None:
    text = shown(window_order_card(order(Action.CREATE, OrderState.DONE, of=spec(operation="Install"), progress=NEXT)))
    assert "It installs without asking anybody" in text


@pytest.mark.parametrize("text", [HOSTILE, LONG, "&" * 3000], ids=["short", "long", "amp"])
def test_I10_no_text_from_outside_breaks_the_card(text: str) -> None:
    hostile = spec(
        description=text[:128],
        comment=text[:100],
        s3_bucket="acme-output",
        s3_prefix=text[:500],
        targets={f"tag:{text[:100]}": [text[:256]] * 50},
        parameters={f"{number}{text}"[:255]: [text] * 9 for number in range(20)},
        document_version="3",
    )
    for state in OrderState:
        for action in Action:
            of = hostile if action in (Action.CREATE, Action.EDIT) else None
            assert_accepted(
                window_order_card(order(action, state, of=of, note=text, name=text, progress={"error": text}))
            )
