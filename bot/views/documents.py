"""What `--json` prints: plain JSON values with keys that stay (docs/guide/terminal.md). Times are ISO 8601 in UTC."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.views.run import shown_version
from commands.replies import Approvals, ChangeStatus, Compared, Reply, RunStatus, StatusList
from commands.reports import ChangeReport, NodeLine, RunReport
from patching.compare import Finding
from patching.outcomes import NodeResult
from patching.soak import Soaked
from storage.changes import Change
from storage.runs import Run

Document = dict[str, Any]


def refusal_document(sentence: str) -> Document:
    return {"id": None, "state": "refused", "sentence": sentence}


def reply_document(reply: Reply) -> Document:
    """An answer that is about no run and no change of its own: a comparison, a list."""
    match reply:
        case Compared():
            return _compared(reply)
        case StatusList():
            changes = [_change(each) for each in reply.open_changes]
            runs = {run.id: run for run in (*reply.open_runs, *reply.recent)}
            return {
                "id": None,
                "state": "listed",
                "open": reply.open_count,
                "changes": changes,
                "runs": [_run(runs[number]) for number in sorted(runs, reverse=True)],
            }
        case Approvals():
            return {"id": None, "state": "listed", "changes": [change_document(each, None) for each in reply.pending]}
        case RunStatus():
            return run_document(reply.report)
        case ChangeStatus():
            return change_document(reply.report, None)
        case _:
            return {"id": None, "state": "done"}


def run_document(report: RunReport) -> Document:
    return {
        **_run(report.run),
        "checks": [],
        "nodes": _nodes(report.nodes),
        "missing": [
            {
                "id": patch.kb_id,
                "version": patch.version,
                "from": list(patch.from_versions),
                "severity": patch.severity,
                "cves": list(patch.cve_ids),
                "nodes": list(patch.node_ids),
            }
            for patch in report.missing
        ],
        "installed": [
            {"id": patch.id, "version": shown_version(patch), "nodes": nodes}
            for patch, nodes in report.installed.items()
        ],
        "results": [_result(each) for each in report.results],
        "pending_reboot": dict(report.pending_reboot),
    }


def change_document(report: ChangeReport, install: RunReport | None) -> Document:
    """`install`: the report of the change's own Install, once there is one: its nodes, else those it is asked for."""
    change = report.change
    asked = [{"id": node_id, "name": "", "state": "planned", "detail": ""} for node_id in _node_ids(change)]
    return {
        **_change(change),
        "checks": [
            {
                "name": check.name,
                "title": check.title,
                "outcome": check.outcome.value,
                "evidence": check.evidence,
                "remedy": check.remedy,
            }
            for check in change.checks or ()
        ],
        "nodes": _nodes(install.nodes) if install else asked,
        "list": [{"id": pin.id, "version": shown_version(pin)} for pin in change.pins or ()],
        "digest": change.digest,
        "plan": list((change.parts or {}).get("plan", ())),
        "approvals_required": change.required,
        "decisions": [
            {"user": each.user_id, "kind": each.kind, "state": each.state, "at": _time(each.at)}
            for each in report.decisions
        ],
        "install": _run(report.install) if report.install else None,
    }


def inquiry_document(ref: str, answer: Mapping[str, Any] | None) -> Document:
    """A question to AWS; `answer`: the payload of the notice that answers it, as its view takes it."""
    if answer is None:
        return {"id": ref, "state": "requested"}
    found = {name: value for name, value in answer.items() if name != "error"}
    error = str(answer.get("error") or "")
    return {"checks": [], **found, "id": ref, "state": "failed" if error else "answered", "note": error}


def _run(run: Run) -> Document:
    return {
        "id": run.ref,
        "state": run.state.value,
        "application": run.application,
        "environment": run.environment,
        "production": run.production,
        "operation": run.operation.value,
        "change": f"change-{run.change_id}" if run.change_id else None,
        "requested_by": run.requested_by,
        "requested_at": _time(run.requested_at),
        "ended_at": _time(run.ended_at),
        "note": run.note,
    }


def _change(change: Change) -> Document:
    return {
        "id": change.ref,
        "state": change.state.value,
        "application": change.application,
        "environment": change.environment,
        "production": True,
        "source": change.source,
        "requested_by": change.requested_by,
        "requested_at": _time(change.requested_at),
        "ended_at": _time(change.ended_at),
        "note": change.note,
    }


def _node_ids(change: Change) -> Sequence[str]:
    return change.parts["nodes"] if change.parts else ()


def _nodes(nodes: Sequence[NodeLine]) -> list[Document]:
    return [{"id": node.id, "name": node.name, "state": node.state, "detail": node.detail} for node in nodes]


def _result(result: NodeResult) -> Document:
    kinds = {
        "installed": result.installed,
        "dependencies": result.dependencies,
        "unproven": result.unproven,
        "missing": result.missing,
        "gone": result.gone,
        "hidden": result.hidden,
        "unconfirmed": result.unconfirmed,
        "failed": result.failed,
        "removed": result.removed,
    }
    return {"node": result.node_id, **{name: [item.id for item in items] for name, items in kinds.items()}}


def _compared(reply: Compared) -> Document:
    found = reply.comparison
    soaked = reply.readiness.items if reply.readiness else tuple(None for _ in found.findings)
    return {
        "id": None,
        "state": "compared",
        "application": reply.application,
        "environment": reply.target,
        "source": reply.source,
        "source_at": _time(reply.source_at),
        "target_at": _time(reply.target_at),
        "tested": len(found.tested),
        "mismatches": len(found.mismatches),
        "patches": [_finding(*pair) for pair in zip(found.findings, soaked, strict=True)],
    }


def _finding(finding: Finding, item: Soaked | None) -> Document:
    return {
        "id": finding.kb_id,
        "version": finding.version,
        "verdict": finding.verdict.value,
        "soak": item.ripeness.value if item else None,
        "ready_at": _time(item.ready_at) if item else None,
        "source_versions": list(finding.source_versions),
        "severity": finding.severity,
        "cves": list(finding.cve_ids),
        "nodes": list(finding.nodes),
        "detail": finding.detail,
    }


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
