"""Which document installs with hooks, and which nodes can run it (facts/patch-manager.md section 1)."""

import re
from collections.abc import Iterable
from typing import Final

from patching.model import Node

INSTALL_WITH_HOOKS: Final = "Patchgate-InstallWithHooks"  # takes the list of what to install
INSTALL_WITH_HOOKS_UNPINNED: Final = "AWS-RunPatchBaselineWithHooks"  # takes none
OLDEST_AGENT: Final = (3, 0, 502)  # the first that knows onFailure and finallyStep


def too_old_for_hooks(nodes: Iterable[Node]) -> tuple[str, ...]:
    """Names of the nodes whose SSM Agent is older, or doesn't say what it is."""
    return tuple(f"{node.name} ({node.agent_version or 'unknown'})" for node in nodes if _version(node) < OLDEST_AGENT)


def _version(node: Node) -> tuple[int, ...]:
    """The numbers of "3.2.2303.0"; nothing where there are none, which is older than everything."""
    return tuple(int(number) for number in re.findall(r"\d+", node.agent_version or ""))
