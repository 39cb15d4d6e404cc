"""What is going to be sent: the steps of a run, as far as an approval binds them.

A step is one command to at most 50 explicit nodes (I13, facts/patch-manager.md section 4). SnapshotId and the
override list's address are added when sending: they mean nothing to an approver and change every time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from patching.model import Operation

BATCH: Final = 50

# Delivery, not execution. The nodes of a batch that wait for MaxConcurrency's first half need the longer one;
# a node that is back later than this must not be patched then, when nobody expects it any more.
SCAN_DELIVERY_SECONDS: Final = 600
INSTALL_DELIVERY_SECONDS: Final = 3600

BASELINE_PARAMETERS: Final = frozenset({"Operation", "RebootOption", "SnapshotId", "InstallOverrideList"})


class StepKind(StrEnum):
    INSTALL = "install"
    VERIFY = "verify"
    SCAN = "scan"


@dataclass(frozen=True, slots=True)
class Document:
    """A document as DescribeDocument describes it; `parameters` are the names that this version takes."""

    name: str
    version: str
    hash: str
    parameters: frozenset[str] = BASELINE_PARAMETERS


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One command. Steps go by `position`, from 1; verification comes after all installs."""

    kind: StepKind
    document: Document
    operation: Operation
    parameters: Mapping[str, tuple[str, ...]]  # without SnapshotId and InstallOverrideList
    node_ids: tuple[str, ...]
    max_concurrency: str
    max_errors: str
    delivery_timeout: int  # seconds
    position: int
    pinned: bool = False  # an InstallOverrideList must be sent with it


def scan_plan(document: Document, node_ids: Iterable[str]) -> tuple[PlanStep, ...]:
    """Scan every node. Raises ValueError without nodes, or for a document that can't carry our SnapshotId."""
    return _scan_steps(StepKind.SCAN, document, _batches(node_ids), first_position=1)


def install_plan(
    document: Document, node_ids: Iterable[str], reboot_option: str, *, pinned: bool
) -> tuple[PlanStep, ...]:
    """Install on every node, then scan every node: an Install's own report proves nothing (I8).

    `pinned` installs the override list and nothing else. Raises ValueError without nodes, or for a document that
    lacks a parameter which the plan can't do without.
    """
    _require(document, {"SnapshotId", "RebootOption"} | ({"InstallOverrideList"} if pinned else set()))
    batches = _batches(node_ids)
    installs = tuple(
        PlanStep(
            kind=StepKind.INSTALL,
            document=document,
            operation=Operation.INSTALL,
            parameters=parameters_for(Operation.INSTALL, reboot_option, document.parameters),
            node_ids=batch,
            max_concurrency="50%",
            max_errors="0",
            delivery_timeout=INSTALL_DELIVERY_SECONDS,
            position=position,
            pinned=pinned,
        )
        for position, batch in enumerate(batches, start=1)
    )
    return installs + _scan_steps(StepKind.VERIFY, document, batches, first_position=len(installs) + 1)


def parameters_for(
    operation: Operation, reboot_option: str | None, document_parameters: frozenset[str]
) -> Mapping[str, tuple[str, ...]]:
    """The parameters that an approval binds, only those that the document has; a Scan never reboots."""
    wanted = {"Operation": operation.value}
    if operation is Operation.INSTALL and reboot_option:
        wanted["RebootOption"] = reboot_option
    return {name: (value,) for name, value in wanted.items() if name in document_parameters}


def _scan_steps(
    kind: StepKind, document: Document, batches: Iterable[tuple[str, ...]], first_position: int
) -> tuple[PlanStep, ...]:
    _require(document, {"SnapshotId"})
    return tuple(
        PlanStep(
            kind=kind,
            document=document,
            operation=Operation.SCAN,
            parameters=parameters_for(Operation.SCAN, None, document.parameters),
            node_ids=batch,
            max_concurrency="100%",
            max_errors="100%",
            delivery_timeout=SCAN_DELIVERY_SECONDS,
            position=position,
        )
        for position, batch in enumerate(batches, start=first_position)
    )


def _require(document: Document, names: set[str]) -> None:
    lacking = sorted(({"Operation"} | names) - document.parameters)
    if lacking:
        raise ValueError(f"document {document.name} version {document.version} has no parameter {', '.join(lacking)}")


def _batches(node_ids: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    ids = sorted(set(node_ids))
    if not ids:
        raise ValueError("there is no node to plan for")
    return tuple(tuple(ids[start : start + BATCH]) for start in range(0, len(ids), BATCH))
