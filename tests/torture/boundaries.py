"""Where a life of the bot may end: before and after every commit, and before and after every call of AWS.

A commit is named by the function and line that make it, a call by AWS's name for it, and a send by what it sends. The
bot is built with a Store and with Sessions that tell; nothing in them is replaced.
"""

import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSPreparedRequest
from botocore.client import BaseClient
from sqlite_utils import Database

from aws.sessions import Sessions
from storage.database import Store

LIFE = "a life begins"  # in the log, between the boundaries of two lives
_PASSING = ("contextlib.py", "boundaries.py")  # files between a transaction and who asked for it
_CALLERS = ("commands/command.py",)  # every command commits through its context: who asked for that says more


@dataclass(frozen=True, slots=True)
class Point:
    """The `turn`-th time that a life reaches a boundary, counted from 1."""

    name: str
    turn: int


class Boundaries:
    """Writes down each boundary as it is reached, and ends the process there if it is the point to die at."""

    def __init__(self, log: Path, kill: Point | None) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._kill = kill
        self._guard = threading.Lock()
        self._turns: Counter[str] = Counter()
        os.write(self._log, f"{LIFE}\n".encode())

    def reach(self, name: str) -> None:
        with self._guard:
            self._turns[name] += 1
            os.write(self._log, f"{name}\n".encode())
            if self._kill == Point(name, self._turns[name]):
                os.kill(os.getpid(), signal.SIGKILL)


class TellingStore(Store):
    def __init__(self, path: str | Path, *, boundaries: Boundaries, exclusive: bool = False) -> None:
        self._boundaries = boundaries
        super().__init__(path, exclusive=exclusive)

    @contextmanager
    def transaction(self, before_commit: Callable[[], None] | None = None) -> Iterator[Database]:
        site = _caller()

        def last() -> None:
            if before_commit:
                before_commit()
            self._boundaries.reach(f"before the commit of {site}")

        with super().transaction(last) as tx:
            yield tx
        self._boundaries.reach(f"after the commit of {site}")


class TellingSessions(Sessions):
    def __init__(self, environ: Mapping[str, str], boundaries: Boundaries) -> None:
        self._boundaries = boundaries
        self._thread = threading.local()
        super().__init__(environ)

    def _create(self, *which: Any) -> BaseClient:
        return self._heard(super()._create(*which))

    def _create_sts(self, *which: Any, **credentials: Any) -> BaseClient:
        return self._heard(super()._create_sts(*which, **credentials))

    def _heard(self, client: BaseClient) -> BaseClient:
        client.meta.events.register_first("before-send", self._before)
        client.meta.events.register_first("response-received", self._after)
        return client

    def _before(self, event_name: str, request: AWSPreparedRequest, **_: Any) -> None:
        self._thread.call = _called(event_name, request)
        self._boundaries.reach(f"before {self._thread.call}")

    def _after(self, event_name: str, **_: Any) -> None:
        """On the thread that sent the request, and before it sends another."""
        self._boundaries.reach(f"after {self._thread.call}")


def _called(event_name: str, request: AWSPreparedRequest) -> str:
    """`DescribeAlarms`, `SendCommand of AWS-RunPatchBaseline Scan`."""
    operation = event_name.rpartition(".")[2]
    if operation != "SendCommand":
        return operation
    assert isinstance(request.body, bytes)
    sent = json.loads(request.body)
    return " ".join([operation, "of", sent["DocumentName"], *sent["Parameters"].get("Operation", [])])


def _caller() -> str:
    """`scheduler.dispatch.send:92`: the function and the line that asked for the transaction."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.endswith((*_PASSING, *_CALLERS)):
        frame = frame.f_back
    return f"{frame.f_globals['__name__']}.{frame.f_code.co_name}:{frame.f_lineno}"
