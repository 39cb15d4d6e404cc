"""APScheduler calls each sweep's `tick(clock.now())`; a commit wakes the sweep that it concerns."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from commands.ports import Clock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sweep:
    """`tick` is idempotent and safe to run late or twice. `seconds` of real time pass between two ticks at most."""

    name: str
    seconds: float
    tick: Callable[[datetime], None]


class Engine:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sweeps: dict[str, Sweep] = {}
        self._again: dict[str, threading.Event] = {}
        self._scheduler: BackgroundScheduler | None = None
        self._guard = threading.Lock()  # a wake is over before the end begins, and none begins after it

    def start(self, sweeps: Sequence[Sweep]) -> None:
        # A late tick is as good as one in time and two owed ticks are one: sweeps read what is due from the rows.
        defaults = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        scheduler = BackgroundScheduler(timezone=UTC, job_defaults=defaults)
        for sweep in sweeps:
            self._sweeps[sweep.name] = sweep
            self._again[sweep.name] = threading.Event()
            scheduler.add_job(
                self._run,
                IntervalTrigger(seconds=sweep.seconds, timezone=UTC),
                args=[sweep],
                id=sweep.name,
                next_run_time=datetime.now(UTC),
            )
        scheduler.start()
        self._scheduler = scheduler

    def wake(self, name: str) -> bool:
        """Run a sweep now; when it is running, once more afterwards. False before the start and from the end on."""
        with self._guard:
            again = self._again.get(name)
            if again is None or self._scheduler is None:
                return False  # every sweep ticks at the start
            again.set()
            self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))
            return True

    def stop(self) -> None:
        """Wait for the sweeps that are running; none begins."""
        with self._guard:
            scheduler, self._scheduler = self._scheduler, None
        if scheduler:
            # APScheduler holds its locks while it waits for running sweeps: one that wakes another would wait for them.
            scheduler.shutdown(wait=True)

    def _run(self, sweep: Sweep) -> None:
        again = self._again[sweep.name]
        while True:
            again.clear()
            try:
                sweep.tick(self._clock.now())
            except Exception:
                # One sweep that fails is tried again at its next tick and never stops the others.
                log.exception("sweep %s failed and is tried again", sweep.name)
            if not again.is_set() or self._scheduler is None:
                return
