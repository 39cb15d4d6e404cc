"""How a production Install came out against the approved list, what to do next, and what to go back to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

from bot.views import facts
from bot.views.backups import how_to_restore, point_words
from bot.views.blocks import first
from bot.views.text import code, command, plural, prose, several, user
from commands.reports import RunReport
from patching.model import PinnedPatch
from patching.outcomes import NodeResult
from patching.proof import patch_key
from patching.states import ChangeState, RunState
from storage.changes import Change

GONE: Final = "gone from the repository"
HIDDEN: Final = "hidden by a newer version on offer, or not found"
_NODES_SHOWN: Final = 10
_NODES_LENGTH: Final = 4_000  # characters: where each node has much to tell, fewer are shown
_TO_RESTORE_SHOWN: Final = 5


def as_approved(report: RunReport) -> list[str]:
    """The approved list against what is on the nodes now: the whole, then node by node, deviating ones first."""
    found = report.results
    if not found:
        return []
    worst_first = sorted(found, key=lambda result: not result.deviates)
    deviating = sum(result.deviates for result in found)
    total = f"*{plural(len(found) - deviating, 'node')} as approved, {deviating:,} deviating.*"
    lines = [_result(result) for result in worst_first]
    fitting = sum(length <= _NODES_LENGTH for length in accumulate(map(len, lines)))
    return [_whole(report), total, *first(lines, max(1, min(_NODES_SHOWN, fitting)), "nodes")]


def what_next(report: RunReport) -> list[str]:
    """What to do after it, and where something is not as approved, what each such node can be restored from."""
    run, change = report.run, report.change
    ask = command(f"install {run.application} {run.environment}")
    if run.state is RunState.CANCELLED:
        return [f"Next: nothing more is sent; {ask} asks for the rest.", *_going_back(report)]
    if change is not None and change.state is ChangeState.SUPERSEDED:
        return [f"Next: nothing was installed; {ask} asks anew."]
    todo = _to_do(report, ask)
    if todo:
        return [f"Next: {'; '.join(todo)}.", *_going_back(report)]
    doubtful = [each.node_name or each.node_id for each in report.results if each.unconfirmed]
    if doubtful:
        return [f"Next: look at {several(doubtful)} which version it has of what the scan doesn't show."]
    return ["Next: nothing to do."]


def _to_do(report: RunReport, ask: str) -> list[str]:
    todo = []
    if any(node.state in {"failed", "unreached"} for node in report.nodes):
        todo.append(f"repair the nodes that are named here, then {ask} asks for what they miss")
    elif any(node.state == "untouched" for node in report.nodes):
        todo.append(f"see to what stopped it, then {ask} asks for the nodes that were left alone")
    if any(result.missing or result.failed for result in report.results):
        todo.append(f"see on the node why it did not install what is missing, then {ask}")
    if any(result.gone or result.hidden for result in report.results) and report.change:
        newest = command(f"install {report.run.application} {report.change.source}")
        todo.append(f"what is gone can't be had any more: {newest} takes the newest set, which soaks anew")
    if any(result.unproven or result.removed for result in report.results):
        todo.append("look at what nobody proved or what vanished, and keep it or go back")
    if report.pending_reboot:
        scan = command(f"scan {report.run.application} {report.run.environment}")
        todo.append(f"reboot {several(list(report.pending_reboot))}, then {scan}")
    return todo


def _whole(report: RunReport) -> str:
    """`31 of 31 patches installed on 3 nodes; 2 dependencies came along: …; gone from the repository: …`."""
    approved = {patch_key(pin.id, pin.title) for pin in report.run.pins or ()}
    lacking = _keys(report.results, lambda each: (*each.missing, *each.gone, *each.hidden, *each.unconfirmed))
    installed = (_keys(report.results, lambda each: each.installed) & approved) - lacking
    of = f" of {len(report.nodes):,}" if len(report.results) < len(report.nodes) else ""
    nodes = f"{len(report.results):,}{of} {'node' if len(report.nodes) == 1 else 'nodes'}"
    parts = [f"*{len(installed):,} of {plural(len(approved), 'patch', 'patches')} installed* on {nodes}"]
    dependencies = _named(report.results, lambda each: each.dependencies)
    if dependencies:
        parts.append(f"{plural(len(dependencies), 'dependency', 'dependencies')} came along: {several(dependencies)}")
    gone = _named(report.results, lambda each: each.gone)
    if gone:
        parts.append(f"{GONE}: {several(gone)}")
    return f"{'; '.join(parts)}."


def _result(result: NodeResult) -> str:
    parts = [f"{len(result.installed):,} of {result.approved:,} installed as approved"]
    if result.dependencies:
        parts.append(f"{len(result.dependencies):,} came along as a dependency ({_ids(result.dependencies)})")
    bad = {
        "came along and not proven": result.unproven,
        "missing": result.missing,
        GONE: result.gone,
        HIDDEN: result.hidden,
        "failed": result.failed,
        "gone from the node": result.removed,
    }
    parts += [f"*{len(items):,} {words}* ({_ids(items)})" for words, items in bad.items() if items]
    if result.unconfirmed:
        older = f"{len(result.unconfirmed):,} proven, not the newest, not shown by the scan afterwards"
        parts.append(f"{older} ({_ids(result.unconfirmed)}): the newer version on offer hides it, or it was not found")
    if result.pending_reboot:
        parts.append(f"{len(result.pending_reboot):,} waiting for a reboot ({_ids(result.pending_reboot)})")
    doubtful = result.pending_reboot or result.unconfirmed
    mark = ":x:" if result.deviates else ":warning:" if doubtful else ":white_check_mark:"
    return f"{mark} {code(result.node_name or result.node_id)}: {', '.join(parts)}"


def _going_back(report: RunReport) -> list[str]:
    """The newest backup, as of the send, of each node that is not as approved, and how it is restored."""
    change, run = report.change, report.run
    names = {node.id: node.name or node.id for node in report.nodes}
    troubled = [each.id for each in report.nodes if each.state == "failed"]
    troubled += [each.node_id for each in report.results if each.deviates and each.node_id not in troubled]
    if change is None or not troubled:
        return []
    ask = command(f"backups {run.application} {run.environment}")
    said = [
        f"The database's own backup, said by {user(each.user_id)}:\n> {prose(each.backup, 300)}"
        for each in report.approvals
        if each.backup
    ]
    points = {node_id: _point(report, change, node_id) for node_id in troubled}
    if facts.backups(change) is None and not any(point for point, _ in points.values()):
        return [f"*To go back*: nobody looked for backups of the nodes; {ask} does.", *said]
    lines = [f"• {code(names.get(node_id, node_id))}: {_words(*found)}" for node_id, found in points.items()]
    known = [point for point, _ in points.values() if point]
    return [
        f"*To go back*, the newest backups as of the send; {ask} shows those of now:",
        *first(lines, _TO_RESTORE_SHOWN, "nodes"),
        *how_to_restore(known, str((change.parts or {}).get("region") or "")),
        *said,
    ]


def newest_backup(report: RunReport, node_id: str) -> str:
    """What one node can be restored from, as of the send; empty where no complete backup was known."""
    if report.change is None:
        return ""
    point, zone = _point(report, report.change, node_id)
    return point_words(point, zone) if point else ""


def _point(report: RunReport, change: Change, node_id: str) -> tuple[Mapping[str, Any] | None, str]:
    """(what a node can be restored from, its Availability Zone): what the run itself took, or what was known before."""
    taken = report.taken.get(node_id)
    if taken is None or taken.started_at is None:
        taken = report.taken.get(node_id)
    if taken is None or taken.started_at is None:
        known = (facts.backups(change) or {}).get(node_id) or {}
        return known.get("newest"), str(known.get("zone") or "")
    started = taken.started_at.isoformat()
    return {"kind": taken.kind, "ids": taken.ids, "devices": taken.devices, "started_at": started}, taken.zone


def _words(point: Mapping[str, Any] | None, zone: str) -> str:
    return point_words(point, zone) if point else "no complete backup was known"


def _keys(results: Sequence[NodeResult], pick: Callable[[NodeResult], Iterable[PinnedPatch]]) -> set[tuple[str, str]]:
    return {patch_key(patch.id, patch.title) for result in results for patch in pick(result)}


def _named(results: Sequence[NodeResult], pick: Callable[[NodeResult], Iterable[PinnedPatch]]) -> list[str]:
    return sorted({patch.id for result in results for patch in pick(result)})


def _ids(items: Iterable[PinnedPatch]) -> str:
    return several([item.id for item in items], 3)
