"""What is going to be sent: the steps of a run, as far as an approval binds them.

A step is one command to at most 50 explicit nodes (I13, facts/patch-manager.md section 4), or something to be done
without a command: a backup that EC2 takes, a wait for health. SnapshotId and the override list's address are added when
sending: they mean nothing to an approver and change every time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from math import ceil
from typing import Final

from pydantic import JsonValue

from patching.execution import BackupKind, Execution
from patching.model import Node, Operation
from patching.waves import Wave, split

BATCH: Final = 50

# Delivery, not execution: a node that is back later than this must not be patched then, when nobody expects it.
SCAN_DELIVERY_SECONDS: Final = 600
SCAN_STEP_SECONDS: Final = 7200  # the document's own time (facts/patch-manager.md section 1)

BASELINE_PARAMETERS: Final = frozenset({"Operation", "RebootOption", "SnapshotId", "InstallOverrideList"})


class StepKind(StrEnum):
    BACKUP = "backup"  # before anything is installed: snapshots or images of every node, the database's own dump
    GATE = "gate"  # a Scan of a wave's nodes, held against the rows that were approved
    INSTALL = "install"
    HEALTH = "health"  # a wait and alarms, or a document, after a wave
    VERIFY = "verify"
    SCAN = "scan"


@dataclass(frozen=True, slots=True)
class Document:
    """A document as DescribeDocument describes it; `parameters` are the names that this version takes."""

    name: str
    version: str
    hash: str
    parameters: frozenset[str] = BASELINE_PARAMETERS


NO_DOCUMENT: Final = Document("", "", "", frozenset())


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of a plan, as they are in its account and Region now.

    `install` is the one that installs, which with hooks is another one than `scan`; `hooks` has for each of its
    parameters that names a hook that hook's document.
    """

    scan: Document
    install: Document
    hooks: Mapping[str, Document] = field(default_factory=dict)
    health: Document | None = None
    backup: Document | None = None


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One command, or one thing to do without one (`document` is NO_DOCUMENT). Steps go by `position`, from 1.

    `settings` are JSON values: `wave_name` of every step; `step_seconds` and `reboot_seconds` of commands; of an
    Install `at_once` and `errors` (nodes of the wave that may be under way, that may have failed) and `hooks`
    (parameter → name, version, hash); of a health step without document `wait_seconds` and `alarms`; of a backup
    without document `take` (snapshots or image), and `step_seconds` until all of it is complete.
    """

    kind: StepKind
    document: Document
    operation: Operation | None  # of Patch Manager; None where the document is the application's own
    parameters: Mapping[str, tuple[str, ...]]  # without SnapshotId and InstallOverrideList
    node_ids: tuple[str, ...]
    max_concurrency: str
    max_errors: str
    delivery_timeout: int  # seconds
    position: int
    pinned: bool = False  # an InstallOverrideList must be sent with it
    wave: int = 1  # 0: before all waves
    settings: Mapping[str, JsonValue] = field(default_factory=dict)


def scan_plan(document: Document, node_ids: Iterable[str]) -> tuple[PlanStep, ...]:
    """Scan every node. Raises ValueError without nodes, or for a document that can't carry our SnapshotId."""
    return numbered(_scan_steps(StepKind.SCAN, document, node_ids, Wave("all nodes", ()), 1))


def install_plan(
    execution: Execution, documents: Documents, nodes: Sequence[Node], *, pinned: bool, gated: bool
) -> tuple[PlanStep, ...]:
    """Backups, then for each wave: gate, Install, health, and a Scan, for an Install's own report proves nothing (I8).

    `pinned` installs the override list and nothing else. `gated`: an approved change's plan, with its backups and
    with a gate before each wave; the scans at the moment of sending are the gate of a first wave that nothing delays.
    Raises ValueError without nodes, or for a document that lacks a parameter which the plan can't do without.
    """
    _require(documents.scan, {"Operation", "SnapshotId"})
    needed = {"Operation", "SnapshotId", "RebootOption", *execution.hooks.named}
    _require(documents.install, needed | ({"InstallOverrideList"} if pinned else set()))
    unique = list({node.id: node for node in nodes}.values())
    steps = _backups(execution, documents, unique) if gated else []
    waves = split(unique, execution.waves, execution.canary, execution.ha_group)
    if not waves:
        raise ValueError("there is no node to plan for")
    for number, wave in enumerate(waves, start=1):
        ids = [node.id for node in wave.nodes]
        if gated and steps:
            steps += _scan_steps(StepKind.GATE, documents.scan, ids, wave, number)
        steps += _installs(execution, documents, wave, number, pinned=pinned)
        steps += _health(execution, documents, wave, number)
        steps += _scan_steps(StepKind.VERIFY, documents.scan, ids, wave, number)
    return numbered(steps)


def numbered(steps: Iterable[PlanStep]) -> tuple[PlanStep, ...]:
    """The steps in this order, with their positions from 1."""
    return tuple(replace(step, position=position) for position, step in enumerate(steps, start=1))


def parameters_for(
    operation: Operation, reboot_option: str | None, document_parameters: frozenset[str]
) -> Mapping[str, tuple[str, ...]]:
    """The parameters that an approval binds, only those that the document has; a Scan never reboots."""
    wanted = {"Operation": operation.value}
    if operation is Operation.INSTALL and reboot_option:
        wanted["RebootOption"] = reboot_option
    return {name: (value,) for name, value in wanted.items() if name in document_parameters}


def share(limit: str, count: int) -> int:
    """How many of `count` nodes a limit such as "50%" or "10" means; rounded down, and never more than there are."""
    wanted = count * int(limit.removesuffix("%")) // 100 if limit.endswith("%") else int(limit)
    return min(wanted, count)


def _installs(execution: Execution, documents: Documents, wave: Wave, number: int, *, pinned: bool) -> list[PlanStep]:
    """The rate holds over all batches of the wave: `dispatch` keeps to `at_once` and `errors` over them."""
    at_once = max(1, share(execution.rate.max_concurrency, len(wave.nodes)))
    errors = share(execution.rate.max_errors, len(wave.nodes))
    step_seconds = _seconds(execution.timeouts.step)
    parameters = {
        **parameters_for(Operation.INSTALL, execution.reboot, documents.install.parameters),
        **{parameter: (hook.name,) for parameter, hook in documents.hooks.items()},
    }
    if "StepTimeoutSeconds" in documents.install.parameters:
        parameters["StepTimeoutSeconds"] = (str(step_seconds),)
    hooks: dict[str, JsonValue] = {
        parameter: {"name": hook.name, "version": hook.version, "hash": hook.hash}
        for parameter, hook in documents.hooks.items()
    }
    steps = []
    for ids in _batches(node.id for node in wave.nodes):
        in_turn = min(at_once, len(ids))
        steps.append(
            PlanStep(
                kind=StepKind.INSTALL,
                document=documents.install,
                operation=Operation.INSTALL,
                parameters=parameters,
                node_ids=ids,
                max_concurrency=str(in_turn),
                max_errors=str(errors),
                # Nodes that wait for their turn within the command need the time of those before them as well.
                delivery_timeout=_seconds(execution.timeouts.delivery) + (ceil(len(ids) / in_turn) - 1) * step_seconds,
                position=0,
                pinned=pinned,
                wave=number,
                settings={
                    "wave_name": wave.name,
                    "at_once": at_once,
                    "errors": errors,
                    "step_seconds": step_seconds,
                    "reboot_seconds": _seconds(execution.timeouts.reboot),
                    **({"hooks": hooks} if hooks else {}),
                },
            )
        )
    return steps


def _backups(execution: Execution, documents: Documents, nodes: Sequence[Node]) -> list[PlanStep]:
    """The database's own dump first, so that it is within the snapshots too."""
    everything = Wave("all nodes", tuple(nodes))
    steps = []
    if documents.backup:
        steps += _own_document(StepKind.BACKUP, documents.backup, execution, everything, 0)
    if execution.backup.kind is not BackupKind.NONE:
        settings: dict[str, JsonValue] = {
            "wave_name": everything.name,
            "take": execution.backup.kind.value,
            "step_seconds": _seconds(execution.timeouts.step),
        }
        steps += [
            replace(_without_command(StepKind.BACKUP, ids, everything, 0), settings=settings)
            for ids in _batches(node.id for node in nodes)
        ]
    return steps


def _health(execution: Execution, documents: Documents, wave: Wave, number: int) -> list[PlanStep]:
    wanted = execution.health
    steps = []
    if wanted.wait or wanted.alarms:
        settings: dict[str, JsonValue] = {
            "wave_name": wave.name,
            "wait_seconds": _seconds(wanted.wait),
            "alarms": list(wanted.alarms),
        }
        steps.append(replace(_without_command(StepKind.HEALTH, (), wave, number), settings=settings))
    if documents.health:
        steps += _own_document(StepKind.HEALTH, documents.health, execution, wave, number)
    return steps


def _own_document(kind: StepKind, document: Document, execution: Execution, wave: Wave, number: int) -> list[PlanStep]:
    """A document of the application's own on every node of the wave, with nothing but its own defaults."""
    return [
        PlanStep(
            kind=kind,
            document=document,
            operation=None,
            parameters={},
            node_ids=ids,
            max_concurrency="100%",
            max_errors="100%",
            delivery_timeout=_seconds(execution.timeouts.delivery),
            position=0,
            wave=number,
            settings={"wave_name": wave.name, "step_seconds": _seconds(execution.timeouts.step)},
        )
        for ids in _batches(node.id for node in wave.nodes)
    ]


def _without_command(kind: StepKind, node_ids: tuple[str, ...], wave: Wave, number: int) -> PlanStep:
    return PlanStep(
        kind=kind,
        document=NO_DOCUMENT,
        operation=None,
        parameters={},
        node_ids=node_ids,
        max_concurrency="",
        max_errors="",
        delivery_timeout=0,
        position=0,
        wave=number,
        settings={"wave_name": wave.name},
    )


def _scan_steps(kind: StepKind, document: Document, node_ids: Iterable[str], wave: Wave, number: int) -> list[PlanStep]:
    _require(document, {"Operation", "SnapshotId"})
    return [
        PlanStep(
            kind=kind,
            document=document,
            operation=Operation.SCAN,
            parameters=parameters_for(Operation.SCAN, None, document.parameters),
            node_ids=batch,
            max_concurrency="100%",
            max_errors="100%",
            delivery_timeout=SCAN_DELIVERY_SECONDS,
            position=0,
            wave=number,
            settings={"wave_name": wave.name, "step_seconds": SCAN_STEP_SECONDS},
        )
        for batch in _batches(node_ids)
    ]


def _require(document: Document, names: set[str]) -> None:
    lacking = sorted(names - document.parameters)
    if lacking:
        raise ValueError(f"document {document.name} version {document.version} has no parameter {', '.join(lacking)}")


def _batches(node_ids: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    ids = sorted(set(node_ids))
    if not ids:
        raise ValueError("there is no node to plan for")
    return tuple(tuple(ids[start : start + BATCH]) for start in range(0, len(ids), BATCH))


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
