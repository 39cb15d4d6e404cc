"""What people do on the page, by their names: who they are, what they type, press and read."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.page import opened
from tests.town import PATIENCE, Town, wait_for

EVENTUALLY = PATIENCE * 1000  # milliseconds: for what the bot does in its time, not the page


class Desk:
    """One browser window on the sandbox's page, somebody before it, and a channel open."""

    def __init__(self, page: Page, town: Town, user: str, channel: str) -> None:
        self.page = page
        self._town = town
        self._user = user
        self._channel = channel

    def become(self, user: str) -> None:
        self.page.get_by_test_id("user-select").select_option(user)
        self._user = user

    def enter(self, channel: str) -> None:
        self.page.get_by_test_id(f"channel-{channel}").click()
        self._channel = channel

    def ask(self, text: str) -> str:
        """Type a command that starts something and send it; the id that its answer names, such as `scan-1`."""
        old = self._answers()
        self.say(text)
        found = re.compile(r"((scan|install|change)-\d+) is recorded")
        messages = self.page.locator("#messages [data-testid=message][data-ephemeral=true]").filter(has_text=found)

        def shown() -> str | None:
            new = [each for each in messages.all() if each.get_attribute("data-ts") not in old]
            answer = found.search(new[0].inner_text()) if new else None
            return answer[1] if answer else None

        return wait_for(shown, f"an answer to {text}")

    def say(self, text: str) -> None:
        """Type a command and send it."""
        composer = self.page.get_by_test_id("composer")
        composer.fill(text)
        composer.press("Enter")

    def hears(self, words: str) -> None:
        """An ephemeral message with these words is there, or comes."""
        answers = self.page.locator("#messages [data-testid=message][data-ephemeral=true]")
        expect(answers.filter(has_text=words)).to_have_count(1, timeout=EVENTUALLY)

    def _answers(self) -> set[str]:
        return {each["ts"] for each in self._town.ephemerals(self._user, self._channel)}

    def card(self, ref: str) -> Locator:
        """The one message of a run or change in the channel that is open."""
        messages = self.page.locator("#messages [data-testid=message][data-ephemeral=false]")
        return messages.filter(has_text=f"{ref} asked for by")

    def sees(self, ref: str, *words: str) -> Locator:
        """The message of a run or change, once all of `words` stand in it."""
        card = self.card(ref)
        for word in words:
            expect(card).to_contain_text(word, timeout=EVENTUALLY)
        return card

    def press(self, card: Locator, button: str) -> None:
        """Press a button of a message."""
        card.get_by_role("button", name=button, exact=True).click()

    def approve(self, card: Locator, application: str) -> None:
        """Press Approve, and fill in and submit the form that asks what was read and where the backup is."""
        self.press(card, "Approve")
        modal = self.page.get_by_test_id("modal")
        modal.get_by_role("checkbox").check()
        modal.get_by_label("Where is the database backup, and from when?").fill("snapshot of last night, checked")
        modal.get_by_label("Type the application's name").fill(application)
        self.page.get_by_test_id("modal-submit").click()
        expect(modal).to_have_count(0)

    def give_reason(self, card: Locator, button: str, reason: str) -> None:
        """Press a button of a message that asks why in a form; fill it in and submit it."""
        self.press(card, button)
        modal = self.page.get_by_test_id("modal")
        modal.get_by_role("textbox").fill(reason)
        self.page.get_by_test_id("modal-submit").click()
        expect(modal).to_have_count(0)

    def jump_eight_days(self) -> None:
        clock = self.page.get_by_test_id("clock")
        day = clock.locator(".clock-day").inner_text()
        self.page.get_by_test_id("jump-8d").click()
        expect(clock.locator(".clock-day")).not_to_have_text(day)

    def move_repository(self, name: str) -> None:
        """ "Move now" in the panel."""
        section = self.page.get_by_test_id("panel-repositories")
        if section.get_attribute("open") is None:
            section.locator("summary").first.click()
        section.get_by_role("button", name=f"Move {name} now").click()


@contextmanager
def at_a_desk(browser: Browser, town: Town, user: str, channel: str, *, width: int = 1440) -> Iterator[Desk]:
    fragment = f"#user={user}&channel={channel}"
    with opened(browser, town.around.url, fragment, viewport={"width": width, "height": 900}) as page:
        yield Desk(page, town, user, channel)
