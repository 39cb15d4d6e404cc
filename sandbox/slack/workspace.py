"""The workspace's whole state, in memory, behind one lock.

The server changes it from its event loop; tests read it from their own threads, through the methods that end this
class. What Slack limits for a person (acks, triggers, response URLs, rates) is measured in `monotonic()` seconds; what
a message shows as its time comes from the sandbox's clock.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from sandbox.slack.block_ids import with_ids
from sandbox.slack.directory import Directory
from sandbox.slack.faults import Faults
from sandbox.slack.limits import Limits
from sandbox.slack.messages import Messages
from sandbox.slack.modals import Views
from sandbox.slack.model import BOT, Call, Channel, Clock, Command, File, Message, Refusal, Refused, Seed, User, View
from sandbox.slack.news import News
from sandbox.slack.rules import Json
from sandbox.slack.seed import COMMANDS
from sandbox.slack.sockets import Sockets
from sandbox.slack.tickets import Tickets
from sandbox.slack.uploads import Uploads

APP_ID = "A0PATCHGATE"
BOT_ID = "B0PATCHGATE"
REMEMBERED = 3  # versions of an updated message on which a click still counts
DEFAULT_SCOPES = frozenset(
    {
        "commands",
        "chat:write",
        "chat:write.public",
        "im:write",
        "users:read",
        "users:read.email",
        "usergroups:read",
        "files:write",
    }
)
"""What facts/slack.md "Methods" gives a bot like this one; tests may grant it more or less."""


class Workspace:
    def __init__(
        self,
        clock: Clock,
        seed: Seed,
        *,
        bot_token: str = "xoxb-sandbox",
        app_token: str = "xapp-sandbox",
        signing_secret: str = "sandbox-signing-secret",
        scopes: frozenset[str] = DEFAULT_SCOPES,
        commands: Sequence[Command] = COMMANDS,
        ack_seconds: float = 3.0,
        rate_limits: bool = True,
        home_enabled: bool = True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = clock
        self.bot_token = bot_token
        self.app_token = app_token
        self.signing_secret = signing_secret
        self.scopes = scopes
        self.commands = tuple(commands)
        self.ack_seconds = ack_seconds
        self.rate_limits = rate_limits
        self.home_enabled = home_enabled
        self.url = "http://127.0.0.1"
        """Where this workspace is served; its server writes it here."""
        self.request_url: str | None = None
        """Where the bot takes signed HTTP requests; None while it uses Socket Mode."""

        self.lock = threading.RLock()
        self.news = News(self.lock)
        self.directory = Directory(seed)
        self.posts = Messages(clock)
        self.modals = Views()
        self.uploads = Uploads()
        self.tickets = Tickets(monotonic)
        self.limits = Limits(monotonic)
        self.faults = Faults()
        self.sockets = Sockets(self.news.stir)
        # A sandbox that runs for days keeps the newest of these.
        self._calls: deque[Call] = deque(maxlen=100_000)
        self._refusals: deque[Refusal] = deque(maxlen=100_000)

    # What the server does to it.

    def post(
        self,
        channel: Channel,
        user: str,
        text: str,
        blocks: Sequence[Json] | None = None,
        thread_ts: str | None = None,
        ephemeral_to: str | None = None,
        files: tuple[File, ...] = (),
    ) -> Message:
        named = with_ids(blocks) if blocks else None
        message = self.posts.add(channel.id, user, text, named, thread_ts, ephemeral_to, files)
        self._tell(message)
        return message

    def rewrite(self, message: Message, text: str, blocks: Sequence[Json] | None, edited: bool) -> Message:
        named = tuple(with_ids(blocks)) if blocks else None
        earlier = (message.blocks or (), *message.earlier)[:REMEMBERED]
        new = replace(message, text=text, blocks=named, edited=edited, earlier=earlier)
        self.posts.put(new)
        self._tell(new)
        return new

    def remove(self, message: Message) -> None:
        self.posts.remove(message)
        self._tell(message)

    def direct(self, user: str) -> Channel:
        known = len(self.directory.channels)
        channel = self.directory.direct(user)
        if len(self.directory.channels) > known:
            self.news.publish({"type": "channels"}, {user})
        return channel

    def visible(self, user: str, channel: object) -> Channel:
        """A channel that this person is in."""
        found = self.directory.channel(channel)
        if self.directory.user(user).id not in found.members:
            raise Refused("channel_not_found")
        return found

    def view_changed(self, user: str) -> None:
        self.news.publish({"type": "view"}, {user})

    def note_call(self, call: Call) -> None:
        with self.lock:
            self._calls.append(call)
            self.news.stir()

    def note_refusal(self, where: str, error: str, details: Sequence[str] = ()) -> None:
        with self.lock:
            self._refusals.append(Refusal(where, error, tuple(details), self.clock.now()))
            self.news.stir()

    def _tell(self, message: Message) -> None:
        channel = self.directory.channels[message.channel]
        readers = {message.ephemeral_to} if message.ephemeral_to else channel.members
        self.news.publish({"type": "changed", "channel": channel.id}, {user for user in readers if user})

    # What a test or the sandbox's command does and reads, from any thread.

    @property
    def bot(self) -> User:
        return self.directory.users[BOT]

    @property
    def calls(self) -> list[Call]:
        with self.lock:
            return list(self._calls)

    @property
    def refusals(self) -> list[Refusal]:
        with self.lock:
            return list(self._refusals)

    @property
    def files(self) -> list[File]:
        with self.lock:
            return self.uploads.complete()

    def messages(self, channel: str) -> list[Message]:
        """What everybody in a channel sees, oldest first; replies in threads included (`is_reply`)."""
        with self.lock:
            return self.posts.seen_in(channel)

    def dms(self, user: str) -> list[Message]:
        with self.lock:
            return [m for m in self.posts.all() if self.directory.channels[m.channel].person == user]

    def ephemerals(self, user: str) -> list[Message]:
        with self.lock:
            return sorted((m for m in self.posts.all() if m.ephemeral_to == user), key=lambda message: message.at)

    def views(self, user: str) -> list[View]:
        """The modals that this person has open, the one on top last."""
        with self.lock:
            return self.modals.stack(user)

    def home(self, user: str) -> View | None:
        with self.lock:
            return self.modals.home(user)

    def wait_until(self, outcome: Callable[[], object], seconds: float = 5.0) -> bool:
        """Wait until `outcome()` is true, looking again whenever something changes; False when time is up."""
        return self.news.wait_until(outcome, seconds)

    def set_archived(self, channel: str, archived: bool = True) -> None:
        with self.lock:
            self.directory.channel(channel).is_archived = archived

    def leave(self, channel: str, user: str) -> None:
        with self.lock:
            self.directory.channel(channel).members.discard(user)
            self.news.publish({"type": "channels"})

    def set_group(self, group: str, users: tuple[str, ...]) -> None:
        with self.lock:
            self.directory.groups[group] = replace(self.directory.group(group), users=users)

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Have Slack tell the bot to open its connections anew, as it does every few hours."""
        self.sockets.disconnect(reason, self.url)

    def clock_changed(self) -> None:
        """Tell every page that the sandbox's clock was moved."""
        self.news.publish({"type": "clock"})

    def close(self) -> None:
        """End the pages' event streams, which would otherwise keep the server from stopping."""
        self.news.end()
