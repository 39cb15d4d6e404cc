"""Sweep `calendars`: what the Change Calendars of freezes say, kept for the gate and for every send (I3)."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from aws.errors import AwsError
from aws.target import Target
from patching.config import Configuration
from patching.freezes import CalendarFreeze
from scheduler.parts import Parts, target_of
from storage import freezes

log = logging.getLogger(__name__)

READ_EVERY = timedelta(minutes=1)


def calendars_of(config: Configuration) -> dict[str, CalendarFreeze]:
    """ARN → a freeze that names it; several may."""
    return {freeze.calendar: freeze for freeze in config.freezes if isinstance(freeze, CalendarFreeze)}


def target_for(config: Configuration, freeze: CalendarFreeze) -> Target:
    """That of the first environment in the calendar's account and Region; the configuration has one."""
    return next(
        target_of(each)
        for each in config.environments().values()
        if (each.account, each.region) == (freeze.account, freeze.region)
    )


@dataclass(frozen=True, slots=True)
class ReadCalendars:
    parts: Parts

    def tick(self, now: datetime) -> None:
        for arn, freeze in calendars_of(self.parts.config).items():
            if self._is_due(arn, now):
                work = partial(self._read, freeze)
                self.parts.pool.submit(("calendar", arn), work, lane=freeze.account)

    def _is_due(self, arn: str, now: datetime) -> bool:
        """Every minute, and as soon as the time has come at which AWS said that it changes."""
        last = freezes.reading(self.parts.store.db, arn)
        if last is None or now - last.tried_at >= READ_EVERY:
            return True
        return last.next_at is not None and last.tried_at < last.next_at <= now

    def _read(self, freeze: CalendarFreeze) -> None:
        now = self.parts.clock.now()
        try:
            answer = self.parts.calendars.state(target_for(self.parts.config, freeze), freeze.calendar)
        except AwsError as error:
            log.warning("the calendar of the freeze %s can't be read: %s", freeze.name, error)
            with self.parts.store.transaction() as tx:
                freezes.failed(tx, now, freeze.calendar, str(error))
            return
        with self.parts.store.transaction() as tx:
            moved = freezes.keep(tx, now, freeze.calendar, answer.state, answer.next_at)
        if moved:
            self.parts.wake("waiting")
            self.parts.wake("changes")
