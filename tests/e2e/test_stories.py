"""The stories of the demo in Chromium, the bot as it runs: what people see and press, and what SSM's log says of it.

All four applications live in one world. On its first day everybody installs in non-production; each story then goes
on with its own application.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect

from storage import changes
from tests.e2e.browser_evidence import (
    check_every_command,
    installed_on,
    installs_by_node,
    pinned_pairs,
    proven_pairs,
    sent_to,
)
from tests.e2e.browser_people import EVENTUALLY, Desk, at_a_desk
from tests.e2e.page import chromium
from tests.town import Town, open_town, wait_for

pytestmark = pytest.mark.browser

CHANNELS = {
    "orders-db": "C0ORDERS",
    "billing-db": "C0BILLING",
    "search-db": "C0SEARCH",
    "reports-db": "C0REPORTS",
}
GATE_HOLDS = "Blocked by the gate"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Town]:
    """The first day is over: Ann has scanned orders-db and installed in every non-production, all on the page."""
    with open_town(tmp_path_factory.mktemp("town")) as town, at_a_desk(browser, town, "U0ANN", "C0ORDERS") as desk:
        scan = desk.ask("/patch scan orders-db nonprod")
        desk.sees(scan, "Done", "32 patches missing")
        runs = {}
        for name, channel in CHANNELS.items():
            desk.enter(channel)
            runs[name] = desk.ask(f"/patch install {name} nonprod")
        for name, channel in CHANNELS.items():
            desk.enter(channel)
            desk.sees(runs[name], "Failed" if name == "reports-db" else "Done")
        yield town


@pytest.fixture
def desk(browser: Browser, town: Town) -> Iterator[Desk]:
    with at_a_desk(browser, town, "U0ANN", "C0ORDERS") as desk:
        yield desk


def test_orders_db_passes_the_gate_and_gets_exactly_the_proven_list(desk: Desk, town: Town) -> None:
    desk.jump_eight_days()
    ref = desk.ask("/patch install orders-db prod")
    card = desk.sees(ref, "Waits for approval", "32 patches on 3 nodes", "May approve: @oncall")
    desk.press(card, "Approve")
    desk.hears("so somebody else has to approve it")
    assert sent_to(town, "orders-db", "prod", "Install") == []

    desk.become("U0OLA")
    desk.approve(desk.card(ref), "orders-db")
    desk.sees(ref, "Done.", "Approved by @Ola Nowak")
    expect(desk.card(ref).get_by_role("button", name="Approve")).to_have_count(0)

    proven = proven_pairs(town, "orders-db")
    (command,) = sent_to(town, "orders-db", "prod", "Install")
    (done,) = installed_on(town, "orders-db", "prod")
    assert len(proven) == 32
    assert pinned_pairs(command.params["Parameters"]["InstallOverrideList"][0], town) == proven
    assert {frozenset(rows) for rows in done.rows.values()} == {proven}
    for environment in ("nonprod", "prod"):
        assert set(installs_by_node(town, "orders-db", environment).values()) == {1}
    # Before the approval and after it both environments were scanned, and production once more at the end.
    assert len(sent_to(town, "orders-db", "prod", "Scan")) == 3
    check_every_command(town, "orders-db")

    install = f"install-{command.params['Comment'].split()[1].removeprefix('install-')}"
    desk.sees(install, "PRODUCTION", "Done on 3 nodes")
    desk.enter("D0OLA")
    receipt = desk.page.locator("#messages [data-testid=message]").filter(has_text=f"Receipt of {ref}")
    expect(receipt).to_contain_text("Approved by @Ola Nowak", timeout=EVENTUALLY)
    expect(receipt).to_contain_text("Audit chain")
    owners_hear(desk, install)


def owners_hear(desk: Desk, install: str) -> None:
    """Eve, by direct message and by mail: when it starts and how it ended."""
    desk.become("U0EVE")
    desk.enter("D0EVE")
    told = desk.page.locator("#messages [data-testid=message]").filter(has_text=install)
    expect(told).to_have_count(2, timeout=EVENTUALLY)
    expect(told.first).to_contain_text("An install on your application starts")
    expect(told.last).to_contain_text("Done on 3 nodes")
    desk.page.get_by_test_id("mail").click()
    # A mail that leaves when the run has ended already says "started".
    began = re.compile("Install (starts|started): PRODUCTION · Install · orders-db prod")
    for subject in (began, "Install succeeded: PRODUCTION"):
        mail = desk.page.get_by_test_id("mail-item").filter(has_text=subject)
        expect(mail).to_have_count(1, timeout=EVENTUALLY)
        expect(mail).to_contain_text("orders-db-team@example.com")
        mail.locator("summary").first.click()
        expect(mail.locator(".mail-text")).to_contain_text(install)


def test_billing_db_is_held_where_the_repository_has_moved_past_what_was_tested(desk: Desk, town: Town) -> None:
    desk.enter("C0BILLING")
    desk.jump_eight_days()
    ref = desk.ask("/patch install billing-db prod")
    card = desk.sees(ref, GATE_HOLDS, "Not what nonprod has: 5 of 32 patches", "after a new soak it would be ready")
    expect(card.get_by_test_id("block-button").filter(has_text="Approve")).to_have_count(0)
    desk.press(card, "Install the newest set into nonprod")
    newest = newest_install(desk, town, "billing-db")
    desk.sees(newest, "Done", "5 patches installed")

    again = desk.ask("/patch install billing-db prod")
    card = desk.sees(again, GATE_HOLDS, "27 of 32 patches have soaked in nonprod")
    expect(card).to_contain_text("32 patches of prod compared with nonprod, 0 differ")
    ready = ready_at(town, again).astimezone(ZoneInfo("Europe/Stockholm"))  # Ann's
    expect(card).to_contain_text(f"are ready {ready:%b} {ready.day}, {ready:%Y %H:%M}")
    expect(card.get_by_test_id("block-button").filter(has_text="Approve")).to_have_count(0)
    nothing_in_production(town, "billing-db")
    assert set(installs_by_node(town, "billing-db", "nonprod").values()) == {2}


def ready_at(town: Town, ref: str) -> datetime:
    """When the soak is over, as the gate found it: seven days after the newest Install."""
    assert town.bot
    change = changes.get(town.bot.store.db, int(ref.removeprefix("change-")))
    at = next(check.at for check in change.checks or () if check.name == "soak-over")
    assert at
    assert timedelta(days=6, hours=23) < at - town.around.clock.now() < timedelta(days=7)
    return at


def newest_install(desk: Desk, town: Town, application: str) -> str:
    """The id of the second non-production Install, from the comment of its command."""
    sent = wait_for(
        lambda: sent_to(town, application, "nonprod", "Install")[1:], f"the second Install of {application} nonprod"
    )
    found: str = sent[0].params["Comment"].split()[1]
    return found


def test_search_db_is_held_while_it_soaks(desk: Desk, town: Town) -> None:
    desk.enter("C0SEARCH")
    desk.jump_eight_days()
    ref = desk.ask("/patch install search-db prod")
    card = desk.sees(ref, GATE_HOLDS, "Soak over", "0 of 32 patches have soaked in nonprod")
    expect(card.get_by_test_id("block-button")).to_have_text(["Ask again", "Withdraw"])
    nothing_in_production(town, "search-db")
    assert set(installs_by_node(town, "search-db", "nonprod").values()) == {1}


def test_reports_db_is_held_where_a_node_failed(desk: Desk, town: Town) -> None:
    desk.enter("C0REPORTS")
    desk.jump_eight_days()
    ref = desk.ask("/patch install reports-db prod")
    card = desk.sees(ref, GATE_HOLDS, "1 of 2 nodes in nonprod did not succeed", "reports-db-nonprod-2")
    expect(card.get_by_test_id("block-button")).to_contain_text(["Install the newest set into nonprod"])
    nothing_in_production(town, "reports-db")
    assert set(installs_by_node(town, "reports-db", "nonprod").values()) == {1}


def nothing_in_production(town: Town, application: str) -> None:
    assert sent_to(town, application, "prod", "Install") == []
    assert installed_on(town, application, "prod") == []
    assert len(sent_to(town, application, "prod", "Scan")) > 0
    check_every_command(town, application)


def test_a_maintenance_window_is_announced_in_its_channel(desk: Desk, town: Town) -> None:
    """Production's is on Saturdays at two in Dublin (sandbox/fleet.py); the word comes within 24 hours before."""
    now = town.around.clock.now()
    dublin = now.astimezone(ZoneInfo("Europe/Dublin"))
    saturday = datetime(dublin.year, dublin.month, dublin.day, 2, tzinfo=dublin.tzinfo)
    saturday += timedelta(days=(5 - dublin.weekday()) % 7 + 7)
    town.jump(seconds=(saturday - timedelta(hours=23) - now).total_seconds())
    reminder = desk.page.locator("#messages [data-testid=message]").filter(has_text="Maintenance window")
    # A reminder of days before may stand there too.
    prod = reminder.filter(has_text=re.compile("PRODUCTION · Maintenance window in 2[0-9] h .*· orders-db prod")).last
    expect(prod).to_contain_text("None of its own tasks patches the 3 nodes", timeout=EVENTUALLY)
    prod.get_by_role("button", name="Acknowledge").click()
    expect(prod).to_contain_text("Seen by", timeout=EVENTUALLY)
