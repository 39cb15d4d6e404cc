"""The whole town for tests: the sandbox's neighbourhood, and the bot in this process or in one of its own.

People act through the workspace's HTTP side, as the page does. Nothing is patched and nothing sleeps for a fixed
time: tests wait on conditions with a deadline.
"""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from aws.sessions import Sessions
from bot.app import Patchgate, build
from bot.receiving import Socket
from bot.settings import Settings
from sandbox.aws.fleet import Fleet
from sandbox.aws.runcommand import Durations
from sandbox.clock import SandboxClock
from sandbox.fleet import demo_fleet
from sandbox.neighbourhood import Neighbourhood, open_neighbourhood

PATIENCE = 60.0  # seconds before a condition that should come true counts as false
T = TypeVar("T")

QUICK = Durations()
"""How long nodes take, in sandbox seconds; tests let the clock run faster instead of cheating on it."""

Message = dict[str, Any]


def wait_for(what: Callable[[], T | None], why: str, seconds: float = PATIENCE) -> T:
    """The first truthy value of `what`. Fails with `why`, and what was last seen, when time is up."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    length = 0.02
    while True:
        found = what()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s for {why}; last seen: {found!r}")
        pause.wait(length)
        length = min(1.3 * length, 0.2)  # looking costs time that whatever is waited for could use


@dataclass
class Town:
    """What a test acts on. `restart` and `kill` are for the bot alone; the world goes on."""

    around: Neighbourhood
    folder: Path
    environment: dict[str, str]
    bot: Patchgate | None = None
    socket: Socket | None = None
    process: subprocess.Popen[str] | None = None
    errors: list[str] = field(default_factory=list)

    # --- the bot

    def start(self) -> None:
        """In this process, over Socket Mode."""
        settings = Settings.model_validate(self.environment)
        self.bot = build(settings, self.around.clock, sessions=Sessions(self.environment), pace=0.05)
        self.bot.start()
        self.socket = self.bot.socket()
        self.socket.connect()

    def stop(self) -> None:
        if self.socket:
            self.socket.close()
        if self.bot:
            self.bot.stop()
        self.bot = self.socket = None

    def spawn(self, *arguments: str) -> subprocess.Popen[str]:
        """`patchgate …` as a process of its own, with these environment variables and no others of ours."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SLACK_"))}
        with open(self.folder / "bot.log", "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bot", *arguments],
                env={**inherited, **self.environment},
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        return self.process

    def kill(self) -> None:
        """SIGKILL: no goodbye, no clean-up."""
        if self.process:
            self.process.kill()
            self.process.wait(10)
            if self.process.stdout:
                self.process.stdout.close()
            self.process = None

    # --- people

    def command(self, user: str, text: str, channel: str = "C0ORDERS") -> str:
        """Type a slash command; the ephemeral answer's text, blocks included."""
        before = {message["ts"] for message in self.ephemerals(user, channel)}
        answer = self.post("/sandbox/slack/command", user=user, channel=channel, text=text)
        assert answer.get("ok"), answer
        news = wait_for(
            lambda: [each for each in self.answers(user, channel) if each["ts"] not in before],
            f"an answer to {text}",
        )
        return words_of(news[0])

    def click(self, user: str, message: Message, action_id: str) -> Any:
        """Click a button of a message as it stands now; where it is gone, of the message as it was shown then.

        Slack gives the blocks of an updated message new ids.
        """
        current = next(
            (each for each in self.messages(message["channel"], user) if each["ts"] == message["ts"]), message
        )
        block, element = button_of(current if has_button(current, action_id) else message, action_id)
        answer = self.post(
            "/sandbox/slack/action",
            user=user,
            channel=message["channel"],
            ts=message["ts"],
            block_id=block["block_id"],
            action_id=action_id,
            value=element.get("value"),
        )
        return self.fill_in_approval(user) or answer if action_id == "approve" else answer

    def fill_in_approval(self, user: str, backup: str = "snapshot of last night", **wrong: str) -> Any:
        """Fill in and submit the approval's form as it should be; None when it did not open."""
        view = self.get(f"/sandbox/slack/view?user={user}")["view"]
        if view is None or view["callback_id"] != "approve":
            return None
        name = view["blocks"][0]["text"]["text"].rpartition("PRODUCTION · ")[2].split(" ")[0]
        read = {
            "type": "checkboxes",
            "selected_options": [{"text": {"type": "plain_text", "text": "-"}, "value": "read"}],
        }
        values = {
            "read": {"read": read},
            "backup": {"backup": {"type": "plain_text_input", "value": backup}},
            "application": {"application": {"type": "plain_text_input", "value": wrong.get("application", name)}},
        }
        return self.post("/sandbox/slack/view/submit", user=user, view_id=view["id"], values=values)

    def click_and_hear(self, user: str, message: Message, action_id: str) -> str:
        """Click, and the ephemeral answer that follows."""
        before = {each["ts"] for each in self.ephemerals(user, message["channel"])}
        self.click(user, message, action_id)
        news = wait_for(
            lambda: [each for each in self.answers(user, message["channel"]) if each["ts"] not in before],
            f"an answer to {user}'s click on {action_id}",
        )
        return words_of(news[0])

    def submit(self, user: str, reason: str) -> Any:
        """Fill in the open modal's one input and submit it."""
        view = wait_for(lambda: self.get(f"/sandbox/slack/view?user={user}")["view"], "a modal")
        values = {"reason": {"reason": {"type": "plain_text_input", "value": reason}}}
        return self.post("/sandbox/slack/view/submit", user=user, view_id=view["id"], values=values)

    def messages(self, channel: str = "C0ORDERS", user: str = "U0ANN") -> list[Message]:
        found: list[Message] = self.get(f"/sandbox/slack/history?user={user}&channel={channel}")["messages"]
        return found

    def ephemerals(self, user: str, channel: str = "C0ORDERS") -> list[Message]:
        return [each for each in self.messages(channel, user) if each["ephemeral"]]

    def answers(self, user: str, channel: str = "C0ORDERS") -> list[Message]:
        """Ephemeral messages but for the links to cards, which come when they come."""
        return [each for each in self.ephemerals(user, channel) if "Follow it in its message" not in each["text"]]

    def replies(self, message: Message, user: str = "U0ANN") -> list[Message]:
        path = f"/sandbox/slack/replies?user={user}&channel={message['channel']}&ts={message['ts']}"
        found: list[Message] = self.get(path)["messages"]
        return found

    def dms(self, user: str) -> list[Message]:
        channels = self.get(f"/sandbox/slack/state?user={user}")["channels"]
        return [
            message for channel in channels if channel["kind"] == "dm" for message in self.messages(channel["id"], user)
        ]

    def card(self, ref: str, *words: str, channel: str = "C0ORDERS", seconds: float = PATIENCE) -> Message:
        """The message of a run or change, once all of `words` stand in it."""

        def find() -> Message | None:
            cards = [each for each in self.messages(channel) if f"{ref} " in each["text"] and not each["ephemeral"]]
            return next((card for card in cards if all(word in words_of(card) for word in words)), None)

        try:
            return wait_for(find, f"{ref} to show {words}", seconds)
        except AssertionError as error:
            shown = [words_of(each) for each in self.messages(channel) if f"{ref} " in each["text"]]
            raise AssertionError(f"{error}; its message: {shown}") from None

    # --- the world

    def jump(self, **by: float) -> None:
        self.around.clock.jump(timedelta(**by))

    def sent(self, operation: str | None = None) -> list[Any]:
        """SendCommand calls in SSM's own log, of one Operation or all, whatever was answered."""
        calls = self.around.world.ssm_log.calls("SendCommand")
        return [call for call in calls if operation in (None, *call.params["Parameters"].get("Operation", []))]

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.around.url + path, timeout=30) as answer:
            return json.load(answer)

    def post(self, path: str, **body: Any) -> Any:
        request = urllib.request.Request(
            self.around.url + path, json.dumps(body).encode(), {"content-type": "application/json"}, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return {"ok": False, "status": error.code, **json.load(error)}


def words_of(message: Message) -> str:
    """Everything that can be read in a message."""
    return "\n".join([message["text"], *_texts(message["blocks"] or [])])


def button_of(message: Message, action_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    for block in message["blocks"] or []:
        for element in (*block.get("elements", ()), *([block["accessory"]] if "accessory" in block else ())):
            if element.get("action_id") == action_id:
                return block, element
    raise AssertionError(f"no button {action_id} in {words_of(message)}")


def has_button(message: Message, action_id: str) -> bool:
    return any(
        element.get("action_id") == action_id
        for block in message["blocks"] or []
        for element in block.get("elements", ())
    )


def _texts(item: Any) -> Iterator[str]:
    if isinstance(item, dict):
        for key, value in item.items():
            if key == "text" and isinstance(value, str):
                yield value
            elif key not in {"value", "block_id", "action_id", "type"}:
                yield from _texts(value)
    elif isinstance(item, list):
        for each in item:
            yield from _texts(each)


@contextmanager
def open_town(
    folder: Path, fleet: Fleet | None = None, *, rate: float = 20.0, durations: Durations = QUICK, started: bool = True
) -> Iterator[Town]:
    """A town whose clock runs `rate` times as fast as ours."""
    around = open_neighbourhood(
        fleet or demo_fleet(), clock=SandboxClock(rate=rate), durations=durations, rate_limits=False
    )
    town = Town(around, folder, around.environment(folder))
    try:
        if started:
            town.start()
        yield town
    finally:
        town.kill()
        town.stop()
        around.close()
