"""The picture of the page for the README: `python -m tests.e2e.screenshot docs/page.png`, or `make screenshot`.

The story of orders-ha as Ola, the on-call, sees it: a change waits for her, and beside it the simulated world.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.browser_people import Desk
from tests.e2e.page import CHROMIUM, chromium, opened
from tests.town import Town, open_town

WINDOW = {"width": 1536, "height": 1056}  # the picture is 1440×990
CHANNEL = "C0ORDERSHA"


def main(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, open_town(Path(folder)) as town, chromium() as browser:
        ref = ask_for_production(town)
        town.around.clock.set_rate(1)
        options = {"viewport": WINDOW, "device_scale_factor": 1440 / WINDOW["width"], "color_scheme": "light"}
        with opened(browser, town.around.url, f"#user=U0OLA&channel={CHANNEL}", **options) as page:
            Desk(page, town, "U0OLA", CHANNEL).sees(ref, "Waits for approval")
            now = town.around.clock.now()
            expect(page.get_by_test_id("clock")).to_contain_text(f"{now.day} {now:%b %Y}")
            expect(page.get_by_test_id("clock")).to_contain_text("in Warsaw")
            # Reminders of windows come after it, and would be what is seen.
            page.get_by_text("2 replies").evaluate("(end) => end.scrollIntoView({ block: 'end' })")
            settle(page)
            page.screenshot(path=path)


def ask_for_production(town: Town) -> str:
    """Ann installs in non-production, waits eight days and asks; the change's id."""
    town.command("U0ANN", "/patch install orders-ha nonprod", CHANNEL)
    town.card("install-1", "Done", channel=CHANNEL)
    town.jump(days=8)
    town.command("U0ANN", "/patch install orders-ha prod", CHANNEL)
    town.card("change-1", "Waits for approval", channel=CHANNEL)
    return "change-1"


def settle(page: Page) -> None:
    """Until fonts and pictures are there and nothing moves any more."""
    page.evaluate("document.fonts.ready.then(() => Promise.all(document.getAnimations().map((each) => each.finished)))")


if __name__ == "__main__":
    if CHROMIUM is None:
        sys.exit("Chromium is not installed, so no picture can be taken. On Debian: apt-get install chromium")
    main(Path(sys.argv[1]))
