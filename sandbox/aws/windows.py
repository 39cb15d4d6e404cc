"""Maintenance windows as one account and Region holds them, and their openings as time passes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.aws.agenda import Agenda
from sandbox.aws.schedule import openings


@dataclass
class WindowTarget:
    id: str
    resource_type: str
    targets: list[dict[str, Any]]
    described: dict[str, Any]  # Name, Description, OwnerInformation, where given


@dataclass
class WindowTask:
    id: str
    params: dict[str, Any]  # RegisterTaskWithMaintenanceWindow's


@dataclass
class Execution:
    id: str
    started: datetime
    ended: datetime
    status: str
    details: str


@dataclass
class MaintenanceWindow:
    """`settings` are CreateMaintenanceWindow's members under the model's names."""

    id: str
    settings: dict[str, Any]
    created: datetime
    modified: datetime
    enabled: bool = True
    targets: dict[str, WindowTarget] = field(default_factory=dict)
    tasks: dict[str, WindowTask] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    changes: int = 0  # an opening that was planned before the last change doesn't happen

    def openings(self, after: datetime) -> Iterator[datetime]:
        """Times after `after` within StartDate and EndDate. Raises BadSchedule."""
        settings = self.settings
        begins, ends = (
            _moment(settings.get(name), settings.get("ScheduleTimezone", "UTC")) for name in ("StartDate", "EndDate")
        )
        times = openings(
            settings["Schedule"],
            settings.get("ScheduleTimezone", "UTC"),
            settings.get("ScheduleOffset", 0),
            begins or self.created,
            max(after, begins - timedelta(seconds=1)) if begins else after,
        )
        return times if ends is None else takewhile(lambda at: at <= ends, times)

    def next_opening(self, now: datetime) -> datetime | None:
        return next(self.openings(now), None) if self.enabled else None


def keep_opening(
    agenda: Agenda, window: MaintenanceWindow, run: Callable[[MaintenanceWindow, datetime], None], now: datetime
) -> None:
    """Put the window's next opening on the agenda, and after it the one that follows."""
    at = window.next_opening(now)
    if at is None:
        return
    planned_for = window.changes

    def open_and_go_on(when: datetime) -> None:
        if window.changes == planned_for:
            run(window, when)
            keep_opening(agenda, window, run, when)

    agenda.add(at, open_and_go_on)


def _moment(text: str | None, timezone: str) -> datetime | None:
    """Aware UTC; a date without an offset is one of the window's own zone."""
    moment = datetime.fromisoformat(text) if text else None
    if moment and moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(timezone))
    return moment.astimezone(UTC) if moment else None
