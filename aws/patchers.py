"""Who else patches an environment's nodes: maintenance windows, State Manager associations, patch policies."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from aws.associations import Associations, named_in, targets_of
from aws.caller import Caller
from aws.sessions import Sessions
from aws.target import Target
from aws.windows import MaintenanceWindows
from patching.documents import PatchOperation, operation_of, patches
from patching.model import Node
from patching.targets import Targets, reached

Kind = Literal["window", "association", "patch policy"]
_NO_SCHEDULE = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OtherPatcher:
    """Something that patches nodes without asking anybody.

    A Scan changes no package, but it replaces the evidence that a change stands on. `operation` is "unknown" where
    the parameter is missing or is filled in only when it runs.
    """

    kind: Kind
    id: str  # the window's or the association's
    name: str
    operation: PatchOperation
    node_ids: tuple[str, ...] | None  # those of the nodes asked for; None where they can't be told
    next_at: datetime | None  # its first time in the period; None without one, or where AWS tells none


class Patchers(Caller):
    def __init__(self, sessions: Sessions) -> None:
        super().__init__(sessions)
        self._windows = MaintenanceWindows(sessions)
        self._associations = Associations(sessions)

    def others(
        self,
        target: Target,
        nodes: Sequence[Node],
        targets: Mapping[str, Sequence[str]],
        after: datetime,
        before: datetime,
    ) -> tuple[OtherPatcher, ...]:
        """Whatever else scans or installs on `nodes`: Installs first, then by their time in [after, before).

        `targets` are the ones that the nodes were resolved from. Disabled windows are left out; a window that has no
        execution in the period stays, without a time. State Manager tells no next time of an association.
        Calls: those of `MaintenanceWindows.covering` and `tasks` for each window, DescribeMaintenanceWindowSchedule
        for each that patches; ListAssociations for each 50 of the account, DescribeAssociation for each that patches.
        Raises AwsError.
        """
        if not nodes:
            return ()
        found = (*self._in_windows(target, nodes, targets, after, before), *self._associated(target, nodes))
        return tuple(sorted(found, key=_urgency))

    def _in_windows(
        self,
        target: Target,
        nodes: Sequence[Node],
        targets: Mapping[str, Sequence[str]],
        after: datetime,
        before: datetime,
    ) -> Iterator[OtherPatcher]:
        covering = self._windows.covering(target, targets, [node.id for node in nodes])
        for window_id, name in covering.items():
            effects = [
                (operation_of(task.document, task.parameters), node_ids)
                for task in self._windows.tasks(target, window_id, patches)
                if (node_ids := _reached(nodes, task.targets or named_in(task.parameters))) != ()
            ]
            if effects:
                planned = self._windows.executions(target, after, before, window_id)
                next_at = planned[0][1] if planned else None
                for operation, node_ids in dict.fromkeys(effects):
                    yield OtherPatcher("window", window_id, name, operation, node_ids, next_at)

    def _associated(self, target: Target, nodes: Sequence[Node]) -> Iterator[OtherPatcher]:
        """All of the account's associations, matched here: asking node by node would be a call for each node."""
        for association in self._associations.listed(target):
            # Without targets, only the parameters can name nodes, and they are in the description.
            if targets_of(association) and _reached(nodes, targets_of(association)) == ():
                continue
            found = self._associations.described(target, association)
            node_ids = _reached(nodes, found.targets)
            if node_ids != ():
                yield OtherPatcher(found.kind, found.id, found.name, found.operation, node_ids, next_at=None)


def _urgency(patcher: OtherPatcher) -> tuple[bool, datetime, str, str, str]:
    return (
        patcher.operation == "Scan",
        patcher.next_at or _NO_SCHEDULE,
        patcher.kind,
        patcher.id,
        patcher.operation,
    )


def _reached(nodes: Iterable[Node], alternatives: Iterable[Targets]) -> tuple[str, ...] | None:
    return reached({node.id: node.tags for node in nodes}, alternatives)
