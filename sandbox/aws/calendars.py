"""Change Calendars as one account and Region holds them: open or closed, but for their events."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ChangeCalendar:
    """Open but during its events; with `default_closed` the other way round. An event is (start, end), aware."""

    events: tuple[tuple[datetime, datetime], ...] = ()
    default_closed: bool = False

    def is_open(self, at: datetime) -> bool:
        return any(start <= at < end for start, end in self.events) == self.default_closed

    def changes(self) -> set[datetime]:
        """Every moment at which it may open or close."""
        return {moment for event in self.events for moment in event}
