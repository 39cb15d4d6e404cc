"""The sandbox's time: real time that can run faster and jump ahead, never back."""

import threading
import time
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """A clock for the bot and the simulated AWS alike, so that jumping eight days ends a soak.

    `now()` is aware UTC. `monotonic()` is seconds of real time, which no jump moves: it measures how long
    a person has waited for an ack.
    """

    def __init__(self, start: datetime | None = None, rate: float = 1.0) -> None:
        self._lock = threading.Lock()
        self._base = start or datetime.now(UTC)
        self._since = time.monotonic()
        self._rate = rate

    def now(self) -> datetime:
        with self._lock:
            return self._now()

    def monotonic(self) -> float:
        return time.monotonic()

    @property
    def rate(self) -> float:
        return self._rate

    def set_rate(self, rate: float) -> None:
        """Let `rate` sandbox seconds pass for each real one; 0 stops the clock."""
        if not 0 <= rate <= 100_000:
            raise ValueError(f"rate is {rate}; allowed are 0 to 100000")
        with self._lock:
            self._base, self._since, self._rate = self._now(), time.monotonic(), rate

    def jump(self, by: timedelta) -> None:
        if by < timedelta(0):
            raise ValueError(f"jump is {by}; the clock never goes back")
        with self._lock:
            self._base, self._since = self._now() + by, time.monotonic()

    def _now(self) -> datetime:
        return self._base + timedelta(seconds=(time.monotonic() - self._since) * self._rate)
