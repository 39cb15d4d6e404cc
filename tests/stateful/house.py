"""One application with the bot's commands and sweeps around it, moved by hand: nothing happens unless it is told to."""

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

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
from commands import command
from commands.command import Actor, Command, Context
from commands.ports import DirectoryError, Role
from commands.replies import Reply
from patching.config import validate
from patching.nodes import EnvironmentKey
from patching.states import ChangeState, RunState
from sandbox.aws.fleet import Fleet
from sandbox.aws.log import SsmCall
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.fleet import fleet_config
from scheduler import cancelling, collect, decisions, dispatch, finish, health, paused, plan, settle, waiting
from scheduler import changes as change_sweep
from scheduler.agenda import ReadAgenda
from scheduler.away import Away
from scheduler.backup_steps import BackupSteps
from scheduler.parts import Parts
from scheduler.pool import Pool
from scheduler.returned import Returned
from scheduler.track import Tracker
from storage import audit, changes, outbox, runs
from storage import decisions as stored_decisions
from storage.changes import Change
from storage.database import Store

STEP = timedelta(seconds=2)  # of the world's time between two rounds of sweeps
QUIET = 4  # rounds in which nothing is written, after which nothing will be until somebody does something
OPEN = (RunState.REQUESTED, RunState.RUNNING)


class Inline(Pool):
    """Work is done at once, and what fails, fails the test."""

    def submit(
        self,
        key: Hashable,
        work: Callable[[], None],
        done: Callable[[], object] | None = None,
        *,
        lane: Hashable = None,
    ) -> bool:
        work()
        if done:
            done()
        return True


@dataclass
class People:
    """Implements `commands.ports.Directory`: who holds which role now, and whether Slack tells."""

    held: dict[Role, set[str]] = field(default_factory=dict)
    readable: bool = True

    def roles(self, user_id: str) -> frozenset[Role]:
        return frozenset(role for role, people in self.held.items() if user_id in people)

    def holders(self, role: Role) -> Collection[str]:
        if not self.readable:
            raise DirectoryError("Slack did not say who is in S0ONCALL.")
        return set(self.held.get(role, ()))


class House:
    """`ask` is what people do, `round` and `settle` are what time does, `sent` is what SSM saw."""

    def __init__(self, fleet: Fleet, world: World, clock: SandboxClock, sessions: Sessions, path: Path) -> None:
        (self.application,) = fleet.applications
        self.name = self.application.name
        self.world = world
        self.clock = clock
        self.people = People()
        self._sessions = sessions
        self._path = path
        self._document = fleet_config(fleet)
        self._log_began = len(world.ssm_log)
        self.start()

    @property
    def nonprod(self) -> EnvironmentKey:
        return EnvironmentKey(self.name, "nonprod")

    @property
    def prod(self) -> EnvironmentKey:
        return EnvironmentKey(self.name, "prod")

    # --- The bot

    def start(self) -> None:
        """As `bot.app.Patchgate.start` does: take up the rows where they stand."""
        config = validate(self._document)
        bucket = config.artifacts
        assert bucket
        self.store = Store(self._path)
        self.parts = Parts(
            config=config,
            store=self.store,
            clock=self.clock,
            patch_manager=PatchManager(self._sessions),
            window_orders=WindowOrders(self._sessions),
            agenda=AgendaReader(self._sessions),
            alarms=Alarms(self._sessions),
            calendars=Calendars(self._sessions),
            patchers=Patchers(self._sessions),
            permissions=Permissions(self._sessions),
            backups=Backups(self._sessions),
            artifacts=Artifacts(self._sessions, bucket.bucket, bucket.prefix, bucket.region),
            directory=self.people,
            wake=lambda sweep: None,
            pool=Inline(),
            new_id=lambda: str(uuid4()),
        )
        self._tracker, self._backups = Tracker(self.parts), BackupSteps(self.parts)
        self._away, self._returned = Away(self.parts), Returned(self.parts)
        self._agenda = ReadAgenda(self.parts)
        with self.store.transaction() as tx:
            outbox.recover(tx)
            runs.mark_resumed(tx, self.clock.now())
        settle.recover(self.parts)

    def reconfigure(self, **keys: object) -> None:
        """Stop and start with other keys beside the applications, as `notices`."""
        self._document.update(keys)
        self.restart()

    def restart(self, policy: Mapping[str, object] | None = None, **keys: object) -> None:
        """Stop and start on the same database; another policy, or other keys of the application, as `backup` or
        `waves`, are another configuration."""
        self.store.close()
        for key, value in {"policy": policy, **keys}.items():
            if value is not None:
                self._document["applications"][self.name][key] = value
        self.start()

    def close(self) -> None:
        self.store.close()

    # --- What people do

    def ask(self, asked: Command, user: str) -> Reply:
        """Raises Refused."""
        context = Context(
            config=self.parts.config,
            store=self.store,
            clock=self.clock,
            directory=self.people,
            wake=self.parts.wake,
            received=self.clock.monotonic(),
            channel="C0PATCHING",
        )
        return command.run(asked, context, Actor(user, self.people.roles(user)))

    def read_agenda(self) -> None:
        """What AWS plans. Not part of every round: few stories are about windows, and it is dear to read."""
        self._agenda.tick(self.clock.now())

    # --- What time does

    def round(self) -> None:
        """Every sweep once, then two seconds."""
        self.sweep()
        self.clock.jump(STEP)

    def sweep(self) -> None:
        """Every sweep once."""
        for tick in (
            plan.tick,
            dispatch.tick,
            _ticking(self._backups),
            health.tick,
            settle.tick,
            cancelling.tick,
            _ticking(self._tracker),
            _ticking(self._away),
            collect.tick,
            finish.tick,
            _ticking(self._returned),
            change_sweep.tick,
            waiting.tick,
            decisions.tick,
            paused.tick,
        ):
            tick(self.parts, self.clock.now())

    def settle(self) -> None:
        """Rounds until nothing is written any more."""
        quiet, head = 0, ""
        while quiet < QUIET:
            self.round()
            now = audit.head(self.store.db)
            quiet, head = (quiet + 1, head) if now == head else (0, now)
            if not self._is_busy():
                return

    def jump(self, by: timedelta) -> None:
        self.clock.jump(by)

    def _is_busy(self) -> bool:
        db = self.store.db
        moving = (ChangeState.PREPARING, ChangeState.APPROVED, ChangeState.USED)
        return bool(
            runs.in_state(db, *OPEN) or changes.in_state(db, *moving) or stored_decisions.made(db, state="checking")
        )

    # --- What is there

    @property
    def newest(self) -> Change | None:
        return changes.newest(self.store.db, self.name, "prod")

    def node_ids(self, environment: str) -> frozenset[str]:
        (found,) = (each for each in self.application.environments if each.name == environment)
        return frozenset(node.id for node in found.nodes)

    def sent(self, after: int | None = None) -> list[SsmCall]:
        """SendCommand calls that SSM took, to nodes of this application, in its log after this number."""
        mine = self.node_ids("nonprod") | self.node_ids("prod")
        began = self._log_began if after is None else after
        return [
            call
            for call in self.world.ssm_log.after(began)
            if call.operation == "SendCommand"
            and call.outcome in {"ok", "lost-reply"}
            and mine & set(call.params["InstanceIds"])
        ]

    @property
    def log_length(self) -> int:
        return len(self.world.ssm_log)

    def commits(self) -> str:
        return audit.head(self.store.db)


def _ticking(sweep: Tracker | BackupSteps | Away | Returned) -> Callable[[Parts, datetime], None]:
    return lambda parts, now: sweep.tick(now)
