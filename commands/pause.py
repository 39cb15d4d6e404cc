"""Pause and Continue: a run with several waves stops between two of them until somebody lets it go on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.replies import Done, Reply
from commands.run_control import open_run, ref_from
from commands.waves import Wave, last_begun, may_continue, may_pause, next_wave, seen, waves
from patching.config import Configuration
from patching.states import RunState
from storage import pauses, runs, steps
from storage.runs import Run

_WHO = "For those who may cancel it."


@dataclass(frozen=True, slots=True)
class Pause(Command):
    """A wave that has begun is finished, with its health and its verification."""

    name: ClassVar[str] = "pause"
    usage: ClassVar[str] = "RUN"
    summary: ClassVar[str] = "Begin no further wave of an Install until somebody continues it."
    detail: ClassVar[str] = (
        "RUN is an id such as install-13. The wave that has begun is finished and verified. The environment stays "
        f"locked meanwhile, and reminders come until somebody continues or cancels. {_WHO}"
    )

    ref: str

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        return cls(ref_from(words, cls))

    def perform(self, context: Context, actor: Actor) -> Reply:
        with context.commit() as tx:
            run = open_run(tx, self.ref, actor, "pause")
            if run.state is RunState.PAUSED:
                known = pauses.of_run(tx, run)
                by = ", by {person}" if known else ""
                raise Refused(f"{run.ref} is paused already{by}; nothing was done.", known.by if known else None)
            planned = steps.of_run(tx, run.id)
            found = waves(planned, seen(tx, planned))
            if not may_pause(run, found):
                raise Refused(_no_further_wave(run, found))
            runs.transition(tx, run, RunState.PAUSED, context.now, actor.user_id)
        context.wake("deliver")
        return Done(_paused(run, found))


@dataclass(frozen=True, slots=True)
class Continue(Command):
    """The next wave is judged as if there had been no pause: a production one on a scan of that moment (I3)."""

    name: ClassVar[str] = "continue"
    usage: ClassVar[str] = "RUN"
    summary: ClassVar[str] = "Let a paused run begin its next wave."
    detail: ClassVar[str] = (
        "RUN is an id such as install-13. In production the next wave's nodes are scanned again first, however short "
        f"the pause was. {_WHO}"
    )

    ref: str

    @classmethod
    def parse(cls, words: Sequence[str], config: Configuration) -> Self:
        return cls(ref_from(words, cls))

    def perform(self, context: Context, actor: Actor) -> Reply:
        with context.commit() as tx:
            run = open_run(tx, self.ref, actor, "continue")
            if not may_continue(run):
                raise Refused(f"{run.ref} is {run.state}, not paused, so it goes on as it is; nothing was done.")
            planned = steps.of_run(tx, run.id)
            found = waves(planned, seen(tx, planned))
            runs.transition(tx, run, RunState.RUNNING, context.now, actor.user_id)
        for sweep in ("dispatch", "deliver"):
            context.wake(sweep)
        following = next_wave(found)
        goes_on = f"{run.ref} goes on"
        return Done(f"{goes_on} with {_named(following)}." if following else f"{goes_on} to its end.")


def _no_further_wave(run: Run, found: Sequence[Wave]) -> str:
    if run.state is RunState.REQUESTED:
        return f"{run.ref} has not begun, so there is no wave to pause after; nothing was done. It can be cancelled."
    if len(found) < 2:
        return f"{run.ref} goes in one piece, without waves to pause between; nothing was done."
    return f"The last wave of {run.ref} has begun, so there is none to pause before; nothing was done."


def _paused(run: Run, found: Sequence[Wave]) -> str:
    begun = last_begun(found)
    if begun is None:
        return f"{run.ref} pauses before its first wave, until somebody continues it."
    if begun.ended:
        return f"{run.ref} is paused after {_named(begun)}, until somebody continues it."
    return (
        f"{run.ref} pauses after {_named(begun)}: that goes on to its end, and no further wave begins before "
        "somebody continues it."
    )


def _named(wave: Wave) -> str:
    return f"wave {wave.number} of {wave.of} ({wave.name})" if wave.name else f"wave {wave.number} of {wave.of}"
