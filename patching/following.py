"""When a command that was sent is looked at again: with as few calls as possible, and never trusting counters (I9)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from patching.outcomes import TERMINAL

SHORTEST_PAUSE: Final = timedelta(seconds=1)  # commands that are sent one after the other share a look
LONGEST_PAUSE: Final = timedelta(seconds=15)
DELAY_FACTOR: Final = 20  # a command that has run for t is looked at every t/20
SETTLING: Final = timedelta(minutes=1)  # invocations are listed a moment after the command (facts, section 4)
STALE: Final = timedelta(minutes=5)  # counters may stand still for ever where an agent was lost


@dataclass(frozen=True, slots=True)
class CommandStatus:
    """A command as a whole, as ListCommands tells: it says when to look, never how a node came out (I9)."""

    status: str
    details: str
    target_count: int
    completed_count: int
    error_count: int
    delivery_timed_out_count: int

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL

    @property
    def begun(self) -> bool:
        """Whether any node may have moved; before, its invocations have nothing to tell."""
        return self.completed_count > 0 or not self.status == self.details == "Pending"


@dataclass(frozen=True, slots=True)
class Listing:
    """When a command's invocations were last listed, and what the command as a whole said just before."""

    at: datetime
    status: CommandStatus | None


def pause_after(age: timedelta) -> timedelta:
    """How long a command that was sent so long ago is left alone after a look."""
    return min(max(age / DELAY_FACTOR, SHORTEST_PAUSE), LONGEST_PAUSE)


def is_listing_due(
    status: CommandStatus | None, last: Listing | None, *, ended: int, age: timedelta, now: datetime, late: bool
) -> bool:
    """Whether the invocations of a command with nodes that have not ended are to be listed now.

    status: what AWS says of the command as a whole at `now`, None where it says nothing; last: None where they were
    not listed yet, or not since a restart; ended: the number of nodes whose end is on record; age: since it was sent;
    late: its time is up, so that every answer may be the last one.
    """
    if late or status is None:
        return True
    if last is None:
        return status.begun or age >= SETTLING
    if status != last.status or status.ended or status.completed_count > ended:
        return True  # news, or an end that the counters know of and the records don't
    return now - last.at >= STALE
