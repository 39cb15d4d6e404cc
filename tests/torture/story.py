"""The whole production story as people tell it, whatever happens to the bot: who gets no answer asks again.

Non-production is scanned and installed, soaks by a jump of the clock, production is asked for, approved (or by nobody,
in some stories), installed and verified. A doubt is settled by an admin, truthfully, from the world itself.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

from patching.model import Operation
from patching.states import ChangeState, RunState, StepState
from sandbox.aws.log import SsmCall
from storage import changes, runs, steps
from storage.changes import Change
from storage.database import Store
from storage.runs import Purpose, Run
from tests.integration.small_town import CHANNEL
from tests.torture.boundaries import Point
from tests.torture.clock import publish
from tests.torture.life import Keeper
from tests.torture.plans import Plan, configure
from tests.torture.whims import ASK_EVERY, Somebody, Whim
from tests.town import Message, Town, has_button, wait_for

T = TypeVar("T")
MOST_REQUESTS = 4  # of one thing, before the story counts as stuck


@dataclass(frozen=True, slots=True)
class Fault:
    """What AWS does in a story besides: `stage` is when it begins, 0 at the first request to 3 at the approval."""

    kind: str = ""
    service: str = ""
    operation: str = ""
    stage: int = 0
    times: int = 1

    @property
    def leaves_doubt(self) -> bool:
        """Whether nobody can know what became of a send, with or without a crash."""
        return self.operation == "SendCommand" and self.kind in {"lost-reply", "server-error"}


@dataclass(frozen=True, slots=True)
class Tale:
    """What a story is about, before anything dies in it."""

    plan: Plan = Plan.PLAIN
    approved: bool = True  # False: nobody approves
    whim: Whim = Whim.NONE
    fault: Fault = Fault()

    def __str__(self) -> str:
        fault = f"{self.fault.kind} of {self.fault.operation}" if self.fault.kind else ""
        return ", ".join(filter(None, [self.plan, "" if self.approved else "not approved", self.whim, fault]))


@dataclass
class Story:
    """One application's; `helped` is where a person had to do more than ask once and approve."""

    town: Town
    keeper: Keeper
    store: Store
    application: str
    tale: Tale = Tale()
    approved_at: datetime | None = None
    helped: list[str] = field(default_factory=list)
    died: list[Point] = field(default_factory=list)
    _begun: set[int] = field(default_factory=set)
    _somebody: Somebody = field(init=False)
    _faults: list[int] = field(default_factory=list)

    def begin(self, *points: Point) -> None:
        """The first life of the bot; where it ends, and the next ones, are `points`."""
        configure(self.town, self.application, self.tale.plan)
        self._somebody = Somebody(self.tale.whim, self.store, partial(self._type, "U0OLA"))
        self.keeper.begin(*points)

    def tell(self) -> None:
        self._stage(0)
        self._run("scan", Operation.SCAN)
        self._stage(1)
        self._run("install", Operation.INSTALL)
        self._jump(days=8)
        self._stage(2)
        self._change()
        self.until(lambda: not self._owed(), "everything owed to be delivered")
        self.died = list(self.keeper.died)

    def end(self) -> None:
        """However it went: the next story has a bot and faults of its own."""
        self.keeper.end()
        for left in self._faults:
            self.town.around.world.faults.remove(left)

    @property
    def change(self) -> Change | None:
        return changes.newest(self.store.db, self.application, "prod")

    @property
    def install(self) -> Run | None:
        """The newest Install in production."""
        change = self.change
        found = runs.of_change(self.store.db, change.id, Purpose.CHANGE) if change else []
        return found[-1] if found else None

    def node_ids(self, environment: str) -> set[str]:
        fleet = self.town.around.world.fleet
        return {node.id for node in fleet.environment(self.application, environment).nodes}

    def calls(self, operation: str | None = None) -> list[SsmCall]:
        """What SSM took for this application's nodes, whatever was heard of it; of one Operation or of all."""
        nodes = self.node_ids("prod") | self.node_ids("nonprod")
        return [
            call
            for call in self.town.sent(operation)
            if call.outcome in {"ok", "lost-reply"} and nodes & set(call.params["InstanceIds"])
        ]

    def until(self, what: Callable[[], T | None], why: str) -> T:
        def look() -> T | None:
            self.keeper.look()
            return what()

        return wait_for(look, f"{why} ({self.application})")

    # --- what people do

    def _run(self, verb: str, operation: Operation) -> None:
        for turn in range(MOST_REQUESTS):
            if turn:
                self._help(f"{verb} was asked for again")
            self._ask(f"/patch {verb} {self.application} nonprod", partial(self._newest_id, "nonprod"))
            run = runs.get(self.store.db, self._newest_id("nonprod"))
            assert run.operation is operation
            if self._ended(run.id).state is RunState.SUCCEEDED:
                return
        raise AssertionError(f"{verb} of {self.application} never succeeded")

    def _change(self) -> None:
        for turn in range(MOST_REQUESTS):
            if turn:
                self._help("production was asked for again")
            self._ask(f"/patch install {self.application} prod", self._change_id)
            change = self._moved_on(ChangeState.PREPARING)
            if change.state is ChangeState.PENDING and not self.tale.approved:
                self._jump(days=4)
                change = self._moved_on(ChangeState.PENDING)
                assert change.state is ChangeState.EXPIRED, change
                return
            if change.state is ChangeState.PENDING:
                self._stage(3)
                self._approve(change)
            change = self._moved_on(ChangeState.PENDING, ChangeState.APPROVED, ChangeState.USED)
            if change.state is ChangeState.DONE and self.install and self.install.state is RunState.SUCCEEDED:
                return
        raise AssertionError(f"{self.application} never reached production: {self.change}")

    def _approve(self, change: Change) -> None:
        """Ola fills in the form until her click is on record."""
        tried = 0.0

        def approved() -> bool:
            nonlocal tried
            if self._decided(change):
                return True
            if time.monotonic() - tried > ASK_EVERY:
                tried = time.monotonic()
                card = self._with_button(change.ref, "approve")
                if card:
                    self.approved_at = self.approved_at or self.town.around.clock.now()
                    self.town.click("U0OLA", card, "approve")
            return False

        self.until(approved, f"the approval of {change.ref}")

    def _ended(self, run_id: int) -> Run:
        """The run once it has ended; whatever needs a person has got one."""

        def ended() -> Run | None:
            run = runs.get(self.store.db, run_id)
            if run.state is RunState.NEEDS_HUMAN:
                self._settle(run)
            return run if run.state.ended else None

        return self.until(ended, f"run {run_id} to end")

    def _moved_on(self, *states: ChangeState) -> Change:
        def moved() -> Change | None:
            change = self.change
            assert change
            self._somebody.look(self.install)
            for environment in ("nonprod", "prod"):
                run = runs.open_run(self.store.db, self.application, environment)
                if run and run.state is RunState.NEEDS_HUMAN:
                    self._settle(run)
            return change if change.state not in states else None

        return self.until(moved, f"{self.change and self.change.ref} to move on from {', '.join(states)}")

    def _settle(self, run: Run) -> None:
        """Ada looks at AWS and says what is so."""
        unknown = [step for step in steps.of_run(self.store.db, run.id) if step.state is StepState.UNKNOWN]
        if not unknown:
            return  # settled this moment
        taken = [call for call in self.town.sent() if unknown[0].id in call.params["Comment"]]
        ran = any(call.outcome in {"ok", "lost-reply"} for call in taken)
        self._type("U0ADA", f"/patch status {run.ref}")
        card = self._with_button(run.ref, "settle-ran", "U0ADA")
        if card:
            self._help(f"{run.ref} was settled: it {'ran' if ran else 'did not run'}")
            self.town.click("U0ADA", card, "settle-ran" if ran else "settle-not")

    def _ask(self, text: str, newest_id: Callable[[], int]) -> None:
        """Type a command until there is something newer on record."""
        before, tried = newest_id(), 0.0

        def asked() -> bool:
            nonlocal tried
            if newest_id() == before and time.monotonic() - tried > ASK_EVERY:
                tried = time.monotonic()
                self._type("U0ANN", text)
            return newest_id() != before

        self.until(asked, f"an answer to {text}")

    def _type(self, user: str, text: str) -> None:
        self.town.post("/sandbox/slack/command", user=user, channel=CHANNEL, text=text)

    def _help(self, how: str) -> None:
        self.helped += [] if how in self.helped else [how]

    # --- the world

    def _stage(self, number: int) -> None:
        """A part of the story begins, perhaps anew; AWS's fault comes with its part, once."""
        fault = self.tale.fault
        if fault.kind and fault.stage == number and number not in self._begun:
            added = self.town.around.world.faults.add(fault.service, fault.operation, fault.kind, fault.times)
            self._faults.append(added.id)
        self._begun.add(number)

    def _jump(self, **by: float) -> None:
        self.town.jump(**by)
        publish(self.town.around.clock, self.town.folder / "clock.json")

    # --- what is on record

    def _newest_id(self, environment: str) -> int:
        row = self.store.db.execute(
            "SELECT coalesce(max(id), 0) AS id FROM run WHERE application = ? AND environment = ?",
            [self.application, environment],
        ).fetchone()
        return int(row["id"])

    def _change_id(self) -> int:
        return self.change.id if self.change else 0

    def _decided(self, change: Change) -> bool:
        rows = self.store.db.execute("SELECT 1 FROM decision WHERE change_id = ? AND state != 'refused'", [change.id])
        return rows.fetchone() is not None or changes.get(self.store.db, change.id).state is not ChangeState.PENDING

    def _owed(self) -> int:
        return int(self.store.db["notice"].count_where("state IN ('due', 'sending')"))

    def _with_button(self, ref: str, action_id: str, user: str = "U0ANN") -> Message | None:
        """The newest message about it that has this button."""
        shown = [each for each in self.town.messages(CHANNEL, user) if has_button(each, action_id)]
        return next((each for each in reversed(shown) if f"{ref} " in each["text"] or ref in json.dumps(each)), None)
