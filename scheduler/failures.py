"""What fails, told to the channel: once when it goes on failing, and once when it works again (I7)."""

import logging
import re
import threading
from datetime import datetime
from typing import Final

from commands.ports import Clock
from storage import failing, outbox
from storage.database import Store
from storage.failing import Source
from storage.outbox import Medium

log = logging.getLogger(__name__)

LIMIT: Final = 200  # characters of an error that people read
_SECRETS: Final = (
    (re.compile(r"\bx(?:ox[a-z]|app)-[\w-]+"), "…"),  # Slack's tokens
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s@]*@"), r"\1…@"),  # a password in an address
    (re.compile(r"(\bhttps?://[^/\s]+)/[^\s'\")>]+"), r"\1/…"),  # a response URL lets its holder speak
    (re.compile(r"(?i)\b((?:password|secret|token|signature)\w*['\"]?\s*[=:]\s*)[^\s,;)]+"), r"\1…"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}"), "…"),
    (re.compile(r"[A-Za-z0-9+=_-]{40,}"), "…"),  # long enough for any other key
)


def described(error: BaseException) -> str:
    """An error as one line: its type and message, without what could be a secret, at most `LIMIT` characters."""
    words = " ".join(str(error).split())
    for pattern, replacement in _SECRETS:
        words = pattern.sub(replacement, words)
    line = f"{type(error).__name__}: {words}" if words else type(error).__name__
    return line if len(line) <= LIMIT else f"{line[: LIMIT - 1]}…"


class FailureReports:
    """Owes the general channel two notices for each time that something goes on failing; none of it raises.

    What was told is read from the store once, so a restart neither repeats it nor leaves out that it works again.
    """

    def __init__(self, store: Store, clock: Clock, channel: str) -> None:
        self._store = store
        self._clock = clock
        self._channel = channel
        self._guard = threading.Lock()
        self._told: dict[Source, datetime] | None = None  # what the channel knows to fail → since when

    def fails(self, source: Source, since: datetime, failures: int, error: str) -> None:
        """It failed again; owed once, until it has worked."""
        if self._is_told(source) is False:
            self._owe(source, since, "failing", {"failures": failures, "error": error})

    def works(self, source: Source) -> None:
        """It ended well."""
        if self._is_told(source):
            self._owe(source, None, "recovered", {})

    def _is_told(self, source: Source) -> bool | None:
        """None where the store can't tell."""
        with self._guard:
            if self._told is None:
                try:
                    self._told = failing.told(self._store.db)
                except Exception:
                    log.exception("it can't be read what the channel was told of")
                    return None
            return source in self._told

    def _owe(self, source: Source, since: datetime | None, what: str, payload: dict[str, object]) -> None:
        with self._guard:
            told = self._told
            if told is None or (source in told) is (since is not None):
                return  # another thread was faster
            began = since or told[source]
            try:
                with self._store.transaction() as tx:
                    outbox.owe(
                        tx,
                        self._clock.now(),
                        key=f"{source}:{what}:{began.isoformat()}",
                        kind=f"sweep-{what}",
                        medium=Medium.CHANNEL,
                        recipient=self._channel,
                        subject=str(source),
                        payload={**source._asdict(), "since": began.isoformat(), **payload},
                    )
            except Exception:
                # Only the log can tell: the store itself fails, most likely. The next end of it tries again.
                log.exception("the channel is not told that %s is %s", source, what)
                return
            if since:
                told[source] = since
            else:
                del told[source]
