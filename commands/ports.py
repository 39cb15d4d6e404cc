"""What commands and sweeps need from the outside as protocols, wired in `bot/app.py`."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds of real time that nothing moves: how long somebody has waited."""
        ...


class Role(StrEnum):
    """Rights don't imply each other."""

    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"


class DirectoryError(Exception):
    """One clear sentence: Slack did not tell who is in a group or who has an address."""


class Directory(Protocol):
    """Who somebody is, by the configuration and Slack's user groups. What can't be read grants nothing (I4)."""

    def roles(self, user_id: str) -> frozenset[Role]:
        """From the cache, which a sweep keeps fresh; never waits for Slack."""
        ...

    def holders(self, role: Role) -> Collection[str]:
        """User ids that hold a role now, asked of Slack afresh. Raises DirectoryError when any part can't be read."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """A sweep, or one kind of the work that sweeps hand to a pool, since this process began."""

    name: str
    every: float | None  # seconds of real time between two runs; None for work in a pool, which rows ask for
    runs: int  # that have ended, well or not
    started_at: datetime | None  # the newest run
    took: float | None  # seconds of real time, of the newest run that has ended
    lag: float | None  # seconds of real time that the newest run began late; None where it was woken, or has no time
    running: float | None  # seconds for which it has been running; of work in a pool, the longest
    failures: int  # in a row; of work in a pool, of the row that fails most
    failing_since: datetime | None
    error: str  # of the newest failure, one line; empty where nothing fails
    retry_in: float | None  # seconds of real time; only of a sweep that fails


class Jobs(Protocol):
    """What happens as time passes, as an admin looks at it."""

    def snapshot(self) -> tuple[Job, ...]:
        """Sweeps in the order in which they were started, then the work in pools by name. Waits for nobody."""
        ...


Wake = Callable[[str], object]
"""Run the named sweep soon: a commit has made work for it."""
