"""Who else patches an environment's nodes: maintenance windows, State Manager associations, patch policies."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from aws.caller import MOST_IDS, Caller
from aws.errors import calling
from aws.sessions import Sessions
from aws.target import Target
from aws.windows import MaintenanceWindows
from patching.hooks import INSTALL_WITH_HOOKS
from patching.model import Node

if TYPE_CHECKING:
    from mypy_boto3_ssm.type_defs import AssociationDescriptionTypeDef, AssociationTypeDef

Kind = Literal["window", "association", "patch policy"]
PatchOperation = Literal["Scan", "Install", "unknown"]
Targets = Sequence[tuple[str, Sequence[str]]]  # (key, values) as Systems Manager writes them; all must match

# {document: its parameter that says Scan or Install}; a document without one always installs. The names are AWS's and
# ours: what other documents run is not looked into (facts/patch-manager.md section 1).
_OPERATION_PARAMETER: Mapping[str, str | None] = {
    "AWS-RunPatchBaseline": "Operation",
    "AWS-RunPatchBaselineWithHooks": "Operation",
    "AWS-RunPatchBaselineAssociation": "Operation",
    "AWS-ApplyPatchBaseline": "Operation",
    "AWS-InstallWindowsUpdates": "Action",
    "AWS-PatchInstanceWithRollback": None,
    "AWS-PatchAsgInstance": None,
    INSTALL_WITH_HOOKS: "Operation",
}
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
                (_operation(task.document, task.parameters), reached)
                for task in self._windows.tasks(target, window_id, _patches)
                if (reached := _reached(nodes, task.targets, task.parameters)) != ()
            ]
            if effects:
                next_at = self._windows.next_execution(target, window_id, after, before)
                for operation, reached in dict.fromkeys(effects):
                    yield OtherPatcher("window", window_id, name, operation, reached, next_at)

    def _associated(self, target: Target, nodes: Sequence[Node]) -> Iterator[OtherPatcher]:
        """All of the account's associations, matched here: asking node by node would be a call for each node."""
        client = self._sessions.client("ssm", target)
        with calling("ListAssociations", target):
            pages = client.get_paginator("list_associations").paginate(PaginationConfig={"PageSize": MOST_IDS})
            listed = [each for page in pages for each in page["Associations"] if _patches(each.get("Name", ""))]
        for association in listed:
            # Without targets, only the parameters can name nodes, and they are in the description.
            if _targets_of(association) and _reached(nodes, _targets_of(association), {}) == ():
                continue
            with calling("DescribeAssociation", target, association["Name"]):
                association_id = association["AssociationId"]
                described = client.describe_association(AssociationId=association_id)["AssociationDescription"]
                document, parameters = described["Name"], described.get("Parameters", {})
            reached = _reached(nodes, _targets_of(described), parameters)
            if reached != ():
                yield OtherPatcher(
                    kind="patch policy" if _is_patch_policy(parameters) else "association",
                    id=association_id,
                    name=described.get("AssociationName") or _document_name(document),
                    operation=_operation(document, parameters),
                    node_ids=reached,
                    next_at=None,
                )


def _urgency(patcher: OtherPatcher) -> tuple[bool, datetime, str, str, str]:
    return (
        patcher.operation == "Scan",
        patcher.next_at or _NO_SCHEDULE,
        patcher.kind,
        patcher.id,
        patcher.operation,
    )


def _document_name(document: str) -> str:
    """`AWS-RunPatchBaseline` from itself, from its ARN, and with a version behind a colon."""
    return document.rpartition("/")[2].partition(":")[0]


def _patches(document: str) -> bool:
    return _document_name(document) in _OPERATION_PARAMETER


def _operation(document: str, parameters: Mapping[str, Sequence[str]]) -> PatchOperation:
    name = _OPERATION_PARAMETER[_document_name(document)]
    match list(parameters.get(name, ())) if name else ["Install"]:
        case ["Install"]:
            return "Install"
        case ["Scan"]:
            return "Scan"
        case _:
            return "unknown"


def _is_patch_policy(parameters: Mapping[str, Sequence[str]]) -> bool:
    """Quick Setup's patch policies pass both of these (facts/patch-manager.md section 3)."""
    return all(any(parameters.get(name, ())) for name in ("BaselineOverride", "AssociationId"))


def _targets_of(association: "AssociationTypeDef | AssociationDescriptionTypeDef") -> list[Targets]:
    """What it runs on, by any of the three ways to say so."""
    found: list[Targets] = []
    if association.get("Targets"):
        found.append([(each["Key"], each["Values"]) for each in association["Targets"]])
    if association.get("InstanceId"):
        found.append([("InstanceIds", [association["InstanceId"]])])
    for mapped in association.get("TargetMaps", []):
        found += [[("ParameterValues", values)] for values in mapped.values()]
    return found


def _reached(
    nodes: Iterable[Node], alternatives: Iterable[Targets], parameters: Mapping[str, Sequence[str]]
) -> tuple[str, ...] | None:
    """The ids of the nodes that any of the alternatives names; without any, those that the parameters name.

    None where it can't be told from ids and tags, because a resource group chooses. () means none of them.
    """
    choices = list(alternatives) or [[("ParameterValues", [each for values in parameters.values() for each in values])]]
    hits = {node.id: _any(_hits(node, targets) for targets in choices) for node in nodes}
    if None in hits.values():
        return None
    return tuple(sorted(node_id for node_id, hit in hits.items() if hit))


def _hits(node: Node, targets: Targets) -> bool | None:
    """Whether the node matches every one of the targets."""
    answers = [_hit(node, key, values) for key, values in targets]
    if False in answers:
        return False
    return None if None in answers else True


def _hit(node: Node, key: str, values: Sequence[str]) -> bool | None:
    """`InstanceIds` with * is every node of the account; keys that are not known here can't be told."""
    if key in ("InstanceIds", "ParameterValues"):
        return node.id in values or (key == "InstanceIds" and "*" in values)
    if key == "tag-key":
        return any(value in node.tags for value in values)
    if key.startswith("tag:"):
        return node.tags.get(key.removeprefix("tag:")) in values
    return None


def _any(answers: Iterable[bool | None]) -> bool | None:
    known = list(answers)
    if True in known:
        return True
    return None if None in known else False
