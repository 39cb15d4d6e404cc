"""Slack's rate limits (facts/slack.md "Rate limits"): a bucket of calls for each method, refilled in real time."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """So many calls a minute, of which so many at once."""

    per_minute: float
    burst: int


# Slack writes its tiers as "1+ per minute", "20+", …: the burst is what "+" has always let through in practice.
TIER_1 = Rate(1, 10)
TIER_2 = Rate(20, 20)
TIER_3 = Rate(50, 50)
TIER_4 = Rate(100, 100)
SPECIAL = Rate(600, 600)
PER_CHANNEL = Rate(60, 5)
"""chat.postMessage in one channel: about one a second."""
PER_WORKSPACE = Rate(300, 100)
"""chat.postMessage in all channels together."""


class Limits:
    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, rates: dict[str, Rate]) -> int:
        """Take one call from every named bucket, or from none: 0, or the seconds to wait (`Retry-After`)."""
        now = self._monotonic()
        with self._lock:
            levels = {name: self._level(name, rate, now) for name, rate in rates.items()}
            waits = [(1 - level) * 60 / rates[name].per_minute for name, level in levels.items() if level < 1]
            if waits:
                return max(1, math.ceil(max(waits)))
            for name, level in levels.items():
                self._left[name] = (level - 1, now)
            return 0

    def _level(self, name: str, rate: Rate, now: float) -> float:
        level, since = self._left.get(name, (float(rate.burst), now))
        return min(float(rate.burst), level + (now - since) * rate.per_minute / 60)
