"""Windows: would the nodes' baselines let the listed KBs in?

On Linux the list alone decides. On Windows "a listed KB installs only if the baseline approves it too"
(facts/patch-manager.md section 1). What is known of that before the send:

- A Missing row is AWS's own verdict: Missing means approved and absent (section 2). The list holds only what
  production's own fresh scans offer, so each KB is approved by the baseline of the node that shows it as Missing.
  Approval delays only ever let more in while the content stays, and the content is part of the digest.
- AvailableSecurityUpdate is AWS's verdict to the contrary: there, and not approved.
- The list goes to every node. A node of the same platform without a row for the KB is judged by the same content as
  one that shows it: then the KB is not meant for it. Under another content (the check `same-baseline` can be waived)
  nobody has judged it; nor does a Failed row say whether the baseline approves it still. For these the content is
  read, as far as a row tells what its rules ask for: id, classification and severity. Products, dates and everything
  else can't be told, so what the content does not exclude stays open.

Nothing here fails the gate: a node that does not get such a KB is not meant to get it by its own scan, so it does not
deviate by it. Whoever approves reads it before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from patching.evidence import is_readable, offered
from patching.model import Evidence, PatchRow, PatchState, PinnedPatch
from patching.phrases import listed
from patching.proof import patch_identity
from patching.rejected import rejecting_entry
from patching.titles import is_windows_kb

Baselines = Mapping[str, Mapping[str, Any]]

_BY_ROW: Final = {"CLASSIFICATION": "classification", "MSRC_SEVERITY": "severity"}


@dataclass(frozen=True, slots=True)
class ListedKbs:
    """The KBs of a list against the nodes' baselines; `refused` and `untold` each with a sentence."""

    approved: tuple[str, ...]  # on every node that may get it
    refused: tuple[tuple[str, str], ...]  # would not install on some node
    untold: tuple[tuple[str, str], ...]  # on some node nobody can tell

    @property
    def count(self) -> int:
        return len(self.approved) + len(self.refused) + len(self.untold)


def listed_kbs(pins: Iterable[PinnedPatch], target: Sequence[Evidence], baselines: Baselines) -> ListedKbs:
    """Compare a list's KBs with the baselines of the target's Windows nodes.

    `baselines`: content hash → GetPatchBaseline response (`storage.evidence.baselines`).
    """
    nodes = [each for each in target if each.platform.is_windows and is_readable(each)]
    if not nodes:
        return ListedKbs((), (), ())
    approved: list[str] = []
    refused: list[tuple[str, str]] = []
    untold: list[tuple[str, str]] = []
    for kb_id in sorted({patch_identity(pin.id) for pin in pins if is_windows_kb(pin.id)}):
        against, open_on = _judge(kb_id, nodes, baselines)
        if against:
            refused += [(kb_id, f"it would not install on {listed(names)}: {why}") for why, names in against.items()]
        elif open_on:
            untold.append((kb_id, f"whether the baseline of {listed(open_on)} approves it can't be told"))
        else:
            approved.append(kb_id)
    return ListedKbs(tuple(approved), tuple(refused), tuple(untold))


def _judge(kb_id: str, nodes: Sequence[Evidence], baselines: Baselines) -> tuple[dict[str, list[str]], list[str]]:
    """(why not → node names, names of nodes of which it can't be told)."""
    rows = {node.node_id: [row for row in node.rows if patch_identity(row.kb_id) == kb_id] for node in nodes}
    asked = {node.platform for node in nodes if any(patch_identity(row.kb_id) == kb_id for row in offered(node))}
    judged = {
        (node.platform, node.baseline_content)
        for node in nodes
        if any(row.state is PatchState.MISSING for row in rows[node.node_id])
    }
    sample = next((row for node in nodes for row in rows[node.node_id] if row.classification), None)
    against: dict[str, list[str]] = {}
    open_on: list[str] = []
    for node in nodes:
        states = {row.state for row in rows[node.node_id]}
        if PatchState.AVAILABLE_SECURITY_UPDATE in states:
            against.setdefault("it is available there, and not approved", []).append(node.node_name)
            continue
        unjudged = not states and node.platform in asked and (node.platform, node.baseline_content) not in judged
        if PatchState.FAILED not in states and not unjudged:
            continue
        why = _exclusion(baselines.get(node.baseline_content), node, kb_id, sample)
        if why:
            against.setdefault(why, []).append(node.node_name)
        else:
            open_on.append(node.node_name)
    return against, open_on


def _exclusion(baseline: Mapping[str, Any] | None, node: Evidence, kb_id: str, row: PatchRow | None) -> str:
    """Why a baseline's content can't approve a KB, in a few words; empty where it may."""
    if baseline is None:
        return ""
    entry = rejecting_entry(baseline, node.platform, kb_id, None)
    if entry is not None:
        return f"the baseline rejects {entry}"
    if kb_id in {patch_identity(each) for each in baseline.get("ApprovedPatches") or ()}:
        return ""
    if not _may_match((baseline.get("GlobalFilters") or {}).get("PatchFilters") or (), row):
        return "the baseline's global filters leave it out"
    rules = (baseline.get("ApprovalRules") or {}).get("PatchRules") or ()
    if not any(_may_match((rule.get("PatchFilterGroup") or {}).get("PatchFilters") or (), row) for rule in rules):
        return "no rule of the baseline approves its classification and severity"
    return ""


def _may_match(filters: Iterable[Mapping[str, Any]], row: PatchRow | None) -> bool:
    """False only where a filter asks for something else than the row says."""
    for each in filters:
        said = getattr(row, _BY_ROW[each["Key"]]) if row is not None and each["Key"] in _BY_ROW else ""
        wanted = {str(value).casefold() for value in each["Values"]}
        if said and "*" not in wanted and said.casefold() not in wanted:
            return False
    return True
