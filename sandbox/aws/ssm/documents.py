"""Documents' operations."""

from typing import Any

from sandbox.aws.documents import Document, Format
from sandbox.aws.library import Shelf
from sandbox.aws.model import SsmError
from sandbox.aws.published import OWNER
from sandbox.aws.ssm.call import Call, Operation
from sandbox.aws.ssm.paging import page


def create_document(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    name, kind = params["Name"], _format(params)
    if params.get("DocumentType", "Command") != "Command":
        raise SsmError("ValidationException", "The sandbox's documents are of type Command.")
    call.region.library.create(name, params["Content"], kind, call.now, call.region.account)
    return {"DocumentDescription": _description(call.region.library.shelf(name), None)}


def update_document(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """The new version doesn't become the default."""
    name, library = params["Name"], call.region.library
    library.update(name, params.get("DocumentVersion"), params["Content"], _format(params), call.now)
    return {"DocumentDescription": _description(library.shelf(name), "$LATEST")}


def update_document_default_version(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    shelf = call.region.library.own_shelf(params["Name"])
    shelf.default = shelf.version(params["DocumentVersion"]).version
    return {"Description": {"Name": params["Name"], "DefaultVersion": str(shelf.default)}}


def delete_document(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    call.region.library.remove(params["Name"])
    return {}


def describe_document(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    return {"Document": _description(call.region.library.shelf(params["Name"]), params.get("DocumentVersion"))}


def _description(shelf: Shelf, version: str | None) -> dict[str, Any]:
    document = shelf.version(version)
    parameters = [
        {"Name": p.name, "Type": p.type, "Description": p.description, "DefaultValue": p.default}
        for p in document.parameters
    ]
    return {
        **_identifier(document),
        "Hash": document.hash(),
        "HashType": "Sha256",
        "Status": "Active",
        "Description": document.description,
        "Parameters": parameters,
        "LatestVersion": str(shelf.latest.version),
        "DefaultVersion": str(shelf.default),
    }


def get_document(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    kind = _format(params)
    document = call.region.library.find(params["Name"], params.get("DocumentVersion"))
    return {
        "Name": document.name,
        "CreatedDate": document.created,
        "DocumentVersion": str(document.version),
        "Status": "Active",
        "Content": document.text(kind),
        "DocumentType": "Command",
        "DocumentFormat": kind,
    }


def _format(params: dict[str, Any]) -> Format:
    wanted = params.get("DocumentFormat", "JSON")
    if wanted not in ("JSON", "YAML"):
        raise SsmError("ValidationException", "The sandbox's documents are JSON or YAML.")
    return "YAML" if wanted == "YAML" else "JSON"


def list_documents(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    wanted = {item["key"]: [item["value"]] for item in params.get("DocumentFilterList", [])}
    wanted |= {item.get("Key", ""): item.get("Values", []) for item in params.get("Filters", [])}
    documents = [call.region.library.find(name) for name in call.region.library.names()]
    found = [document for document in documents if _passes(document, wanted)]
    shown, token = page(params, found, default=50)
    return {"DocumentIdentifiers": [_identifier(document) for document in shown], **token}


def _passes(document: Document, wanted: dict[str, list[str]]) -> bool:
    shown = {
        "Name": [document.name],
        "Owner": [document.owner, "Amazon" if document.owner == OWNER else "Self"],
        "DocumentType": ["Command"],
        "PlatformTypes": list(document.platforms),
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
        "Owner": document.owner,
        "PlatformTypes": list(document.platforms),
        "DocumentVersion": str(document.version),
        "DocumentType": "Command",
        "SchemaVersion": "2.2",
        "DocumentFormat": document.format,
        "Tags": [],
    }


OPERATIONS: dict[str, Operation] = {
    "CreateDocument": create_document,
    "UpdateDocument": update_document,
    "UpdateDocumentDefaultVersion": update_document_default_version,
    "DeleteDocument": delete_document,
    "DescribeDocument": describe_document,
    "GetDocument": get_document,
    "ListDocuments": list_documents,
}
