"""Finding one's way on the page: unread and new messages, other people, links, mail, narrow windows, the panel."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.page import Served, chromium, opened, served

pytestmark = pytest.mark.browser

ORDERS = "#user=U0ANN&channel=C0ORDERS"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def slack() -> Iterator[Served]:
    with served() as started:
        yield started


@pytest.fixture
def page(browser: Browser, slack: Served) -> Iterator[Page]:
    with opened(browser, slack.url, ORDERS) as tab:
        yield tab


def test_new_messages_leave_the_readers_place(page: Page, slack: Served) -> None:
    page.get_by_test_id("channel-C0REPORTS").click()
    for number in range(40):
        slack.person("U0BEN").do("message", channel="C0REPORTS", text=f"line {number}")
    messages = page.locator("#messages")
    expect(messages.get_by_text("line 39")).to_be_in_viewport()
    messages.evaluate("list => { list.scrollTop = 100; }")
    expect(messages.get_by_text("line 39")).not_to_be_in_viewport()
    slack.person("U0BEN").do("message", channel="C0REPORTS", text="one more")
    expect(page.get_by_test_id("new-messages")).to_have_text("1 new message")
    assert messages.evaluate("list => list.scrollTop") == 100
    page.get_by_test_id("new-messages").click()
    expect(messages.get_by_text("one more")).to_be_in_viewport()


def test_two_tabs_are_two_people(page: Page, slack: Served) -> None:
    other = page.context.new_page()
    other.goto(f"{slack.url}/#user=U0EVE&channel=C0SEARCH")
    expect(other.get_by_test_id("user-select")).to_have_value("U0EVE")
    slack.bot().chat_postEphemeral(channel="C0SEARCH", user="U0EVE", text="for Eve alone")
    slack.bot().chat_postMessage(channel="C0SEARCH", text="for all")
    expect(other.get_by_text("for Eve alone")).to_be_visible()
    expect(page.get_by_test_id("channel-C0SEARCH")).to_have_attribute("data-unread", "true")
    page.get_by_test_id("channel-C0SEARCH").click()
    expect(page.get_by_text("for all")).to_be_visible()
    expect(page.get_by_text("for Eve alone")).to_have_count(0)
    expect(page.get_by_test_id("channel-C0SEARCH")).not_to_have_attribute("data-unread", "true")
    page.reload()
    expect(page.get_by_test_id("user-select")).to_have_value("U0ANN")
    other.get_by_test_id("user-select").select_option("U0OLA")
    expect(other.get_by_text("for Eve alone")).to_have_count(0)


def test_a_permalink_finds_its_message(page: Page, slack: Served) -> None:
    ts = slack.bot().chat_postMessage(channel="C0BILLING", text="found")["ts"]
    link = slack.bot().chat_getPermalink(channel="C0BILLING", message_ts=ts)["permalink"]
    slack.bot().chat_postMessage(channel="C0ORDERS", text=f"<{link}|there>")
    page.get_by_role("link", name="there").click()
    expect(page.get_by_role("heading", name="#billing")).to_be_visible()
    expect(page.locator(f"[data-ts='{ts}']")).to_be_in_viewport()
    page.go_back()
    expect(page.get_by_role("heading", name="#orders")).to_be_visible()


def test_the_switcher_goes_by_name(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.get_by_test_id("switcher").fill("bill")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="#billing")).to_be_visible()


def test_mail_is_read_and_its_html_runs_nothing(page: Page, slack: Served) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "patchgate@example.com", "team@example.com", "An install starts"
    mail.set_content(f"See {slack.url}/archives/C0ORDERS/p1 <b>now</b>")
    mail.add_alternative("<h1>Hello</h1><script>parent.document.title = 'hit'</script>", subtype="html")
    with smtplib.SMTP("127.0.0.1", slack.mailbox.port) as smtp:
        smtp.send_message(mail)
    expect(page.get_by_test_id("mail")).to_contain_text("1 unread", timeout=10_000)
    page.get_by_test_id("mail").click()
    item = page.get_by_test_id("mail-item")
    item.get_by_text("An install starts").click()
    expect(item).to_contain_text("<b>now</b>")
    expect(item.get_by_role("link")).to_have_count(1)
    item.get_by_text("As HTML").click()
    expect(item.frame_locator("iframe").get_by_role("heading", name="Hello")).to_be_visible()
    expect(page).to_have_title("Mail · Ann Lindqvist · Sandbox")
    expect(page.get_by_test_id("mail")).not_to_contain_text("unread")


def test_the_panel_moves_the_world(page: Page, slack: Served) -> None:
    before = slack.clock.now()
    page.get_by_test_id("jump-8d").click()
    expect(page.get_by_test_id("clock")).not_to_contain_text(f"{before.day} {before:%b}")
    assert (slack.clock.now() - before).days == 8
    page.get_by_test_id("rate-60").click()
    expect(page.get_by_test_id("rate-60")).to_have_attribute("aria-pressed", "true")
    assert slack.clock.rate == 60
    node = page.get_by_test_id("node").filter(has_text="app-prod-2")
    node.get_by_role("button").click()
    page.get_by_role("menuitem", name="Stop the node").click()
    expect(node).to_contain_text("stopped")
    page.get_by_test_id("panel-faults").locator("summary").click()
    page.get_by_label("Kind").select_option("lost-reply")
    page.get_by_test_id("fault-add").click()
    expect(page.get_by_test_id("fault")).to_contain_text("lost-reply")
    page.get_by_test_id("fault").get_by_role("button").click()
    expect(page.get_by_test_id("fault")).to_have_count(0)
    assert slack.world.faults.active() == []


def test_a_narrow_window_has_drawers(browser: Browser, slack: Served) -> None:
    with opened(browser, slack.url, ORDERS, viewport={"width": 360, "height": 700}) as page:
        expect(page.get_by_test_id("composer")).to_be_in_viewport()
        page.get_by_role("button", name="Channels").click()
        page.get_by_test_id("channel-C0BILLING").click()
        expect(page.get_by_role("heading", name="#billing")).to_be_visible()
        expect(page.get_by_test_id("channel-C0BILLING")).to_be_hidden()
        page.get_by_test_id("panel-toggle").click()
        expect(page.get_by_test_id("jump-1d")).to_be_in_viewport()
        page.keyboard.press("Escape")
        expect(page.get_by_test_id("panel")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_everything_is_reached_with_the_tab_key(page: Page) -> None:
    reached = set()
    page.get_by_test_id("composer").focus()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.dataset.testid ?? document.activeElement.id"))
    wanted = {
        "composer",
        "user-select",
        "channel-C0ORDERS",
        "mail",
        "panel-toggle",
        "switcher-button",
        "jump-8d",
        "rate-0",
        "messages",
    }
    assert wanted <= reached


def test_a_script_is_asked_for_anew_after_an_update(page: Page, slack: Served) -> None:
    """Or a browser would mix what it kept of an older version with the new page."""
    script = page.request.get(f"{slack.url}/js/main.js")
    assert (script.status, script.headers["cache-control"]) == (200, "no-cache")
    kept = page.request.get(f"{slack.url}/js/main.js", headers={"if-none-match": script.headers["etag"]})
    assert (kept.status, kept.headers["cache-control"]) == (304, "no-cache")
