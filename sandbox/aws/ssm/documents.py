"""Documents' operations."""

from typing import Any

from sandbox.aws.library import Document
from sandbox.aws.model import SsmError
from sandbox.aws.ssm.call import Call, Operation
from sandbox.aws.ssm.paging import page


def describe_document(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    document = call.world.library.find(params["Name"], params.get("DocumentVersion"))
    latest = str(call.world.library.find(params["Name"]).version)
    parameters = [
        {"Name": p.name, "Type": "String", "Description": p.description, "DefaultValue": p.default}
        for p in document.parameters
    ]
    return {
        "Document": {
            **_identifier(document),
            "Hash": document.hash(),
            "HashType": "Sha256",
            "Status": "Active",
            "Description": document.description,
            "Parameters": parameters,
            "LatestVersion": latest,
            "DefaultVersion": latest,
        }
    }


def get_document(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    if params.get("DocumentFormat", "JSON") != "JSON":
        raise SsmError("InvalidDocument", "The sandbox's documents are available as JSON only.")
    document = call.world.library.find(params["Name"], params.get("DocumentVersion"))
    return {
        "Name": document.name,
        "CreatedDate": document.created,
        "DocumentVersion": str(document.version),
        "Status": "Active",
        "Content": document.content,
        "DocumentType": "Command",
        "DocumentFormat": "JSON",
    }


def list_documents(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    wanted = {item["key"]: [item["value"]] for item in params.get("DocumentFilterList", [])}
    wanted |= {item.get("Key", ""): item.get("Values", []) for item in params.get("Filters", [])}
    documents = [call.world.library.find(name) for name in call.world.library.names()]
    found = [document for document in documents if _passes(document, wanted)]
    shown, token = page(params, found, default=50)
    return {"DocumentIdentifiers": [_identifier(document) for document in shown], **token}


def _passes(document: Document, wanted: dict[str, list[str]]) -> bool:
    shown = {
        "Name": [document.name],
        "Owner": ["Amazon"],
        "DocumentType": ["Command"],
        "PlatformTypes": [platform for _, platform in document.steps],
    }
    if any(key not in shown for key in wanted):
        raise SsmError("InvalidFilterKey")
    return all(
        any(value in shown[key] or (key == "Name" and document.name.startswith(value)) for value in values)
        for key, values in wanted.items()
    )


def _identifier(document: Document) -> dict[str, Any]:
    return {
        "Name": document.name,
        "CreatedDate": document.created,
        "Owner": "Amazon",
        "PlatformTypes": [platform for _, platform in document.steps],
        "DocumentVersion": str(document.version),
        "DocumentType": "Command",
        "SchemaVersion": "2.2",
        "DocumentFormat": "JSON",
        "Tags": [],
    }


OPERATIONS: dict[str, Operation] = {
    "DescribeDocument": describe_document,
    "GetDocument": get_document,
    "ListDocuments": list_documents,
}
