"""What will happen, in the order of time. Nothing runs by itself: whoever asks the world lets time pass first."""

import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count

Action = Callable[[datetime], None]


class Agenda:
    def __init__(self) -> None:
        self._due: list[tuple[datetime, int, Action]] = []
        self._order = count()

    def add(self, when: datetime, action: Action) -> None:
        """Call `action(when)` once time has come to `when`; actions of the same moment keep their order."""
        heapq.heappush(self._due, (when, next(self._order), action))

    def run_until(self, now: datetime) -> None:
        """Do everything due by `now`, each at its own moment, so that a jump of a week leaves nothing out."""
        while self._due and self._due[0][0] <= now:
            when, _, action = heapq.heappop(self._due)
            action(when)
