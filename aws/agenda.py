"""What an account and Region plans to do to its nodes by itself, in the fewest calls."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from aws.associations import Associations, PatchingAssociation, named_in
from aws.caller import Caller
from aws.sessions import Sessions
from aws.target import Target
from aws.windows import MaintenanceWindows, WindowTask
from patching.documents import operation_of, patches
from patching.planned import LOOK_AHEAD, Agenda, PlannedAssociation, PlannedTask, PlannedWindow, TargetList, still_open
from patching.targets import Targets

if TYPE_CHECKING:
    from mypy_boto3_ssm.type_defs import MaintenanceWindowIdentityTypeDef

LOOK_INTO: Final = timedelta(hours=1)
"""AWS's list does not tell that a window's targets or tasks have changed, so each is looked into so often."""

_TIMES = ("Schedule", "ScheduleTimezone", "ScheduleOffset", "StartDate", "EndDate", "Duration", "Cutoff")
_NODE_ID = re.compile(r"m?i-[0-9a-f]{8,17}")


class AgendaReader(Caller):
    def __init__(self, sessions: Sessions) -> None:
        super().__init__(sessions)
        self._windows = MaintenanceWindows(sessions)
        self._associations = Associations(sessions)

    def read(self, target: Target, now: datetime, earlier: Agenda | None = None) -> Agenda:
        """Everything that is planned until `now` + LOOK_AHEAD.

        Calls: DescribeMaintenanceWindows, DescribeMaintenanceWindowSchedule for all of them at once where any is
        enabled, ListAssociations; those of `MaintenanceWindows.content` for each window that is new, was changed
        or was looked into LOOK_INTO ago, and DescribeAssociation for each that patches and has a new version: what
        `earlier` says of the others stays. Raises AwsError.
        """
        listed = self._windows.listed(target)
        known = {window.id: window for window in earlier.windows} if earlier else {}
        windows = {each["WindowId"]: self._window(target, each, known.get(each["WindowId"]), now) for each in listed}
        planned = (
            self._windows.executions(target, now, now + LOOK_AHEAD)
            if any(window.enabled for window in windows.values())
            else ()
        )
        begun = still_open(earlier, windows, now) if earlier else ()
        return Agenda(
            windows=tuple(sorted(windows.values(), key=lambda window: (window.name, window.id))),
            executions=tuple(sorted({*begun, *planned}, key=lambda each: (each[1], each[0]))),
            associations=self._patching(target, earlier),
        )

    def _window(
        self, target: Target, listed: "MaintenanceWindowIdentityTypeDef", known: PlannedWindow | None, now: datetime
    ) -> PlannedWindow:
        window_id = listed["WindowId"]
        name, enabled = listed.get("Name", window_id), listed.get("Enabled", False)
        written = json.dumps([listed.get(field) for field in _TIMES])
        if (
            known is not None
            and (known.name, known.enabled, known.written) == (name, enabled, written)
            and now - known.looked_at < LOOK_INTO
        ):
            return known
        targets, tasks = self._windows.content(target, window_id, patches)
        return PlannedWindow(
            id=window_id,
            name=name,
            enabled=enabled,
            schedule=listed.get("Schedule", ""),
            timezone=listed.get("ScheduleTimezone") or "UTC",
            duration_hours=listed["Duration"],
            cutoff_hours=listed["Cutoff"],
            written=written,
            targets=targets,
            tasks=tuple(map(_planned, tasks)),
            looked_at=now,
        )

    def _patching(self, target: Target, earlier: Agenda | None) -> tuple[PlannedAssociation, ...]:
        known = {each.id: each for each in earlier.associations} if earlier else {}
        found: list[PlannedAssociation] = []
        for listed in self._associations.listed(target):
            same = known.get(listed["AssociationId"])
            if same is None or same.version != listed.get("AssociationVersion", ""):
                same = _association(self._associations.described(target, listed))
            found.append(same)
        return tuple(found)


def _planned(task: WindowTask) -> PlannedTask:
    return PlannedTask(
        id=task.id,
        document=task.document,
        operation=operation_of(task.document, task.parameters) if patches(task.document) else None,
        targets=_kept(task.targets or named_in(task.parameters)),
    )


def _association(found: PatchingAssociation) -> PlannedAssociation:
    return PlannedAssociation(
        id=found.id,
        version=found.version,
        kind=found.kind,
        name=found.name,
        document=found.document,
        operation=found.operation,
        schedule=found.schedule,
        targets=_kept(found.targets),
    )


def _kept(alternatives: Iterable[Targets]) -> tuple[TargetList, ...]:
    """Of parameters only what can be a node's id: the others may hold anything."""
    return tuple(tuple((key, tuple(_values(key, values))) for key, values in targets) for targets in alternatives)


def _values(key: str, values: Sequence[str]) -> list[str]:
    return [each for each in values if _NODE_ID.fullmatch(each)] if key == "ParameterValues" else list(values)
