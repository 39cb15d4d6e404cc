"""When and where people are told of what will happen to their servers: `notices` of patchgate.yaml."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, StringConstraints

from patching.policy import Duration, SoakDuration
from patching.strict import Strict

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_WEEKLY = re.compile(r"(mon|tue|wed|thu|fri|sat|sun) ([01][0-9]|2[0-3]):([0-5][0-9]) (\S+)")


def zone(name: str) -> ZoneInfo:
    """An IANA time zone. Raises ValueError for a name that is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone; allowed is an IANA name such as Europe/Berlin") from None


@dataclass(frozen=True, slots=True)
class Weekly:
    """A moment of each week in a zone: `mon 09:00 UTC`. It keeps its wall-clock time across daylight saving."""

    weekday: int  # Monday is 0
    at: time
    timezone: str

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.weekday]} {self.at:%H:%M} {self.timezone}"

    def last(self, now: datetime) -> datetime:
        """The newest such moment that is not after `now`, aware UTC: of an hour that comes twice the first."""
        here = zone(self.timezone)
        local = now.astimezone(here)
        day = local.date() - timedelta(days=(local.weekday() - self.weekday) % 7)
        # Compared in UTC: on the wall an hour that is left out has passed too early, and one that comes twice has not.
        found = datetime.combine(day, self.at, here).astimezone(UTC)
        return found if found <= now else datetime.combine(day - timedelta(days=7), self.at, here).astimezone(UTC)


def _falling(leads: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
    if any(later >= earlier for earlier, later in pairwise(leads)):
        raise ValueError("each lead must be shorter than the one before it, such as [7d, 24h, 1h]")
    return leads


def _weekly(value: object) -> object:
    if isinstance(value, Weekly):
        return value
    if value is False or value == "off":
        return None
    found = _WEEKLY.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(f"{value!r} is not a moment of the week; write one such as mon 09:00 UTC, or off")
    return Weekly(WEEKDAYS.index(found[1]), time(int(found[2]), int(found[3])), zone(found[4]).key)


def _written(moment: Weekly | None) -> str:
    return str(moment) if moment else "off"


Leads = Annotated[tuple[Duration, ...], Field(max_length=10), AfterValidator(_falling)]
TagName = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class NodeTags(Strict):
    """Which tags of the nodes name whom to tell: Slack user ids or addresses, addresses, a channel id."""

    users: TagName | None = None
    emails: TagName | None = None
    channel: TagName | None = None


class Notices(Strict):
    leads: Leads = (timedelta(days=7), timedelta(hours=24), timedelta(hours=1))
    notify_before: SoakDuration = timedelta(0)  # those affected are told so long before a send
    object_until: SoakDuration = timedelta(hours=1)  # before the start
    digest: Annotated[Weekly | None, BeforeValidator(_weekly), PlainSerializer(_written)] = Weekly(0, time(9), "UTC")
    tags: NodeTags = NodeTags()
