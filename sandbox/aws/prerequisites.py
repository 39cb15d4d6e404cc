"""What AWS-RunPatchBaseline needs on a node before it can do anything; only a trial run tells.

The words are the payload's own (facts/patch-manager.md sections 6 and 9), except for an old PowerShell, which stumbles
over a switch that 3.0 brought.
"""

from sandbox.aws.fleet import Platform
from sandbox.aws.node import ManagedNode, version_key

_OLDEST_AGENT = "2.0.834.0"
_NEEDS_PYTHON = {
    "apt": "Apt requires Python3 to be installed.",
    "dnf": "Dnf requires Python2 or Python3 to be installed.",
}


def what_is_wrong(node: ManagedNode) -> tuple[int, str] | None:
    """(exit code, message) of a run that can't begin, or None."""
    if version_key(node.agent_version) < version_key(_OLDEST_AGENT):
        return -1, f"This command is not supported with SSM Agent version less than {_OLDEST_AGENT}."
    if node.lacks == "python":
        return 1, _without_python(node.platform)
    if node.lacks == "powershell":
        return -1, (
            "An error occurred when executing PatchBaselineOperations: "
            "A parameter cannot be found that matches parameter name 'Directory'."
        )
    if not node.platform.supported:
        return 146, (
            "An error occurred (UnsupportedOperatingSystem) when calling the GetDeployablePatchSnapshotForInstance "
            "operation: Unsupported Operating System\nfailed to run commands: exit status 146"
        )
    return None


def _without_python(platform: Platform) -> str:
    return (
        "An unsupported package manager and python version combination was found. "
        f"{_NEEDS_PYTHON.get(platform.manager, '')}\nfailed to run commands: exit status 1"
    )
