"""What follows an ack through its response URL: the link to a card, and answers to buttons.

A response URL lets its holder speak in the channel for 30 minutes, so it is kept in memory only. What is sent here is
a courtesy: nothing that is owed to anybody (that is the outbox's).
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from bot.views.blocks import Rendered
from commands.ports import Clock

log = logging.getLogger(__name__)

LIFE = 29 * 60  # seconds; Slack's own limit is 30 minutes (facts/slack.md "Time")


@dataclass(slots=True)
class FollowUps:
    client: WebClient
    clock: Clock
    submit: Callable[[Callable[[], None]], object]  # off the listener's thread: a listener waits for nobody
    _waiting: dict[str, tuple[str, float]] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def expect_link(self, subject: str, response_url: str) -> None:
        """The card of `subject` will be posted soon; its link then goes to `response_url`."""
        now = self.clock.monotonic()
        with self._guard:
            self._waiting = {key: value for key, value in self._waiting.items() if value[1] > now}
            self._waiting[subject] = (response_url, now + LIFE)

    def link(self, subject: str, channel: str, ts: str) -> None:
        """The card is posted: tell whoever asked where."""
        with self._guard:
            url, expires = self._waiting.pop(subject, ("", 0.0))
        if not url or expires < self.clock.monotonic():
            return
        try:
            link = str(self.client.chat_getPermalink(channel=channel, message_ts=ts)["permalink"])
        except (SlackApiError, SlackClientError, OSError) as error:
            log.info("no link to %s: %s", subject, type(error).__name__)
            return
        self.say(url, (f"<{link}|Follow it in its message>.", []), replace=False)

    def answer(self, response_url: str, rendered: Rendered, *, replace: bool = False) -> None:
        """Answer a click, to the one who clicked; `replace` turns the page of an ephemeral list."""
        self.submit(lambda: self.say(response_url, rendered, replace=replace))

    def say(self, url: str, rendered: Rendered, *, replace: bool) -> None:
        text, blocks = rendered
        try:
            answer = WebhookClient(url, retry_handlers=[]).send(
                text=text, blocks=blocks or None, response_type="ephemeral", replace_original=replace
            )
        except (SlackClientError, OSError) as error:
            log.warning("an answer did not reach its asker: %s", type(error).__name__)
            return
        if answer.status_code != 200:
            log.warning("Slack refused an answer to a click: %s %s", answer.status_code, answer.body[:200])
