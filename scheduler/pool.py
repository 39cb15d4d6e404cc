"""A bounded pool in which each row is worked on by one thread at a time."""

import logging
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor

from scheduler.jobs import JobBook

log = logging.getLogger(__name__)


class Pool:
    """Work goes on after `submit` returns. No key is worked on twice, and no lane takes every thread.

    A lane is what can be slow as a whole, an AWS account: work beyond its share is left to the next tick. A key begins
    with the name of the sweep that the work is for: under that name `jobs` counts what fails.
    """

    def __init__(self, threads: int = 32, share: int = 8, jobs: JobBook | None = None) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="sweep")
        self._share = share
        self._jobs = jobs
        self._busy: dict[Hashable, Hashable] = {}  # key → lane
        self._guard = threading.Lock()

    def submit(
        self,
        key: Hashable,
        work: Callable[[], None],
        done: Callable[[], object] | None = None,
        *,
        lane: Hashable = None,
    ) -> bool:
        """Start `work` unless the key is in work or its lane has its share; `done` is called when it has ended well."""
        with self._guard:
            if key in self._busy:
                return False
            if lane is not None and sum(1 for each in self._busy.values() if each == lane) >= self._share:
                return False
            self._busy[key] = lane
        self._executor.submit(self._run, key, work, done)
        return True

    def close(self) -> None:
        """Wait for what is in work; nothing queued is started."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _run(self, key: Hashable, work: Callable[[], None], done: Callable[[], object] | None) -> None:
        failure: Exception | None = None
        if self._jobs:
            self._jobs.work_began(key)
        try:
            work()
        except Exception as error:
            # The row is untouched or rolled back, so the next tick tries again; one bad row must not stop the others.
            log.exception("work on %s failed and is tried again", key)
            failure = error
        finally:
            if self._jobs:
                self._jobs.work_ended(key, failure)
            with self._guard:
                self._busy.pop(key, None)
        if done and failure is None:
            done()
