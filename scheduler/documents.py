"""The documents of a plan, as they are in its account and Region now: described, never assumed (I3)."""

from collections.abc import Sequence

from aws.documents import DocumentInfo, UnusableDocument
from aws.target import Target
from patching.execution import Execution
from patching.hooks import HOOKS, INSTALL_WITH_HOOKS_UNPINNED, too_old_for_hooks
from patching.model import Node
from patching.phrases import listed
from patching.plan import Document, Documents
from scheduler.parts import DOCUMENT, Parts


def documents(
    parts: Parts, target: Target, execution: Execution, nodes: Sequence[Node], *, pinned: bool, gated: bool
) -> Documents:
    """Costs a DescribeDocument for each document.

    Raises UnusableDocument where one can't do what it is for there, and the other AwsErrors where AWS does not say.
    """
    named = execution.hooks.named
    # Whether a node that is away can be patched at all is the gate's question, and nothing is sent to it.
    old = too_old_for_hooks(node for node in nodes if node.reachable) if named else ()
    if old:
        raise UnusableDocument(
            f"Hooks need SSM Agent 3.0.502 or later, and {listed(old)} "
            f"{'has' if len(old) == 1 else 'have'} an older one, so nothing was sent: update it there first."
        )
    manager = parts.patch_manager
    scan = install = _document(manager.document(target, DOCUMENT))
    if named:
        unpinned = INSTALL_WITH_HOOKS_UNPINNED
        install = _document(manager.install_with_hooks(target) if pinned else manager.document(target, unpinned))
    platform_types = {"Windows" if node.platform.is_windows else "Linux" for node in nodes if node.platform}

    def own(name: str, role: str) -> Document:
        return _document(manager.own_document(target, name, role, platform_types))

    found = {name: own(name, HOOKS[parameter]) for parameter, name in named.items()}
    health, backup = execution.health.document, execution.backup.document
    return Documents(
        scan=scan,
        install=install,
        hooks={parameter: found[name] for parameter, name in named.items()},
        health=own(health, "health document") if health else None,
        backup=own(backup, "backup document") if backup and gated else None,
    )


def _document(found: DocumentInfo) -> Document:
    return Document(found.name, found.version, found.hash, found.parameters)
