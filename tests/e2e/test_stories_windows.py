"""Changes that wait for a maintenance window, in Chromium: what those affected see and press, what the audit trail has
of it, and what SSM's log says was sent.

Three applications with a weekly window each live in one world; each story has its own.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect

from commands.agenda import AgendaUnknown, next_opening
from patching.nodes import EnvironmentKey
from sandbox.aws.fleet import Fleet, Window
from storage import audit, changes
from storage.changes import Change
from tests.e2e.browser_evidence import installed_on, nodes_of, sent_to
from tests.e2e.browser_people import EVENTUALLY, Desk, at_a_desk
from tests.e2e.page import chromium
from tests.integration.small_town import fleet_of
from tests.town import Town, open_town, wait_for

pytestmark = pytest.mark.browser

RATE = 60  # sandbox seconds in one of ours
CHANNELS = {"orders-db": "C0ORDERS", "billing-db": "C0BILLING", "search-db": "C0SEARCH"}
EVE_HEARS = "D0EVE"
APPROVED = ["requested", "pending", "approve clicked", "approve counts", "approved", "waiting"]
SENT = ["approved", "used"]
CUTOFF = 2 * 60 * 60  # seconds after the opening


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Every non-production is installed, and its soak is over."""
    with open_town(tmp_path_factory.mktemp("town"), with_windows(), rate=RATE) as town:
        for name, channel in CHANNELS.items():
            town.command("U0ANN", f"/patch install {name} nonprod", channel)
        for number, channel in enumerate(CHANNELS.values(), 1):
            town.card(f"install-{number}", "*Done*", channel=channel)
        town.jump(days=8)
        yield town


def with_windows() -> Fleet:
    """Small applications, with production's window on Saturdays."""
    fleet = fleet_of(list(CHANNELS))
    weekly = Window("cron(0 2 ? * SAT *)", "Europe/Dublin")
    applications = [
        replace(
            each,
            channel=CHANNELS[each.name],
            environments=tuple(replace(one, window=weekly) if one.production else one for one in each.environments),
        )
        for each in fleet.applications
    ]
    return replace(fleet, applications=tuple(applications))


@pytest.fixture
def desk(browser: Browser, town: Town) -> Iterator[Desk]:
    with at_a_desk(browser, town, "U0ANN", "C0ORDERS") as desk:
        yield desk


def test_an_objection_holds_it_and_is_overruled_before_everybody(desk: Desk, town: Town) -> None:
    ref = waiting(desk, town, "orders-db")
    desk.become("U0EVE")
    desk.enter(EVE_HEARS)
    told = desk.page.locator("#messages [data-testid=message]").filter(has_text=f"Will be installed: {ref}")
    expect(told).to_contain_text("Approved, waits for the window orders-db-prod", timeout=EVENTUALLY)
    desk.page.get_by_test_id("mail").click()
    mail = desk.page.get_by_test_id("mail-item").filter(has_text=f"A change will be installed: {ref}, PRODUCTION")
    expect(mail).to_contain_text("orders-db-team@example.com", timeout=EVENTUALLY)

    desk.enter("C0ORDERS")
    desk.press(desk.card(ref), "Acknowledge")
    desk.sees(ref, "Seen by @Eve Moreau.")
    desk.give_reason(desk.card(ref), "Object", "Month end runs that night.")
    card = desk.sees(ref, "Approved, and held: nothing is sent.", "@Eve Moreau objects", "Month end runs that night.")
    expect(card.get_by_role("button", name="Postpone")).to_have_count(0)
    desk.become("U0OLA")
    desk.press(card, "Overrule")
    desk.hears("Overruling an objection needs the admin role, which you don't have; nothing was changed.")

    desk.become("U0ADA")
    desk.give_reason(card, "Overrule", "Month end was moved to Friday.")
    desk.sees(ref, "Approved, waits for the window orders-db-prod", "Objection of @Eve Moreau")
    expect(card).to_contain_text("(Month end runs that night.) overruled by @Ada Silva")
    expect(card).to_contain_text("Month end was moved to Friday.")
    trail = [*APPROVED, "objected", "held", "objection overruled", "waiting"]
    assert audited(town, ref) == trail

    to_its_window(town, ref)
    desk.sees(ref, "Done.", "overruled by @Ada Silva")
    assert audited(town, ref) == [*trail, *SENT, "done"]
    installed_once(town, "orders-db", ref)


def test_postponed_and_then_missed_it_takes_the_next_window(desk: Desk, town: Town) -> None:
    desk.enter("C0BILLING")
    ref = waiting(desk, town, "billing-db")
    first = opening_of(town, ref)
    desk.become("U0EVE")
    card = desk.card(ref)
    desk.press(card, "Postpone")
    confirm = desk.page.get_by_test_id("confirm")
    expect(confirm).to_contain_text(f"Postpone {ref}?")
    confirm.get_by_role("button", name="Back").click()
    expect(card).not_to_contain_text("Postponed")
    desk.press(card, "Postpone")
    desk.page.get_by_test_id("confirm-ok").click()
    desk.sees(ref, "Postponed from the window billing-db-prod")
    moved = desk.page.locator("#messages [data-testid=message]").filter(has_text=f"Moved by @Eve Moreau: {ref}")
    expect(moved).to_have_count(1, timeout=EVENTUALLY)
    second = opening_of(town, ref)
    assert second - first == timedelta(days=7)

    town.jump(seconds=(first - town.around.clock.now()).total_seconds() + 60)
    reminder = desk.page.locator("#messages [data-testid=message]").filter(has_text=f"{ref} waits for it")
    expect(reminder.first).to_contain_text("PRODUCTION · Maintenance window in 6 d 23 h", timeout=EVENTUALLY)
    assert sent_to(town, "billing-db", "prod", "Install") == []

    town.stop()
    town.jump(seconds=(second - town.around.clock.now()).total_seconds() + CUTOFF + 60)
    town.start()
    desk.sees(
        ref,
        "was missed: Patchgate did not get to it before its cutoff.",
        "Approved, waits for the window billing-db-prod",
    )
    third = opening_of(town, ref)
    assert third - second == timedelta(days=7)
    assert sent_to(town, "billing-db", "prod", "Install") == []
    assert audited(town, ref) == [*APPROVED, "postponed", "window missed"]

    to_its_window(town, ref)
    desk.sees(ref, "Done.")
    assert audited(town, ref) == [*APPROVED, "postponed", "window missed", *SENT, "done"]
    installed_once(town, "billing-db", ref)


def test_a_freeze_holds_the_window_until_it_is_lifted(desk: Desk, town: Town) -> None:
    desk.enter("C0SEARCH")
    ref = waiting(desk, town, "search-db")
    desk.become("U0OLA")
    desk.say("/patch freeze add stocktaking --apps search-db We count the stock.")
    desk.hears("needs the admin role, which you don't have; nothing was done.")
    desk.become("U0ADA")
    desk.say("/patch freeze add stocktaking --apps search-db We count the stock.")
    desk.hears("stocktaking freezes search-db from now until an admin lifts it.")
    desk.say("/patch freeze list")
    desk.hears("stocktaking · search-db: until an admin lifts it · We count the stock · added by @Ada Silva")
    told = desk.page.locator("#messages [data-testid=message][data-ephemeral=false]")
    expect(told.filter(has_text="added the freeze stocktaking")).to_have_count(1)

    opens = opening_of(town, ref)
    desk.page.get_by_test_id("jump-window").click()
    held = told.filter(has_text=f"Held, nothing is sent: {ref}")
    expect(held).to_contain_text("It goes on when no freeze is in force any more", timeout=EVENTUALLY)
    expect(held).to_contain_text(
        "stocktaking is in force until an admin lifts it: We count the stock.", timeout=EVENTUALLY
    )
    desk.sees(ref, "stocktaking is in force until an admin lifts it: We count the stock.")
    assert sent_to(town, "search-db", "prod", "Install") == []
    assert opening_of(town, ref) == opens <= town.around.clock.now()

    desk.say("/patch freeze lift stocktaking Counted, all is there.")
    desk.hears("stocktaking is lifted for search-db.")
    expect(told.filter(has_text="lifted the freeze stocktaking")).to_contain_text("Counted, all is there.")
    desk.sees(ref, "Done.")
    assert audited(town, ref) == [*APPROVED, "held by a freeze", *SENT, "done"]
    assert town.bot
    freezes = [(row.action, row.actor) for row in audit.rows(town.bot.store.db) if row.subject.startswith("freeze")]
    assert freezes == [("freeze added", "U0ADA"), ("freeze lifted", "U0ADA")]
    installed_once(town, "search-db", ref)


def waiting(desk: Desk, town: Town, application: str) -> str:
    """On a Sunday Ann asks for the window, and Ola approves; the id of the change that waits now."""
    now = town.around.clock.now()
    sunday = (now + timedelta(days=7 - now.isoweekday() % 7)).replace(hour=12)
    town.jump(seconds=(sunday - now).total_seconds())
    wait_for(lambda: windows_are_known(town, application), f"{application}'s windows to be read after the jump")
    ref = desk.ask(f"/patch install {application} prod window")
    desk.sees(ref, "Waits for approval", "for the next maintenance window")
    desk.become("U0OLA")
    desk.approve(desk.card(ref), application)
    desk.sees(ref, f"Approved, waits for the window {application}-prod", "Whoever is affected can object until")
    # A click on a message that is shown anew under the hand is lost: everybody has been told first.
    wait_for(lambda: nothing_is_owed(town), "all messages to be sent")
    return ref


def nothing_is_owed(town: Town) -> bool:
    assert town.bot
    return not town.bot.store.db["notice"].count_where("state IN ('due', 'sending')")


def windows_are_known(town: Town, application: str) -> bool:
    """Whether the last reading is young enough to send anything at a window by it."""
    assert town.bot
    key = EnvironmentKey(application, "prod")
    try:
        return next_opening(town.bot.store.db, town.bot.config, key, town.around.clock.now()) is not None
    except AgendaUnknown:
        return False


def change_of(town: Town, ref: str) -> Change:
    assert town.bot
    return changes.get(town.bot.store.db, int(ref.removeprefix("change-")))


def opening_of(town: Town, ref: str) -> datetime:
    """When the window opens that it waits for."""
    opening = change_of(town, ref).opening
    assert opening
    return opening.opens


def to_its_window(town: Town, ref: str) -> None:
    """A minute into the window that it waits for."""
    town.jump(seconds=(opening_of(town, ref) - town.around.clock.now()).total_seconds() + 60)


def audited(town: Town, ref: str) -> list[str]:
    assert town.bot
    return [row.action for row in audit.rows(town.bot.store.db) if row.subject == ref]


def installed_once(town: Town, application: str, ref: str) -> None:
    """One Install in SSM's log, for all of production's nodes, and one that they really began, inside the window."""
    (command,) = sent_to(town, application, "prod", "Install")
    assert set(command.params["InstanceIds"]) == nodes_of(town, application, "prod")
    assert command.outcome == "ok"
    assert len(installed_on(town, application, "prod")) == 1
    opening = change_of(town, ref).opening
    assert opening
    assert opening.opens <= command.at < opening.closes
