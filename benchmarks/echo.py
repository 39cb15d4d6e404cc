"""The least that a Bolt app can be: it acks `/patch` with what was typed. The floor for `ack_latency`."""

import os
import threading

from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient


def echo(ack: Ack, body: dict[str, str]) -> None:
    ack(text=f"You typed: {body['text']}")


if __name__ == "__main__":
    client = WebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
    app = App(client=client)
    app.command("/patch")(echo)
    SocketModeHandler(app, os.environ["SLACK_APP_TOKEN"], web_client=client, ping_interval=3).connect()  # type: ignore[no-untyped-call]
    threading.Event().wait()
