"""Moments as people type them: a day, a day and a time with or without a zone, or how long from now."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from typing import Final

from patching.durations import parse_duration
from patching.notices import zone

LONGEST: Final = timedelta(days=3650)
"""How long from now somebody may mean; more is a slip of a finger."""

_WRITTEN = re.compile(
    r"(2[0-9]{3}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?))?"
    r" ?(?:(Z)|([+-])([0-9]{2}):?([0-9]{2})|([A-Za-z][\w+/-]*))?"
)


@dataclass(frozen=True, slots=True)
class When:
    """`wall` in `zone`, or `after` from now. A day has no time: as an end it counts to its last minute."""

    after: timedelta | None = None
    wall: datetime | None = None  # naive
    zone: tzinfo = UTC
    whole_day: bool = False

    def starts(self, now: datetime) -> datetime:
        """Aware UTC."""
        if self.wall is None:
            return now + (self.after or timedelta(0))
        return self.wall.replace(tzinfo=self.zone).astimezone(UTC)

    def ends(self, now: datetime) -> datetime:
        """Aware UTC; of a day, the beginning of the next."""
        if self.wall is None or not self.whole_day:
            return self.starts(now)
        return (self.wall + timedelta(days=1)).replace(tzinfo=self.zone).astimezone(UTC)


def parse_when(text: str) -> When:
    """`2026-12-20`, `2026-12-20T18:00`, `2026-12-20T18:00+01:00`, `2026-12-20 18:00 Europe/Berlin` or `48h`.

    Without a zone it is UTC. Raises ValueError, naming what is allowed.
    """
    try:
        after = parse_duration(text)
    except ValueError:
        after = None
    if after is not None and after <= LONGEST:
        return When(after=after)
    found = _WRITTEN.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError("no moment")
        day, clock, _, sign, hours, minutes, name = found.groups()
        wall = datetime.combine(datetime.fromisoformat(day).date(), time.fromisoformat(clock) if clock else time())
        where: tzinfo = UTC
        if sign:
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            where = timezone(offset if sign == "+" else -offset)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a moment; write one such as 2026-12-20, 2026-12-20T18:00+01:00, "
            '"2026-12-20 18:00 Europe/Berlin" or 48h'
        ) from None
    return When(wall=wall, zone=zone(name) if name else where, whole_day=clock is None)
