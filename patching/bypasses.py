"""What would install on production without asking the gate: tasks of maintenance windows, associations."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from patching.documents import PatchOperation, document_name
from patching.planned import Agenda, TargetList
from patching.targets import NodeIndex, reached

Nodes = Mapping[str, Mapping[str, str]]
"""{id: tags}"""

Kind = Literal["maintenance window", "association", "patch policy"]


@dataclass(frozen=True, slots=True)
class Bypass:
    kind: Kind
    id: str
    name: str
    doing: tuple[tuple[str, PatchOperation], ...]  # (document, Install or unknown), sorted, each once
    nodes: int | None  # of those asked for; None where a resource group chooses them
    next_at: datetime | None  # of a window; State Manager tells none
    timezone: str  # that the window's schedule is written in

    @property
    def fingerprint(self) -> str:
        """Changes with what it does, and not with how many nodes there are."""
        return hashlib.sha256(json.dumps([self.kind, self.doing]).encode()).hexdigest()[:16]


def bypasses(agenda: Agenda, nodes: Nodes, now: datetime) -> tuple[Bypass, ...]:
    """What would install, or can't be told to scan only, on any of these nodes; disabled windows are left out."""
    index = NodeIndex(nodes)
    return (*_windows(agenda, index, now), *_associations(agenda, index))


def _windows(agenda: Agenda, nodes: Nodes, now: datetime) -> Iterator[Bypass]:
    for window in agenda.windows:
        tasks = [
            (task, count)
            for task in window.tasks
            if window.enabled and task.operation not in (None, "Scan")
            if (count := node_count(nodes, task.targets)) != 0
        ]
        if tasks:
            yield Bypass(
                kind="maintenance window",
                id=window.id,
                name=window.name,
                doing=tuple(sorted({(document_name(task.document), task.operation or "unknown") for task, _ in tasks})),
                nodes=node_count(nodes, [targets for task, _ in tasks for targets in task.targets]),
                next_at=next((each.opens for each in agenda.openings(window) if each.ends > now), None),
                timezone=window.timezone,
            )


def _associations(agenda: Agenda, nodes: Nodes) -> Iterator[Bypass]:
    for each in agenda.associations:
        count = node_count(nodes, each.targets)
        if each.operation != "Scan" and count != 0:
            doing = ((document_name(each.document), each.operation),)
            yield Bypass(each.kind, each.id, each.name, doing, count, None, "UTC")


def node_count(nodes: Nodes, alternatives: Sequence[TargetList]) -> int | None:
    """How many of the nodes these targets mean; None where a resource group chooses."""
    found = reached(nodes, alternatives)
    return None if found is None else len(found)
