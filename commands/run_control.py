"""What stopping, pausing and continuing a run have in common: which run is meant, and who may."""

import re
from collections.abc import Sequence

from sqlite_utils import Database

from commands import grammar
from commands.command import Actor, Command, expect
from commands.errors import Refused
from commands.ports import Role
from commands.withdraw import OPEN as WITHDRAWABLE
from patching.model import Operation
from patching.states import ChangeState, RunState
from storage import changes, runs
from storage.runs import Purpose, Run

_REF = re.compile(r"(scan|install|change)-[0-9]{1,9}", re.ASCII)


def ref_from(words: Sequence[str], command: type[Command]) -> str:
    """The one id of a run, or of a change, for which the refusal comes with the way. Raises Refused."""
    expect(words, 1, command)
    ref = words[0].lower()
    if not _REF.fullmatch(ref):
        raise Refused(
            f"{grammar.show(words[0])} is not a run; nothing was done. Ids of runs look like scan-12, install-13."
        )
    return ref


def open_run(tx: Database, ref: str, actor: Actor, verb: str) -> Run:
    """The run that goes on and that the actor may `verb` ("cancel"). Raises Refused."""
    kind, _, number = ref.partition("-")
    if kind == "change":
        raise _not_a_run(tx, int(number), verb)
    run = runs.find(tx, int(number))
    if run is None or run.ref != ref:
        raise Refused(f"There is no {ref}; nothing was done. `/patch status` lists what there is.")
    _require_right(tx, run, actor, verb)
    if run.state.ended:
        raise _ended(run, verb)
    if run.cancelled_at is not None and run.cancelled_by is not None:
        raise Refused(
            f"{run.ref} is being cancelled already, by {{person}}; nothing was done. It ends when what was sent has "
            "come to its end.",
            run.cancelled_by,
        )
    if run.state is RunState.NEEDS_HUMAN:
        raise Refused(
            f"{run.ref} needs a person, and sends nothing until then; nothing was done. First an admin settles its "
            f"doubt, with It ran or It did not in its message: `/patch status {run.ref}`."
        )
    return run


def _require_right(tx: Database, run: Run, actor: Actor, verb: str) -> None:
    """Who asked for it may. So may whoever could ask for it; of a production Install those who decide about it."""
    asked = {run.requested_by}
    change = changes.find(tx, run.change_id) if run.change_id else None
    if change:
        asked |= set(change.requesters)
    decided = run.production and run.operation is Operation.INSTALL
    able = {Role.APPROVER, Role.ADMIN} if decided else {Role.OPERATOR}
    if actor.user_id not in asked and not able & actor.roles:
        others = "approvers and admins" if decided else "operators"
        raise Refused(f"Only those who asked for {run.ref}, and {others}, can {verb} it; nothing was done.")


def _ended(run: Run, verb: str) -> Refused:
    if run.state is RunState.CANCELLED and run.cancelled_by is not None:
        return Refused(
            f"{run.ref} was cancelled already, by {{person}}; nothing was done. `/patch status {run.ref}` shows what "
            "ran and what did not.",
            run.cancelled_by,
        )
    return Refused(f"{run.ref} has ended as {run.state}, so there is nothing to {verb}; nothing was done.")


def _not_a_run(tx: Database, number: int, verb: str) -> Refused:
    change = changes.find(tx, number)
    if change is None:
        return Refused(f"There is no change-{number}; nothing was done. `/patch status` lists what there is.")
    installs = runs.of_change(tx, change.id, Purpose.CHANGE)
    if change.state is ChangeState.USED and installs:
        ref = installs[-1].ref
        return Refused(
            f"{change.ref} is installing, which is a run of its own; nothing was done. For that: `/patch {verb} {ref}`."
        )
    if change.state in WITHDRAWABLE:
        return Refused(
            f"{change.ref} has installed nothing yet, so there is nothing to {verb}; nothing was done. Those who asked "
            f"for it take it back with Withdraw in its message: `/patch status {change.ref}`."
        )
    return Refused(f"{change.ref} is {change.state}, so there is nothing to {verb}; nothing was done.")
