"""Sweep `plan`: a requested run gets its nodes and its steps; nothing is sent here (I1, I13)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from aws.errors import AwsError, Throttled
from aws.target import Target
from patching.model import Node, Operation
from patching.nodes import EnvironmentKey, conflicts, selects
from patching.plan import Document, Documents, PlanStep, install_plan, numbered, scan_plan
from patching.states import RunState
from scheduler import notices
from scheduler.documents import documents
from scheduler.parts import DOCUMENT, Parts, gone, target_of
from storage import evidence, runs, steps
from storage.database import to_text
from storage.runs import Run


def tick(parts: Parts, now: datetime) -> None:
    for run in runs.in_state(parts.store.db, RunState.REQUESTED):  # a change's Install is planned when it is approved
        lane = parts.lane(run.application, run.environment)
        parts.pool.submit(("plan", run.id), partial(plan_run, parts, run), partial(parts.wake, "dispatch"), lane=lane)


def plan_run(parts: Parts, run: Run) -> None:
    key = EnvironmentKey(run.application, run.environment)
    environment = parts.config.environment(key)
    if environment is None:
        return _fail(parts, run, gone(key))
    target = target_of(environment)
    try:
        nodes = parts.patch_manager.resolve(target, environment.targets)
        if run.operation is Operation.INSTALL:
            misplaced = misplaced_nodes(parts, key, nodes)
            if misplaced:
                return _fail(parts, run, " ".join((*misplaced, "Nothing was sent.")))
        reachable = [node for node in nodes if node.reachable and node.platform]
        if not reachable:
            return _fail(parts, run, nobody(key, nodes))
        found = _documents(parts, run, target, reachable)
        remember_foreign(parts, run.application, run.environment, [node.id for node in reachable])
        planned = _steps(parts, run, found, reachable)
    except AwsError as error:
        return _put_off(parts, run, error)
    except ValueError as error:
        return _fail(parts, run, f"{str(error)[:1].upper()}{str(error)[1:]}; nothing was sent.")
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        begun = runs.transition(
            tx, run, RunState.RUNNING, now, "clock", started_at=to_text(now), nodes=runs.nodes_to_json(nodes)
        )
        if begun:
            steps.plan(tx, run.id, planned, parts.new_id)
            if run.operation is Operation.INSTALL:
                notices.owe_about_install(tx, now, parts.config, begun, "started")
    parts.wake("deliver")
    return None


def misplaced_nodes(parts: Parts, key: EnvironmentKey, nodes: tuple[Node, ...]) -> tuple[str, ...]:
    """I13: sentences for nodes of this environment that stand in another one too, or where production must not be.

    Instance ids are unique in an account and Region, so only environments there can share one. The nodes' own tags
    tell which others mean them too: AWS is not asked again.
    """
    environments = parts.config.environments()
    mine = environments[key]
    resolved = {
        other: [node for node in nodes if other == key or selects(settings.targets, node.id, node.tags)]
        for other, settings in environments.items()
        if (settings.account, settings.region) == (mine.account, mine.region)
    }
    production = {each: settings.production for each, settings in environments.items()}
    return conflicts(resolved, production, parts.config.production_tags)[key]


def remember_foreign(parts: Parts, application: str, environment: str, node_ids: list[str]) -> None:
    """Note what somebody else's operations left on the nodes before our own overwrites it (I8).

    facts/patch-manager.md section 2, "Staleness": a node shows its last operation only.
    """
    key = EnvironmentKey(application, environment)
    settings = parts.config.environments()[key]
    summaries = parts.patch_manager.summaries(target_of(settings), node_ids)
    db = parts.store.db
    foreign = [summary for summary in summaries.values() if not evidence.is_ours(db, summary.snapshot_id)]
    if foreign:
        with parts.store.transaction() as tx:
            evidence.record_foreign(tx, parts.clock.now(), application, environment, foreign)


def fresh_nodes(parts: Parts, application: str, environment: str, now: datetime) -> Mapping[str, bool]:
    """For each node with evidence whether it is young enough to be relied on."""
    oldest = now - parts.config.policy_of(application).scan_max_age
    known = evidence.newest(parts.store.db, application, environment)
    return {node_id: item.operation_end >= oldest for node_id, item in known.items()}


def install_steps(parts: Parts, key: EnvironmentKey, found: Documents, nodes: Sequence[Node]) -> tuple[PlanStep, ...]:
    """What an Install outside production sends to these nodes. ValueError for a document that can't carry it."""
    install = install_plan(parts.config.applications[key.application], found, nodes, pinned=False, gated=False)
    fresh = fresh_nodes(parts, key.application, key.environment, parts.clock.now())
    if all(fresh.get(node.id) for node in nodes):
        return install
    # Without a picture from before, nobody could say afterwards what the Install changed.
    return numbered((*scan_plan(found.scan, [node.id for node in nodes]), *install))


def nobody(key: EnvironmentKey, nodes: Sequence[Node]) -> str:
    """Why there is nothing to plan for."""
    if not nodes:
        return f"No instance matches the targets of {key}; nothing was sent. Check the tags and the configuration."
    return (
        f"None of the {len(nodes)} nodes of {key} is running with its agent online; nothing was sent. "
        "Start them, or look at the SSM Agent."
    )


def _documents(parts: Parts, run: Run, target: Target, nodes: list[Node]) -> Documents:
    if run.operation is Operation.SCAN:
        found = parts.patch_manager.document(target, DOCUMENT)
        document = Document(found.name, found.version, found.hash, found.parameters)
        return Documents(document, document)
    execution = parts.config.applications[run.application]
    return documents(parts, target, execution, nodes, pinned=False, gated=False)


def _steps(parts: Parts, run: Run, found: Documents, nodes: list[Node]) -> tuple[PlanStep, ...]:
    if run.operation is Operation.SCAN:
        return scan_plan(found.scan, [node.id for node in nodes])
    return install_steps(parts, EnvironmentKey(run.application, run.environment), found, nodes)


def _put_off(parts: Parts, run: Run, error: AwsError) -> None:
    """Throttling passes by itself; anything else that AWS definitely refuses needs a person."""
    if isinstance(error, Throttled):
        with parts.store.transaction() as tx:
            runs.set_note(tx, run, str(error))
        return
    _fail(parts, run, str(error))


def _fail(parts: Parts, run: Run, note: str) -> None:
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        ended = runs.transition(tx, run, RunState.FAILED, now, "clock", note=note)
        if ended and run.operation is Operation.INSTALL:
            notices.owe_about_install(tx, now, parts.config, ended, "ended")
    parts.wake("deliver")
    parts.wake("changes")
