"""Which freezes are in force for an application: of the configuration, of admins, and of Change Calendars."""

from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from patching.config import Configuration


@dataclass(frozen=True, slots=True)
class InForce:
    """`key` names the very period, so that an admin can lift it alone."""

    key: str
    name: str
    sentence: str  # "year end is in force until 3 January 2027, 23:59 Europe/Berlin: <reason>."
    ends_at: datetime | None


def in_force(db: Database, config: Configuration, application: str, at: datetime, now: datetime) -> tuple[InForce, ...]:
    """The freezes of an application at the moment `at`, which may lie ahead of `now`; none that was lifted.

    Reads the store alone, so it is good inside the transaction of a send (I3). A calendar that could not be read
    counts as closed.
    """
    return ()
