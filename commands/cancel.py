"""`/patch cancel RUN` and the button Cancel: nothing more of a run is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.replies import Done, Reply
from commands.run_control import open_run, ref_from
from commands.waves import Reach, may_cancel, reach, seen
from patching.config import Configuration
from patching.model import Operation
from patching.phrases import counted
from patching.states import RunState
from storage import runs, steps
from storage.runs import Run

NOT_STOPPED = "a command that is with AWS is not stopped, for that could stop a package manager in the middle"


@dataclass(frozen=True, slots=True)
class Cancel(Command):
    """What was sent goes on to its end, and the run with it: an Install is never stopped half-way on a node."""

    name: ClassVar[str] = "cancel"
    usage: ClassVar[str] = "RUN"
    summary: ClassVar[str] = "Stop what a run has not begun; what has begun goes on to its end."
    detail: ClassVar[str] = (
        "RUN is an id such as install-13. Nothing more of it is sent; what was installed is still verified, and the "
        "message says which nodes have it and which were left alone. A Scan's commands are cancelled at AWS, an "
        "Install's never. For those who asked for it, and for operators; of a production Install for those who asked, "
        "approvers and admins. A change that installs nothing yet is withdrawn instead."
    )

    ref: str

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        return cls(ref_from(words, cls))

    def perform(self, context: Context, actor: Actor) -> Reply:
        with context.commit() as tx:
            run = open_run(tx, self.ref, actor, "cancel")
            planned = steps.of_run(tx, run.id)
            found = reach(planned, seen(tx, planned))
            if not may_cancel(run, planned):
                raise Refused(_nothing_left(run, found))
            asked = runs.cancel(tx, run, context.now, actor.user_id)
            if run.state is RunState.REQUESTED:
                runs.transition(
                    tx, asked, RunState.CANCELLED, context.now, actor.user_id, note="Nothing of it was sent."
                )
        for sweep in ("dispatch", "cancelling", "track", "finish", "changes", "deliver"):
            context.wake(sweep)
        return Done(_said(run, found))


def _nothing_left(run: Run, found: Reach) -> str:
    """Why there is nothing to stop; of an Install, for a Scan that has not ended always has something."""
    if found.queued or found.under_way:
        waiting = f", {len(found.queued)} of them not begun" if found.queued else ""
        nodes = counted(len(found.queued) + len(found.under_way), "node")
        return (
            f"All of {run.ref} is with AWS already, on its last {nodes}{waiting}, and {NOT_STOPPED}; nothing was done. "
            "It is followed to its end."
        )
    return f"Nothing of {run.ref} is left to be installed; nothing was done. It only looks at its nodes now."


def _said(run: Run, found: Reach) -> str:
    if run.state is RunState.REQUESTED:
        return f"{run.ref} is cancelled; nothing of it was sent."
    if run.operation is Operation.SCAN:
        return f"{run.ref} is being cancelled: nothing more of it is sent, and what was sent is cancelled at AWS."
    parts = [f"{run.ref} is being cancelled: nothing more of it is sent."]
    if found.ended:
        parts.append(f"It has ended on {counted(len(found.ended), 'node')}.")
    if found.under_way:
        parts.append(f"On {counted(len(found.under_way), 'node')} it is under way and goes on to its end.")
    if found.queued:
        parts.append(f"{counted(len(found.queued), 'node')} not begun will be patched too: {NOT_STOPPED}.")
    if found.untouched:
        parts.append(f"{counted(len(found.untouched), 'node')} will be left alone.")
    return " ".join(parts)
