"""The order in which a run's steps are sent, and what must not follow after something went wrong.

A stage is a wave's steps of one kind and one document. The next stage begins when every step of the one before has
ended; within a stage steps are under way together, Installs as far as the wave's rate lets them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from patching.phrases import counted
from patching.plan import StepKind
from patching.states import StepState

_AFTER_AN_INSTALL = frozenset({StepKind.INSTALL, StepKind.HEALTH, StepKind.VERIFY})


@dataclass(frozen=True, slots=True)
class Progress:
    """What of a step decides about the others."""

    position: int
    kind: StepKind
    wave: int
    document: str
    state: StepState
    node_ids: frozenset[str]
    sent: bool  # it began, or may have
    failed: frozenset[str] = field(default_factory=frozenset)  # nodes that have ended and did not succeed
    at_once: int = 0  # of an Install: how many nodes of its wave may be under way together …
    errors: int = 0  # … how many of them may fail
    concurrency: int = 0  # … and how many of its own are under way together


def next_to_send(steps: Sequence[Progress], *, paused: bool = False) -> int | None:
    """Position of the planned step whose turn it is; None while others must end first, or nothing is left.

    `steps` in order of position, of which none is `fallen`. While `paused` no further wave begins. While nobody knows
    whether a step was sent, no Install begins beside it: what went wrong there may go wrong here.
    """
    for _, stage in groupby(steps, key=lambda step: (step.wave, step.kind, step.document)):
        members = list(stage)
        if all(step.state.ended for step in members):
            continue
        first = next((step for step in members if step.state is StepState.PLANNED), None)
        if first is None or (paused and not begun(steps, first.wave)):
            return None
        if first.kind is StepKind.INSTALL and not _may_begin_beside(first, members):
            return None
        return first.position
    return None


def fallen(steps: Sequence[Progress], *, cancelled: str = "") -> Mapping[int, str]:
    """Position of each planned step that must not be sent any more → why, as a sentence.

    `cancelled`: the sentence to give where people want nothing more to be sent. The verification of what was installed
    always goes on: without it nobody knows what is on the nodes (I8).
    """
    nothing = cancelled or _before_all(steps)
    waves = sorted({step.wave for step in steps if step.wave > 0})
    stopped = next(((wave, why) for wave in waves if (why := _wave_failed(steps, wave))), None)
    reasons = {}
    for step in steps:
        why = nothing or (stopped[1] if stopped and step.wave >= stopped[0] else "")
        if why and step.state is StepState.PLANNED and not _verifies_an_install(step, steps):
            reasons[step.position] = why
    return reasons


def failed_in_wave(steps: Sequence[Progress], wave: int) -> frozenset[str]:
    """Nodes of the wave that did not succeed in an Install or after it."""
    after = [step for step in steps if step.wave == wave and step.kind in _AFTER_AN_INSTALL]
    return frozenset(node_id for step in after for node_id in step.failed)


def begun(steps: Sequence[Progress], wave: int) -> bool:
    return any(step.wave == wave and step.state is not StepState.PLANNED for step in steps)


def _may_begin_beside(install: Progress, batches: Sequence[Progress]) -> bool:
    if any(step.state is StepState.UNKNOWN for step in batches):
        return False
    under_way = sum(step.concurrency for step in batches if step.sent and not step.state.ended)
    return under_way + install.concurrency <= install.at_once


def _before_all(steps: Sequence[Progress]) -> str:
    """Why nothing at all may be installed; empty where nothing speaks against it."""
    if not any(step.kind is StepKind.INSTALL for step in steps):
        return ""
    failed = [step for step in steps if step.state is StepState.FAILED]
    if any(step.kind is StepKind.BACKUP for step in failed):
        return "A backup failed, so nothing was installed."
    # What some node failed to show before only makes it harder to tell what the Install changed.
    if any(step.kind is StepKind.SCAN and not step.sent for step in failed):
        return "The scan before it was not sent, so neither was this."
    return ""


def _wave_failed(steps: Sequence[Progress], wave: int) -> str:
    """Why nothing more of this wave, and no later one, is begun; empty while all is well."""
    members = [step for step in steps if step.wave == wave]
    failed = [step for step in members if step.state is StepState.FAILED]
    if any(step.kind is StepKind.GATE for step in failed):
        return f"Wave {wave} was not let through, so its nodes and those after it were left alone."
    if any(step.kind is StepKind.INSTALL and not step.sent for step in failed):
        return "An earlier batch was not sent, so neither was this."
    if any(step.kind is StepKind.HEALTH and not (step.sent and step.node_ids) for step in failed):
        return f"Wave {wave} was not well afterwards, so nothing further was begun."
    if any(step.kind is StepKind.VERIFY and not step.sent for step in failed):
        return f"Wave {wave} could not be verified, so nothing further was begun."
    away = failed_in_wave(steps, wave)
    allowed = max((step.errors for step in members), default=0)
    if len(away) > allowed:
        return f"{counted(len(away), 'node')} failed in wave {wave}, so nothing further was begun."
    return ""


def _verifies_an_install(step: Progress, steps: Sequence[Progress]) -> bool:
    return step.kind is StepKind.VERIFY and any(
        other.kind is StepKind.INSTALL and other.sent and other.wave == step.wave and other.node_ids & step.node_ids
        for other in steps
    )
