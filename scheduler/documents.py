"""The documents of a plan, as they are in its account and Region now: described, never assumed (I3)."""

from collections.abc import Sequence

from aws.commands import DocumentInfo
from aws.target import Target
from patching.execution import Execution
from patching.hooks import INSTALL_WITH_HOOKS, INSTALL_WITH_HOOKS_UNPINNED, too_old_for_hooks
from patching.model import Node
from patching.phrases import listed
from patching.plan import Document, Documents
from scheduler.parts import DOCUMENT, Parts


def documents(
    parts: Parts, target: Target, execution: Execution, nodes: Sequence[Node], *, pinned: bool, gated: bool
) -> Documents:
    """Costs a DescribeDocument for each document. Raises AwsError; ValueError where one can't do what it is for."""
    scan = _document(parts.patch_manager.document(target, DOCUMENT))
    named = execution.hooks.named
    install = scan
    if named:
        old = too_old_for_hooks(nodes)
        if old:
            raise ValueError(f"{listed(old)}: hooks need SSM Agent 3.0.502 or later; update the agent there first")
        name = INSTALL_WITH_HOOKS if pinned else INSTALL_WITH_HOOKS_UNPINNED
        install = _document(parts.patch_manager.document(target, name))
    return Documents(
        scan=scan,
        install=install,
        hooks={parameter: _own(parts, target, name) for parameter, name in named.items()},
        health=_own(parts, target, execution.health.document) if execution.health.document else None,
        backup=_own(parts, target, execution.backup.document) if gated and execution.backup.document else None,
    )


def _own(parts: Parts, target: Target, name: str) -> Document:
    """A document of the application's own, which is given nothing: each of its parameters needs a default."""
    found = parts.patch_manager.document(target, name)
    if found.required:
        raise ValueError(
            f"the document {name} in {target} demands {listed(sorted(found.required))}, which nobody gives it; "
            "give its parameters defaults"
        )
    return _document(found)


def _document(found: DocumentInfo) -> Document:
    return Document(found.name, found.version, found.hash, found.parameters)
