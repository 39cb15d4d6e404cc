"""The forms of maintenance windows, submitted: an order and its message are committed, and a sweep carries it out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.replies import Accepted, Reply
from commands.requests import owe_card
from commands.window import check_right, still_open, window_of
from commands.window_fields import NAME, Fields, placed, spec_from
from patching.config import Environment
from patching.nodes import EnvironmentKey
from patching.window_spec import SpecProblems, WindowSpec, refusals
from storage import window_orders
from storage.window_orders import Action, FormUsed, OrderOpen, WindowOrder


@dataclass(frozen=True, slots=True)
class SaveWindow(Command):
    """The form to make or edit a window, filled in. Everything that is wrong is said at once, under its inputs."""

    name: ClassVar[str] = "save-window"
    summary: ClassVar[str] = "Make a maintenance window, or give one other settings."
    in_slash: ClassVar[bool] = False

    key: EnvironmentKey
    fields: Fields
    form: str  # which form was filled in: it counts once
    window_id: str = ""  # empty: a new one
    base: WindowSpec | None = None  # what its settings were when it was read

    def perform(self, context: Context, actor: Actor) -> Reply:
        environment = _environment(context, self.key)
        db, config = context.store.db, context.config
        window = window_of(db, config, self.key, context.now, self.window_id) if self.window_id else None
        check_right(db, config, actor.roles, self.key, window)
        spec = self._spec(environment)
        if self.base == spec:
            raise Refused("Nothing differs from its settings; nothing was done. Change something, or close the form.")
        order = _order(
            context,
            actor,
            self.form,
            action=Action.EDIT if window else Action.CREATE,
            key=self.key,
            spec=spec,
            window_id=window.id if window else None,
            window_name=window.name if window else "",
        )
        return _accepted(order)

    def _spec(self, environment: Environment) -> WindowSpec:
        """Raises Refused with all that is wrong."""
        problems: Mapping[str, str]
        try:
            spec = spec_from(self.fields, self.base)
            problems = refusals(spec, environment)
        except SpecProblems as found:
            problems = found.problems
        if problems:
            by_input = placed(problems, self.fields)
            raise Refused(" ".join(by_input.values()), fields=by_input)
        return spec


@dataclass(frozen=True, slots=True)
class ChangeWindow(Command):
    """A window disabled, enabled or deleted, once somebody has read what that means."""

    name: ClassVar[str] = "change-window"
    summary: ClassVar[str] = "Disable, enable or delete a maintenance window."
    in_slash: ClassVar[bool] = False

    action: Action
    key: EnvironmentKey
    window_id: str
    form: str  # which form was submitted: it counts once
    typed: str = ""  # the window's name, typed to delete it

    def perform(self, context: Context, actor: Actor) -> Reply:
        _environment(context, self.key)
        db, config = context.store.db, context.config
        window = window_of(db, config, self.key, context.now, self.window_id)
        check_right(db, config, actor.roles, self.key, window)
        if self.action is Action.DELETE and self.typed.strip() != window.name:
            raise Refused(f"That is not {window.name}; type its name to delete it.", field=NAME)
        order = _order(
            context,
            actor,
            self.form,
            action=self.action,
            key=self.key,
            window_id=window.id,
            window_name=window.name,
        )
        return _accepted(order)


def _environment(context: Context, key: EnvironmentKey) -> Environment:
    found = context.config.environment(key)
    if found is None:
        raise Refused(f"{key} is no longer in the configuration; nothing was done.")
    return found


def _order(context: Context, actor: Actor, form: str, **asked: Any) -> WindowOrder:
    """Committed with its message in the application's channel (I1, I7). Raises Refused."""
    try:
        with context.commit() as tx:
            order = window_orders.create(tx, context.now, requested_by=actor.user_id, form=form, **asked)
            owe_card(tx, context.now, context.config, order.subject, order.key.application)
    except FormUsed as used:
        raise Refused(f"This form was sent already, as {used.order.ref}; nothing more was done.") from None
    except OrderOpen as taken:
        raise Refused(still_open(taken.order), taken.order.requested_by) from None
    for sweep in ("window-orders", "deliver"):
        context.wake(sweep)
    return order


def _accepted(order: WindowOrder) -> Accepted:
    what = f"to {order.action} {order.window_name} of {order.key}"
    return Accepted(order.ref, order.subject, f"{order.ref} is recorded: {what}. Its message says how it ends.")
