"""The world's time for a bot in a process of its own: written to a file whenever it changes its course.

The monotonic clock is the machine's, the same in every process, so three numbers say what time it is.
"""

import json
import os
import time
from datetime import datetime, timedelta
from pathlib import Path

from sandbox.clock import SandboxClock


def publish(clock: SandboxClock, path: Path) -> None:
    """Say from now on what the clock says; after every jump."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps([clock.now().isoformat(), clock.monotonic(), clock.rate]), encoding="utf-8")
    os.replace(fresh, path)


class PublishedClock:
    """Implements `commands.ports.Clock`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        base, since, rate = json.loads(self._path.read_text(encoding="utf-8"))
        return datetime.fromisoformat(base) + timedelta(seconds=(self.monotonic() - since) * rate)

    def monotonic(self) -> float:
        return time.monotonic()
