"""The picture of the page for the README: `python -m tests.e2e.screenshot docs/page.png`, or `make screenshot`.

The passing story as Ola, the on-call, sees it: a change waits for her, and beside it the simulated world.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.browser_people import Desk
from tests.e2e.page import CHROMIUM, chromium, opened
from tests.town import Town, open_town

WINDOW = {"width": 1536, "height": 960}  # the picture is 1440×900


def main(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, open_town(Path(folder)) as town, chromium() as browser:
        ref = ask_for_production(town)
        town.around.clock.set_rate(1)
        options = {"viewport": WINDOW, "device_scale_factor": 1440 / WINDOW["width"], "color_scheme": "light"}
        with opened(browser, town.around.url, "#user=U0OLA&channel=C0ORDERS", **options) as page:
            Desk(page, town, "U0OLA", "C0ORDERS").sees(ref, "Waits for approval")
            now = town.around.clock.now()
            expect(page.get_by_test_id("clock")).to_contain_text(f"{now.day} {now:%b %Y}")
            expect(page.get_by_test_id("clock")).to_contain_text("in Warsaw")
            settle(page)
            page.screenshot(path=path)


def ask_for_production(town: Town) -> str:
    """Ann scans, installs in non-production, waits eight days and asks; the change's id."""
    town.command("U0ANN", "/patch scan orders-db nonprod")
    town.card("scan-1", "Done")
    town.command("U0ANN", "/patch install orders-db nonprod")
    town.card("install-2", "Done")
    town.jump(days=8)
    town.command("U0ANN", "/patch install orders-db prod")
    town.card("change-1", "Waits for approval")
    return "change-1"


def settle(page: Page) -> None:
    """Until fonts and pictures are there and nothing moves any more."""
    page.evaluate("document.fonts.ready.then(() => Promise.all(document.getAnimations().map((each) => each.finished)))")


if __name__ == "__main__":
    if CHROMIUM is None:
        sys.exit("Chromium is not installed, so no picture can be taken. On Debian: apt-get install chromium")
    main(Path(sys.argv[1]))
