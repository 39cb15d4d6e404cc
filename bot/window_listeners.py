"""The form of a maintenance window while it is open: each change of its schedule shows the next openings anew."""

import itertools
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.followups import FollowUps
from bot.forms import Form
from bot.views.blocks import Block
from bot.views.window_form import PREVIEW, PREVIEWED
from bot.window_forms import WindowForms
from commands.errors import Refused

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WindowListeners:
    forms: WindowForms
    followups: FollowUps
    _turns: Iterator[int] = field(default_factory=itertools.count)
    _newest: dict[str, int] = field(default_factory=dict)  # {id of a form that is being drawn: its last change's turn}

    def register(self, app: App) -> None:
        for action_id in (PREVIEW, *PREVIEWED):
            app.action(action_id)(self.on_change)

    def on_change(self, ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        """Acknowledged at once; the form is drawn anew off the listener's thread, which waits for nobody."""
        ack()
        view = body["view"]
        turn = self._newest[view["id"]] = next(self._turns)
        try:
            drawn = self.forms.refreshed(json.loads(view["private_metadata"]), Form.of(view))
        except Refused as refused:  # which is said when the form is sent
            log.info("a window's form is not drawn anew: %s", refused.sentence)
            self._newest.pop(view["id"], None)
            return
        self.followups.submit(lambda: self._draw(client, view["id"], view["hash"], turn, drawn))

    def _draw(self, client: WebClient, view_id: str, shown: str, turn: int, drawn: Block) -> None:
        """In the place of what was shown when the change was made; where that was drawn over, only for the newest."""
        try:
            try:
                client.views_update(view_id=view_id, hash=shown, view=drawn)
            except SlackApiError as error:
                if error.response.get("error") != "hash_conflict" or self._newest.get(view_id) != turn:
                    raise
                client.views_update(view_id=view_id, view=drawn)
        except (SlackApiError, SlackClientError, OSError) as error:
            log.info("a window's form was not drawn anew: %s", error)
        finally:
            if self._newest.get(view_id) == turn:
                del self._newest[view_id]
