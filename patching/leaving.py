"""Why production is no longer offered a version that was approved: what its fresh scans say instead.

A scan shows what the node's repository offers and what is installed, not what has gone. So the reason is read from
what stands in the version's place (facts/patch-manager.md section 2, "Parsing"; section 3: "mirrors drop old
versions", and an advisory that is issued anew restarts its approval delay).
"""

from collections.abc import Iterable, Mapping, Sequence

from patching.evidence import offered, on_node
from patching.model import Evidence, PatchState, PinnedPatch
from patching.phrases import counted, listed
from patching.proof import patch_identity, patch_key
from patching.titles import is_windows_kb, version_of
from patching.versions import is_debian_family


def no_longer_offered(approved: Iterable[PinnedPatch], target: Sequence[Evidence]) -> Mapping[str, str]:
    """{patch identity: a sentence} for every approved patch that no target node is offered in that version any more.

    An older version on the list (`patching.ready.Older`) was never offered, so a scan can't tell whether it has gone:
    it is told by what happens (`patching.outcomes.reconcile`).
    """
    pins = {patch_key(pin.id, pin.title): pin for pin in approved}
    still = {patch_key(row.kb_id, row.title) for evidence in target for row in offered(evidence)}
    return {key[0]: _why(pin, key, target) for key, pin in sorted(pins.items()) if key not in still}


def _why(pin: PinnedPatch, key: tuple[str, str], target: Sequence[Evidence]) -> str:
    identity = key[0]
    what = f"{pin.id} {version_of(pin.id, pin.title) or pin.title}".strip()
    have = sum(any(patch_key(row.kb_id, row.title) == key for row in on_node(each)) for each in target)
    if have:
        return f"{what} came onto {counted(have, 'node')} meanwhile; no node misses it any more"
    instead = {
        version_of(row.kb_id, row.title) or row.title
        for each in target
        for row in offered(each)
        if patch_identity(row.kb_id) == identity
    }
    if is_windows_kb(pin.id):
        return f"{what} {_why_not_on_windows(identity, instead, target)}"
    knowing = [each for each in target if any(patch_identity(row.kb_id) == identity for row in each.rows)]
    drops = bool(knowing) and all(is_debian_family(each.platform) for each in knowing)
    if instead:
        # Mirrors of the Debian family drop the older version; others keep it, and a scan shows the newest alone.
        lost = "is gone from the repository, which" if drops else "is not the newest any more: the repository"
        return f"{what} {lost} offers {listed(instead)} now"
    doubt = "" if drops else ", or waits for the baseline's approval again"
    return f"{what} is gone from the repository{doubt}: no node is offered it any more"


def _why_not_on_windows(identity: str, instead: set[str], target: Sequence[Evidence]) -> str:
    if instead:
        return f"comes with other content now: {listed(instead)}"
    states = {row.state for each in target for row in each.rows if patch_identity(row.kb_id) == identity}
    if PatchState.NOT_APPLICABLE in states:
        return "is superseded: the nodes report it as not applicable"
    if PatchState.AVAILABLE_SECURITY_UPDATE in states:
        return "is not approved by the baseline any more"
    return "is no longer offered: Windows Update has withdrawn it, or the baseline does not approve it any more"
