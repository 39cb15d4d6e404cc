"""Who asks from a terminal, with which rights, and the committing of what they ask for."""

import math
import os
import pwd
import shlex
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace

from sqlite_utils import Database

from bot.access import SlackDirectory
from bot.app import web_client
from bot.settings import Settings
from commands import command, grammar
from commands.approvals import ListApprovals
from commands.cancel import Cancel
from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.ports import Clock, DirectoryError, Role
from commands.replies import Approvals, Reply
from commands.status import Status
from patching.config import Configuration
from patching.nodes import EnvironmentKey
from storage import audit, runs
from storage.database import Store


def system_user() -> str:
    """The real user id's name; the number of one without a name.

    Not SUDO_USER nor USER: whoever starts a process chooses what its environment says.
    """
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


@dataclass(frozen=True, slots=True)
class Person:
    """`slack_user`: as whom they ask (`access.terminal`); None where the configuration doesn't say."""

    system_user: str
    slack_user: str | None

    def require_slack_user(self) -> str:
        if self.slack_user is None:
            raise Refused(
                f"The operating-system user {grammar.show(self.system_user)} may only read; nothing was done. "
                "An admin of Patchgate's configuration maps it to a Slack user under access.terminal."
            )
        return self.slack_user


@dataclass(frozen=True, kw_only=True)
class TerminalContext(Context):
    """Each commit says in the audit trail that it was asked for from a terminal, and by which user of the machine.

    `subjects`: what was written about, by the ids that people see ("scan-12", "inquiry-3").
    """

    person: Person
    subjects: list[str] = field(default_factory=list)

    @contextmanager
    def commit(self) -> Iterator[Database]:
        slack_user = self.person.require_slack_user()
        with Context.commit(self) as tx:
            before = audit.written_head(tx)
            yield tx
            written = dict.fromkeys(row.subject for row in audit.since(tx, before) if row.actor == slack_user)
            for subject in written:
                detail = {"from a terminal as": self.person.system_user}
                audit.append(tx, self.now, slack_user, subject, "asked from a terminal", detail)
            self.subjects.extend(written)


@dataclass(frozen=True, slots=True)
class Answer:
    reply: Reply
    subjects: tuple[str, ...]  # what was committed, by the ids that people see


def parse(name: str, words: Sequence[str], config: Configuration) -> Command:
    """As Slack's grammar reads it. Raises Refused."""
    parsed = grammar.parse(shlex.join([name, *words]), config)
    # The files of a record are for Slack's direct messages: whoever polls from a script would get them each time.
    return replace(parsed, record=False) if isinstance(parsed, Status) else parsed


def ask(asked: Command, person: Person, settings: Settings, config: Configuration, clock: Clock) -> Answer:
    """Run it on the database of the bot, which may be running. Raises Refused and StorageError."""
    actor = _actor(asked, person, settings, config, clock)
    with closing(open_store(settings, write=person.slack_user is not None)) as store:
        context = TerminalContext(
            config=config,
            store=store,
            clock=clock,
            directory=_directory(settings, config, clock),
            wake=lambda _sweep: None,  # the running bot's sweeps find the row at their next tick
            received=math.inf,  # nobody is told in the meantime that the request failed (I12)
            channel=_channel(asked, config),
            person=person,
        )
        if isinstance(asked, Cancel):
            _require_own(store, asked, person.require_slack_user())
        reply = command.run(asked, context, actor)
        while isinstance(reply, Approvals) and reply.more:
            following = command.run(ListApprovals(reply.page + 1), context, actor)
            if not isinstance(following, Approvals):
                break
            reply = replace(following, pending=(*reply.pending, *following.pending))
        return Answer(reply, tuple(context.subjects))


def open_store(settings: Settings, *, write: bool) -> Store:
    """The database as it is: neither made nor migrated. Raises Refused and StorageError."""
    path = settings.database_path
    if not path.exists():
        raise Refused(f"There is no database {path}; nothing was done. PATCHGATE_DATABASE names the running bot's.")
    return Store(path, existing=True) if write else Store(path, readonly=True)


def _actor(asked: Command, person: Person, settings: Settings, config: Configuration, clock: Clock) -> Actor:
    """With the role that the command needs, if Slack says now that they hold it (I4)."""
    if asked.role is None:
        return Actor(person.slack_user or "", frozenset())
    slack_user = person.require_slack_user()
    held = _holds(slack_user, asked.role, settings, config, clock)
    return Actor(slack_user, frozenset({asked.role}) if held else frozenset())


def _holds(slack_user: str, role: Role, settings: Settings, config: Configuration, clock: Clock) -> bool:
    if not settings.bot_token.get_secret_value():
        raise Refused(
            f"SLACK_BOT_TOKEN is not set, so Slack can't be asked who is {role}; nothing was done. "
            "Set it as it is for the running bot."
        )
    try:
        return slack_user in _directory(settings, config, clock).holders(role)
    except DirectoryError as error:
        raise Refused(f"{error} So nobody's rights are known, and nothing was done. Try again later.") from None


def _require_own(store: Store, asked: Cancel, slack_user: str) -> None:
    """What others asked for, and production, is stopped by a person who sees its message. Raises Refused."""
    kind, _, number = asked.ref.partition("-")
    run = runs.find(store.db, int(number)) if kind != "change" else None
    if run is not None and run.ref == asked.ref and (run.production or run.requested_by != slack_user):
        what = "It is production" if run.production else "Somebody else asked for it"
        raise Refused(
            f"{run.ref} is not cancelled from a terminal; nothing was done. {what}: its message in Slack has the "
            "button Cancel."
        )


def _directory(settings: Settings, config: Configuration, clock: Clock) -> SlackDirectory:
    return SlackDirectory(web_client(settings), config.access, clock)


def _channel(asked: Command, config: Configuration) -> str:
    """Where Slack shows an answer that comes later: the application's channel."""
    key = getattr(asked, "key", None)
    return config.channel_of(key.application) if isinstance(key, EnvironmentKey) else config.slack.channel
