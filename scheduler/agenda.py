"""Sweep `agenda`: what AWS plans to do to the nodes by itself, and which nodes those are, kept for all who ask.

Nobody waits for AWS to know of a window: commands, reminders and changes that wait read what this sweep has kept, and
refuse it once it is too old. A reading is one account and Region as one role sees it; each is read by itself, so a slow
account holds up no other.
"""

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from aws.errors import AwsError
from aws.target import Target
from commands.agenda import where_of
from patching.nodes import EnvironmentKey
from scheduler.bypasses import owe_warnings
from scheduler.parts import Parts, target_of
from storage import agenda, environment_readings
from storage.agenda import Where

log = logging.getLogger(__name__)

READ_EVERY: Final = timedelta(minutes=5)
RETRY_AFTER: Final = timedelta(minutes=1)


@dataclass(slots=True)
class ReadAgenda:
    """Each is read once after the start, because the configuration may be another one."""

    parts: Parts
    known: set[Where] = field(default_factory=set)

    def tick(self, now: datetime) -> None:
        tries = agenda.tries(self.parts.store.db)
        for where, keys in self._environments().items():
            tried_at, well = tries.get(where, (now, True))
            if where not in self.known or now - tried_at >= (READ_EVERY if well else RETRY_AFTER):
                work = partial(self._read, where, keys, now)
                self.parts.pool.submit(("agenda", where), work, lane=where[0])

    def _environments(self) -> dict[Where, list[EnvironmentKey]]:
        found: dict[Where, list[EnvironmentKey]] = defaultdict(list)
        for key, environment in self.parts.config.environments().items():
            found[where_of(environment)].append(key)
        return found

    def _read(self, where: Where, keys: list[EnvironmentKey], now: datetime) -> None:
        parts = self.parts
        environments = parts.config.environments()
        target: Target = target_of(environments[keys[0]])
        since = agenda.reading(parts.store.db, where)
        self.known.add(where)
        try:
            found = parts.agenda.read(target, now, since.agenda if since else None)
            nodes = {key: parts.patch_manager.resolve(target, environments[key].targets) for key in keys}
        except AwsError as error:
            log.warning("the maintenance windows of %s can't be read: %s", target, error)
            with parts.store.transaction() as tx:
                agenda.failed(tx, where, now, str(error))
            return
        with parts.store.transaction() as tx:
            if not agenda.keep(tx, where, now, found, since):
                return
            for key in keys:
                environment_readings.keep(tx, now, key.application, key.environment, nodes[key])
                if environments[key].production:
                    owe_warnings(tx, now, parts.config, key, found, {node.id: node.tags for node in nodes[key]})
        for sweep in ("waiting", "reminders", "deliver"):
            parts.wake(sweep)
