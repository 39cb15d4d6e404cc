"""Documents that patch, and what each would do with its parameters."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from patching.hooks import INSTALL_WITH_HOOKS

PatchOperation = Literal["Scan", "Install", "unknown"]
"""It is unknown where the parameter is missing or is filled in only when the document runs."""

# {document: its parameter that says Scan or Install}; a document without one always installs. The names are AWS's and
# ours: what other documents run is not looked into (facts/patch-manager.md section 1).
_OPERATION_PARAMETER: Final[Mapping[str, str | None]] = {
    "AWS-RunPatchBaseline": "Operation",
    "AWS-RunPatchBaselineWithHooks": "Operation",
    "AWS-RunPatchBaselineAssociation": "Operation",
    "AWS-ApplyPatchBaseline": "Operation",
    "AWS-InstallWindowsUpdates": "Action",
    "AWS-PatchInstanceWithRollback": None,
    "AWS-PatchAsgInstance": None,
    INSTALL_WITH_HOOKS: "Operation",
}


def document_name(document: str) -> str:
    """`AWS-RunPatchBaseline` from itself, from its ARN, and with a version behind a colon."""
    return document.rpartition("/")[2].partition(":")[0]


def patches(document: str) -> bool:
    """Whether it scans or installs; of a Lambda or Step Functions task it is asked for their ARN."""
    return document_name(document) in _OPERATION_PARAMETER


def operation_of(document: str, parameters: Mapping[str, Sequence[str]]) -> PatchOperation:
    """What a document that `patches` would do. Raises KeyError for any other."""
    name = _OPERATION_PARAMETER[document_name(document)]
    match list(parameters.get(name, ())) if name else ["Install"]:
        case ["Install"]:
            return "Install"
        case ["Scan"]:
            return "Scan"
        case _:
            return "unknown"


def is_patch_policy(parameters: Mapping[str, Sequence[str]]) -> bool:
    """Quick Setup's patch policies pass both of these (facts/patch-manager.md section 3)."""
    return all(any(parameters.get(name, ())) for name in ("BaselineOverride", "AssociationId"))
