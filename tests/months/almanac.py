"""When the windows of the tale open, worked out by APScheduler's trigger: it has no line of code in common with the
sandbox's croniter, and knows nothing of AWS's expressions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

_WEEKS = {"1st": "#1", "2nd": "#2", "3rd": "#3", "4th": "#4", "last": "L"}


@dataclass(frozen=True, slots=True)
class Rule:
    """Once a month at a local time. `day`: `2nd sun`, `last sun`, or `last` for the month's last day."""

    day: str
    hour: int
    minute: int

    @property
    def expression(self) -> str:
        """As AWS writes it."""
        which, _, weekday = self.day.partition(" ")
        days = f"? * {weekday.upper()}{_WEEKS[which]}" if weekday else "L * ?"
        return f"cron({self.minute} {self.hour} {days} *)"

    def executions(self, timezone: str, after: datetime, before: datetime) -> Iterator[datetime]:
        """Aware UTC times after `after` and before `before`, soonest first."""
        zone = ZoneInfo(timezone)
        trigger = CronTrigger(day=self.day, hour=self.hour, minute=self.minute, second=0, timezone=zone)
        found = after.astimezone(zone)
        while True:
            found = trigger.get_next_fire_time(None, found + timedelta(microseconds=1))
            if found is None or found >= before:
                return
            yield found.astimezone(after.tzinfo)


@dataclass(slots=True)
class Timeline:
    """What a window's rule was and will be: (since, rule), None while it is disabled."""

    timezone: str
    parts: list[tuple[datetime, Rule | None]]

    def change(self, at: datetime, rule: Rule | None) -> None:
        assert at > self.parts[-1][0], "changes come one after the other"
        self.parts.append((at, rule))

    def rule(self, now: datetime) -> Rule | None:
        return next(rule for since, rule in reversed(self.parts) if since <= now)

    def ahead(self, now: datetime, reach: timedelta) -> Sequence[datetime]:
        """Executions that AWS would name at this moment, in the time that begins now."""
        rule = self.rule(now)
        return list(rule.executions(self.timezone, now, now + reach)) if rule else []
