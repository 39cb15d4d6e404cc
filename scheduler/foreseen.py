"""The plan that an Install would have if it were asked for now: looked up for whoever asks, and sent to nobody."""

from collections.abc import Sequence
from typing import Any, Final

from patching.model import Node
from patching.nodes import EnvironmentKey
from patching.phrases import listed
from patching.plan import install_plan
from patching.plan_json import step_json
from patching.plan_text import plan_text
from patching.waves import doubts
from scheduler.documents import documents
from scheduler.parts import Parts, target_of
from scheduler.plan import install_steps, misplaced_nodes, nobody

MOST_TEXT: Final = 6_000  # characters that somebody reads in a message; more than that goes into a file


def report(parts: Parts, key: EnvironmentKey) -> dict[str, Any]:
    """What the view of `/patch plan` shows, as JSON values: production, nodes [{id, name}], plan (as
    `patching.plan_json` writes it), notes (sentences), long (the text is for a file).

    Production's is the plan that an approval would be bound to, on every node as resolved now; elsewhere it is what
    would be sent to the nodes within reach. Raises AwsError; ValueError, a sentence, where there is nothing to plan.
    """
    settings = parts.config.environments()[key]
    target = target_of(settings)
    execution = parts.config.applications[key.application]
    resolved = parts.patch_manager.resolve(target, settings.targets)
    within_reach = tuple(node for node in resolved if node.reachable and node.platform)
    nodes = resolved if settings.production else within_reach
    if not nodes:
        raise ValueError(nobody(key, resolved))
    pinned = settings.production and parts.config.policy_of(key.application).pin == "required"
    found = documents(parts, target, execution, nodes, pinned=pinned, gated=settings.production)
    if settings.production:
        steps = install_plan(execution, found, nodes, pinned=pinned, gated=True)
    else:
        steps = install_steps(parts, key, found, nodes)
    notes = (
        *doubts(nodes, execution.waves, execution.canary, execution.ha_group),
        *_out_of_reach(resolved, within_reach, production=settings.production),
        *misplaced_nodes(parts, key, resolved),
    )
    text = plan_text(steps, {node.id: node.name for node in nodes}, "", production=settings.production)
    return {
        "production": settings.production,
        "nodes": [{"id": node.id, "name": node.name} for node in nodes],
        "plan": [step_json(step) for step in steps],
        "notes": list(notes),
        "long": len(text) > MOST_TEXT,
    }


def _out_of_reach(resolved: Sequence[Node], within_reach: Sequence[Node], *, production: bool) -> list[str]:
    away = [node.name or node.id for node in resolved if node not in within_reach]
    if not away:
        return []
    what = "so the gate will not pass" if production else "so nothing would be sent there"
    return [f"{listed(away)} {'is' if len(away) == 1 else 'are'} not running with the agent online, {what}."]
