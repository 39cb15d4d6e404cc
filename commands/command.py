"""What a command is: one object for every way to ask, its file holding its grammar, rights, help and effect."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from sqlite_utils import Database

from commands.errors import Refused, TooLate
from commands.ports import Clock, Directory, Jobs, Role, Wake
from commands.replies import Reply
from patching.config import Configuration
from storage.database import Store

ACK_DEADLINE = 2.5  # seconds; Slack gives up after 3, and its clock started earlier (facts/slack.md section "Time")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a Slack user with the roles that the directory knew when the request came in."""

    user_id: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Context:
    """What a command works with. `received` is `clock.monotonic()` at the socket or the HTTP server (I12)."""

    config: Configuration
    store: Store
    clock: Clock
    directory: Directory
    wake: Wake
    received: float
    channel: str
    jobs: Jobs | None = None  # None: asked for outside the running bot

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @contextmanager
    def commit(self) -> Iterator[Database]:
        """A transaction that refuses to begin or to commit once the person was told that the request failed (I12)."""
        self.check_in_time()
        with self.store.transaction(before_commit=self.check_in_time) as tx:
            yield tx

    def check_in_time(self) -> None:
        if self.clock.monotonic() - self.received > ACK_DEADLINE:
            raise TooLate


class Command(ABC):
    """A request, parsed and typed. Subclasses are frozen dataclasses; the registry finds them by their modules."""

    name: ClassVar[str]
    usage: ClassVar[str] = ""
    summary: ClassVar[str]
    detail: ClassVar[str] = ""
    role: ClassVar[Role | None] = None
    in_slash: ClassVar[bool] = True  # also a subcommand of /patch
    deferred: ClassVar[bool] = False  # reads so much that the answer follows the ack

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        """From the words after the subcommand. Raises Refused; so does a command that only a button asks for."""
        raise Refused(f"{cls.name} is asked for with a button; nothing was done.")

    @abstractmethod
    def perform(self, context: Context, actor: Actor) -> Reply:
        """Check rights and state, commit, answer. Raises Refused; waits for nobody."""


def run(command: Command, context: Context, actor: Actor) -> Reply:
    """The one way in: rights first (I4), then the command."""
    context.check_in_time()
    if command.role:
        require(command.role, actor, command.name)
    return command.perform(context, actor)


def require(role: Role, actor: Actor, what: str) -> None:
    """Raises Refused where the actor has not the role; for a command whose right depends on what is asked of it."""
    if role not in actor.roles:
        raise Refused(
            f"{what} needs the {role} role, which you don't have; nothing was done. "
            "Ask somebody who has it, or an admin of Patchgate's configuration."
        )


def expect(words: Sequence[str], count: int, command: type[Command]) -> None:
    """Exactly `count` words, or a refusal that shows the usage."""
    if len(words) != count:
        problem = "is missing something" if len(words) < count else "has words too many"
        raise Refused(
            f"`/patch {command.name}` {problem}; nothing was done. Usage: `/patch {command.name} {command.usage}`."
        )
