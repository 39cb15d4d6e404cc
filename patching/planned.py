"""What AWS plans to do to an account's nodes by itself: maintenance windows, their tasks, associations that patch."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Final, Literal

from pydantic import TypeAdapter

from patching.agenda import Opening
from patching.documents import PatchOperation
from patching.targets import reach, reached

TargetList = tuple[tuple[str, tuple[str, ...]], ...]
"""(key, values) as Systems Manager writes them; a node must match all."""

LOOK_AHEAD: Final = timedelta(days=35)  # monthly windows are seen
LATEST: Final = timedelta(minutes=5)
"""How much later than `now` AWS may have answered: a reading takes its time, and AWS's clock is not ours."""


@dataclass(frozen=True, slots=True)
class PlannedTask:
    id: str
    document: str
    operation: PatchOperation | None  # None: a document that is not known to patch
    targets: tuple[TargetList, ...]  # alternatives


@dataclass(frozen=True, slots=True)
class PlannedWindow:
    """`written` is what AWS's list says of its times: while it stays, its executions stay."""

    id: str
    name: str
    enabled: bool
    schedule: str  # AWS's expression
    timezone: str  # IANA; UTC where AWS names none
    duration_hours: int
    cutoff_hours: int
    written: str
    targets: tuple[TargetList, ...]  # of the window, alternatives
    tasks: tuple[PlannedTask, ...]
    looked_at: datetime  # when targets and tasks were read

    @property
    def alternatives(self) -> tuple[TargetList, ...]:
        """Its own targets and those of its tasks."""
        return (*self.targets, *(targets for task in self.tasks for targets in task.targets))

    def concerns(self, nodes: Mapping[str, Mapping[str, str]]) -> bool:
        """Whether one of its targets or of its tasks' means one of the nodes, {id: tags}, for certain."""
        return bool(reach(nodes, self.alternatives).certain)

    def patching(self, nodes: Mapping[str, Mapping[str, str]]) -> tuple[PlannedTask, ...]:
        """Its tasks that patch one of the nodes, {id: tags}, or may, because a resource group chooses."""
        return tuple(task for task in self.tasks if task.operation and reached(nodes, task.targets) != ())


@dataclass(frozen=True, slots=True)
class PlannedAssociation:
    """It runs at State Manager's times, which nobody tells ahead."""

    id: str
    version: str
    kind: Literal["association", "patch policy"]
    name: str
    document: str
    operation: PatchOperation
    schedule: str  # an expression in UTC, or empty
    targets: tuple[TargetList, ...]


@dataclass(frozen=True)
class Agenda:
    """One account and Region, as one role saw it."""

    windows: tuple[PlannedWindow, ...]
    executions: tuple[tuple[str, datetime], ...]  # (window id, aware UTC) by time; those that have not ended included
    associations: tuple[PlannedAssociation, ...]

    def openings(self, window: PlannedWindow) -> Iterator[Opening]:
        """Those of one of its enabled windows, soonest first."""
        length = timedelta(hours=window.duration_hours)
        cutoff = timedelta(hours=window.cutoff_hours)
        for opens in self._times.get(window.id, ()) if window.enabled else ():
            ends = opens + length
            yield Opening(window.id, window.name, opens, ends - cutoff, ends, window.timezone)

    @cached_property
    def _times(self) -> Mapping[str, list[datetime]]:
        """By window: all of an account's are asked for window by window."""
        found: dict[str, list[datetime]] = defaultdict(list)
        for window_id, opens in self.executions:
            found[window_id].append(opens)
        return found


_JSON: Final = TypeAdapter(Agenda)


def as_json(agenda: Agenda) -> str:
    return _JSON.dump_json(agenda).decode()


@lru_cache(maxsize=64)
def from_json(text: str) -> Agenda:
    """Raises ValueError for what is no agenda. Every environment of an account is asked about at every tick, and its
    agenda is written every few minutes: it is parsed once."""
    return _JSON.validate_json(text)


def still_open(
    earlier: Agenda, windows: Mapping[str, PlannedWindow], now: datetime
) -> tuple[tuple[str, datetime], ...]:
    """Executions of an earlier reading that have begun and not ended: AWS lists only those to come.

    One that opens within LATEST is among them, for it may have begun by the time that AWS was asked. Of a window whose
    times were changed since, nobody knows whether it opened then: those are left out.
    """
    before = {window.id: window for window in earlier.windows}
    return tuple(
        (window_id, opens)
        for window_id, opens in earlier.executions
        if (window := windows.get(window_id)) is not None and window.enabled
        if window_id in before and before[window_id].enabled and before[window_id].written == window.written
        if opens - LATEST <= now < opens + timedelta(hours=window.duration_hours)
    )
