"""A wave's nodes, scanned again before it begins, against the rows that were approved (I3)."""

from collections.abc import Collection, Iterator

from patching.evidence import offered, on_node
from patching.model import Evidence, PatchRow, PinnedPatch
from patching.proof import patch_identity, patch_key


def moved_rows(approved: Evidence, now: Evidence, pins: Collection[PinnedPatch] | None) -> Iterator[str]:
    """A clause for each thing about a node that is not as it was approved.

    `pins`: the list that an Install takes, and nothing else: what is newly offered beside it does not come. None where
    nothing is pinned: then the Install takes whatever is offered, and all of it must be what was approved.
    """
    if approved.baseline_content != now.baseline_content:
        yield f"the baseline of {now.node_name} is another one"
    listed = {patch_key(pin.id, pin.title) for pin in pins} if pins is not None else None
    was, offered_now = _by_key(offered(approved)), _by_key(offered(now))
    there = _by_key(on_node(now))
    for key, row in was.items():
        if (listed is None or key in listed) and key not in offered_now and key not in there:
            yield f"{now.node_name} is no longer offered {_named(row, key)}{_instead(row, offered_now)}"
    if listed is None:
        for key, row in offered_now.items():
            if key not in was:
                yield f"{now.node_name} is offered {_named(row, key)}, which nobody approved"


def _instead(gone: PatchRow, offered_now: dict[tuple[str, str], PatchRow]) -> str:
    """The version that hides the approved one, or has taken its place."""
    identity = patch_identity(gone.kb_id)
    return "".join(f", but {version}" for each, version in offered_now if each == identity)


def _by_key(rows: Iterator[PatchRow]) -> dict[tuple[str, str], PatchRow]:
    return {patch_key(row.kb_id, row.title): row for row in rows}


def _named(row: PatchRow, key: tuple[str, str]) -> str:
    return f"{row.kb_id} {key[1]}"
