"""Sweep `reminders`: a word in the application's channel 24 h before each of its maintenance windows (I7)."""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlite_utils import Database

from aws.errors import AwsError
from aws.windows import UpcomingWindow
from patching.nodes import EnvironmentKey
from scheduler.parts import Parts, target_of
from storage import outbox
from storage.database import to_text
from storage.outbox import Medium

log = logging.getLogger(__name__)

LEAD = timedelta(hours=24)
LOOK_EVERY = timedelta(minutes=10)


@dataclass(slots=True)
class Reminders:
    """Remembers when each environment's windows were last read: a courtesy to AWS, not a due time of anything."""

    parts: Parts
    read_at: dict[EnvironmentKey, datetime] = field(default_factory=dict)

    def tick(self, now: datetime) -> None:
        for key in self.parts.config.environments():
            last = self.read_at.get(key)
            if last is None or now - last >= LOOK_EVERY:
                self.parts.pool.submit(("reminders", key), partial(self._remind, key, now), lane=self.parts.lane(*key))

    def _remind(self, key: EnvironmentKey, now: datetime) -> None:
        settings = self.parts.config.environments()[key]
        target = target_of(settings)
        self.read_at[key] = now
        try:
            windows = self.parts.windows.upcoming(target, settings.targets, now, now + LEAD)
            nodes = len(self.parts.patch_manager.resolve(target, settings.targets)) if windows else 0
        except AwsError as error:
            log.warning("the maintenance windows of %s can't be read: %s", key, error)
            return
        with self.parts.store.transaction() as tx:
            owed = [_owe(self.parts, tx, now, key, window, nodes) for window in windows]
        if any(owed):
            self.parts.wake("deliver")


def _owe(parts: Parts, tx: Database, now: datetime, key: EnvironmentKey, window: UpcomingWindow, nodes: int) -> bool:
    """The key is the window, its execution time, the lead and the recipient: two sweeps owe it once."""
    channel = parts.config.channel_of(key.application)
    start = to_text(window.execution_time)
    return outbox.owe(
        tx,
        now,
        key=f"window:{window.window_id}:{start}:{int(LEAD.total_seconds())}:{key}:{channel}",
        kind="window-reminder",
        medium=Medium.CHANNEL,
        recipient=channel,
        subject=f"window:{window.window_id}",
        payload={
            "application": key.application,
            "environment": key.environment,
            "production": parts.config.environments()[key].production,
            "window": window.name,
            "window_id": window.window_id,
            "start": start,
            "duration": window.duration_hours,
            "timezone": window.timezone,
            "nodes": nodes,
        },
    )
