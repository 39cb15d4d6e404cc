"""APScheduler calls each sweep's `tick(clock.now())`; a commit wakes the sweep that it concerns."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from commands.ports import Clock
from scheduler.jobs import JobBook

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sweep:
    """`tick` is idempotent and safe to run late or twice. `seconds` of real time pass between two ticks at most.

    One that raises is tried again with growing pauses (`scheduler.jobs`); the others go on.
    """

    name: str
    seconds: float
    tick: Callable[[datetime], None]


@dataclass(slots=True)
class _State:
    running: bool = False
    woken: bool = False


class Engine:
    def __init__(self, clock: Clock, jobs: JobBook | None = None) -> None:
        self._clock = clock
        self._jobs = jobs or JobBook(clock)
        self._states: dict[str, _State] = {}
        self._scheduler: BackgroundScheduler | None = None
        self._guard = threading.Lock()  # a wake is over before the end begins, and none begins after it

    def start(self, sweeps: Sequence[Sweep]) -> None:
        # A late tick is as good as one in time and two owed ticks are one: sweeps read what is due from the rows.
        # Of two instances the second sees that the first is running and ends at once; APScheduler counts one as
        # running for a moment longer than it does, and would drop a wake in that moment.
        defaults = {"misfire_grace_time": None, "coalesce": True, "max_instances": 2}
        # A thread for each, so that those which hang take none from the others.
        threads = ThreadPoolExecutor(max(1, 2 * len(sweeps)))
        scheduler = BackgroundScheduler(timezone=UTC, job_defaults=defaults, executors={"default": threads})
        for sweep in sweeps:
            self._states[sweep.name] = _State()
            self._jobs.expect(sweep.name, sweep.seconds)
            scheduler.add_job(
                self._run,
                IntervalTrigger(seconds=sweep.seconds, timezone=UTC),
                args=[sweep],
                id=sweep.name,
                next_run_time=datetime.now(UTC),
            )
        with self._guard:
            self._scheduler = scheduler
        scheduler.start()

    def wake(self, name: str) -> bool:
        """Run a sweep now; when it is running, once more afterwards. False before the start and from the end on.

        While it fails, only the first wake between two tries counts.
        """
        with self._guard:
            state = self._states.get(name)
            if state is None or self._scheduler is None:
                return False  # every sweep ticks at the start
            if state.running:
                state.woken = True
            elif self._jobs.honours_wake(name):
                state.woken = True
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
        state = self._states[sweep.name]
        with self._guard:
            if state.running or self._scheduler is None:
                return
            state.running = True
        while True:
            with self._guard:
                woken, state.woken = state.woken, False
            self._jobs.began(sweep.name, woken=woken)
            failure: Exception | None = None
            try:
                sweep.tick(self._clock.now())
            except Exception as error:
                log.exception("sweep %s failed and is tried again", sweep.name)
                failure = error
            if not self._goes_on(sweep.name, state, self._jobs.ended(sweep.name, failure)):
                return

    def _goes_on(self, name: str, state: _State, pause: float | None) -> bool:
        """Whether the sweep runs again at once, having been woken. `pause`: seconds until it is tried again."""
        with self._guard:
            if self._scheduler and state.woken and self._jobs.honours_wake(name):
                return True
            state.running = state.woken = False
            if self._scheduler and pause is not None:
                self._scheduler.modify_job(name, next_run_time=datetime.now(UTC) + timedelta(seconds=pause))
            return False
