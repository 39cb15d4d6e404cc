"""The form of a maintenance window, and the question before one is changed: within Slack's limits, and true."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.views.modals import refused_modal
from bot.views.window_change import change_modal, edit_offer
from bot.views.window_form import PREVIEWED, Previewed, WindowForm, window_modal
from commands.window_fields import PLAIN, Fields, fields_of, proposed, schedule_fields
from patching.agenda import Opening
from patching.config import Environment
from patching.nodes import EnvironmentKey
from patching.planned import PlannedTask, PlannedWindow
from patching.schedules import Rhythm
from sandbox.slack.blocks import check_view
from storage.window_orders import Action
from tests.unit.views.made import HOSTILE, LONG, NOW
from tests.unit.views.seen import assert_accepted, assert_inert, buttons, shown, texts

KEY = EnvironmentKey("orders-db", "nonprod")
PRIVATE = {"channel": "C0ORDERS", "application": "orders-db", "environment": "nonprod"}
OPENS = tuple(datetime(2026, 12, day, 2, tzinfo=ZoneInfo("Europe/Dublin")) for day in (5, 12, 19, 26))
PREVIEWED_WELL = Previewed("cron(0 2 ? * SAT *)", "Europe/Dublin", 4, OPENS)
OF_RHYTHM = {
    Rhythm.WEEKLY: {"rhythm", "weekday", "time"},
    Rhythm.NTH_WEEKDAY: {"rhythm", "position", "weekday", "time"},
    Rhythm.DAY_OF_MONTH: {"rhythm", "day", "time"},
    Rhythm.DAILY: {"rhythm", "time"},
    Rhythm.TYPED: {"rhythm", "expression"},
}


def _environment(production: bool = False) -> Environment:
    targets = {"tag:PatchGroup": ("nonprod", "early"), "tag:App": ("orders",)}
    return Environment(account="111111111111", region="eu-west-1", production=production, targets=targets)


def _form(fields: Fields | None = None, *, production: bool = False, **changed: Any) -> WindowForm:
    environment = _environment(production)
    known = fields_of(proposed(KEY, environment, "Europe/Dublin"))
    values: dict[str, Any] = {"previewed": PREVIEWED_WELL, **changed}
    return WindowForm(KEY, environment, {**known, **(fields or {})}, **values)


def _inputs(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


@pytest.mark.parametrize("rhythm", Rhythm)
def test_the_form_asks_for_what_its_schedule_needs_and_for_every_setting(rhythm: Rhythm) -> None:
    view = window_modal(_form({"rhythm": rhythm.value}), PRIVATE)
    assert check_view(view, "modal") == []
    assert json.loads(view["private_metadata"]) == PRIVATE
    inputs = _inputs(view)
    assert set(inputs) == set(PLAIN) | OF_RHYTHM[rhythm] | {"targets"}
    assert {name for name, block in inputs.items() if block.get("dispatch_action")} == set(PREVIEWED) & set(inputs)
    assert all(block["element"]["action_id"] == name for name, block in inputs.items())


def test_it_begins_with_a_scan_of_the_whole_environment() -> None:
    inputs = _inputs(window_modal(_form(), PRIVATE))
    assert inputs["name"]["element"]["initial_value"] == "orders-db-nonprod-scan"
    assert inputs["targets"]["element"]["initial_value"] == "PatchGroup=nonprod, early\nApp=orders"
    assert inputs["operation"]["element"]["initial_option"]["value"] == "Scan"
    assert [option["value"] for option in inputs["operation"]["element"]["options"]] == ["Scan", "Install"]
    assert inputs["time"]["element"]["initial_time"] == "02:00"
    assert inputs["timezone"]["element"]["initial_value"] == "Europe/Dublin"
    assert inputs["sns_events"]["element"]["initial_options"][0]["value"] == "All"


def test_on_production_only_a_scan_is_offered_and_the_way_of_an_install_named() -> None:
    view = window_modal(_form({"operation": "Install"}, production=True), PRIVATE)
    assert "*PRODUCTION · orders-db nonprod*" in shown(("", view["blocks"]))
    operation = _inputs(view)["operation"]
    assert [option["value"] for option in operation["element"]["options"]] == ["Scan"]
    assert "initial_option" not in operation["element"]  # a window that installs is not turned to Scan unseen
    assert "/patch install APP ENV window" in operation["hint"]["text"]


def test_the_preview_names_what_it_previews_in_both_zones() -> None:
    words = shown(("", window_modal(_form(), PRIVATE)["blocks"]))
    assert "*Opens next* by `cron(0 2 ? * SAT *)`, 4 days later, in `Europe/Dublin`" in words
    assert (
        "• Sat 2026-12-05 02:00 GMT, <!date^1796436000^{date_short_pretty} {time}|2026-12-05 02:00 UTC> for you"
        in words
    )
    problem = Previewed("rate(7 days)", "", problem="A rate counts from the window's creation.")
    words = shown(("", window_modal(_form(previewed=problem), PRIVATE)["blocks"]))
    assert "*No preview* of `rate(7 days)` in `UTC`: A rate counts from the window's creation." in words


@pytest.mark.parametrize("text", [HOSTILE, LONG], ids=["hostile", "long"])
def test_I10_what_was_typed_is_no_markup(text: str) -> None:
    fields = {**dict.fromkeys(PLAIN, text), **schedule_fields(text), "targets": text, "sns_events": (text,)}
    form = _form(fields, previewed=Previewed(text, text, problem=text), edited=text)
    view = window_modal(form, PRIVATE)
    assert check_view(view, "modal") == []
    for markup in texts(view):
        assert_inert(markup)


def _window(name: str = "patch-tuesday", *, enabled: bool = True, tasks: int = 1) -> PlannedWindow:
    task = PlannedTask("t", name, "Install", ())
    return PlannedWindow(
        "mw-0123456789abcdef0", name, enabled, "cron(0 2 ? * SAT *)", "UTC", 3, 1, "", (), (task,) * tasks, NOW
    )


@pytest.mark.parametrize("action", [Action.DISABLE, Action.ENABLE, Action.DELETE])
@pytest.mark.parametrize("name", ["patch-tuesday", HOSTILE, LONG], ids=["plain", "hostile", "long"])
def test_what_a_change_means_is_said_before_it(action: Action, name: str) -> None:
    window = _window(name, enabled=action is not Action.ENABLE, tasks=12)
    opening = Opening(window.id, window.name, NOW, NOW, NOW, "UTC") if window.enabled else None
    view = change_modal(action, KEY, _environment(True), window, opening, ("change-4",), PRIVATE)
    assert check_view(view, "modal") == []
    assert (view["submit"]["text"], view["callback_id"]) == (str(action).capitalize(), "change-window")
    words = shown(("", view["blocks"]))
    assert "*PRODUCTION · orders-db nonprod*, account `111111111111`" in words
    assert "and 4 more tasks" in words
    assert ("It opens next <!date^" in words) == window.enabled
    assert (":warning: `change-4` waits for it" in words) == window.enabled
    assert (set(_inputs(view)) == {"name"}) == (action is Action.DELETE)
    for markup in texts(view):
        assert_inert(markup)


def test_a_window_without_a_task_or_an_execution_says_so() -> None:
    words = shown(
        ("", change_modal(Action.DISABLE, KEY, _environment(), _window(tasks=0), None, (), PRIVATE)["blocks"])
    )
    assert "It has no task." in words
    assert "AWS plans no execution in the next weeks." in words


@pytest.mark.parametrize("text", ["AWS refused it.", HOSTILE, LONG])
def test_what_was_read_is_offered_to_edit_or_why_it_is_not(text: str) -> None:
    about = {"application": "orders-db", "environment": "nonprod", "inquiry": 7, "window_id": "mw-1"}
    read = edit_offer({**about, "window_name": text, "spec": {}})
    assert json.loads(buttons(read)["edit-window"]["value"]) == {"inquiry": 7}
    failed = edit_offer({**about, "error": text})
    assert "`mw-1` of orders-db nonprod can't be edited" in shown(failed)
    for rendered in (read, failed):
        assert_accepted(rendered)
    assert check_view(refused_modal("Disable a window", text), "modal") == []
