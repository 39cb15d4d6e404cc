"""What AWS plans for an environment, as `/patch windows` shows it: read from the store, nobody waits for AWS."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlite_utils import Database

from commands.agenda import Seen
from commands.freezes import in_force
from commands.window_list import AssociationLine, OpeningLine, TaskLine, WindowLine
from patching.bypasses import node_count
from patching.config import Configuration
from patching.documents import document_name
from patching.nodes import EnvironmentKey
from patching.planned import LOOK_AHEAD, PlannedWindow, TargetList
from storage.changes import Change

_OPENINGS = 3  # of each window


def candidates(seen: Seen, now: datetime) -> tuple[list[PlannedWindow], list[PlannedWindow]]:
    """(enabled windows, the one that opens next first; disabled windows) that concern the environment, or may."""
    found = [window for window in seen.agenda.windows if window.concerns(seen.nodes) or _may_concern(window, seen)]
    later = now + 2 * LOOK_AHEAD

    def opens(window: PlannedWindow) -> tuple[datetime, str]:
        return next((each.opens for each in seen.agenda.openings(window) if each.ends > now), later), window.name

    return sorted((each for each in found if each.enabled), key=opens), [each for each in found if not each.enabled]


def window_line(
    db: Database,
    config: Configuration,
    key: EnvironmentKey,
    seen: Seen,
    window: PlannedWindow,
    others: dict[EnvironmentKey, Seen],
    waiting: Sequence[Change],
    now: datetime,
) -> WindowLine:
    """`others`: environments of the same account and Region; `waiting`: changes of this one that wait for a window."""
    planned = [each for each in seen.agenda.openings(window) if each.ends > now]
    patching = [task for task in window.tasks if task.operation is not None]
    lines = [
        TaskLine(document_name(task.document), task.operation or "unknown", count)
        for task in patching
        if (count := node_count(seen.nodes, task.targets)) != 0
    ]
    return WindowLine(
        id=window.id,
        name=window.name,
        schedule=window.schedule,
        timezone=window.timezone,
        duration=timedelta(hours=window.duration_hours),
        cutoff=timedelta(hours=window.cutoff_hours),
        nodes=node_count(seen.nodes, window.alternatives),
        elsewhere=tuple(str(other) for other, known in others.items() if other != key and window.concerns(known.nodes)),
        openings=tuple(
            OpeningLine(
                opening,
                tuple(each.sentence for each in in_force(db, config, key.application, max(now, opening.opens), now)),
                tuple(change.ref for change in waiting if change.opening and change.opening.key == opening.key),
            )
            for opening in planned[:_OPENINGS]
        ),
        count=len(planned),
        tasks=tuple(lines),
        other_tasks=len(window.tasks) - len(patching),
    )


def association_lines(seen: Seen) -> tuple[AssociationLine, ...]:
    """Those that patch nodes of the environment, or may; Installs first."""
    found = [
        AssociationLine(
            each.kind, each.id, each.name, document_name(each.document), each.operation, each.schedule, count
        )
        for each in seen.agenda.associations
        if (count := node_count(seen.nodes, each.targets)) != 0
    ]
    return tuple(sorted(found, key=lambda line: (line.operation == "Scan", line.name, line.id)))


def _may_concern(window: PlannedWindow, seen: Seen) -> bool:
    targets: tuple[TargetList, ...] = window.alternatives
    return bool(targets) and node_count(seen.nodes, targets) is None
