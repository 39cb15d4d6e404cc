"""Plans made for tests: nodes by id, one document for everything."""

from collections.abc import Iterable

from patching.execution import Execution
from patching.model import Node
from patching.plan import Document, Documents, PlanStep, install_plan

DOCUMENT = Document("AWS-RunPatchBaseline", "1", "d" * 64)


def node(node_id: str, **tags: str) -> Node:
    return Node(node_id, f"name-of-{node_id}", "running", "Online", None, "3.3.40.0", tags)


def installing(
    node_ids: Iterable[str], *, pinned: bool = True, document: Document = DOCUMENT, gated: bool = True
) -> tuple[PlanStep, ...]:
    """What the defaults of the configuration make of these nodes."""
    nodes = [node(node_id) for node_id in node_ids]
    return install_plan(Execution(), Documents(document, document), nodes, pinned=pinned, gated=gated)
