"""What is known of an environment's maintenance windows: read from the store, so nobody waits for AWS."""

from datetime import datetime, timedelta
from typing import Final

from sqlite_utils import Database

from patching.agenda import Opening
from patching.config import Configuration, Environment
from patching.durations import words
from patching.nodes import EnvironmentKey
from patching.planned import LOOK_AHEAD, Agenda, PlannedWindow
from storage import agenda, environment_readings
from storage.agenda import Where

TOO_OLD: Final = timedelta(minutes=30)


class AgendaUnknown(Exception):
    """One sentence: why nobody can tell the windows."""


def where_of(environment: Environment) -> Where:
    return (environment.account, environment.region, environment.role_arn or "")


def openings(
    db: Database, config: Configuration, key: EnvironmentKey, after: datetime, before: datetime, now: datetime
) -> tuple[Opening, ...]:
    """Executions of the environment's enabled windows that end after `after` and open before `before`, soonest first.

    Raises AgendaUnknown.
    """
    known, windows = _known(db, config, key, now)
    found = [
        opening
        for window in windows
        for opening in known.openings(window)
        if opening.ends > after and opening.opens < before
    ]
    return tuple(sorted(found, key=lambda opening: (opening.opens, opening.window_id)))


def windows_of(db: Database, config: Configuration, key: EnvironmentKey, now: datetime) -> tuple[PlannedWindow, ...]:
    """The environment's windows, disabled ones too. Raises AgendaUnknown."""
    return _known(db, config, key, now)[1]


def _known(
    db: Database, config: Configuration, key: EnvironmentKey, now: datetime
) -> tuple[Agenda, tuple[PlannedWindow, ...]]:
    """The last reading of the environment's account and Region, and in it the windows that are the environment's.

    A window is that when one of its targets, or of its tasks', means one of the nodes as they were last resolved; one
    whose nodes a resource group chooses is not, since nobody knows. Raises AgendaUnknown where the last reading is
    missing or older than TOO_OLD.
    """
    environment = config.environment(key)
    if environment is None:
        raise AgendaUnknown(f"{key} is no longer in the configuration, so its windows are not read.")
    reading = agenda.reading(db, where_of(environment))
    error = f": {reading.error}" if reading and reading.error else "."
    nodes_at, nodes = environment_readings.of_environment(db, key.application, key.environment)
    if reading is None or reading.agenda is None or reading.read_at is None or nodes_at is None:
        raise AgendaUnknown(f"The maintenance windows of {key} have not been read yet{error}")
    age = now - min(reading.read_at, nodes_at)
    if age > TOO_OLD:
        raise AgendaUnknown(f"The maintenance windows of {key} were last read {words(age)} ago{error}")
    tags = {node.id: node.tags for node in nodes}
    return reading.agenda, tuple(window for window in reading.agenda.windows if window.concerns(tags))


def next_opening(
    db: Database, config: Configuration, key: EnvironmentKey, now: datetime, after: Opening | None = None
) -> Opening | None:
    """The first in which something may still begin, one that is open now included; a later one than `after`, if given.

    None where none is planned in the time that AWS was asked for. Raises AgendaUnknown.
    """
    for opening in openings(db, config, key, now, now + LOOK_AHEAD, now):
        if opening.closes > max(now, opening.opens) and (after is None or opening.opens > after.opens):
            return opening
    return None
