"""A bounded pool in which each row is worked on by one thread at a time."""

import logging
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor

log = logging.getLogger(__name__)


class Pool:
    """Work goes on after `submit` returns, so a slow account never holds up another. No key is worked on twice."""

    def __init__(self, threads: int = 16) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="sweep")
        self._busy: set[Hashable] = set()
        self._guard = threading.Lock()

    def submit(self, key: Hashable, work: Callable[[], None], done: Callable[[], None] | None = None) -> bool:
        """Start `work` unless the key is in work; `done` is called when it has ended well."""
        with self._guard:
            if key in self._busy:
                return False
            self._busy.add(key)
        self._executor.submit(self._run, key, work, done)
        return True

    def close(self) -> None:
        """Wait for what is in work; nothing queued is started."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _run(self, key: Hashable, work: Callable[[], None], done: Callable[[], None] | None) -> None:
        try:
            work()
        except Exception:
            # The row is untouched or rolled back, so the next tick tries again; one bad row must not stop the others.
            log.exception("work on %s failed and is tried again", key)
            done = None
        finally:
            with self._guard:
                self._busy.discard(key)
        if done:
            done()
