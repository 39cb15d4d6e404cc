"""A life of the bot in a process of its own, and the keeper that starts the next one when it was killed.

Lives are forked from a server that has read the modules and botocore's descriptions once: a start takes a fraction
of the seconds that `patchgate run` takes.
"""

import logging
import multiprocessing
import signal
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from aws.sessions import Sessions
from bot.app import build
from bot.settings import Settings
from scheduler.engine import Sweep
from tests.torture.boundaries import LIFE, Boundaries, Point, TellingSessions, TellingStore
from tests.torture.clock import PublishedClock

LOOK = 0.25  # seconds between two ticks of a sweep …
OFTEN = 5  # … that has so many at most elsewhere
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])
Sessions({}).preload()  # in the server, for every life


def live(environment: Mapping[str, str], folder: Path, kill: Point | None) -> None:
    """As `patchgate run` does, in the world's time."""
    logging.basicConfig(filename=folder / "bot.log", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    boundaries = Boundaries(folder / "boundaries.log", kill)
    bot = build(
        Settings.model_validate(environment),
        PublishedClock(folder / "clock.json"),
        sessions=TellingSessions(environment, boundaries),
        open_store=partial(TellingStore, boundaries=boundaries),
        pace=0.02,
    )
    bot = replace(bot, sweeps=tuple(_hastened(each) for each in bot.sweeps))
    socket = bot.socket()
    socket.reserve()
    bot.start()
    socket.connect()
    threading.Event().wait()


def _hastened(sweep: Sweep) -> Sweep:
    """A world that runs away from ours is looked at as often in its own time, but for what only keeps a copy fresh."""
    return replace(sweep, seconds=LOOK) if LOOK < sweep.seconds <= OFTEN else sweep


class Keeper:
    """One bot at a time. `look` restarts it when it has died at its point; dying otherwise is an error."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder
        self._process: ForkServerProcess | None = None
        self._planned: list[Point] = []
        self.died: list[Point] = []

    def begin(self, *points: Point) -> None:
        """A first life that ends at the first point, a second at the second, and one that lasts."""
        self._planned, self.died = list(points), []
        (self._folder / "boundaries.log").write_text("", encoding="utf-8")
        self._start()

    def look(self) -> None:
        process = self._process
        if process is None or process.exitcode is None:
            return
        assert process.exitcode == -signal.SIGKILL, f"the bot ended with {process.exitcode}: {self.log()[-3000:]}"
        self.died.append(self._planned.pop(0))
        self._start()

    def end(self) -> None:
        """SIGKILL: the story is over, and the next one has a life of its own."""
        if self._process:
            self._process.kill()
            self._process.join(10)
            self._process.close()
            self._process = None

    def reached(self) -> list[Counter[str]]:
        """How often each boundary was reached since `begin`, life by life."""
        lives = (self._folder / "boundaries.log").read_text(encoding="utf-8").split(f"{LIFE}\n")[1:]
        return [Counter(life.splitlines()) for life in lives]

    def log(self) -> str:
        path = self._folder / "bot.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def _start(self) -> None:
        point = self._planned[0] if self._planned else None
        self._process = _FORKS.Process(target=live, args=(self._environment, self._folder, point), daemon=True)
        self._process.start()
