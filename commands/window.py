"""`/patch window …`: the form in which a maintenance window is made, edited, or changed after a question."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Self

from sqlite_utils import Database

from commands import grammar
from commands.agenda import AgendaUnknown, seen, windows_of
from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.ports import Role
from commands.replies import Done, OpenForm, Reply
from patching import durations
from patching.config import Configuration
from patching.nodes import EnvironmentKey
from patching.phrases import listed
from patching.planned import PlannedWindow
from storage import environment_readings, inquiries, window_orders
from storage.window_orders import Action

READS: Final = "window"
"""The kind of inquiry that reads a window's settings, so that they can be edited."""


@dataclass(frozen=True, slots=True)
class AskWindow(Command):
    """Nothing is ordered by this: it opens the form, or has the settings read for one."""

    name: ClassVar[str] = "window"
    usage: ClassVar[str] = "ACTION APP ENV [WINDOW]"
    summary: ClassVar[str] = "Create, edit, disable, enable or delete a maintenance window, in a form."
    detail: ClassVar[str] = (
        f"ACTION is {', '.join(Action)}. For operators; on production for admins, and there a window may only scan: "
        "production installs go through the gate. WINDOW is the id or the name of one where the environment has "
        "several. A window that is made or changed says so in the application's channel, with its next executions as "
        "AWS tells them."
    )

    action: Action
    key: EnvironmentKey
    which: str = ""  # id or name; empty: the only one

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        action = words[0].lower() if words else ""
        if action not in list(Action):
            raise Refused(
                f"`/patch window` takes one of {', '.join(Action)}; nothing was done. "
                f"Usage: `/patch window {cls.usage}`."
            )
        most = 3 if action == Action.CREATE else 4
        if not 3 <= len(words) <= most:
            problem = "is missing something" if len(words) < 3 else "has words too many"
            usage = f"{action} APP ENV{'' if action == Action.CREATE else ' [WINDOW]'}"
            raise Refused(f"`/patch window {action}` {problem}; nothing was done. Usage: `/patch window {usage}`.")
        return cls(Action(action), grammar.environment(words[1], words[2], config), "".join(words[3:]))

    def perform(self, context: Context, actor: Actor) -> Reply:
        if self.action is Action.CREATE:
            check_right(context.store.db, context.config, actor.roles, self.key)
            _no_open_order(context.store.db, self.key)
            return OpenForm(self.action, self.key)
        window = self._window(context)
        check_right(context.store.db, context.config, actor.roles, self.key, window)
        _no_open_order(context.store.db, self.key)
        if self.action is not Action.EDIT:
            return OpenForm(self.action, self.key, window.id)
        with context.commit() as tx:
            inquiries.ask(tx, context.now, READS, self.key, actor.user_id, context.channel, about=window.id)
        context.wake("inquiries")
        return Done(f"The settings of {window.name} ({window.id}) are being read; a button to edit them comes here.")

    def _window(self, context: Context) -> PlannedWindow:
        """The one that is meant. Raises Refused."""
        found = environment_windows(context.store.db, context.config, self.key, context.now)
        if not found:
            raise Refused(
                f"AWS has no maintenance window for nodes of {self.key}{self._as_read(context)}; nothing was done. "
                f"Make one: `/patch window create {self.key}`."
            )
        meant = [each for each in found if self.which in (each.id, each.name)] if self.which else found
        if len(meant) == 1:
            return meant[0]
        choice = listed([f"{each.id} ({each.name})" for each in (meant or found)[:10]])
        problem = (
            f"{self.key} has {len(meant)} windows" + (f" of the name {grammar.show(self.which)}" if self.which else "")
            if meant
            else f"{self.key} has no window {grammar.show(self.which)}{self._as_read(context)}"
        )
        raise Refused(f"{problem}; nothing was done. Say which one by its id: {choice}.")

    def _as_read(self, context: Context) -> str:
        """One that was made a moment ago may not be known yet."""
        known = seen(context.store.db, context.config, self.key)
        return f", as read {durations.words(context.now - known.read_at)} ago" if known and known.read_at else ""


def environment_windows(
    db: Database, config: Configuration, key: EnvironmentKey, now: datetime
) -> tuple[PlannedWindow, ...]:
    """All that reach one of its nodes, disabled ones too, as they were last read. Raises Refused."""
    try:
        return windows_of(db, config, key, now)
    except AgendaUnknown as unknown:
        raise Refused(f"{unknown} So nothing was done; they are read every five minutes.") from None


def window_of(db: Database, config: Configuration, key: EnvironmentKey, now: datetime, window_id: str) -> PlannedWindow:
    """Raises Refused for one that is none of the environment's any more."""
    for window in environment_windows(db, config, key, now):
        if window.id == window_id:
            return window
    raise Refused(
        f"{window_id} is no window of {key} any more; nothing was done. `/patch windows {key.application}` shows them."
    )


def check_right(
    db: Database,
    config: Configuration,
    roles: frozenset[Role],
    key: EnvironmentKey,
    window: PlannedWindow | None = None,
) -> None:
    """Operators; admins where production is concerned, in the environment or on any node of the window.

    Raises Refused.
    """
    what = "Making or changing a window"
    needed = Role.OPERATOR
    if config.environments()[key].production:
        what, needed = f"{what} of production", Role.ADMIN
    elif window and _reaches_production(db, config, key, window):
        what, needed = f"Changing {window.name}, which reaches production nodes too,", Role.ADMIN
    if needed not in roles:
        raise Refused(
            f"{what} needs the {needed} role, which you don't have; nothing was done. "
            "Ask somebody who has it, or an admin of Patchgate's configuration."
        )


def _reaches_production(db: Database, config: Configuration, key: EnvironmentKey, window: PlannedWindow) -> bool:
    """True too where nobody has read which nodes a production environment of that account and Region has."""
    environments = config.environments()
    here = environments[key]
    for other, environment in environments.items():
        if environment.production and (environment.account, environment.region) == (here.account, here.region):
            read_at, nodes = environment_readings.of_environment(db, *other)
            if read_at is None or window.concerns({node.id: node.tags for node in nodes}):
                return True
    return False


def _no_open_order(db: Database, key: EnvironmentKey) -> None:
    """So that nobody fills in a form in vain. Raises Refused."""
    order = window_orders.open_of(db, key)
    if order is not None:
        raise Refused(still_open(order), order.requested_by)


def still_open(order: window_orders.WindowOrder) -> str:
    return (
        f"{order.ref}, asked for by {{person}}, to {order.action} {order.window_name} of {order.key}, has not ended "
        "yet; nothing was done. Ask again when its message says how it ended."
    )
