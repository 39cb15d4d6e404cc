"""Requests and answers held against botocore's service model of SSM.

botocore itself checks required members, types, unknown members and minima of what a client sends, but never
maxima, patterns or enums (facts/aws-simulation.md); a server checks all of them.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, ServiceModel, Shape, StringShape, StructureShape
from botocore.session import Session

# Real answers spell these unlike the model (facts/patch-manager.md section 2): the CLI's examples show CamelCase
# states, and GetCommandInvocation's example times break the pattern of StringDateTime.
_SPOKEN_STATES = (
    "Installed",
    "InstalledOther",
    "InstalledPendingReboot",
    "InstalledRejected",
    "Missing",
    "NotApplicable",
    "Failed",
    "AvailableSecurityUpdate",
)
_UNPATTERNED = frozenset({"StringDateTime"})
# They also leave strings blank and lists empty, whatever length the model demands of them.
_NEVER_BLANK = frozenset({"PatchComplianceDataState", "CommandStatus", "CommandInvocationStatus", "InstanceId"})


class SsmError(Exception):
    """An answer other than success: the model's exception code, and a message."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


class BrokenAnswer(SsmError):
    """The simulation was about to say something that SSM's model does not allow. Not retryable, so it shows."""


@cache
def ssm_model() -> ServiceModel:
    return Session().get_service_model("ssm")


def check_input(operation: str, params: object) -> None:
    """Raise a ValidationException in AWS's wording for every constraint that `params` breaks."""
    shape = ssm_model().operation_model(operation).input_shape
    broken = list(violations(shape, params)) if shape else []
    if broken:
        plural = "" if len(broken) == 1 else "s"
        raise SsmError("ValidationException", f"{len(broken)} validation error{plural} detected: {'; '.join(broken)}")


def to_wire(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer as SSM sends it: times as epoch seconds. Raises BrokenAnswer where the model forbids it."""
    shape = ssm_model().operation_model(operation).output_shape
    wire: dict[str, Any] = _encode(answer)
    broken = list(violations(shape, wire, answering=True)) if shape else []
    if broken:
        raise BrokenAnswer("BrokenAnswer", f"{operation}: {'; '.join(broken)}")
    return wire


def violations(shape: Shape, value: object, path: str = "", *, answering: bool = False) -> Iterator[str]:
    """One sentence for each constraint of `shape` that `value` breaks; `path` is AWS's, as in `targets.1.key`."""
    kind = shape.type_name
    if not _has_type(kind, value):
        yield f"Value '{value}' at '{path}' failed to satisfy constraint: Member must be of type {kind}"
    elif isinstance(shape, StructureShape) and isinstance(value, dict):
        yield from _structure(shape, value, path, answering)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        if value or not answering:
            yield from _range(shape, len(value), value, path, "length")
        for index, item in enumerate(value, start=1):
            yield from violations(shape.member, item, f"{path}.{index}.member", answering=answering)
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        yield from _range(shape, len(value), value, path, "length")
        for key, item in value.items():
            yield from violations(shape.key, key, f"{path}.key", answering=answering)
            yield from violations(shape.value, item, f"{path}.{key}", answering=answering)
    elif isinstance(shape, StringShape) and isinstance(value, str):
        if not (answering and value == "" and shape.name not in _NEVER_BLANK):
            yield from _range(shape, len(value), value, path, "length")
            yield from _string(shape, value, path, answering)
    elif kind == "blob" and isinstance(value, str):
        yield from _range(shape, len(base64.b64decode(value)), value, path, "length")
    elif isinstance(value, int | float):
        yield from _range(shape, value, value, path, "value")


def _structure(shape: StructureShape, value: dict[str, Any], path: str, answering: bool) -> Iterator[str]:
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Value null at '{prefix}{_camel(name)}' failed to satisfy constraint: Member must not be null"
    for name, item in value.items():
        if name not in shape.members:
            known = ", ".join(shape.members)
            yield (
                f"Value at '{prefix}{_camel(name)}' failed to satisfy constraint: "
                f"Member is unknown; members are: [{known}]"
            )
        elif item is not None:
            yield from violations(shape.members[name], item, f"{prefix}{_camel(name)}", answering=answering)


def _string(shape: Shape, value: str, path: str, answering: bool) -> Iterator[str]:
    allowed = shape.metadata.get("enum")
    if answering and shape.name == "PatchComplianceDataState":
        allowed = _SPOKEN_STATES
    if allowed and value not in allowed:
        yield (
            f"Value '{value}' at '{path}' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(allowed)}]"
        )
    pattern = shape.metadata.get("pattern")
    if pattern and not (answering and shape.name in _UNPATTERNED) and not _compiled(pattern).fullmatch(value):
        yield (
            f"Value '{value}' at '{path}' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {pattern}"
        )


def _range(shape: Shape, size: float, value: object, path: str, what: str) -> Iterator[str]:
    lowest, highest = shape.metadata.get("min"), shape.metadata.get("max")
    broken = f"Value '{value}' at '{path}' failed to satisfy constraint: Member must have {what}"
    if lowest is not None and size < lowest:
        yield f"{broken} greater than or equal to {lowest}"
    if highest is not None and size > highest:
        yield f"{broken} less than or equal to {highest}"


def _has_type(kind: str, value: object) -> bool:
    if kind == "blob":
        return isinstance(value, str) and _is_base64(value)
    if isinstance(value, bool):
        return kind == "boolean"
    python: dict[str, type | tuple[type, ...]] = {
        "structure": dict,
        "map": dict,
        "list": list,
        "string": str,
        "boolean": bool,
        "integer": int,
        "long": int,
        "timestamp": (int, float),
        "float": (int, float),
        "double": (int, float),
    }
    return isinstance(value, python[kind])


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        return False
    return True


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    r"""The model's patterns are Java's. `\p{L}` and `\p{N}` stand beside an underscore wherever the model uses
    them, so Python's `\w` says the same; the other classes mean ASCII in Java."""
    if r"\p{" not in pattern:
        return re.compile(pattern, re.ASCII)
    spaces = "".join(map(chr, (0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)))
    translated = pattern.replace(r"\p{L}", r"\w").replace(r"\p{N}", "").replace(r"\p{Z}", spaces)
    if r"\p{" in translated or r"\p{L}" not in pattern:
        raise ValueError(f"no translation for the pattern {pattern}")
    return re.compile(translated)


def _encode(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    if isinstance(value, dict):
        return {key: _encode(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_encode(item) for item in value]
    return value
