"""The form of a maintenance window while it is open: each change of its schedule shows the next openings anew."""

import json
import logging
from dataclasses import dataclass
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

    def register(self, app: App) -> None:
        for action_id in (PREVIEW, *PREVIEWED):
            app.action(action_id)(self.on_change)

    def on_change(self, ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        """Acknowledged at once; the form is drawn anew off the listener's thread, which waits for nobody."""
        ack()
        view = body.get("view") or {}
        if not view:
            return
        try:
            private = json.loads(str(view.get("private_metadata") or "{}"))
            drawn = self.forms.refreshed(private, Form(view["state"]["values"]))
        except Refused as refused:  # said when it is sent
            log.info("a window's form is not drawn anew: %s", refused.sentence)
            return
        self.followups.submit(lambda: _update(client, str(view["id"]), str(view["hash"]), drawn))


def _update(client: WebClient, view_id: str, shown: str, drawn: Block) -> None:
    """With the hash of what was shown: where somebody's next change was quicker, that one's drawing stays."""
    try:
        client.views_update(view_id=view_id, hash=shown, view=drawn)
    except (SlackApiError, SlackClientError, OSError) as error:
        log.info("a window's form was not drawn anew: %s", error)
