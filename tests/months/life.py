"""The bot as `bot.app.build` wires it, in lives that end at a commit; its sweeps are moved by hand, in one thread.

An end is as sudden as SIGKILL: whatever was not committed by then is rolled back, and nothing passes a commit after.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from slack_bolt.error import BoltError
from slack_sdk.errors import SlackApiError, SlackClientError

from aws.sessions import Sessions
from bot.app import Patchgate, build
from bot.settings import Settings
from sandbox.clock import SandboxClock
from storage import outbox
from tests.stateful.house import Inline
from tests.torture.boundaries import Boundaries, TellingStore

ROUNDS = 2  # of all sweeps, after which what one has left to another is done
MANY = 1000  # rounds of deliveries: more would be one that never ends


class Died(BaseException):
    """No `except Exception` may survive it."""


class Fate(Boundaries):
    """Ends a life at the n-th commit from now of those whose site begins with a prefix, before or after it."""

    def __init__(self) -> None:
        self._left = 0
        self._site = ""
        self._dead = False

    def doom(self, commits: int, site: str = "") -> None:
        self._left, self._site = commits, site

    def reach(self, name: str) -> None:
        if self._left and name.partition(" the commit of ")[2].startswith(self._site):
            self._left -= 1
            self._dead = self._left == 0
        if self._dead:
            raise Died(name)

    def revive(self) -> None:
        self._dead = False


@dataclass
class Bot:
    environment: Mapping[str, str]
    clock: SandboxClock
    sessions: Sessions
    fate: Fate = field(default_factory=Fate)
    deaths: Counter[str] = field(default_factory=Counter)  # where → how often
    refused: int = 0  # starts that failed because Slack was down
    _life: Patchgate | None = None

    @property
    def lives(self) -> bool:
        return self._life is not None

    def look(self) -> bool:
        """Let it do everything that is due now; False when it died on the way, or can't be started."""
        try:
            if self._life is None and not self._start():
                return False
            self._sweep(self.clock.now())
        except Died as died:
            self.deaths[str(died)] += 1
            self.end()
            return False
        return True

    def end(self) -> None:
        life, self._life = self._life, None
        self.fate.revive()
        if life:
            life.stop()

    def _start(self) -> bool:
        opened: list[Callable[[], None]] = []

        def open_store(*arguments: object, **more: object) -> TellingStore:
            store = TellingStore(*arguments, boundaries=self.fate, **more)  # type: ignore[arg-type]
            opened.append(store.close)
            return store

        try:
            self._life = build(
                Settings.model_validate(self.environment),
                self.clock,
                sessions=self.sessions,
                open_store=open_store,
                open_pool=lambda **_: Inline(),
                pace=0,
            )
        except (BoltError, SlackApiError, SlackClientError, OSError):
            for close in opened:
                close()
            self.refused += 1
            return False
        replace(self._life, sweeps=()).start()
        return True

    def _sweep(self, now: datetime) -> None:
        life = self._life
        assert life
        sweeps = {sweep.name: partial(sweep.tick, now) for sweep in life.sweeps}
        deliver = sweeps.pop("deliver")
        for _ in range(ROUNDS):
            for tick in sweeps.values():
                tick()
        for _ in range(MANY):
            if not outbox.due(life.store.db, now):
                return
            deliver()
        raise AssertionError(f"deliveries never end: {outbox.due(life.store.db, now)}")
