"""What the workspace is made of. Everything but a channel is frozen: what a test holds never changes under it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from sandbox.slack.rules import Json

BOT = "U0PATCHGATE"
SLACKBOT = "USLACKBOT"


class Clock(Protocol):
    def now(self) -> datetime: ...


class Refused(Exception):
    """Slack's answer `{"ok": false, "error": error, **more}`."""

    def __init__(self, error: str, **more: object) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


@dataclass(frozen=True)
class User:
    id: str
    name: str
    real_name: str
    title: str
    email: str
    tz: str
    is_bot: bool = False


@dataclass
class Channel:
    """A public or private channel, or (kind "dm") the direct messages of `person` with the bot."""

    id: str
    name: str
    kind: Literal["channel", "dm"] = "channel"
    members: set[str] = field(default_factory=set)
    person: str | None = None
    is_private: bool = False
    is_archived: bool = False


@dataclass(frozen=True)
class Group:
    """A user group: its id (S…), its @handle, who is in it."""

    id: str
    handle: str
    name: str
    users: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    command: str
    usage_hint: str


@dataclass(frozen=True)
class Seed:
    team_id: str
    team_name: str
    users: tuple[User, ...]
    channels: tuple[Channel, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class File:
    id: str
    name: str
    title: str
    mimetype: str
    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)


@dataclass(frozen=True)
class Message:
    """A message as it stands now. `ephemeral_to` is the one person who sees it, None for everybody."""

    ts: str
    at: datetime
    channel: str
    user: str
    text: str
    blocks: tuple[Json, ...] | None = None
    thread_ts: str | None = None
    edited: bool = False
    ephemeral_to: str | None = None
    files: tuple[File, ...] = ()
    reactions: tuple[str, ...] = ()
    earlier: tuple[tuple[Json, ...], ...] = ()  # what it showed before it was updated, the newest first

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass(frozen=True)
class View:
    """A modal or a Home tab: `body` is what the bot sent, with the ids that Slack adds."""

    id: str
    kind: Literal["modal", "home"]
    user: str
    body: Json
    hash: str
    root: str
    previous: str | None = None

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.body["blocks"]
        return blocks


@dataclass(frozen=True)
class Call:
    """One Web API call: `error` is None when it was done."""

    method: str
    args: Mapping[str, object]
    at: datetime
    error: str | None = None
    status: int = 200


@dataclass(frozen=True)
class Refusal:
    """Something of the bot's that Slack didn't take: a Web API call, an ack's payload, a response URL's body."""

    where: str
    error: str
    details: tuple[str, ...]
    at: datetime
