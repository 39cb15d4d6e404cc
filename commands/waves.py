"""How far a run's waves have come, and what of it can still be stopped: read from its steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlite_utils import Database

from patching.model import Operation
from patching.plan import StepKind
from patching.states import RunState, StepState
from storage import invocations, pauses
from storage.invocations import Invocation
from storage.runs import Run
from storage.steps import Step

_STOPPABLE = frozenset({RunState.REQUESTED, RunState.RUNNING, RunState.PAUSED})

Seen = Mapping[str, Mapping[str, Invocation]]
"""Step id → node id → its invocation as last seen."""


@dataclass(frozen=True, slots=True)
class Wave:
    number: int  # from 1
    of: int  # how many there are
    name: str  # "canary", "Role=replica"
    nodes: int
    finished: int  # nodes on which the Install has ended, whatever came of it
    begun: bool  # something of it was sent or tried, or is not to be sent any more
    ended: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """How far an Install has come on its nodes, by id; each node in one of them."""

    ended: tuple[str, ...] = ()  # whatever came of it
    under_way: tuple[str, ...] = ()
    queued: tuple[str, ...] = ()  # in a command that is with AWS, or may be, and not begun
    untouched: tuple[str, ...] = ()  # in no command


NO_REACH: Final = Reach()


@dataclass(frozen=True, slots=True)
class Paused:
    by: str
    since: datetime | None  # when nothing of the run was under way any more; None while something is
    pause: int  # the pause's id


def seen(db: Database, planned: Sequence[Step]) -> Seen:
    return {step.id: invocations.of_step(db, step.id) for step in planned}


def waves(planned: Sequence[Step], known: Seen) -> tuple[Wave, ...]:
    """An Install's waves in order; none of a Scan."""
    installs = [step for step in planned if step.kind is StepKind.INSTALL]
    numbers = sorted({step.wave for step in installs})
    found = []
    for number in numbers:
        members = [step for step in planned if step.wave == number]
        mine = [step for step in installs if step.wave == number]
        outcomes = [found.outcome for step in mine for found in known.get(step.id, {}).values()]
        found.append(
            Wave(
                number=number,
                of=len(numbers),
                name=str(mine[0].settings.get("wave_name", "")),
                nodes=sum(len(step.node_ids) for step in mine),
                finished=sum(outcome is not None for outcome in outcomes),
                begun=any(step.state is not StepState.PLANNED for step in members),
                ended=all(step.state.ended for step in members),
            )
        )
    return tuple(found)


def reach(planned: Sequence[Step], known: Seen) -> Reach:
    ended, under_way, queued, untouched = [], [], [], []
    for step in planned:
        if step.kind is not StepKind.INSTALL:
            continue
        for node_id in step.node_ids:
            found = known.get(step.id, {}).get(node_id)
            if step.sending_at is None:
                untouched.append(node_id)
            elif step.state.ended or (found and found.outcome is not None):
                ended.append(node_id)
            elif found and found.status not in {"", "Pending", "Delayed"}:
                under_way.append(node_id)
            else:
                queued.append(node_id)
    return Reach(tuple(ended), tuple(under_way), tuple(queued), tuple(untouched))


def may_cancel(run: Run, planned: Sequence[Step]) -> bool:
    """Whether there is something left to stop.

    Of an Install that is what is not sent yet; a Scan's commands can be cancelled at AWS, for they change nothing.
    """
    if run.cancelled_at is not None or run.state not in _STOPPABLE:
        return False
    if run.state is RunState.REQUESTED:
        return True
    if run.operation is Operation.SCAN:
        return any(not step.state.ended for step in planned)
    return any(step.kind is StepKind.INSTALL and step.state is StepState.PLANNED for step in planned)


def may_pause(run: Run, found: Sequence[Wave]) -> bool:
    """Whether there is a wave to pause before."""
    return run.state is RunState.RUNNING and run.cancelled_at is None and any(not wave.begun for wave in found[1:])


def may_continue(run: Run) -> bool:
    return run.state is RunState.PAUSED and run.cancelled_at is None


def last_begun(found: Sequence[Wave]) -> Wave | None:
    return next((wave for wave in reversed(found) if wave.begun), None)


def next_wave(found: Sequence[Wave]) -> Wave | None:
    return next((wave for wave in found if not wave.begun), None)


def paused(db: Database, run: Run, planned: Sequence[Step]) -> Paused | None:
    """The pause that a run stands in; it begins when the wave that had begun has come to its end."""
    known = pauses.of_run(db, run)
    if known is None:
        return None
    begun = {step.wave for step in planned if step.state is not StepState.PLANNED}
    mine = [step for step in planned if step.wave in begun]
    if not all(step.state.ended for step in mine):
        return Paused(known.by, None, known.id)
    return Paused(known.by, max([known.at, *(step.ended_at for step in mine if step.ended_at)]), known.id)
