"""A plan as plain JSON: what a digest is over (I3), what is stored with a change, what a terminal prints."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from patching.model import Operation
from patching.plan import Document, PlanStep, StepKind

_FIELDS = frozenset(
    {
        "position",
        "kind",
        "document",
        "document_version",
        "document_hash",
        "operation",
        "parameters",
        "nodes",
        "max_concurrency",
        "max_errors",
        "delivery_timeout",
        "pinned",
        "wave",
    }
)


def step_json(step: PlanStep) -> dict[str, JsonValue]:
    """The document's parameter names are left out: its hash stands for them."""
    return {
        "position": step.position,
        "kind": step.kind.value,
        "document": step.document.name,
        "document_version": step.document.version,
        "document_hash": step.document.hash,
        "operation": step.operation.value if step.operation else "",
        "parameters": {name: list(values) for name, values in step.parameters.items()},
        "nodes": list(step.node_ids),
        "max_concurrency": step.max_concurrency,
        "max_errors": step.max_errors,
        "delivery_timeout": step.delivery_timeout,
        "pinned": step.pinned,
        "wave": step.wave,
        **step.settings,
    }


def plan_of(stored: object) -> tuple[PlanStep, ...]:
    """The steps as `step_json` wrote them; empty for what an earlier release wrote, which knew no waves."""
    steps = stored if isinstance(stored, Sequence) and not isinstance(stored, str) else ()
    if not all(isinstance(step, Mapping) and step.keys() >= _FIELDS for step in steps):
        return ()
    return tuple(map(_step, steps))


def _step(stored: Mapping[str, JsonValue]) -> PlanStep:
    operation = str(stored["operation"])
    parameters, nodes = stored["parameters"], stored["nodes"]
    return PlanStep(
        kind=StepKind(str(stored["kind"])),
        document=Document(
            str(stored["document"]), str(stored["document_version"]), str(stored["document_hash"]), frozenset()
        ),
        operation=Operation(operation) if operation else None,
        parameters={
            name: tuple(map(str, values)) if isinstance(values, list) else ()
            for name, values in (parameters.items() if isinstance(parameters, dict) else ())
        },
        node_ids=tuple(map(str, nodes)) if isinstance(nodes, list) else (),
        max_concurrency=str(stored["max_concurrency"]),
        max_errors=str(stored["max_errors"]),
        delivery_timeout=int(str(stored["delivery_timeout"])),
        position=int(str(stored["position"])),
        pinned=stored["pinned"] is True,
        wave=int(str(stored["wave"])),
        settings={name: value for name, value in stored.items() if name not in _FIELDS},
    )
