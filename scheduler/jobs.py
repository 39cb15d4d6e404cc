"""What is known of each sweep and of the work in pools: when it ran, how long it took, what fails. In memory alone."""

import threading
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from commands.ports import Clock, Job
from scheduler.failures import described
from storage.failing import Source

TELL_AFTER: Final = 3  # failures in a row
LONGEST_PAUSE: Final = 300.0  # seconds between two tries of a sweep that fails, unless it runs more seldom anyway
FORGOTTEN: Final = 900.0  # seconds after which a row that failed and was not worked on again fails no more


class Reports(Protocol):
    """Who tells people. Neither raises; both are called again and again while it stays so."""

    def fails(self, source: Source, since: datetime, failures: int, error: str) -> None: ...
    def works(self, source: Source) -> None: ...


@dataclass(slots=True)
class _Streak:
    """Failures in a row."""

    count: int
    since: datetime
    error: str
    at: float  # the newest, on the monotonic clock


@dataclass(slots=True)
class _Sweep:
    seconds: float
    due: float  # when the next run should begin, on the monotonic clock
    began: float | None = None  # the run that is going on
    started_at: datetime | None = None
    took: float | None = None
    lag: float | None = None
    runs: int = 0
    streak: _Streak | None = None
    pause: float = 0.0  # seconds, while it fails
    retry: float = 0.0  # when the pause is over, on the monotonic clock
    woken: bool = False  # in this pause


@dataclass(slots=True)
class _Work:
    """Work of one kind, whatever the rows."""

    running: dict[Hashable, float] = field(default_factory=dict)
    failing: dict[Hashable, _Streak] = field(default_factory=dict)
    started_at: datetime | None = None
    took: float | None = None
    runs: int = 0


class JobBook:
    """Written by the engine and by pools, read by `/patch jobs`. Every method is quick but for a word to the channel.

    A sweep that fails is tried again after twice its interval, then after pauses that double up to five minutes.
    A wake in such a pause is honoured once: whoever wakes it brings something new, but no number of wakes may make
    it run as if it didn't fail. That run neither ends nor lengthens the pause, unless it ends well.

    Work in pools is counted row by row, so that a row which always fails is seen among others that don't; its sweep
    tries it again at its own pace.
    """

    def __init__(self, clock: Clock, reports: Reports | None = None) -> None:
        self._clock = clock
        self._reports = reports
        self._guard = threading.Lock()
        self._sweeps: dict[str, _Sweep] = {}
        self._work: dict[str, _Work] = {}

    def expect(self, name: str, seconds: float) -> None:
        """A sweep that begins now, and then at most `seconds` after it began before."""
        with self._guard:
            self._sweeps[name] = _Sweep(seconds, self._clock.monotonic())

    def began(self, name: str, *, woken: bool) -> None:
        with self._guard:
            sweep, now = self._sweeps[name], self._clock.monotonic()
            sweep.lag = None if woken else max(0.0, now - sweep.due)
            sweep.began, sweep.started_at = now, self._clock.now()
            sweep.due = now + sweep.seconds

    def ended(self, name: str, error: Exception | None) -> float | None:
        """The run is over. When it failed: the seconds until it is to be tried again."""
        with self._guard:
            sweep, now = self._sweeps[name], self._clock.monotonic()
            began = now if sweep.began is None else sweep.began
            sweep.took, sweep.began = now - began, None
            sweep.runs += 1
            if error is None:
                sweep.streak, sweep.pause, sweep.retry = None, 0.0, 0.0
            else:
                sweep.streak = self._failed(sweep.streak, error, sweep.started_at or self._clock.now())
                if began >= sweep.retry:
                    longest = max(LONGEST_PAUSE, sweep.seconds)
                    sweep.pause = min(2 * (sweep.pause or sweep.seconds), longest)
                    sweep.retry, sweep.woken = now + sweep.pause, False
                sweep.due = sweep.retry
            streak, pause = sweep.streak, max(0.0, sweep.retry - now)
        self._tell(Source("sweep", name), streak)
        return pause if error else None

    def honours_wake(self, name: str) -> bool:
        """Whether a wake lets the sweep run now. In a pause after a failure the first does, and the asking counts."""
        with self._guard:
            sweep = self._sweeps[name]
            if sweep.streak is None:
                return True
            first, sweep.woken = not sweep.woken, True
            return first

    def work_began(self, key: Hashable) -> None:
        with self._guard:
            work = self._work.setdefault(_kind(key), _Work())
            work.running[key] = self._clock.monotonic()
            work.started_at = self._clock.now()

    def work_ended(self, key: Hashable, error: Exception | None) -> None:
        kind = _kind(key)
        with self._guard:
            work, now = self._work[kind], self._clock.monotonic()
            work.took = now - work.running.pop(key, now)
            work.runs += 1
            known = work.failing.pop(key, None)
            if error is not None:
                work.failing[key] = self._failed(known, error, self._clock.now())
            worst = self._worst(work)
        self._tell(Source("work", kind), worst)

    def snapshot(self) -> tuple[Job, ...]:
        with self._guard:
            return (
                *(self._sweep(name, sweep) for name, sweep in self._sweeps.items()),
                *(self._work_of(kind, work) for kind, work in sorted(self._work.items())),
            )

    def _failed(self, streak: _Streak | None, error: Exception, since: datetime) -> _Streak:
        count, since = (streak.count + 1, streak.since) if streak else (1, since)
        return _Streak(count, since, described(error), self._clock.monotonic())

    def _worst(self, work: _Work) -> _Streak | None:
        """Of the row that fails most. A row that nobody works on any more has ended some other way."""
        last = self._clock.monotonic() - FORGOTTEN
        for key in [key for key, streak in work.failing.items() if streak.at < last and key not in work.running]:
            del work.failing[key]
        return max(work.failing.values(), key=lambda streak: streak.count, default=None)

    def _tell(self, source: Source, streak: _Streak | None) -> None:
        if self._reports is None:
            return
        if streak is None:
            self._reports.works(source)
        elif streak.count >= TELL_AFTER:
            self._reports.fails(source, streak.since, streak.count, streak.error)

    def _sweep(self, name: str, sweep: _Sweep) -> Job:
        now, streak = self._clock.monotonic(), sweep.streak
        return Job(
            name=name,
            every=sweep.seconds,
            runs=sweep.runs,
            started_at=sweep.started_at,
            took=sweep.took,
            lag=sweep.lag,
            running=None if sweep.began is None else now - sweep.began,
            failures=streak.count if streak else 0,
            failing_since=streak.since if streak else None,
            error=streak.error if streak else "",
            retry_in=max(0.0, sweep.retry - now) if streak else None,
        )

    def _work_of(self, kind: str, work: _Work) -> Job:
        worst = self._worst(work)
        newest = max(work.failing.values(), key=lambda streak: streak.at, default=None)
        return Job(
            name=kind,
            every=None,
            runs=work.runs,
            started_at=work.started_at,
            took=work.took,
            lag=None,
            running=self._clock.monotonic() - min(work.running.values()) if work.running else None,
            failures=worst.count if worst else 0,
            failing_since=worst.since if worst else None,
            error=newest.error if newest else "",
            retry_in=None,
        )


def _kind(key: Hashable) -> str:
    """The first word of a key is the sweep that the work is for."""
    return str(key[0]) if isinstance(key, tuple) and key else "other"
