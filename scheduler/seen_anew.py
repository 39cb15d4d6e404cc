"""Whether the scans at the moment of sending showed anew what the Install is judged on (I3, I8)."""

from patching.phrases import listed
from scheduler.parts import Parts
from storage import evidence, steps
from storage.runs import Run


def unseen(parts: Parts, scans: list[Run]) -> tuple[str, ...]:
    """A sentence for each scan that showed nothing of a node it was for; evidence from before it proves nothing now.

    A node that can't be reached is in no scan: the gate judges what that means.
    """
    return tuple(sentence for run in scans if (sentence := _unseen(parts, run)))


def _unseen(parts: Parts, run: Run) -> str:
    db = parts.store.db
    named = sorted({node_id for step in steps.of_run(db, run.id) for node_id in step.node_ids})
    if not named:
        return f"{run.environment} was not seen anew: {run.note or f'{run.ref} was for no node.'}"
    known = evidence.newest(db, run.application, run.environment, named)
    names = {node.id: node.name or node.id for node in run.nodes}
    old = [
        names.get(node_id, node_id)
        for node_id in named
        if node_id not in known or known[node_id].operation_end < run.requested_at
    ]
    return f"{run.environment} was not seen anew: {run.ref} showed nothing of {listed(old)}." if old else ""
