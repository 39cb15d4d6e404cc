"""Which document installs with hooks, which nodes can run it, and what its steps mean when they fail.

Source: facts/patch-manager.md section 1; docs/guide/hooks.md says what each failure leaves behind.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from patching.model import Node

INSTALL_WITH_HOOKS: Final = "Patchgate-InstallWithHooks"  # takes the list of what to install
INSTALL_WITH_HOOKS_UNPINNED: Final = "AWS-RunPatchBaselineWithHooks"  # takes none
OLDEST_AGENT: Final = (3, 0, 502)  # the first that knows onFailure and finallyStep

HOOKS: Final = {
    "PreInstallHookDocName": "pre-install hook",
    "PostInstallHookDocName": "post-install hook",
    "OnExitHookDocName": "on-exit hook",
}
"""The parameter that names a hook → what people call it."""

_ON_EXIT: Final = "OnExitHook"
_BEFORE_ANY: Final = "so nothing was installed here"
_HALFWAY: Final = "so part of it may be installed and nothing was rebooted for it"
_UNREBOOTED: Final = "so what was installed may still wait for its reboot"
# Step of either document → what it runs, and what its failure means. The names are of the product's own document and,
# where they differ, of AWS's.
_STEPS: Final = {
    "PatchScan": ("scan before the installation", _BEFORE_ANY),
    "PreInstallHook": ("pre-install hook", _BEFORE_ANY),
    "InstallNoReboot": ("installation", _HALFWAY),
    "PatchInstallNoReboot": ("installation", _HALFWAY),
    "PostInstallHook": ("post-install hook", "so what was installed waits for its reboot"),
    "InstallAndReboot": ("second installation, which reboots,", _UNREBOOTED),
    "PatchInstallAndReboot": ("second installation, which reboots,", _UNREBOOTED),
    _ON_EXIT: ("on-exit hook", "so look whether the application is well"),
}
_ENDED: Final = frozenset({"Success", "Failed", "TimedOut"})


@dataclass(frozen=True, slots=True)
class StepEnd:
    """How one step of a document stands on a node: its status as AWS spells it, and the last thing that it said.

    `began`: whether it was started there; a step that was skipped was not, and counts as a success all the same.
    """

    name: str
    status: str
    began: bool
    said: str = ""


def too_old_for_hooks(nodes: Iterable[Node]) -> tuple[str, ...]:
    """Names of the nodes whose SSM Agent is older, or doesn't say what it is."""
    return tuple(
        f"{node.name or node.id} ({node.agent_version or 'unknown'})" for node in nodes if _version(node) < OLDEST_AGENT
    )


def hook_failure(steps: Sequence[StepEnd], hooks: Mapping[str, str]) -> str:
    """One sentence on a node where a document with hooks did not go well; empty where its steps tell nothing.

    `steps` in the document's order; `hooks`: parameter → the document that runs then. The first step that failed is
    what went wrong, the on-exit hook's own end is told beside it.
    """
    known = [step for step in steps if step.name in _STEPS]
    failed = next((step for step in known if step.status in {"Failed", "TimedOut"}), None)
    exit_words = _exit_words(known, failed, hooks)
    if failed is None:
        return f"{exit_words[:1].upper()}{exit_words[1:]}." if exit_words else ""
    what, consequence = _STEPS[failed.name]
    ended = "failed"
    if failed.status == "TimedOut":
        # SSM Agent's `onFailure: exit` waits for failures alone; where the whole command's time is up, all ends.
        went_on = any(step.began for step in known[known.index(failed) + 1 :])
        ended = "ran into its time limit"
        consequence = "and the steps after it ran all the same" if went_on else "and nothing ran after it"
    sentence = f"the {_with_name(failed.name, what, hooks)} {ended}, {consequence}"
    also = f"; {exit_words}" if exit_words else ""
    said = f": {failed.said.rstrip('.')}" if failed.said else ""
    return f"{sentence}{also}{said}."


def _exit_words(steps: Sequence[StepEnd], failed: StepEnd | None, hooks: Mapping[str, str]) -> str:
    """What became of the on-exit hook beside another failure; empty where it went well, or where there is none."""
    last = next((step for step in steps if step.name == _ON_EXIT), None)
    if "OnExitHookDocName" not in hooks or last is None or last is failed or last.status == "Success":
        return ""
    name = _with_name(_ON_EXIT, "on-exit hook", hooks)
    if last.status in _ENDED:
        return f"the {name} did not go well either, so look whether the application is well"
    if any(step.began for step in steps):
        return f"the {name} did not run, so run it by itself"
    return ""


def _with_name(step: str, what: str, hooks: Mapping[str, str]) -> str:
    name = hooks.get(f"{step}DocName")
    return f"{what} {name}" if name else what


def _version(node: Node) -> tuple[int, ...]:
    """The numbers of "3.2.2303.0"; nothing where there are none, which is older than everything."""
    return tuple(int(number) for number in re.findall(r"\d+", node.agent_version or ""))
