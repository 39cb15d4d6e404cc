"""Evidence: per node and run, as plain rows (I8)."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from patching.model import Evidence, Operation, PatchRow, PatchState, PatchSummary, Platform
from storage.database import to_json, to_text, to_time


def save(
    tx: Database, now: datetime, run_id: int, step_id: str, application: str, environment: str, item: Evidence
) -> None:
    cursor = tx.execute(
        """INSERT INTO evidence (run_id, step_id, application, environment, node_id, node_name, os, major, arch,
                                 operation, snapshot_id, operation_end, baseline_id, baseline_content, counts, read_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            run_id,
            step_id,
            application,
            environment,
            item.node_id,
            item.node_name,
            item.platform.os,
            item.platform.major,
            item.platform.arch,
            item.operation,
            item.snapshot_id,
            to_text(item.operation_end),
            item.baseline_id,
            item.baseline_content,
            to_json(dict(item.counts)),
            to_text(now),
        ],
    )
    tx.conn.executemany(
        "INSERT INTO evidence_row VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                cursor.lastrowid,
                row.kb_id,
                row.title,
                row.state,
                row.classification,
                row.severity,
                to_json(row.cve_ids),
                to_text(row.installed_time),
            )
            for row in item.rows
        ],
    )


def newest(
    db: Database, application: str, environment: str, node_ids: Sequence[str] | None = None
) -> dict[str, Evidence]:
    """For each node, or each of `node_ids`, the newest evidence of an environment, whichever run it came from."""
    return _load(
        db,
        """WHERE e.id IN (SELECT max(id) FROM evidence WHERE application = ? AND environment = ?
               AND (? IS NULL OR node_id IN (SELECT value FROM json_each(?))) GROUP BY node_id)""",
        [application, environment, *[None if node_ids is None else to_json(node_ids)] * 2],
    )


def newest_snapshots(db: Database, application: str, environment: str, node_ids: Sequence[str]) -> dict[str, str]:
    """Node id → SnapshotId of its newest evidence, without reading what that says."""
    rows = db.execute(
        """SELECT node_id, snapshot_id FROM evidence WHERE id IN (
               SELECT max(id) FROM evidence WHERE application = ? AND environment = ?
               AND node_id IN (SELECT value FROM json_each(?)) GROUP BY node_id)""",
        [application, environment, to_json(node_ids)],
    )
    return {row["node_id"]: row["snapshot_id"] for row in rows}


def of_run(db: Database, run_id: int, node_ids: Sequence[str] | None = None) -> dict[str, Evidence]:
    """For each node, or each of `node_ids`, the newest evidence that a run produced: of an Install its verification's.

    Hundreds of rows of each node: of a large fleet it is long to read, so never within a transaction.
    """
    return _load(
        db,
        """WHERE e.id IN (SELECT max(id) FROM evidence WHERE run_id = ?
               AND (? IS NULL OR node_id IN (SELECT value FROM json_each(?))) GROUP BY node_id)""",
        [run_id, *[None if node_ids is None else to_json(node_ids)] * 2],
    )


def is_of_run(db: Database, run_id: int) -> bool:
    """Whether a run produced any evidence."""
    return db.execute("SELECT 1 FROM evidence WHERE run_id = ? LIMIT 1", [run_id]).fetchone() is not None


def newest_end(db: Database, step_ids: Collection[str]) -> datetime | None:
    """When the last operation ended of which these steps gave evidence; None without any."""
    row = db.execute(
        "SELECT max(operation_end) AS at FROM evidence WHERE step_id IN (SELECT value FROM json_each(?))",
        [to_json(sorted(step_ids))],
    ).fetchone()
    return to_time(row["at"])


def of_step(db: Database, step_id: str) -> list[Evidence]:
    return list(_load(db, "WHERE e.step_id = ?", [step_id]).values())


def nodes_of_step(db: Database, step_id: str) -> set[str]:
    """The ids of the nodes of which a step has given evidence."""
    return {row["node_id"] for row in db.execute("SELECT node_id FROM evidence WHERE step_id = ?", [step_id])}


def before_run(db: Database, run_id: int, application: str, environment: str) -> dict[str, Evidence]:
    """For each node what was known of it before a run's verification: its own Scan or gate, or an earlier run's."""
    return _load(
        db,
        """WHERE e.id IN (SELECT max(e2.id) FROM evidence e2 JOIN step s ON s.id = e2.step_id
               WHERE e2.application = ? AND e2.environment = ?
                 AND (e2.run_id < ? OR (e2.run_id = ? AND s.kind IN ('scan', 'gate')))
               GROUP BY e2.node_id)""",
        [application, environment, run_id, run_id],
    )


def earlier_titles(db: Database, run_id: int) -> dict[tuple[str, str], str]:
    """(node id, KBId) of what a run found missing → the newest title that the node was seen to have before.

    A Missing row does not say what it replaces (facts/patch-manager.md section 2).
    """
    rows = db.execute(
        """SELECT n.node_id, m.kb_id, r.title, max(e.id)
           FROM evidence n
           JOIN evidence_row m ON m.evidence_id = n.id AND m.state = 'Missing'
           JOIN evidence e ON e.application = n.application AND e.environment = n.environment
                          AND e.node_id = n.node_id AND e.id < n.id
           JOIN evidence_row r ON r.evidence_id = e.id AND r.kb_id = m.kb_id
                              AND r.state IN ('Installed', 'InstalledOther', 'InstalledPendingReboot',
                                              'InstalledRejected')
           WHERE n.run_id = ? GROUP BY n.node_id, m.kb_id""",
        [run_id],
    )
    return {(row["node_id"], row["kb_id"]): row["title"] for row in rows}


def save_baseline(tx: Database, content_hash: str, content: Mapping[str, Any]) -> None:
    tx.execute("INSERT OR IGNORE INTO baseline VALUES (?, ?)", [content_hash, json.dumps(content, default=str)])


def record_foreign(
    tx: Database, now: datetime, application: str, environment: str, summaries: Iterable[PatchSummary]
) -> int:
    """Remember operations that were not ours; returns how many are news."""
    return sum(
        tx.execute(
            "INSERT OR IGNORE INTO foreign_operation VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                application,
                environment,
                summary.node_id,
                summary.snapshot_id,
                summary.operation,
                to_text(summary.operation_end),
                to_text(now),
            ],
        ).rowcount
        for summary in summaries
        if summary.operation_end
    )


def newest_foreign_install(db: Database, application: str, environment: str) -> datetime | None:
    row = db.execute(
        """SELECT max(operation_end) AS at FROM foreign_operation
           WHERE application = ? AND environment = ? AND operation = 'Install'""",
        [application, environment],
    ).fetchone()
    return to_time(row["at"])


def foreign_install_since(db: Database, node_id: str, since: datetime | None) -> bool:
    """Whether somebody else's Install was seen on a node after a moment, or ever."""
    row = db.execute(
        """SELECT 1 FROM foreign_operation WHERE node_id = ? AND operation = 'Install'
           AND (? IS NULL OR operation_end > ?) LIMIT 1""",
        [node_id, to_text(since), to_text(since)],
    ).fetchone()
    return row is not None


def baselines(db: Database) -> dict[str, dict[str, Any]]:
    """Content hash → GetPatchBaseline content, of every baseline that evidence was judged by."""
    return {row["content_hash"]: json.loads(row["content"]) for row in db.execute("SELECT * FROM baseline")}


def is_ours(db: Database, snapshot_id: str) -> bool:
    """Whether a SnapshotId is a step's of ours."""
    return db.execute("SELECT 1 FROM step WHERE id = ?", [snapshot_id]).fetchone() is not None


def _load(db: Database, where: str, arguments: Sequence[object]) -> dict[str, Evidence]:
    heads = db.execute(
        f"""SELECT e.*, run.operation AS run_operation FROM evidence e JOIN run ON run.id = e.run_id
            {where} ORDER BY e.node_id""",
        list(arguments),
    ).fetchall()
    return {head["node_id"]: _evidence(db, head) for head in heads}


def _evidence(db: Database, head: Any) -> Evidence:  # noqa: ANN401 - sqlite3.Row is untyped
    rows = db.execute("SELECT * FROM evidence_row WHERE evidence_id = ? ORDER BY rowid", [head["id"]])
    operation_end = to_time(head["operation_end"])
    assert operation_end is not None
    return Evidence(
        node_id=head["node_id"],
        node_name=head["node_name"],
        platform=Platform(head["os"], head["major"], head["arch"]),
        operation=Operation(head["operation"]),
        snapshot_id=head["snapshot_id"],
        operation_end=operation_end,
        baseline_id=head["baseline_id"],
        baseline_content=head["baseline_content"],
        counts=json.loads(head["counts"]),
        rows=tuple(_row(row) for row in rows),
        run=f"{head['run_operation'].lower()}-{head['run_id']}",
    )


def _row(row: Any) -> PatchRow:  # noqa: ANN401 - sqlite3.Row is untyped
    return PatchRow(
        kb_id=row["kb_id"],
        title=row["title"],
        state=PatchState(row["state"]),
        classification=row["classification"],
        severity=row["severity"],
        cve_ids=tuple(json.loads(row["cve_ids"])),
        installed_time=to_time(row["installed_time"]),
    )
