"""Months of windows, lived through from one interesting moment to the next, and what became of all that was owed."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import yaml

from aws.sessions import Sessions
from sandbox.clock import SandboxClock
from sandbox.environments import NONPRODUCTION, REGION
from sandbox.neighbourhood import Neighbourhood, open_neighbourhood
from sandbox.slack.faults import FaultKind
from storage import subscriptions
from storage.database import Store
from tests.months import records, street
from tests.months.almanac import Rule, Timeline
from tests.months.judge import Life, Place
from tests.months.life import Bot
from tests.months.oracle import Oracle
from tests.months.post_office import PostOffice, Trouble
from tests.months.street import HOUSES, SUBSCRIBER
from tests.months.weather import DOWNTIMES, OFTEN, READ, Event, Weather

SLACK_TROUBLE: tuple[FaultKind, ...] = ("outage", "server-error", "ratelimited")
MAIL_TROUBLE: tuple[Trouble, ...] = ("closed", "busy")
READING, MANY = "DescribeMaintenanceWindows", 10**6
SITES = ("", "scheduler.reminders", "bot.delivery", "bot.delivery")  # of the commits at which a life may end


@dataclass
class Tale:
    around: Neighbourhood
    office: PostOffice
    bot: Bot
    store: Store  # to look into the bot's
    chance: random.Random
    timelines: dict[str, Timeline]
    oracle: Oracle
    doubts: records.Doubts = field(default_factory=records.Doubts)
    counts: Counter[str] = field(default_factory=Counter)
    _fault: int | None = None
    _refusal: int | None = None
    _aws_since: datetime | None = None  # the end of its newest outage
    _down_until: datetime | None = None
    _windows: dict[str, str] = field(default_factory=dict)  # name → id

    def live(self, begin: datetime, end: datetime) -> None:
        """From `begin`, which is not past, to `end`; then everything that is down comes up, and all is delivered."""
        self._until(begin)
        for event in Weather(self.chance, begin, end).events(self.timelines):
            if self._down_until and self._down_until <= event.at:
                self._wake_up(self._down_until)
            self._until(event.at)
            self._happens(event)
        self._mend()
        for _ in range(3):
            self._until(self.bot.clock.now() + READ)
            self._look()
        self.bot.end()

    def life(self) -> Life:
        told = records.told(self.store, self.around.workspace, self.office.mails, self.doubts)
        return Life(self.oracle.must, records.owed(self.store), told, self.doubts.times)

    # --- What happens

    def _happens(self, event: Event) -> None:
        faults = self.around.workspace.faults
        match event.what:
            case "look" if self._down_until is None:
                self._look()
            case "change":
                self._change(event.window, event.rule)
            case "doom":
                self.bot.fate.doom(self.chance.randint(1, 12), self.chance.choice(SITES))
            case "slack down":
                self.counts["outages of Slack"] += 1
                self._fault = faults.add("*", self.chance.choice(SLACK_TROUBLE), times=None)
            case "slack up" if self._fault:
                faults.remove(self._fault)
            case "mail down":
                self.counts["outages of SMTP"] += 1
                self.office.down(self.chance.choice(MAIL_TROUBLE))
            case "mail up":
                self.office.up()
            case "aws down":
                self.counts["outages of AWS"] += 1
                self._refusal = self.around.world.faults.add("ssm", READING, "access-denied", times=MANY).id
            case "aws up":
                self._aws_up()

    def _look(self) -> None:
        now = self.bot.clock.now()
        self.counts["looks"] += 1
        whole = self.bot.look()
        read_at = records.read_at(self.store)
        if read_at == now:
            self.oracle.read(now)
        if whole:
            answers = self._refusal is None and (self._aws_since is None or now - self._aws_since > READ)
            assert not answers or (read_at and now - read_at <= READ), f"at {now} AWS was last read at {read_at}"
            self.oracle.look(now)
            return
        owed = {(each.word, each.place) for each in records.owed(self.store)}
        self.oracle.look(now, lambda word, place: (word, place) in owed)
        self.doubts.look(self.store, self.around.workspace, self.office.mails, now)
        self._down_until = now + self.chance.choices(DOWNTIMES, OFTEN)[0] * self.chance.uniform(0.5, 1.5)

    def _wake_up(self, at: datetime) -> None:
        self._down_until = None
        self._until(at)
        self._look()

    def _mend(self) -> None:
        self.bot.fate.doom(0)
        self._down_until = None
        if self._fault:
            self.around.workspace.faults.remove(self._fault)
        self._aws_up()

    def _aws_up(self) -> None:
        if self._refusal:
            self.around.world.faults.remove(self._refusal)
            self._refusal, self._aws_since = None, self.bot.clock.now()

    def _until(self, moment: datetime) -> None:
        self.bot.clock.jump(max(timedelta(), moment - self.bot.clock.now()))

    def _change(self, name: str, rule: Rule | None) -> None:
        """Somebody acts in the account itself."""
        self.counts["windows changed"] += 1
        client = boto3.client(
            "ssm",
            region_name=REGION,
            endpoint_url=self.around.aws.url,
            aws_access_key_id=self.around.aws.base_key(NONPRODUCTION),
            aws_secret_access_key="sandbox",
        )
        if not self._windows:
            found = client.describe_maintenance_windows()["WindowIdentities"]
            self._windows = {each["Name"]: each["WindowId"] for each in found}
        if rule is None:
            client.update_maintenance_window(WindowId=self._windows[name], Enabled=False)
        else:
            client.update_maintenance_window(WindowId=self._windows[name], Enabled=True, Schedule=rule.expression)


@contextmanager
def told_from(folder: Path, seed: int, begin: datetime) -> Iterator[Tale]:
    """A tale whose time begins a moment before `begin`."""
    clock = SandboxClock(begin - READ, rate=0)
    around = open_neighbourhood(street.fleet(), clock=clock, rate_limits=False)
    office = PostOffice(clock)
    office.open()
    environment = around.environment(folder) | {"PATCHGATE_SMTP": f"smtp://127.0.0.1:{office.port}"}
    _write_config(Path(environment["PATCHGATE_CONFIG"]))
    database = Path(environment["PATCHGATE_DATABASE"])
    with closing(Store(database)) as store, store.transaction() as tx:
        subscriptions.add(tx, clock.now(), *SUBSCRIBER)
    lines = street.timelines(clock.now())
    places: Mapping[str, frozenset[Place]] = {house.window: house.places for house in HOUSES}
    bot = Bot(environment, clock, Sessions(environment))
    with closing(Store(database, readonly=True)) as store:
        try:
            yield Tale(around, office, bot, store, random.Random(seed), lines, Oracle(lines, places, clock.now()))
        finally:
            bot.end()
            office.close()
            around.close()


def _write_config(path: Path) -> None:
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump(street.config(document), sort_keys=False), encoding="utf-8")
