"""A comparison with how far each patch has soaked: for `/patch compare` and for the gate alike."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from patching.clocks import Clocks, earliest
from patching.compare import Comparison, compare
from patching.config import Configuration
from patching.model import Evidence, Node, Platform
from patching.nodes import EnvironmentKey
from patching.ready import Part, ready_part
from patching.soak import Readiness, readiness
from storage import evidence, holds, soak
from storage.database import Store


@dataclass(frozen=True, slots=True)
class Ripeness:
    comparison: Comparison
    readiness: Readiness
    part: Part  # what of it production can take now


def ripen(
    store: Store,
    config: Configuration,
    source_key: EnvironmentKey,
    source: tuple[Evidence, ...],
    target: tuple[Evidence, ...],
    now: datetime,
    *,
    nodes: tuple[tuple[Node, ...], tuple[Node, ...]] = ((), ()),
    foreign: Collection[str] = (),
    at: datetime | None = None,
) -> Ripeness:
    """Evidence is judged by its age `now`, the soak for the moment `at`, where that lies ahead.

    `nodes`: both sides as resolved now, where they are; they tell which nodes have no evidence.

    `foreign`: ids of nodes on which somebody else's operation followed our evidence, where that was looked up.
    """
    policy = config.policy_of(source_key.application)
    baselines = evidence.baselines(store.db)
    comparison = compare(
        source,
        target,
        now=now,
        max_age=policy.scan_max_age,
        foreign=foreign,
        baselines=baselines,
        source_nodes=nodes[0],
        target_nodes=nodes[1],
    )
    clocks = _clocks(store, source_key, source)
    held = holds.of_application(store.db, source_key.application)
    at = at or now
    ready = readiness(comparison.findings, clocks, policy.soak_policy, held, at)
    part = ready_part(target, comparison, ready, source, clocks, policy.soak_policy, held, at, baselines=baselines)
    return Ripeness(comparison, ready, part)


def _clocks(store: Store, key: EnvironmentKey, source: tuple[Evidence, ...]) -> Mapping[Platform, Clocks]:
    found = soak.of_environment(store.db, key.application, key.environment)
    return earliest({node_id: clocks for (node_id, _), clocks in found.items()}, source)
