"""What the newest evidence says of each node in short, without reading its hundreds of rows."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class NodeState:
    node_id: str
    name: str
    at: datetime  # when the operation ended that the evidence is of
    lacking: int  # rows that are Missing or Failed: patches that its baseline approves
    waiting: int  # patches that wait for a reboot


def of_environment(db: Database, application: str, environment: str) -> list[NodeState]:
    """Every node with evidence that can be read, by name; those that are gone by now as well."""
    rows = db.execute(
        """SELECT e.node_id, e.node_name, e.operation_end, e.counts,
                  count(r.evidence_id) FILTER (WHERE r.state IN ('Missing', 'Failed')) AS lacking,
                  count(r.evidence_id) FILTER (WHERE r.state = 'InstalledPendingReboot') AS waiting
           FROM evidence e LEFT JOIN evidence_row r
                ON r.evidence_id = e.id AND r.state IN ('Missing', 'Failed', 'InstalledPendingReboot')
           WHERE e.id IN (SELECT max(id) FROM evidence WHERE application = ? AND environment = ? GROUP BY node_id)
           GROUP BY e.id ORDER BY e.node_name, e.node_id""",
        [application, environment],
    )
    return [
        NodeState(
            row["node_id"],
            row["node_name"],
            datetime.fromisoformat(row["operation_end"]),
            row["lacking"],
            row["waiting"],
        )
        for row in rows
        # A Windows scan that failed counts -1 of everything (facts/patch-manager.md section 2, "Staleness").
        if all(count >= 0 for count in json.loads(row["counts"]).values())
    ]


def lacking(db: Database, application: str, environment: str) -> dict[tuple[str, str], set[str]]:
    """(KBId, Title) of every patch that the newest evidence shows as Missing or Failed → ids of the nodes."""
    rows = db.execute(
        """SELECT DISTINCT r.kb_id, r.title, e.node_id FROM evidence e JOIN evidence_row r ON r.evidence_id = e.id
           WHERE r.state IN ('Missing', 'Failed') AND e.id IN (
               SELECT max(id) FROM evidence WHERE application = ? AND environment = ? GROUP BY node_id)""",
        [application, environment],
    )
    found: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        found.setdefault((row["kb_id"], row["title"]), set()).add(row["node_id"])
    return found
