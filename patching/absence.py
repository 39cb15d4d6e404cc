"""Nodes that are away while they are being patched: what can be told from their last ping and from EC2.

Source: botocore's InstanceInformation (PingStatus, LastPingDateTime) and EC2's InstanceState.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

ONLINE: Final = "Online"
WATCHED_FOR: Final = timedelta(days=7)
"""How long after its run's end a node is looked for of which nobody knows what the run did there."""

_GONE: Final = frozenset({"terminated", "absent"})
_STOPPED: Final = frozenset({"stopping", "stopped"})


class Absence(StrEnum):
    """Why a node is away, as far as EC2 tells."""

    SILENT = "silent"  # EC2 says that it runs: it may hang in its reboot, or its agent has no connection
    STOPPED = "stopped"
    GONE = "gone"  # terminated: nothing can run on it any more


@dataclass(frozen=True, slots=True)
class Presence:
    """A node as Systems Manager knows it. `ping`: Online, ConnectionLost or Inactive."""

    ping: str
    last_ping: datetime | None


def is_online(presence: Presence | None) -> bool:
    """`presence`: None where Systems Manager does not know the node, or not any more."""
    return presence is not None and presence.ping == ONLINE


def away_since(presence: Presence | None, began: datetime) -> datetime:
    """When a node that is away was last heard of, and not before its Install began."""
    last = presence.last_ping if presence else None
    return max(last, began) if last else began


def absence_of(power: str, away_for: timedelta, allowed: timedelta) -> Absence | None:
    """What is to be told of a node that is away; None while it may simply be restarting.

    power: EC2's state, "absent" where EC2 does not know the instance any more. One that stops or ends is told at once,
    for a reboot does neither.
    """
    if power in _GONE:
        return Absence.GONE
    if power in _STOPPED:
        return Absence.STOPPED
    return Absence.SILENT if away_for >= allowed else None
