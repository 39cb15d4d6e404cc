"""What is known of an environment's maintenance windows: read from the store, so nobody waits for AWS."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlite_utils import Database

from patching.agenda import Opening
from patching.config import Configuration, Environment
from patching.durations import words
from patching.nodes import EnvironmentKey
from patching.planned import LOOK_AHEAD, Agenda, PlannedWindow
from patching.targets import NodeIndex
from storage import agenda, environment_readings
from storage.agenda import Reading, Where

TOO_OLD: Final = timedelta(minutes=30)


class AgendaUnknown(Exception):
    """One sentence: why nobody can tell the windows."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store knows of an environment's windows and nodes, however old."""

    agenda: Agenda  # of its whole account and Region
    nodes: NodeIndex
    read_at: datetime | None  # None: never, so there is nothing in the others
    error: str  # the newest try's sentence, or empty

    def windows(self) -> tuple[PlannedWindow, ...]:
        """The environment's, disabled ones too: a target of theirs, or of a task of theirs, means one of the nodes.

        One whose nodes a resource group chooses is not among them, since nobody knows.
        """
        return tuple(window for window in self.agenda.windows if window.concerns(self.nodes))


def seen(db: Database, config: Configuration, key: EnvironmentKey) -> Seen | None:
    """None where the environment is not configured."""
    environment = config.environment(key)
    return _seen(db, key, agenda.reading(db, where_of(environment))) if environment else None


def seen_everywhere(db: Database, config: Configuration) -> dict[EnvironmentKey, Seen]:
    """Of every environment, in the configuration's order."""
    environments = config.environments()
    readings = {where: agenda.reading(db, where) for where in set(map(where_of, environments.values()))}
    return {key: _seen(db, key, readings[where_of(environment)]) for key, environment in environments.items()}


def _seen(db: Database, key: EnvironmentKey, reading: Reading | None) -> Seen:
    error = reading.error if reading else ""
    nodes_at, nodes = environment_readings.tags_of_environment(db, key.application, key.environment)
    if reading is None or reading.agenda is None or reading.read_at is None or nodes_at is None:
        return Seen(Agenda((), (), ()), NodeIndex({}), None, error)
    return Seen(reading.agenda, nodes, min(reading.read_at, nodes_at), error)


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

    Raises AgendaUnknown where the last reading is missing or older than TOO_OLD.
    """
    known = seen(db, config, key)
    if known is None:
        raise AgendaUnknown(f"{key} is no longer in the configuration, so its windows are not read.")
    error = f": {known.error}" if known.error else "."
    if known.read_at is None:
        raise AgendaUnknown(f"The maintenance windows of {key} have not been read yet{error}")
    age = now - known.read_at
    if age > TOO_OLD:
        raise AgendaUnknown(f"The maintenance windows of {key} were last read {words(age)} ago{error}")
    return known.agenda, known.windows()


def next_opening(
    db: Database,
    config: Configuration,
    key: EnvironmentKey,
    now: datetime,
    after: Opening | None = None,
    *,
    earliest: datetime | None = None,
) -> Opening | None:
    """The first in which something may still begin at `earliest`, or now: one that is open then included.

    With `after` a later one than that. None where none is planned in the time that AWS was asked for. Raises
    AgendaUnknown.
    """
    begins = max(now, earliest) if earliest else now
    for opening in openings(db, config, key, begins, now + LOOK_AHEAD, now):
        if opening.closes > max(begins, opening.opens) and (after is None or opening.opens > after.opens):
            return opening
    return None
