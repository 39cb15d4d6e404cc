"""Two more stories on the page: something moves while the approval is on its way, and an approval on a phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browser_evidence import check_every_command, installed_on, installs_by_node, sent_to
from tests.e2e.browser_people import Desk, at_a_desk
from tests.e2e.page import chromium
from tests.town import Town, open_town

pytestmark = pytest.mark.browser

PHONE = 390  # pixels


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(tmp_path_factory.mktemp("town")) as town:
        yield town


def pending(desk: Desk, application: str, jumps: int) -> str:
    """Install in non-production, let it soak (eight days a jump) and ask for production; the change's id."""
    desk.sees(desk.ask(f"/patch install {application} nonprod"), "Done")
    for _ in range(jumps):
        desk.jump_eight_days()
    ref = desk.ask(f"/patch install {application} prod")
    desk.sees(ref, "Waits for approval")
    return ref


def test_I3_a_repository_that_moves_before_the_approval_supersedes_the_change(browser: Browser, town: Town) -> None:
    with at_a_desk(browser, town, "U0ANN", "C0SEARCH") as desk:
        ref = pending(desk, "search-db", jumps=4)
        desk.become("U0OLA")
        desk.move_repository("search-db")
        desk.approve(desk.card(ref), "search-db")
        card = desk.sees(ref, "Superseded", "Approved by @Ola Nowak", "is gone from the repository, which offers")
        expect(card.get_by_test_id("block-button")).to_have_text(["Ask again"])
    assert sent_to(town, "search-db", "prod", "Install") == []
    assert installed_on(town, "search-db", "prod") == []
    check_every_command(town, "search-db")


def test_an_approval_in_a_narrow_window(browser: Browser, town: Town) -> None:
    with at_a_desk(browser, town, "U0ANN", "C0ORDERS") as desk:
        ref = pending(desk, "orders-db", jumps=1)
    with at_a_desk(browser, town, "U0OLA", "C0ORDERS", width=PHONE) as phone:
        card = phone.sees(ref, "Waits for approval")
        phone.press(card, "Approve")
        phone.page.get_by_test_id("modal-close").click()
        expect(card).to_contain_text("Waits for approval")
        phone.approve(card, "orders-db")
        phone.sees(ref, "Done.", "Approved by @Ola Nowak")
        assert phone.page.evaluate("document.documentElement.scrollWidth") == PHONE
    assert set(installs_by_node(town, "orders-db", "prod").values()) == {1}
    check_every_command(town, "orders-db")
