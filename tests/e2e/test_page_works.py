"""What people do on the page with a bot that answers: write, press, choose, fill in."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from slack_bolt import Ack, App
from slack_sdk import WebClient

from tests.e2e.page import Served, chromium, opened, served
from tests.unit.workspace.bolt import connected

pytestmark = pytest.mark.browser

Json = dict[str, Any]
ORDERS = "#user=U0ANN&channel=C0ORDERS"


def _words(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def _form(extra: str = "") -> Json:
    reason = {
        "type": "input",
        "block_id": "reason",
        "label": _words("Reason"),
        "element": {"type": "plain_text_input", "action_id": "value", "min_length": 3},
    }
    more = {
        "type": "actions",
        "block_id": "more",
        "elements": [{"type": "button", "action_id": "more", "text": _words("More")}],
    }
    note = [{"type": "section", "text": {"type": "mrkdwn", "text": extra}}] if extra else []
    return {
        "type": "modal",
        "callback_id": "form",
        "title": _words("Problem"),
        "submit": _words("Send"),
        "blocks": [*note, reason, more],
    }


_CONFIRM = {
    "title": _words("Sure?"),
    "text": _words("It can't be undone."),
    "confirm": _words("Do it"),
    "deny": _words("Keep"),
}
_BUTTONS = {
    "type": "actions",
    "block_id": "buttons",
    "elements": [
        {
            "type": "button",
            "action_id": "press",
            "value": "7",
            "style": "danger",
            "confirm": _CONFIRM,
            "text": _words("Press"),
        },
        {
            "type": "static_select",
            "action_id": "pick",
            "placeholder": _words("Pick"),
            "options": [{"text": _words(name), "value": name} for name in ("one", "two")],
        },
    ],
}


def _bot(client: WebClient) -> App:
    """/patch acks what was typed; `form` opens a modal; a press and a choice are told in the thread."""
    app = App(client=client)

    @app.command("/patch")
    def patch(ack: Ack, command: Json) -> None:
        ack(f"taken: {command['text']}")
        if command["text"] == "form":
            client.views_open(trigger_id=command["trigger_id"], view=_form())

    @app.action("press")
    @app.action("pick")
    def act(ack: Ack, body: Json) -> None:
        ack()
        action = body["actions"][0]
        said = action.get("value") or action["selected_option"]["value"]
        client.chat_postMessage(channel=body["channel"]["id"], thread_ts=body["message"]["ts"], text=f"chosen: {said}")

    @app.action("more")
    def more(ack: Ack, body: Json) -> None:
        ack()
        client.views_update(view_id=body["view"]["id"], view=_form("now with a note"))

    @app.view("form")
    def submit(ack: Ack, view: Json, body: Json) -> None:
        if view["state"]["values"]["reason"]["value"]["value"] == "bad reason":
            ack(response_action="errors", errors={"reason": "Say it better."})
        else:
            ack()

    return app


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def slack() -> Iterator[Served]:
    with served() as started, connected(started, _bot(started.client())):
        yield started


@pytest.fixture
def page(browser: Browser, slack: Served) -> Iterator[Page]:
    with opened(browser, slack.url, ORDERS) as tab:
        yield tab


def send(page: Page, text: str) -> None:
    page.get_by_test_id("composer").fill(text)
    page.get_by_test_id("composer").press("Enter")


def test_a_command_is_suggested_completed_sent_and_recalled(page: Page) -> None:
    composer = page.get_by_test_id("composer")
    composer.fill("/pat")
    options = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    expect(options).to_contain_text("/patch")
    composer.press("Tab")
    expect(options.first).to_have_text("scan APP ENV")
    composer.press_sequentially("sc")
    composer.press("Tab")
    composer.press("Tab")
    composer.press("Tab")
    expect(composer).to_have_value("/patch scan app nonprod ")
    composer.press("Enter")
    answer = page.locator("[data-testid=message][data-ephemeral=true]").last
    expect(answer).to_contain_text("taken: scan app nonprod")
    expect(answer).to_contain_text("Only visible to you")
    expect(composer).to_have_value("")
    composer.press("ArrowUp")
    expect(composer).to_have_value("/patch scan app nonprod")
    answer.get_by_test_id("dismiss").click()
    expect(answer).to_have_count(0)


def test_a_refused_command_is_said_and_kept(page: Page) -> None:
    send(page, "/nosuch thing")
    expect(page.get_by_test_id("composer-error")).to_have_text("/nosuch is not a valid command.")
    expect(page.get_by_test_id("composer")).to_have_value("/nosuch thing")


def test_what_a_person_writes_is_text(page: Page) -> None:
    composer = page.get_by_test_id("composer")
    composer.fill("one <@U0EVE>")
    composer.press("Shift+Enter")
    composer.press_sequentially("two & <b>")
    composer.press("Enter")
    last = page.locator("[data-testid=message]").last
    expect(last.locator(".message-text")).to_have_text("one <@U0EVE>\ntwo & <b>", use_inner_text=True)


def test_buttons_ask_first_and_selects_act_at_once(page: Page, slack: Served) -> None:
    ts = slack.bot().chat_postMessage(channel="C0ORDERS", text="x", blocks=[_BUTTONS])["ts"]
    message = page.locator(f"#messages [data-ts='{ts}']")
    message.get_by_role("button", name="Press").click()
    page.get_by_test_id("confirm-deny").click()
    message.get_by_role("combobox").select_option("two")
    expect(message.get_by_test_id("replies")).to_have_text("1 reply")
    message.get_by_role("button", name="Press").click()
    page.get_by_test_id("confirm-ok").click()
    message.get_by_test_id("replies").click()
    thread = page.get_by_test_id("thread-pane")
    expect(thread.locator("[data-testid=message]")).to_have_count(3)
    expect(thread).to_contain_text("chosen: two")
    expect(thread).to_contain_text("chosen: 7")
    page.get_by_test_id("thread-composer").fill("thanks")
    page.get_by_test_id("thread-composer").press("Enter")
    expect(thread.locator("[data-testid=message]").last).to_contain_text("thanks")
    page.keyboard.press("Escape")
    expect(thread).to_be_hidden()


def test_a_message_may_go_while_its_confirmation_is_open(page: Page, slack: Served) -> None:
    ts = slack.bot().chat_postMessage(channel="C0ORDERS", text="x", blocks=[_BUTTONS])["ts"]
    message = page.locator(f"#messages [data-ts='{ts}']")
    message.get_by_role("button", name="Press").click()
    slack.bot().chat_delete(channel="C0ORDERS", ts=ts)
    expect(message).to_have_count(0)
    page.get_by_test_id("confirm-ok").click()
    expect(page.get_by_test_id("confirm")).to_have_count(0)
    send(page, "still here")
    expect(page.locator("[data-testid=message]").last).to_contain_text("still here")


def test_a_modal_shows_errors_keeps_what_was_typed_and_closes(page: Page) -> None:
    send(page, "/patch form")
    modal = page.get_by_test_id("modal")
    reason = modal.get_by_label("Reason")
    expect(reason).to_be_focused()
    page.get_by_test_id("modal-submit").click()
    expect(modal.locator(".field-error")).to_have_text("Please fill this in.")
    reason.fill("bad reason")
    page.get_by_test_id("modal-submit").click()
    expect(modal.locator(".field-error")).to_have_text("Say it better.")
    modal.get_by_role("button", name="More").click()
    expect(modal).to_contain_text("now with a note")
    expect(reason).to_have_value("bad reason")
    reason.fill("a good one")
    page.get_by_test_id("modal-submit").click()
    expect(modal).to_have_count(0)


def test_escape_closes_a_modal_for_the_bot_too(page: Page, slack: Served) -> None:
    send(page, "/patch form")
    expect(page.get_by_test_id("modal")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("modal")).to_have_count(0)
    assert slack.person("U0ANN").view() == {"view": None, "stack_depth": 0}
