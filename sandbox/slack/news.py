"""Who wants to know that something changed: the page's event streams, and tests that wait for an outcome."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.slack.rules import Json


@dataclass(eq=False)
class Subscription:
    """One page's stream of events, None at its end. Its queue belongs to the loop it was made in."""

    user: str
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    events: asyncio.Queue[Json | None] = field(default_factory=asyncio.Queue)


class News:
    def __init__(self, lock: threading.RLock) -> None:
        self._changed = threading.Condition(lock)
        self._subscriptions: list[Subscription] = []

    def subscribe(self, user: str) -> Subscription:
        with self._changed:
            subscription = Subscription(user)
            self._subscriptions.append(subscription)
            return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        with self._changed:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

    def publish(self, event: Json, users: set[str] | None = None) -> None:
        """Tell these people's pages (everybody's for None); events look like {"type": "changed", "channel": "C…"}."""
        with self._changed:
            for subscription in self._subscriptions:
                if users is None or subscription.user in users:
                    subscription.loop.call_soon_threadsafe(subscription.events.put_nowait, event)
            self._changed.notify_all()

    def stir(self) -> None:
        """Let those who wait look again, though no page has anything to fetch."""
        with self._changed:
            self._changed.notify_all()

    def wait_until(self, outcome: Callable[[], object], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        with self._changed:
            while not outcome():
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return bool(outcome())
            return True

    def end(self) -> None:
        with self._changed:
            for subscription in self._subscriptions:
                subscription.loop.call_soon_threadsafe(subscription.events.put_nowait, None)
            self._subscriptions.clear()
