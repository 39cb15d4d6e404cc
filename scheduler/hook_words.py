"""What a node is told to have failed of where its Install ran hooks: which step, what that means, and what it said."""

from collections.abc import Sequence
from dataclasses import replace

from aws.errors import AwsError, Throttled
from aws.target import Target
from patching.hooks import StepEnd, hook_failure
from patching.outcomes import NodeOutcome
from scheduler.parts import Parts
from storage.invocations import Invocation
from storage.steps import Step

_UNWELL = frozenset({NodeOutcome.FAILED, NodeOutcome.TIMED_OUT, NodeOutcome.CANCELLED})


def in_words(
    parts: Parts, target: Target, step: Step, command_id: str | None, records: Sequence[Invocation]
) -> list[Invocation]:
    """The same records; the notes of nodes that ended badly say it by the steps of the document with hooks.

    Costs a call where a node has ended badly, and none otherwise. Raises Throttled; where AWS does not tell for
    another reason the notes stay as they are, for a node's end matters more than words about it.
    """
    hooks = {parameter: str(hook["name"]) for parameter, hook in step.settings.get("hooks", {}).items()}
    if command_id is None or not hooks or not any(record.outcome in _UNWELL for record in records):
        return list(records)
    try:
        ends = parts.patch_manager.step_ends(target, command_id)
    except Throttled:
        raise
    except AwsError:
        return list(records)
    return [_reworded(record, ends.get(record.node_id, ()), hooks) for record in records]


def _reworded(record: Invocation, ends: Sequence[StepEnd], hooks: dict[str, str]) -> Invocation:
    words = hook_failure(ends, hooks) if record.outcome in _UNWELL else ""
    if not words:
        return record
    told_by_step = record.outcome is not NodeOutcome.CANCELLED and any(
        end.status in {"Failed", "TimedOut"} for end in ends
    )
    return replace(record, note=words if told_by_step else f"{words} {record.note}")
