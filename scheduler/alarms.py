"""Sweep `alarms`: a configured CloudWatch alarm that is on holds an application's soak, also while nobody asks."""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from aws.errors import AwsError
from patching.nodes import EnvironmentKey
from scheduler.parts import Parts
from scheduler.surroundings import alarm_states

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(minutes=5)


@dataclass(slots=True)
class Watch:
    """Remembers when each application's alarms were last read: a courtesy to AWS, not a due time of anything."""

    parts: Parts
    read_at: dict[EnvironmentKey, datetime] = field(default_factory=dict)

    def tick(self, now: datetime) -> None:
        for key, environment in self.parts.config.environments().items():
            watched = not environment.production and self.parts.config.policy_of(key.application).alarms
            last = self.read_at.get(key)
            if watched and (last is None or now - last >= LOOK_EVERY):
                self.parts.pool.submit(("alarms", key), partial(self._read, key, now), lane=environment.account)

    def _read(self, key: EnvironmentKey, now: datetime) -> None:
        self.read_at[key] = now
        try:
            alarm_states(self.parts, key)
        except AwsError as error:
            log.warning("the alarms of %s can't be read: %s", key, error)
