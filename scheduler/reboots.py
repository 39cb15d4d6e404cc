"""After an Install: its nodes come back from their reboots before anything else is sent to them."""

from datetime import timedelta
from typing import Final

from aws.errors import AwsError
from aws.target import Target
from patching.absence import is_online
from patching.durations import words
from patching.phrases import listed
from patching.plan import StepKind
from scheduler import away
from scheduler.parts import Parts
from storage import absences, invocations, steps
from storage.runs import Run
from storage.steps import Step

LOOK_EVERY: Final = timedelta(seconds=5)


def left(parts: Parts, step: Step) -> tuple[str, ...]:
    """The nodes of a step that have not come to their end in it, as one that was terminated has."""
    seen = invocations.of_step(parts.store.db, step.id)
    return tuple(node_id for node_id in step.node_ids if node_id not in seen or seen[node_id].outcome is None)


def waits_for(parts: Parts, run: Run, step: Step, target: Target) -> str:
    """Why a step after an Install is not sent yet; empty when its nodes are back, or their time is over.

    Then it goes without those that are away, of which people are told; who was told away is not waited for again.
    """
    earlier = [each for each in steps.of_run(parts.store.db, run.id) if each.wave == step.wave]
    installs = [each for each in earlier if each.kind is StepKind.INSTALL and each.ended_at]
    now = parts.clock.now()
    allowed = timedelta(seconds=max((_reboot_seconds(each) for each in installs), default=0))
    ended = max((each.ended_at for each in installs if each.ended_at), default=now)
    over = not installs or now - ended > allowed
    try:
        presence = parts.patch_manager.presence(target, left(parts, step))
        missing = [node_id for node_id in left(parts, step) if not is_online(presence.get(node_id))]
        if missing and over:
            watched = {node_id: each for each in installs for node_id in each.node_ids if node_id in missing}
            powers = parts.patch_manager.powers(target, missing)
            away.record(parts, run, watched, presence, powers, overdue=True)
    except AwsError as error:
        return "" if over else str(error)
    if over:
        return ""
    known = absences.of_run(parts.store.db, run.id)
    missing = [node_id for node_id in missing if node_id not in known or known[node_id].back_at]
    if not missing:
        return ""
    names = {node.id: node.name or node.id for node in run.nodes}
    back = listed(names.get(node_id, node_id) for node_id in missing)
    return (
        f"Waiting up to {words(allowed)} for {back} to come back from {'its' if len(missing) == 1 else 'their'} reboot."
    )


def _reboot_seconds(install: Step) -> int:
    return int(install.settings.get("reboot_seconds", away.REBOOT_SECONDS))
