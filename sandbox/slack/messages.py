"""The messages of every channel, by time. Its caller holds the workspace's lock."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sandbox.slack.model import Clock, File, Message, Refused
from sandbox.slack.rules import Json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Timestamps:
    """Slack's `ts`: seconds and microseconds of the workspace's clock, each later than the one before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> tuple[str, datetime]:
        now = (self._clock.now() - _EPOCH) // timedelta(microseconds=1)
        self._last = max(now, self._last + 1)
        seconds, micros = divmod(self._last, 1_000_000)
        return f"{seconds}.{micros:06d}", _EPOCH + timedelta(microseconds=self._last)


class Messages:
    def __init__(self, clock: Clock) -> None:
        self._timestamps = Timestamps(clock)
        self._of: dict[str, dict[str, Message]] = {}

    def add(
        self,
        channel: str,
        user: str,
        text: str,
        blocks: Sequence[Json] | None = None,
        thread_ts: str | None = None,
        ephemeral_to: str | None = None,
        files: tuple[File, ...] = (),
    ) -> Message:
        ts, at = self._timestamps.next()
        message = Message(
            ts,
            at,
            channel,
            user,
            text,
            tuple(blocks) if blocks else None,
            thread_ts,
            ephemeral_to=ephemeral_to,
            files=files,
        )
        self.put(message)
        return message

    def put(self, message: Message) -> None:
        self._of.setdefault(message.channel, {})[message.ts] = message

    def remove(self, message: Message) -> None:
        self._of[message.channel].pop(message.ts, None)

    def get(self, channel: str, ts: object) -> Message:
        message = self._of.get(channel, {}).get(ts) if isinstance(ts, str) else None
        if message is None:
            raise Refused("message_not_found")
        return message

    def all(self) -> list[Message]:
        return [message for messages in self._of.values() for message in messages.values()]

    def seen_in(self, channel: str, user: str | None = None) -> list[Message]:
        """What a user sees in a channel, threads included; for no user, what everybody sees."""
        return [m for m in self._of.get(channel, {}).values() if m.ephemeral_to in (None, user)]

    def replies(self, channel: str, ts: str, user: str | None = None) -> list[Message]:
        """A thread as a user sees it: its first message, then the replies."""
        return [m for m in self.seen_in(channel, user) if ts in (m.ts, m.thread_ts)]

    def react(self, message: Message, name: str) -> None:
        if name in message.reactions:
            raise Refused("already_reacted")
        self.put(replace(message, reactions=(*message.reactions, name)))
