"""State Manager associations that patch, and what each would do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aws.caller import MOST_IDS, Caller
from aws.errors import calling
from aws.target import Target
from patching.documents import PatchOperation, document_name, is_patch_policy, operation_of, patches
from patching.targets import Targets

if TYPE_CHECKING:
    from mypy_boto3_ssm.type_defs import AssociationDescriptionTypeDef, AssociationTypeDef


@dataclass(frozen=True, slots=True)
class PatchingAssociation:
    id: str
    version: str  # another one after each change
    kind: Literal["association", "patch policy"]
    name: str
    document: str
    operation: PatchOperation
    schedule: str  # State Manager's expression, in UTC; empty where it runs only when something changes
    targets: Sequence[Targets]  # alternatives


class Associations(Caller):
    def listed(self, target: Target) -> "list[AssociationTypeDef]":
        """The account's associations whose document patches: a call for each 50 of all that it has. Raises AwsError."""
        client = self._sessions.client("ssm", target)
        with calling("ListAssociations", target):
            pages = client.get_paginator("list_associations").paginate(PaginationConfig={"PageSize": MOST_IDS})
            return [each for page in pages for each in page["Associations"] if patches(each.get("Name", ""))]

    def described(self, target: Target, association: "AssociationTypeDef") -> PatchingAssociation:
        """One of those listed with its parameters, which alone tell Scan from Install. Raises AwsError."""
        client = self._sessions.client("ssm", target)
        with calling("DescribeAssociation", target, association["Name"]):
            association_id = association["AssociationId"]
            found = client.describe_association(AssociationId=association_id)["AssociationDescription"]
            document, parameters = found["Name"], found.get("Parameters", {})
            return PatchingAssociation(
                id=association_id,
                version=found.get("AssociationVersion", ""),
                kind="patch policy" if is_patch_policy(parameters) else "association",
                name=found.get("AssociationName") or document_name(document),
                document=document,
                operation=operation_of(document, parameters),
                schedule=found.get("ScheduleExpression", ""),
                targets=targets_of(found) or named_in(parameters),
            )


def targets_of(association: "AssociationTypeDef | AssociationDescriptionTypeDef") -> list[Targets]:
    """What it runs on, by any of the three ways to say so."""
    found: list[Targets] = []
    if association.get("Targets"):
        found.append([(each["Key"], each["Values"]) for each in association["Targets"]])
    if association.get("InstanceId"):
        found.append([("InstanceIds", [association["InstanceId"]])])
    for mapped in association.get("TargetMaps", []):
        found += [[("ParameterValues", values)] for values in mapped.values()]
    return found


def named_in(parameters: Mapping[str, Sequence[str]]) -> list[Targets]:
    """The nodes that a task or an association without targets may name in its parameters."""
    return [[("ParameterValues", [each for values in parameters.values() for each in values])]]
