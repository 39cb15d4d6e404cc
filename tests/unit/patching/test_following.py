"""I9: when the invocations of a command are listed; counters may say that it is time, never that it is over."""

from datetime import UTC, datetime, timedelta

import pytest

from patching.following import CommandStatus, Listing, is_listing_due, pause_after

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def status(
    word: str = "InProgress", details: str = "", *, completed: int = 0, errors: int = 0, undelivered: int = 0
) -> CommandStatus:
    return CommandStatus(word, details or word, 50, completed, errors, undelivered)


def listing(said: CommandStatus | None, ago: timedelta = MINUTE) -> Listing:
    return Listing(NOW - ago, said)


PENDING, BUSY, HALF = status("Pending"), status(), status(completed=25)
DONE, FAILED = status("Success", completed=49), status("Failed")
LONG = 30 * MINUTE

# (what AWS says now, the last listing, nodes whose end is on record, since the send, late) → listed now?
CASES = {
    "just sent, no node has taken it up": (PENDING, None, 0, SECOND, False, False),
    "not listed for a minute": (PENDING, None, 0, MINUTE, False, True),
    "a node waits while all are pending": (status("Pending", "Delayed"), None, 0, SECOND, False, True),
    "the first node has begun": (BUSY, None, 0, SECOND, False, True),
    "the first has ended before anybody looked": (status("Pending", completed=1), None, 0, SECOND, False, True),
    "after a restart": (HALF, None, 25, LONG, False, True),
    "nothing has moved": (HALF, listing(HALF), 25, LONG, False, False),
    "a node has ended": (HALF, listing(status(completed=24)), 24, LONG, False, True),
    "the status has moved": (BUSY, listing(PENDING), 0, LONG, False, True),
    "an error": (status(completed=25, errors=1), listing(HALF), 25, LONG, False, True),
    "not delivered": (status(completed=25, undelivered=1), listing(HALF), 25, LONG, False, True),
    "a counter went back": (status(completed=24), listing(HALF), 25, LONG, False, True),
    "the counters know of an end that isn't listed yet": (HALF, listing(HALF), 24, LONG, False, True),
    "more ends on record than counted": (HALF, listing(HALF), 26, LONG, False, False),
    "ended, and a node is not": (DONE, listing(DONE), 49, LONG, False, True),
    "failed, and a node is not": (FAILED, listing(FAILED), 49, LONG, False, True),
    "on its way to an end": (status("Cancelling"), listing(status("Cancelling")), 0, LONG, False, False),
    "nothing has moved for less than five minutes": (HALF, listing(HALF, 4 * MINUTE), 25, LONG, False, False),
    "nothing has moved for five minutes": (HALF, listing(HALF, 5 * MINUTE), 25, LONG, False, True),
    "its time is up": (HALF, listing(HALF, SECOND), 25, 180 * MINUTE, True, True),
    "its time is up, and no node has taken it up": (PENDING, None, 0, 180 * MINUTE, True, True),
    "AWS says nothing of it": (None, listing(None, SECOND), 0, LONG, False, True),
    "AWS says nothing of it, just sent": (None, None, 0, SECOND, False, True),
    "AWS says something again": (HALF, listing(None, SECOND), 25, LONG, False, True),
}


@pytest.mark.parametrize(("now", "last", "ended", "age", "late", "due"), CASES.values(), ids=CASES)
def test_I9_invocations_are_listed_when_a_node_may_have_moved(
    now: CommandStatus | None, last: Listing | None, ended: int, age: timedelta, late: bool, due: bool
) -> None:
    assert is_listing_due(now, last, ended=ended, age=age, now=NOW, late=late) is due


@pytest.mark.parametrize(("age", "pause"), [(0, 1), (10, 1), (20, 1), (60, 3), (299, 14.95), (300, 15), (7200, 15)])
def test_a_command_is_left_alone_for_a_twentieth_of_its_age(age: float, pause: float) -> None:
    assert pause_after(timedelta(seconds=age)) == timedelta(seconds=pause)
