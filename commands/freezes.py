"""Which freezes are in force for an application: of the configuration, of admins, and of Change Calendars."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlite_utils import Database

from patching.config import Configuration
from patching.freezes import CalendarFreeze, Freeze
from patching.moments import LONGEST
from patching.notices import zone
from storage import freezes
from storage.freezes import CLOSED, CalendarReading

TRUSTED_FOR: Final = timedelta(minutes=15)
"""How old a calendar's last reading may be; after that it counts as closed."""

SOON: Final = timedelta(days=400)  # a yearly freeze comes within it

_MOMENT = timedelta(microseconds=1)


class Origin(StrEnum):
    CONFIGURED = "configuration"
    ADDED = "admin"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True)
class InForce:
    """`key` names the very period, so that an admin can lift it alone."""

    key: str
    name: str
    sentence: str  # "year end is in force until 3 January 2027, 23:59 Europe/Berlin: <reason>."
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class FreezePeriod:
    """One time for which a freeze is, or will be, in force."""

    key: str
    name: str
    origin: Origin
    applications: tuple[str, ...] | None  # None: all
    starts_at: datetime | None  # None: before now, nobody knows when
    ends_at: datetime | None  # None: until it is lifted, or nobody knows
    timezone: str
    reason: str = ""  # an admin's, or why a calendar counts as closed
    added_by: str | None = None
    error: str = ""  # why a calendar can't be read

    def concerns(self, application: str) -> bool:
        return self.applications is None or application in self.applications

    def is_in_force(self, at: datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= at) and (self.ends_at is None or at < self.ends_at)

    def sentence(self, now: datetime) -> str:
        """In the words of a check, as of `now`; the same words as long as it is the same freeze: new ones are told."""
        if self.origin is Origin.CALENDAR and self.reason:
            return f"{self.name} counts as in force: {self.reason}."
        ends = self.ends_at
        until = f"until {last_minute(ends, self.timezone)}" if ends else "until an admin lifts it"
        if self.origin is Origin.CALENDAR and not ends:
            until = "while its Change Calendar is closed"
        since = f" from {written(self.starts_at, self.timezone)}" if self.starts_at and self.starts_at > now else ""
        why = f": {self.reason.rstrip('.')}" if self.reason else ""
        return f"{self.name} is in force{since} {until}{why}."


@dataclass(frozen=True, slots=True)
class FreezeList:
    """A page of the freezes that are in force at `now` or begin within `ahead`, soonest first."""

    periods: tuple[FreezePeriod, ...]
    now: datetime
    ahead: timedelta
    page: int
    more: bool


def in_force(db: Database, config: Configuration, application: str, at: datetime, now: datetime) -> tuple[InForce, ...]:
    """The freezes of an application at the moment `at`, which may lie ahead of `now`; none that was lifted.

    Reads the store alone, so it is good inside the transaction of a send (I3). A calendar that could not be read
    counts as closed.
    """
    return tuple(
        InForce(each.key, each.name, each.sentence(now), each.ends_at)
        for each in _periods(db, config.freezes, at, at + _MOMENT, now)
        if each.concerns(application) and each.is_in_force(at)
    )


def upcoming(
    db: Database, config: Configuration, applications: Collection[str] | None, now: datetime, until: datetime
) -> tuple[FreezePeriod, ...]:
    """Those of any of the applications that are in force now or begin before `until`, soonest first; none lifted.

    `applications` None: of all, also of such as are no longer configured.
    """
    found = (
        each
        for each in _periods(db, config.freezes, now, until, now)
        if applications is None or any(each.concerns(name) for name in applications)
    )
    return _in_order(found, now)


def called(db: Database, config: Configuration, name: str, now: datetime) -> tuple[FreezePeriod, ...]:
    """The periods of one name, whatever its case, that are in force or come soon; of a rare one those of ten years."""
    configured = [freeze for freeze in config.freezes if freeze.name.casefold() == name.casefold()]
    for ahead in (SOON, LONGEST):
        found = _periods(db, configured, now, now + ahead, now)
        named = _in_order((each for each in found if each.name.casefold() == name.casefold()), now)
        if named:
            return named
    return ()


def written(moment: datetime, timezone: str) -> str:
    """`3 January 2027, 23:59 Europe/Berlin`."""
    local = moment.astimezone(zone(timezone))
    return f"{local.day} {local:%B %Y, %H:%M} {timezone}"


def last_minute(end: datetime, timezone: str) -> str:
    """An end as people say it: midnight is the minute before, for the day after it is no longer meant."""
    local = end.astimezone(zone(timezone))
    midnight = (local.hour, local.minute, local.second) == (0, 0, 0)
    return written(end - timedelta(minutes=1) if midnight else end, timezone)


def _in_order(periods: Iterable[FreezePeriod], now: datetime) -> tuple[FreezePeriod, ...]:
    return tuple(sorted(periods, key=lambda each: (each.starts_at or now, each.name, each.key)))


def _periods(
    db: Database, configured: Iterable[Freeze], after: datetime, before: datetime, now: datetime
) -> Iterator[FreezePeriod]:
    """All that end after `after` and start before `before`, without those that were lifted."""
    gone = freezes.lifted(db)
    for each in (*_configured(db, configured, after, before, now), *_added(db, after, before)):
        if each.key not in gone:
            yield each


def _configured(
    db: Database, configured: Iterable[Freeze], after: datetime, before: datetime, now: datetime
) -> Iterator[FreezePeriod]:
    for freeze in configured:
        if isinstance(freeze, CalendarFreeze):
            found = _of_calendar(freeze, freezes.reading(db, freeze.calendar), now)
            if found and (found.starts_at or after) < before and (found.ends_at or before) > after:
                yield found
            continue
        for period in freeze.periods(after, before):
            yield FreezePeriod(
                period.key,
                freeze.name,
                Origin.CONFIGURED,
                freeze.applications,
                period.starts_at,
                period.ends_at,
                freeze.timezone,
            )


def _added(db: Database, after: datetime, before: datetime) -> Iterator[FreezePeriod]:
    for each in freezes.added(db, after):
        if each.starts_at < before:
            yield FreezePeriod(
                each.key,
                each.name,
                Origin.ADDED,
                each.applications,
                each.starts_at,
                each.ends_at,
                "UTC",
                each.reason,
                each.added_by,
            )


def _of_calendar(freeze: CalendarFreeze, reading: CalendarReading | None, now: datetime) -> FreezePeriod | None:
    """When the calendar is closed next, as far as its last reading tells; None where it knows of no such time."""

    def closed(which: str, starts_at: datetime | None, ends_at: datetime | None, reason: str = "") -> FreezePeriod:
        return FreezePeriod(
            f"calendar:{freeze.name}:{which}",
            freeze.name,
            Origin.CALENDAR,
            freeze.applications,
            starts_at,
            ends_at,
            "UTC",
            reason,
            error=reading.error if reading and reason else "",
        )

    if reading is None or reading.read_at is None:
        return closed(f"{freeze.calendar} never read", None, None, "its Change Calendar has not been read yet")
    if now - reading.read_at > TRUSTED_FOR:
        read_at = written(reading.read_at, "UTC")
        return closed(f"unread since {read_at}", None, None, f"its Change Calendar was last read on {read_at}")
    begins = reading.since if reading.state == CLOSED else reading.next_at
    if begins is None:
        return None
    # Past the end that AWS named it is read again within seconds; until then nobody knows that it is open.
    ahead = reading.state == CLOSED and reading.next_at is not None and reading.next_at > now
    return closed(begins.isoformat(timespec="seconds"), begins, reading.next_at if ahead else None)
