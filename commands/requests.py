"""Committing what was asked for: a run, or a change for production, each with its card and audit row (I1, I6, I7)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlite_utils import Database

from commands.command import Actor, Context
from commands.errors import Refused
from patching.config import Configuration
from patching.model import Operation
from patching.nodes import EnvironmentKey
from patching.states import ChangeState
from storage import changes, outbox, runs
from storage.changes import Change, ChangeOpen
from storage.outbox import Medium
from storage.runs import EnvironmentBusy, Purpose, Run

_ASKED_AGAIN: Final = frozenset({ChangeState.BLOCKED, ChangeState.SUPERSEDED})


def request_run(context: Context, actor: Actor, key: EnvironmentKey, operation: Operation) -> Run:
    """A run that somebody asked for. Raises Refused while the environment has an open one."""
    production = context.config.applications[key.application].environments[key.environment].production
    if production and operation is Operation.INSTALL:
        raise Refused("Production is installed through a change only; nothing was done.")
    try:
        with context.commit() as tx:
            run = runs.create(
                tx,
                context.now,
                operation=operation,
                application=key.application,
                environment=key.environment,
                production=production,
                purpose=Purpose.REQUEST,
                requested_by=actor.user_id,
            )
            owe_card(tx, context.now, context.config, run.subject, run.application)
    except EnvironmentBusy as busy:
        raise Refused(
            f"{busy.run.ref} is still {busy.run.state} on {key.application} {key.environment}; nothing was done. "
            f"Ask again when it has ended: `/patch status {busy.run.ref}`."
        ) from None
    context.wake("plan")
    context.wake("deliver")
    return run


def open_change(
    context: Context,
    actor: Actor,
    key: EnvironmentKey,
    *,
    part: bool = False,
    emergency: str = "",
    waivers: Mapping[str, str] | None = None,
    follows: Change | None = None,
    timing: str = "now",
) -> Change:
    """A request for production. One that follows a blocked or superseded request carries its requesters on (I4).

    `part`: only what is proven and has soaked. `emergency`: why the emergency lane. `waivers`: check → reason.
    `follows`: the request whose reasons these are; nothing else may have followed it. `timing`: "now", or "window"
    for the next maintenance window, which the policy may ask of all but emergencies. Raises Refused.
    """
    application = context.config.applications[key.application]
    if not application.environments[key.environment].production:
        raise Refused(
            f"{key.environment} of {key.application} is not production; nothing was done. "
            f"Install there as always: `/patch install {key.application} {key.environment}`."
        )
    if context.config.policy_of(key.application).window == "required" and not emergency:
        timing = "window"
    try:
        with context.commit() as tx:
            before = changes.newest(tx, key.application, key.environment)
            supersedes = before if before and before.state in _ASKED_AGAIN else None
            if follows and (supersedes is None or supersedes.id != follows.id):
                raise Refused(_not_the_last(follows, before))
            change = changes.create(
                tx,
                context.now,
                application=key.application,
                environment=key.environment,
                source=application.source_of(key.environment),
                requested_by=actor.user_id,
                configuration=context.config.version,
                supersedes=supersedes,
                part=part,
                emergency=emergency,
                waivers=waivers,
                timing=timing,
                rights=actor.roles,
            )
            if supersedes and supersedes.state is ChangeState.BLOCKED:
                changes.transition(
                    tx,
                    supersedes,
                    ChangeState.SUPERSEDED,
                    context.now,
                    actor.user_id,
                    note=f"Asked again: {change.ref}",
                )
            elif supersedes:
                outbox.touch(tx, supersedes.subject)
            owe_card(tx, context.now, context.config, change.subject, change.application)
    except ChangeOpen as taken:
        raise Refused(
            f"{taken.change.ref} is still {taken.change.state} for {key.application} {key.environment}; "
            f"nothing was done. See `/patch status {taken.change.ref}`."
        ) from None
    context.wake("changes")
    context.wake("deliver")
    return change


def _not_the_last(change: Change, newest: Change | None) -> str:
    now = newest or change
    what = f"is {now.state}" if now.id == change.id else f"was followed by {now.ref}"
    return (
        f"{change.ref} {what}, so it can't be asked for again as it was; nothing was done. "
        f"See `/patch status {now.ref}`."
    )


def owe_card(tx: Database, now: datetime, config: Configuration, subject: str, application: str) -> None:
    """The subject's one message in its application's channel, re-rendered whenever the subject moves."""
    kind = f"{subject.partition(':')[0]}-card"
    channel = config.channel_of(application)
    outbox.owe(tx, now, key=f"{subject}:card", kind=kind, medium=Medium.CHANNEL, recipient=channel, subject=subject)
