"""Faults on demand: what Slack does to a client on a bad day."""

import itertools
import threading
from dataclasses import dataclass
from typing import Literal, get_args

FaultKind = Literal["ratelimited", "server-error", "slow", "lost-reply", "outage"]
FAULT_KINDS: tuple[str, ...] = get_args(FaultKind)


@dataclass
class Fault:
    """`method` is a Web API method, "response_url", or "*" for all; `seconds` is Retry-After, or how slow.

    ratelimited: 429, nothing done. server-error: 500, nothing done. slow: done, late. lost-reply: done, and the
    connection breaks before the answer. outage: the connection breaks, nothing done.
    """

    id: int
    method: str
    kind: FaultKind
    left: int | None
    seconds: float


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._faults: list[Fault] = []

    def add(self, method: str, kind: FaultKind, times: int | None = 1, seconds: float = 1.0) -> int:
        """Let the next `times` calls of a method (all, for None) meet a fault; returns its id for `remove`."""
        if kind not in FAULT_KINDS:
            raise ValueError(f"fault kind is {kind!r}; allowed are {', '.join(FAULT_KINDS)}")
        with self._lock:
            fault = Fault(next(self._ids), method, kind, times, seconds)
            self._faults.append(fault)
            return fault.id

    def remove(self, id: int) -> None:
        with self._lock:
            self._faults = [fault for fault in self._faults if fault.id != id]

    def all(self) -> list[Fault]:
        with self._lock:
            return list(self._faults)

    def take(self, method: str) -> Fault | None:
        """The oldest fault that meets this call; one of its times is used up."""
        with self._lock:
            for fault in self._faults:
                if fault.method in (method, "*"):
                    if fault.left is not None:
                        fault.left -= 1
                        if fault.left <= 0:
                            self._faults.remove(fault)
                    return fault
            return None
