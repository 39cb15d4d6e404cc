"""What commands and sweeps need from the outside as protocols, wired in `bot/app.py`."""

from collections.abc import Callable, Collection
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


Wake = Callable[[str], object]
"""Run the named sweep soon: a commit has made work for it."""
