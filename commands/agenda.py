"""What is known of an environment's maintenance windows: read from the store, so nobody waits for AWS."""

from datetime import datetime

from sqlite_utils import Database

from patching.agenda import Opening
from patching.config import Configuration
from patching.nodes import EnvironmentKey


class AgendaUnknown(Exception):
    """One sentence: why nobody can tell the windows."""


def openings(
    db: Database, config: Configuration, key: EnvironmentKey, after: datetime, before: datetime, now: datetime
) -> tuple[Opening, ...]:
    """Executions of the environment's enabled windows that end after `after` and open before `before`, soonest first.

    Raises AgendaUnknown where the last reading is missing or too old.
    """
    return ()


def next_opening(
    db: Database, config: Configuration, key: EnvironmentKey, now: datetime, after: Opening | None = None
) -> Opening | None:
    """The first in which something may still begin, one that is open now included; a later one than `after`, if given.

    None where none is planned in the time that AWS was asked for. Raises AgendaUnknown.
    """
    return None
