"""The documents that AWS publishes, as far as simulated nodes run them; steps say what they do without AWS's scripts.

Source: facts/patch-manager.md section 1.
"""

import json
from datetime import UTC, datetime
from typing import Any

from sandbox.aws.documents import DOCUMENT, POWERSHELL, SHELL, Document

RUN_PATCH_BASELINE = "AWS-RunPatchBaseline"
# The word in a script of ours that stands for AWS's own: leave with 168 where no patch is to be installed.
EXIT_UNLESS_NEEDED = "exit-unless-patching-is-needed"
OWNER = "Amazon"
_PUBLISHED = datetime(2017, 5, 18, tzinfo=UTC)
_GUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_ADDRESS = r"(^$)|^https://.+$|^s3://([^/]+)/(.*?([^/]+))$"
_HOOK = r"^((arn:[a-z0-9:-]+:document/)?[a-zA-Z0-9_.-]{3,128})$"


def _parameter(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "String", "description": description, **more}


_OPERATION = _parameter(
    "(Required) The update or configuration to perform on the instance. The system checks if patches "
    "specified in the patch baseline are installed on the instance. The install operation installs patches "
    "missing from the baseline.",
    allowedValues=["Scan", "Install"],
)
_SNAPSHOT = _parameter(
    "(Optional) The snapshot ID to use to retrieve a patch baseline snapshot.",
    allowedPattern=f"(^$)|^{_GUID}$",
    default="",
)
_REBOOT = _parameter(
    "(Optional) Reboot behavior after a patch Install operation. If you choose NoReboot and patches are "
    "installed, the instance is marked as non-compliant until a subsequent reboot and scan.",
    allowedValues=["RebootIfNeeded", "NoReboot"],
    default="RebootIfNeeded",
)
# StepTimeoutSeconds stands in newer versions of the document only.
_BASELINE_PARAMETERS = {
    "Operation": _OPERATION,
    "AssociationId": _parameter(
        "(Optional) Used by Quick Setup policies.", allowedPattern=f"(^$)|^{_GUID}$", default=""
    ),
    "SnapshotId": _SNAPSHOT,
    "InstallOverrideList": _parameter(
        "(Optional) An https URL or an Amazon S3 path-style URL to the list of patches to be installed. This "
        "patch installation list overrides the patches specified by the default patch baseline.",
        allowedPattern=_ADDRESS,
        default="",
    ),
    "BaselineOverride": _parameter(
        "(Optional) An https URL or an Amazon S3 path-style URL to a list of baseline objects. These baselines "
        "override the default baseline and any baselines used by Patch Groups.",
        allowedPattern=_ADDRESS,
        default="",
    ),
    "RebootOption": _REBOOT,
    "StepTimeoutSeconds": _parameter(
        "(Optional) The time in seconds for a step to be completed before it is considered to have failed.",
        allowedPattern="^([1-9][0-9]{0,3}|[12][0-9]{4}|3[0-5][0-9]{3}|36000)$",
        default="7200",
    ),
}


def _on(platform: str) -> dict[str, Any]:
    return {"StringEquals": ["platformType", platform]}


_BASELINE_STEPS = [
    {"precondition": _on(platform), "action": SHELL, "name": f"Patch{platform}"}
    for platform in ("Windows", "Linux", "MacOS")
]
_NOOP_STEPS = [
    {"precondition": _on("Linux"), "action": SHELL, "name": "noopLinux", "inputs": {"runCommand": ["exit 0"]}},
    {"precondition": _on("Windows"), "action": POWERSHELL, "name": "noopWindows", "inputs": {"runCommand": ["exit 0"]}},
]


def _patch(name: str, operation: str, reboot: str, **more: Any) -> dict[str, Any]:
    parameters = {"Operation": operation, "SnapshotId": "{{SnapshotId}}", "RebootOption": reboot}
    return _document(name, RUN_PATCH_BASELINE, documentParameters=parameters, onFailure="exit", **more)


def _document(name: str, path: str, **more: Any) -> dict[str, Any]:
    inputs = {"documentType": "SSMDocument", "documentPath": path} | more
    return {"action": DOCUMENT, "name": name, "inputs": inputs}


def _decide(platform: str, action: str) -> dict[str, Any]:
    lines = [f"{EXIT_UNLESS_NEEDED} {{{{Operation}}}} {{{{RebootOption}}}}"]
    return {
        "precondition": _on(platform),
        "action": action,
        "name": f"Decide{platform}",
        "inputs": {"runCommand": lines},
    }


_HOOK_PARAMETERS = {
    f"{when}HookDocName": _parameter(
        f"(Optional) The name of the document that runs {said}.", allowedPattern=_HOOK, default="AWS-Noop"
    )
    for when, said in (
        ("PreInstall", "before patches are installed"),
        ("PostInstall", "after patches are installed and before a reboot"),
        ("OnExit", "at the end"),
    )
}
_HOOKS_STEPS = [
    _patch("PatchScan", "Scan", "NoReboot"),
    _decide("Linux", SHELL),
    _decide("Windows", POWERSHELL),
    _document("PreInstallHook", "{{PreInstallHookDocName}}", onFailure="exit"),
    _patch("PatchInstallNoReboot", "Install", "NoReboot"),
    _document("PostInstallHook", "{{PostInstallHookDocName}}", onFailure="exit"),
    _patch("PatchInstallAndReboot", "Install", "RebootIfNeeded")
    | {"precondition": {"StringEquals": ["{{RebootOption}}", "RebootIfNeeded"]}},
    _document("OnExitHook", "{{OnExitHookDocName}}", finallyStep=True)
    | {"precondition": {"StringEquals": ["{{Operation}}", "Install"]}},
]


def _published(name: str, description: str, parameters: dict[str, Any], steps: list[dict[str, Any]]) -> Document:
    content = {"schemaVersion": "2.2", "description": description, "parameters": parameters, "mainSteps": steps}
    return Document(name, 1, json.dumps(content, indent=4), "JSON", _PUBLISHED, OWNER)


DOCUMENTS = (
    _published("AWS-Noop", "Does nothing.", {}, _NOOP_STEPS),
    _published(
        RUN_PATCH_BASELINE,
        "Scans for or installs patches from a patch baseline to a Linux, Windows or MacOS operating system.",
        _BASELINE_PARAMETERS,
        _BASELINE_STEPS,
    ),
    _published(
        "AWS-RunPatchBaselineWithHooks",
        "Scans for or installs patches, and runs documents of yours before, after and at the end. Requires SSM Agent "
        "3.0.502 or later.",
        {"Operation": _OPERATION, "SnapshotId": _SNAPSHOT, "RebootOption": _REBOOT, **_HOOK_PARAMETERS},
        _HOOKS_STEPS,
    ),
)
