"""`build(settings, clock)`: the one place where parts are wired."""

import logging
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from slack_bolt import App
from slack_sdk import WebClient

from aws.agenda import AgendaReader
from aws.alarms import Alarms
from aws.artifacts import Artifacts
from aws.backups import Backups
from aws.calendars import Calendars
from aws.patchers import Patchers
from aws.patching import PatchManager
from aws.permissions import Permissions
from aws.sessions import Sessions
from aws.window_orders import WindowOrders
from bot.access import SlackDirectory
from bot.delivery import PACE, Delivery
from bot.followups import FollowUps
from bot.listeners import Listeners
from bot.mailing import mailer_of
from bot.receiving import CONCURRENCY, Http, Socket
from bot.settings import Settings, read_configuration
from commands.ports import Clock
from patching.config import Configuration
from scheduler import (
    cancelling,
    changes,
    collect,
    decisions,
    digests,
    dispatch,
    finish,
    health,
    inquiries,
    paused,
    plan,
    restored,
    settle,
    waiting,
    window_orders,
)
from scheduler.agenda import ReadAgenda
from scheduler.alarms import Watch
from scheduler.away import Away
from scheduler.backup_steps import BackupSteps
from scheduler.calendars import ReadCalendars
from scheduler.engine import Engine, Sweep
from scheduler.failures import FailureReports
from scheduler.jobs import JobBook
from scheduler.parts import Parts
from scheduler.pool import Pool
from scheduler.reminders import Reminders
from scheduler.returned import Returned
from scheduler.track import Tracker
from storage import outbox, rechecks, runs
from storage.database import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patchgate:
    """The wired bot. `start` takes up the rows where they stand; requests come in by `socket` or `http`."""

    app: App
    config: Configuration
    store: Store
    parts: Parts
    engine: Engine
    sweeps: tuple[Sweep, ...]
    directory: SlackDirectory
    pools: tuple[Pool, ...]
    clock: Clock
    client: WebClient
    app_token: str

    def start(self) -> None:
        """Take up what an earlier life left, then let time pass."""
        with self.store.transaction() as tx:
            repeated = outbox.recover(tx)
            resumed = runs.mark_resumed(tx, self.clock.now())
            rechecks.owe(tx)
        if resumed or repeated:
            log.info("went on with %d open runs; %d notices may come twice", len(resumed), repeated)
        settle.recover(self.parts)
        self.directory.tick(self.clock.now())
        self.engine.start(self.sweeps)

    def stop(self) -> None:
        self.engine.stop()
        for pool in self.pools:
            pool.close()
        self.store.close()

    def socket(self) -> Socket:
        return Socket(self.app, self.app_token, self.client, self.clock)

    def http(self) -> Http:
        return Http(self.app, self.clock)


def web_client(settings: Settings) -> WebClient:
    """Without the SDK's retries: the outbox paces and repeats."""
    return WebClient(
        token=settings.bot_token.get_secret_value(), base_url=settings.api_url, retry_handlers=[], timeout=10
    )


def build(
    settings: Settings,
    clock: Clock,
    *,
    sessions: Sessions | None = None,
    open_store: Callable[..., Store] = Store,
    open_pool: Callable[..., Pool] = Pool,
    pace: float = PACE,
) -> Patchgate:
    """Wire everything; nothing is sent yet. Raises ConfigurationError, StorageError and Slack's errors.

    `open_store` and `open_pool` are called as `Store` and `Pool` are: a test that counts commits opens a store of its
    own, and one that moves the sweeps by hand a pool that has ended its work when `submit` returns.
    """
    config = read_configuration(settings.config_path)
    sessions = sessions or Sessions()
    mailer = mailer_of(settings, config, sessions)
    client = web_client(settings)
    app = App(
        client=client,
        signing_secret=settings.signing_secret.get_secret_value() or "unused",
        request_verification_enabled=True,
        listener_executor=ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="listener"),
        logger=logging.getLogger("bot.bolt"),
    )
    store = open_store(settings.database_path, exclusive=True)
    sessions.preload()
    jobs = JobBook(clock, FailureReports(store, clock, config.slack.channel))
    engine = Engine(clock, jobs)
    # Of the second's threads Slack and the mail server may take eight each, so that answers to buttons find some.
    pool, slack_pool = open_pool(jobs=jobs), open_pool(threads=20, share=8, jobs=jobs)
    directory = SlackDirectory(client, config.access, clock)
    bucket = config.artifacts
    parts = Parts(
        config=config,
        store=store,
        clock=clock,
        patch_manager=PatchManager(sessions),
        window_orders=WindowOrders(sessions),
        agenda=AgendaReader(sessions),
        alarms=Alarms(sessions),
        calendars=Calendars(sessions),
        patchers=Patchers(sessions),
        permissions=Permissions(sessions),
        backups=Backups(sessions),
        artifacts=Artifacts(sessions, bucket.bucket, bucket.prefix, bucket.region) if bucket else None,
        directory=directory,
        wake=engine.wake,
        pool=pool,
        new_id=lambda: str(uuid.uuid4()),
    )
    followups = FollowUps(client, clock, lambda work: slack_pool.submit(("answer", object()), work))
    delivery = Delivery(store, config, clock, client, directory, mailer, followups, slack_pool, pace)
    Listeners(config, store, clock, directory, engine.wake, followups, jobs).register(app)
    return Patchgate(
        app=app,
        config=config,
        store=store,
        parts=parts,
        engine=engine,
        sweeps=_sweeps(parts, directory, delivery),
        directory=directory,
        pools=(pool, slack_pool),
        clock=clock,
        client=client,
        app_token=settings.app_token.get_secret_value(),
    )


def _sweeps(parts: Parts, directory: SlackDirectory, delivery: Delivery) -> tuple[Sweep, ...]:
    return (
        Sweep("plan", 1, partial(plan.tick, parts)),
        Sweep("dispatch", 1, partial(dispatch.tick, parts)),
        Sweep("backups", 1, BackupSteps(parts).tick),
        Sweep("health", 5, partial(health.tick, parts)),
        Sweep("restored", 5, partial(restored.tick, parts)),
        Sweep("settle", 5, partial(settle.tick, parts)),
        Sweep("cancelling", 5, partial(cancelling.tick, parts)),
        Sweep("track", 1, Tracker(parts).tick),
        Sweep("collect", 1, partial(collect.tick, parts)),
        Sweep("finish", 1, partial(finish.tick, parts)),
        Sweep("changes", 1, partial(changes.tick, parts)),
        Sweep("waiting", 1, partial(waiting.tick, parts)),
        Sweep("window-orders", 1, partial(window_orders.tick, parts)),
        Sweep("inquiries", 1, partial(inquiries.tick, parts)),
        Sweep("agenda", 2, ReadAgenda(parts).tick),
        Sweep("alarms", 15, Watch(parts).tick),
        Sweep("calendars", 15, ReadCalendars(parts).tick),
        Sweep("decisions", 1, partial(decisions.tick, parts)),
        Sweep("reminders", 5, Reminders(parts).tick),
        Sweep("away", 5, Away(parts).tick),
        Sweep("returned", 15, Returned(parts).tick),
        Sweep("paused", 15, partial(paused.tick, parts)),
        Sweep("digests", 30, partial(digests.tick, parts)),
        Sweep("directory", 15, directory.tick),
        Sweep("deliver", 0.5, delivery.tick),
    )
