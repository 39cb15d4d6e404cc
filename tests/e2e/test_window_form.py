"""The form of a maintenance window on the page: what is chosen is previewed, what is wrong is said where it stands."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.e2e.browser_people import EVENTUALLY, Desk, at_a_desk
from tests.e2e.page import chromium
from tests.town import Town, open_town

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(tmp_path_factory.mktemp("town")) as town:
        yield town


def test_a_window_is_made_in_its_form_with_its_openings_foreseen(browser: Browser, town: Town) -> None:
    with at_a_desk(browser, town, "U0ANN", "C0REPORTS") as desk:
        page = desk.page
        send(desk, "/patch window create reports-db nonprod")
        modal = page.get_by_test_id("modal")
        preview = modal.locator(".block[data-block-id=preview]")
        expect(preview).to_contain_text("Opens next by cron(0 2 ? * SAT *) in ", timeout=EVENTUALLY)

        field(desk, "Name").fill("reports patch tuesday")
        field(desk, "How often it opens").select_option("nth-weekday")
        field(desk, "Which of the month").select_option("2")
        field(desk, "Weekday").select_option("TUE")
        field(desk, "Opens", exact=True).select_option("4")
        zone = field(desk, "Time zone")
        zone.fill("Asia/Kolkata")
        zone.press("Enter")
        expect(preview).to_contain_text("by cron(0 2 ? * TUE#2 *), 4 days later, in Asia/Kolkata")
        expect(preview).to_contain_text("Sat 20")
        expect(preview).to_contain_text("02:00 IST")
        expect(field(desk, "Name")).to_have_value("reports patch tuesday")  # typed before the form was drawn anew
        field(desk, "Time in the window's zone").fill("23:15")
        expect(preview).to_contain_text("by cron(15 23 ? * TUE#2 *), 4 days later, in Asia/Kolkata")
        field(desk, "Comment").fill("in the team's own time")
        modal.get_by_role("checkbox", name="Failed").check()

        field(desk, "Cutoff: hours").fill("3")
        page.get_by_test_id("modal-submit").click()
        wrong = modal.locator(".field-error:not(:empty)")
        expect(wrong).to_have_text(
            [
                "The name is 'reports patch tuesday'; allowed is 3 to 128 letters, digits and . _ -.",
                "The cutoff: it must be less than the duration, which is 3 h, or nothing could begin.",
            ]
        )
        field(desk, "Name").fill("reports-patch-tuesday")
        field(desk, "Cutoff: hours").fill("1")
        page.get_by_test_id("modal-submit").click()
        expect(modal).to_have_count(0)
        card = page.locator("#messages [data-testid=message]").filter(has_text="Created: reports-patch-tuesday")
        expect(card).to_contain_text("It opens next, as AWS plans it", timeout=EVENTUALLY)
        expect(card).to_contain_text("cron(15 23 ? * TUE#2 *), 4 days later in Asia/Kolkata")
    (window,) = [
        window
        for region in town.around.world.regions()
        for window in region.windows.values()
        if window.settings["Name"] == "reports-patch-tuesday"
    ]
    (task,) = window.tasks.values()
    assert task.params["TaskInvocationParameters"]["RunCommand"]["Comment"] == "in the team's own time"


def send(desk: Desk, text: str) -> None:
    composer = desk.page.get_by_test_id("composer")
    composer.fill(text)
    composer.press("Enter")


def field(desk: Desk, label: str, *, exact: bool = False) -> Locator:
    """An input of the form by its label."""
    return desk.page.get_by_test_id("modal").get_by_label(label, exact=exact)
