"""The button Ask again: what a change asked for, anew and in the same lane."""

from dataclasses import dataclass
from typing import ClassVar

from commands import grammar
from commands.command import Actor, Command, Context, run
from commands.errors import Refused
from commands.install import Install, InstallPart
from commands.ports import Role
from commands.replies import Accepted, Reply
from commands.requests import open_change
from patching.phrases import listed
from storage import changes
from storage.changes import Change


@dataclass(frozen=True, slots=True)
class AskAgain(Command):
    """An emergency, or a change with waivers, is asked for again by an admin, for the reasons that stand in it.

    Any other change is asked for as `Install` and `InstallPart` are, with their rights.
    """

    name: ClassVar[str] = "ask-again"
    summary: ClassVar[str] = "Ask anew for what a change asked for."
    in_slash: ClassVar[bool] = False

    change_id: int

    def perform(self, context: Context, actor: Actor) -> Reply:
        change = changes.find(context.store.db, self.change_id)
        if change is None:
            raise Refused("That change is not known here; nothing was done.")
        key = grammar.environment(change.application, change.environment, context.config)
        if not change.emergency and not change.waivers:
            at_window = change.timing == "window"
            again = InstallPart(key, at_window) if change.part else Install(key, at_window)
            return run(again, context, actor)
        if Role.ADMIN not in actor.roles:
            raise Refused(_not_an_admin(change))
        waivable = context.config.policy_of(change.application).waivable
        waivers = {check: reason for check, reason in change.waivers.items() if check in waivable}
        dropped = listed(change.waivers.keys() - waivers.keys())
        if not change.emergency and not waivers:
            raise Refused(
                f"The policy of {change.application} no longer lets {dropped} be waived; nothing was done. "
                f"Ask the ordinary way: {_ordinary(change)}."
            )
        opened = open_change(
            context,
            actor,
            key,
            part=change.part,
            emergency=change.emergency,
            waivers=waivers,
            follows=change,
            timing=change.timing,
        )
        lane = " as an emergency, for the same reason" if change.emergency else ""
        waived = f" with {listed(waivers)} waived" if waivers else ""
        lost = f" The policy no longer lets {dropped} be waived." if dropped else ""
        return Accepted(
            opened.ref,
            opened.subject,
            f"{opened.ref} asks again for {change.ref}{lane}{waived}, as everybody sees.{lost} "
            "Nothing is installed before others approve.",
        )


def _not_an_admin(change: Change) -> str:
    if change.emergency:
        return (
            f"{change.ref} is an emergency, which only an admin asks for again; nothing was done. Have an admin click "
            f"Ask again or type `/patch emergency {change.application} {change.environment} REASON`, or ask the "
            f"ordinary way: {_ordinary(change)}."
        )
    return (
        f"{change.ref} has {listed(change.waivers)} waived, so only an admin asks for it again; nothing was "
        f"done. Have an admin click Ask again, or ask the ordinary way: {_ordinary(change)}."
    )


def _ordinary(change: Change) -> str:
    return f"`/patch install {change.application} {change.environment}`"
