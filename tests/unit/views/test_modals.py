import json
from typing import Any

import pytest

from bot.views.modals import REASON, clear_modal, problem_modal, reject_modal
from sandbox.slack.blocks import check_view
from tests.unit.views.made import DIGEST, HOSTILE, LONG, change, problem, run
from tests.unit.views.seen import assert_inert, texts

PRIVATE = {"channel": "C0ORDERS", "ts": "1.2"}
MODALS = [
    (problem_modal(run(id=13), PRIVATE), "report-problem", {"run": 13, **PRIVATE}),
    (problem_modal(run(id=13, application=LONG)), "report-problem", {"run": 13}),
    (clear_modal(problem(), PRIVATE), "clear-problem", {"problem": 3, "application": "orders-db", **PRIVATE}),
    (clear_modal(problem(HOSTILE)), "clear-problem", {"problem": 3, "application": "orders-db"}),
    (clear_modal(problem(LONG)), "clear-problem", {"problem": 3, "application": "orders-db"}),
    (reject_modal(change(), PRIVATE), "reject", {"change": 4, "digest": DIGEST, **PRIVATE}),
]


@pytest.mark.parametrize(("view", "callback_id", "private"), MODALS)
def test_modal(view: dict[str, Any], callback_id: str, private: dict[str, object]) -> None:
    assert check_view(view, "modal") == []
    assert view["callback_id"] == callback_id
    assert json.loads(view["private_metadata"]) == private
    field = view["blocks"][1]
    assert (field["block_id"], field["element"]["action_id"]) == (REASON, REASON) == ("reason", "reason")
    assert 0 < field["element"]["min_length"] < field["element"]["max_length"] <= 3000
    for markup in texts(view):
        assert_inert(markup)


@pytest.mark.parametrize(
    ("view", "private"),
    [
        (problem_modal(run(id=13), {"run": 99}), {"run": 13}),
        (clear_modal(problem(), {"problem": 99, "application": "x"}), {"problem": 3, "application": "orders-db"}),
        (reject_modal(change(), {"change": 99, "digest": "x"}), {"change": 4, "digest": DIGEST}),
    ],
)
def test_what_a_modal_is_about_cannot_be_overridden(view: dict[str, Any], private: dict[str, object]) -> None:
    assert json.loads(view["private_metadata"]) == private
