"""A change's whole story as one document: who, what, when, on which evidence, and the audit rows with their chain."""

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from sqlite_utils import Database

from patching.digest import digest_of
from storage import audit, changes, decisions, evidence, invocations, objections, runs, steps
from storage.changes import Change
from storage.database import Store, to_text
from storage.runs import Purpose, Run

FORMAT = "patchgate-record-1"


def record_of(store: Store, change: Change) -> dict[str, Any]:
    """Plain JSON values. Rows of other subjects stand in the chain by their hashes alone."""
    db = store.db
    own = {change.ref, *(run.ref for run in _runs(db, change))}
    head = audit.written_head(db)
    record = {
        "format": FORMAT,
        "change": {
            "id": change.ref,
            "application": change.application,
            "environment": change.environment,
            "source": change.source,
            "state": change.state,
            "requested_by": change.requested_by,
            "requested_at": to_text(change.requested_at),
            "requesters": list(change.requesters),
            "supersedes": f"change-{change.supersedes}" if change.supersedes else None,
            "part": change.part,
            "emergency": change.emergency,
            "waivers": dict(change.waivers),
            "approvals_required": change.required,
            "eligible_approvers": list(change.eligible),
            "configuration": change.configuration,
            "digest": change.digest,
            "digest_parts": change.parts,
            "note": change.note,
        },
        "decisions": [
            {
                "user": each.user_id,
                "kind": each.kind,
                "state": each.state,
                "digest": each.digest,
                "reason": each.reason,
                "backup": each.backup,
                "clicked_at": to_text(each.at),
                "judged_at": to_text(each.judged_at),
                "note": each.note,
            }
            for each in decisions.made(db, change.id)
        ],
        "timing": {
            "asked": change.timing,
            "starts_at": to_text(change.starts_at),
            "window": change.opening.as_json() if change.opening else None,
        },
        "objections": [
            {
                "user": each.user_id,
                "at": to_text(each.at),
                "reason": each.reason,
                "ended_by": each.ended_by,
                "ended_at": to_text(each.ended_at),
                "end_reason": each.end_reason,
            }
            for each in objections.of_change(db, change.id)
        ],
        "evaluations": changes.evaluations(db, change.id),
        "runs": [_run(db, run) for run in _runs(db, change)],
        "chain": [_link(row, own) for row in audit.rows(db)],
        "head": {"id": head.id, "hash": head.hash} if head else None,
    }
    return {**record, "sums": sums_of(record)}


def sums_of(record: Mapping[str, Any]) -> dict[str, str]:
    """Part → hash of its content: what the audit chain does not cover can't change unseen in the file either."""
    return {name: digest_of({name: part}) for name, part in record.items() if name != "sums"}


def as_json(record: dict[str, Any]) -> str:
    return json.dumps(record, indent=1, ensure_ascii=False, sort_keys=True)


def rows_as_csv(record: dict[str, Any]) -> str:
    """Every row of evidence in the record, readable: run, node, patch, title, state, severity."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("run", "purpose", "node", "patch", "title", "state", "severity", "classification"))
    for run in record["runs"]:
        for item in run["evidence"]:
            for row in item["rows"]:
                cells = (row["id"], row["title"], row["state"], row["severity"], row["classification"])
                writer.writerow((run["id"], run["purpose"], item["node"], *map(_inert, cells)))
    return out.getvalue()


def _inert(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula is text."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@"} else cell


def _runs(db: Database, change: Change) -> list[Run]:
    return [run for purpose in Purpose for run in runs.of_change(db, change.id, purpose)]


def _run(db: Database, run: Run) -> dict[str, Any]:
    return {
        "id": run.ref,
        "purpose": run.purpose,
        "environment": run.environment,
        "state": run.state,
        "note": run.note,
        "started_at": to_text(run.started_at),
        "ended_at": to_text(run.ended_at),
        "resumed": run.resumed,
        "pins_url": run.pins_url,
        "steps": [
            {
                "id": step.id,
                "kind": step.kind,
                "document": step.document,
                "document_version": step.document_version,
                "document_hash": step.document_hash,
                "parameters": {name: list(values) for name, values in step.parameters.items()},
                "nodes": list(step.node_ids),
                "state": step.state,
                "command": step.command_id,
                "sent_at": to_text(step.sent_at),
                "outcomes": {
                    node_id: {"outcome": found.outcome, "status": found.status, "details": found.details}
                    for node_id, found in invocations.of_step(db, step.id).items()
                },
            }
            for step in steps.of_run(db, run.id)
        ],
        "evidence": [
            {
                "node": item.node_id,
                "name": item.node_name,
                "platform": str(item.platform),
                "snapshot": item.snapshot_id,
                "at": to_text(item.operation_end),
                "baseline": item.baseline_id,
                "baseline_content": item.baseline_content,
                "rows": [
                    {
                        "id": row.kb_id,
                        "title": row.title,
                        "state": row.state,
                        "severity": row.severity,
                        "classification": row.classification,
                    }
                    for row in item.rows
                ],
            }
            for item in evidence.of_run(db, run.id).values()
        ],
    }


def _link(row: audit.AuditRow, own: set[str]) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": row.id, "previous": row.previous, "hash": row.hash}
    if row.subject in own:
        shown["fields"] = list(row.fields)
    return shown
