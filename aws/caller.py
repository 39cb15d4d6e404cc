"""What the parts of Patch Manager share: their sessions, and ids in the portions that AWS takes."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from aws.sessions import Sessions

# The most ids of SendCommand and DescribeInstancePatchStates, the largest page of DescribeInstanceInformation
# and DescribeInstancePatches (facts/aws-simulation.md, "Constraints"; facts/patch-manager.md section 9 item 12).
MOST_IDS = 50


class Caller:
    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions


def batches(ids: Sequence[str], size: int = MOST_IDS) -> Iterator[list[str]]:
    for start in range(0, len(ids), size):
        yield list(ids[start : start + size])


def known_time(time: datetime | None) -> datetime | None:
    """Aware UTC; None where AWS gives 1970, which means unknown (facts/patch-manager.md section 2)."""
    if time is None or time.year <= 1970:
        return None
    return time.astimezone(UTC)
