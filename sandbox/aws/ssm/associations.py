"""State Manager's operations, as far as they tell who else patches a node (facts/patch-manager.md section 5)."""

from typing import Any

from sandbox.aws.associations import StateAssociation
from sandbox.aws.model import SsmError
from sandbox.aws.ssm.call import Call, Operation
from sandbox.aws.ssm.paging import page

_VERSION = "1"
_DOCUMENT_VERSION = "$DEFAULT"


def list_associations(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """Parameters stand in DescribeAssociation only."""
    filters = {item["key"]: item["value"] for item in params.get("AssociationFilterList", [])}
    associations = [a for a in call.region.associations.values() if _passes(a, filters)]
    shown, token = page(params, associations, default=50)
    return {"Associations": [_association(association) for association in shown], **token}


def describe_association(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    association = call.region.associations.get(params.get("AssociationId", ""))
    if association is None:
        raise SsmError("AssociationDoesNotExist", "The specified association does not exist.")
    description = {
        **_association(association),
        "Date": association.created,
        "LastUpdateAssociationDate": association.created,
        "Parameters": association.parameters,
        "ApplyOnlyAtCronInterval": False,
    }
    return {"AssociationDescription": description}


def describe_instance_associations_status(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """The associations whose targets resolve to the node now."""
    node = call.node(params["InstanceId"])
    associations = [
        association
        for association in call.region.associations.values()
        if node in call.world.resolve(call.region, association.targets)
    ]
    shown, token = page(params, associations, default=50)
    infos = [
        {
            "AssociationId": association.id,
            "Name": association.document,
            "DocumentVersion": _DOCUMENT_VERSION,
            "AssociationVersion": _VERSION,
            "InstanceId": node.id,
            "ExecutionDate": association.created,
            "Status": "Success",
            "DetailedStatus": "Success",
            "ExecutionSummary": "1 out of 1 plugin processed, 1 success, 0 failed, 0 timedout, 0 skipped. ",
            "AssociationName": association.name or None,
        }
        for association in shown
    ]
    return {"InstanceAssociationStatusInfos": infos, **token}


def _passes(association: StateAssociation, filters: dict[str, str]) -> bool:
    """InstanceId finds only associations made the old way, with one instance id and no targets; here is none
    (botocore, AssociationFilterKey)."""
    known = {"Name": association.document, "AssociationId": association.id, "AssociationName": association.name}
    return all(known.get(key) == value for key, value in filters.items())


def _association(association: StateAssociation) -> dict[str, Any]:
    return {
        "Name": association.document,
        "AssociationId": association.id,
        "AssociationVersion": _VERSION,
        "DocumentVersion": _DOCUMENT_VERSION,
        "Targets": association.targets,
        "LastExecutionDate": association.created,
        "Overview": {"Status": "Success", "DetailedStatus": "Success"},
        "ScheduleExpression": association.schedule,
        "AssociationName": association.name or None,
    }


OPERATIONS: dict[str, Operation] = {
    "ListAssociations": list_associations,
    "DescribeAssociation": describe_association,
    "DescribeInstanceAssociationsStatus": describe_instance_associations_status,
}
