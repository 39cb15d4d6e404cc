"""A wave's nodes, scanned again before it begins, against the rows that were approved (I3)."""

from collections.abc import Collection, Iterator

from patching.evidence import offered, on_node
from patching.model import Evidence, PinnedPatch
from patching.proof import patch_key


def moved_rows(approved: Evidence, now: Evidence, pins: Collection[PinnedPatch] | None) -> Iterator[str]:
    """A sentence for each thing about a node that is not as it was approved.

    `pins`: the list that an Install takes, and nothing else: what is newly offered beside it does not come. None where
    nothing is pinned: then the Install takes whatever is offered, and all of it must be what was approved.
    """
    if approved.baseline_content != now.baseline_content:
        yield f"the baseline of {now.node_name} is another one"
    listed = {patch_key(pin.id, pin.title) for pin in pins} if pins is not None else None
    was = {patch_key(row.kb_id, row.title): row for row in offered(approved)}
    offered_now = {patch_key(row.kb_id, row.title): row for row in offered(now)}
    there = {patch_key(row.kb_id, row.title) for row in on_node(now)}
    for key, row in was.items():
        if (listed is None or key in listed) and key not in offered_now and key not in there:
            yield f"{now.node_name} is no longer offered {row.kb_id} {key[1]}"
    if listed is None:
        for key, row in offered_now.items():
            if key not in was:
                yield f"{now.node_name} is offered {row.kb_id} {key[1]}, which nobody approved"
