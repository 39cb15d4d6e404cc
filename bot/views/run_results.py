"""How a run came out, node by node: lines of markup for its card and for e-mail."""

from collections import Counter
from collections.abc import Mapping

from bot.views.blocks import first
from bot.views.production_results import as_approved, what_next
from bot.views.run_control import cancelled
from bot.views.text import code, command, patches, plural, prose, several
from commands.reports import NodeLine, RunReport
from patching.model import Operation
from patching.severity import severity_label, severity_rank
from patching.states import RunState
from storage.runs import Purpose

NODES_SHOWN = 10
_MARKS = {
    "done": ":white_check_mark:",
    "failed": ":x:",
    "unreached": ":warning:",
    "running": "▸",
    "waiting": "·",
    "untouched": "·",
}
_WORDS = {
    "done": "done",
    "failed": "failed",
    "unreached": "never reached",
    "running": "running",
    "waiting": "waiting",
    "untouched": "left alone",
}
_UNWELL = ("failed", "unreached")


def progress(report: RunReport) -> list[str]:
    """The nodes of a run under way: each of a few; of many the counts, and those in trouble by name."""
    if len(report.nodes) <= NODES_SHOWN:
        return [_node(node) for node in report.nodes]
    counts = Counter(node.state for node in report.nodes)
    line = ", ".join(f"{counts[state]:,} {word}" for state, word in _WORDS.items() if counts[state])
    return [f"Nodes: {line}.", *unwell(report)]


def unwell(report: RunReport) -> list[str]:
    """Nodes that failed or were never reached, each with the reason."""
    lines = [_node(node) for node in report.nodes if node.state in _UNWELL]
    return first(lines, NODES_SHOWN, "that failed or were never reached")


def results(report: RunReport) -> list[str]:
    """What an ended run found or did."""
    if report.run.operation is Operation.SCAN:
        return [*cancelled(report), *unwell(report), *_missing(report), *_reboots(report)]
    if report.run.production:
        return [*cancelled(report), *unwell(report), *as_approved(report)]
    return [*cancelled(report), *unwell(report), *_installed(report)]


def next_steps(report: RunReport) -> list[str]:
    """What to do after an ended run, with what to type; after a production Install also what to go back to."""
    return what_next(report) if report.run.purpose is Purpose.CHANGE else [_next_step(report)]


def _next_step(report: RunReport) -> str:
    run = report.run
    again = command(f"{run.operation.value.lower()} {run.application} {run.environment}")
    scan = command(f"scan {run.application} {run.environment}")
    if run.purpose is not Purpose.REQUEST:
        return f"What follows: {command(f'status change-{run.change_id}')}."
    if run.state is RunState.CANCELLED:
        if any(node.state == "done" for node in report.nodes):
            return f"Next: nothing more is sent; {again} takes up what was left alone."
        return f"Next: nothing more is sent; to start over, {again}."
    if run.state is RunState.FAILED or any(node.state in _UNWELL for node in report.nodes):
        return f"Next: repair what is named here, then {again}."
    if report.pending_reboot and not (run.operation is Operation.SCAN and report.missing):
        return f"Next: reboot {several(list(report.pending_reboot))}, then {scan}."
    if run.operation is Operation.SCAN:
        return _after_scan(report)
    return f"Next: let it soak; {command(f'compare {run.application}')} shows what production would get."


def _after_scan(report: RunReport) -> str:
    run = report.run
    install = command(f"install {run.application} {run.environment}")
    if not report.missing:
        return "Next: nothing to do."
    if run.production:
        compare = command(f"compare {run.application}")
        return f"Next: {compare} shows whether non-production has them; {install} asks for approval."
    return f"Next: {install}."


def _node(node: NodeLine) -> str:
    detail = f": {prose(node.detail, 400)}" if node.detail else ""
    return f"{_MARKS[node.state]} {code(node.name or node.id)} {_WORDS[node.state]}{detail}"


def _missing(report: RunReport) -> list[str]:
    by_node = report.by_severity
    if not by_node:
        return []
    if not report.missing:
        return [f"*No patch is missing* on {plural(len(by_node), 'node')}."]
    affected = sum(any(counts.values()) for counts in by_node.values())
    total = f"*{patches(len(report.missing))} missing* on {affected:,} of {plural(len(by_node), 'node')}."
    if len(by_node) > NODES_SHOWN:
        overall = Counter(severity_label(patch.severity) for patch in report.missing)
        return [total, f"By severity: {_severities(overall)}."]
    names = {node.id: node.name or node.id for node in report.nodes}
    return [total, *(_node_missing(names.get(node_id, node_id), counts) for node_id, counts in by_node.items())]


def _node_missing(name: str, counts: Mapping[str, int]) -> str:
    return f"{code(name)} {sum(counts.values()):,} missing{f': {_severities(counts)}' if counts else ''}"


def _severities(counts: Mapping[str, int]) -> str:
    worst_first = sorted(counts.items(), key=lambda item: (severity_rank(item[0]), item[0]))
    return ", ".join(first([f"{count:,} {prose(word, 30)}" for word, count in worst_first], 8, "kinds"))


def _installed(report: RunReport) -> list[str]:
    if report.installed:
        fewest, most = min(report.installed.values()), max(report.installed.values())
        some = "" if fewest == most else "up to "
        lines = [f"*{patches(len(report.installed))} installed*, on {some}{plural(most, 'node')}."]
    elif report.run.changed_rows is False:
        lines = ["*Nothing changed*: the nodes had everything already."]
    else:
        lines = []
    if report.missing:
        lines.append(f":x: {patches(len(report.missing))} still missing: {_names(report)}.")
    return [*lines, *_reboots(report)]


def _names(report: RunReport) -> str:
    return several([patch.kb_id for patch in report.missing])


def _reboots(report: RunReport) -> list[str]:
    waiting = [
        f":warning: {code(name)} waits for a reboot ({patches(len(ids))}): {several(ids, 3)}"
        for name, ids in report.pending_reboot.items()
    ]
    return first(waiting, NODES_SHOWN, "that wait for a reboot")
