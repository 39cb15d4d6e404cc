"""Every constraint of every served operation, generated from botocore's model and broken once: none is accepted."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from sandbox.aws import ssm
from sandbox.aws.model import SsmError, ssm_model, violations
from sandbox.fleet import small_fleet
from tests.unit.simulated_aws.support import NONPRODUCTION, Rig

Path = tuple[str | int, ...]
# A value that each pattern accepts; a pattern that is missing here fails the tests.
SAMPLES = {
    r"(^i-(\w{8}|\w{17})$)|(^mi-\w{17}$)": "i-0123456789abcdef0",
    r"^[\p{L}\p{Z}\p{N}_.:/=\-@]*$|resource-groups:ResourceTypeFilters|resource-groups:Name": "tag:Été 1",
    r"^[a-zA-Z0-9_\-.:/]{3,128}$": "AWS-RunPatchBaseline",
    r"([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)": "$DEFAULT",
    r"^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$": "10%",
    r"^([1-9][0-9]*|[0]|[1-9][0-9]%|[0-9]%|100%)$": "0",
    r"^(?!\s*$).+": "an alarm",
    r"^[a-zA-Z0-9_\-.]{3,128}$": "a-window",
    r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$": "orders-db",
    r"^[a-zA-Z0-9_\-:/]{20,128}$": "pb-0123456789abcdef0",
    r"^[a-zA-Z0-9_\-.]{1,128}$": "version",
    r"^[a-zA-Z0-9_\-.]{3,50}$": "AWS-Document",
    r"^mw-[0-9a-f]{17}$": "mw-0123456789abcdef0",
    r"^[0-9a-fA-F]{8}\-[0-9a-fA-F]{4}\-[0-9a-fA-F]{4}\-[0-9a-fA-F]{4}\-[0-9a-fA-F]{12}$": (
        "01234567-89ab-cdef-0123-456789abcdef"
    ),
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}": (
        "01234567-89ab-cdef-0123-456789abcdef"
    ),
    r"^(([$]LATEST)|([1-9][0-9]*))$": "$LATEST",
    r"(^[1-9][0-9]*$)": "1",
    r"^[\w\.\-\:\/ ]*$": "A document",
    r"^\/[\w\.\-\:\/]*$": "/AWS::EC2::Instance",
}
GARBAGE = ("\n", "!" * 3, "!" * 20, "!" * 36, "-")


@dataclass(frozen=True)
class Case:
    operation: str
    path: Path
    constraint: str
    params: Any
    expected: str  # a part of the sentence that AWS would say

    def __str__(self) -> str:
        return f"{self.operation} {'.'.join(map(str, self.path))} {self.constraint}"


def sample(shape: Shape) -> Any:
    """A value with every member filled in that breaks nothing."""
    if isinstance(shape, StructureShape):
        return {name: sample(member) for name, member in shape.members.items()}
    if isinstance(shape, ListShape):
        return [sample(shape.member) for _ in range(max(shape.metadata.get("min", 1), 1))]
    if isinstance(shape, MapShape):
        return {sample(shape.key): sample(shape.value)}
    if isinstance(shape, StringShape):
        if shape.metadata.get("enum"):
            return shape.metadata["enum"][0]
        if shape.metadata.get("pattern"):
            return SAMPLES[shape.metadata["pattern"]]
        return "a" * max(shape.metadata.get("min", 1), 1)
    simple = {"boolean": True, "blob": "YQ==", "timestamp": 1.0}
    return simple.get(shape.type_name, max(shape.metadata.get("min", 1), 1))


def cases(operation: str) -> Iterator[Case]:
    shape = ssm_model().operation_model(operation).input_shape
    assert shape is not None
    whole = sample(shape)
    for path, member in walk(shape, ()):
        for constraint, value, expected in broken(member, at(whole, path)):
            yield Case(operation, path, constraint, replaced(whole, path, value), expected)
        if isinstance(member, StructureShape):
            filled = at(whole, path)
            for name in member.required_members:
                without = {key: value for key, value in filled.items() if key != name}
                yield Case(operation, (*path, name), "required", replaced(whole, path, without), "must not be null")
            more = {**filled, "Unheard": "of"}
            yield Case(operation, (*path, "Unheard"), "unknown", replaced(whole, path, more), "Member is unknown")


def walk(shape: Shape, path: Path) -> Iterator[tuple[Path, Shape]]:
    """Every value inside; a map's keys are reached by replacing the map."""
    yield path, shape
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            yield from walk(member, (*path, name))
    elif isinstance(shape, ListShape):
        yield from walk(shape.member, (*path, 0))
    elif isinstance(shape, MapShape):
        yield from walk(shape.value, (*path, sample(shape.key)))


def broken(shape: Shape, valid: Any) -> Iterator[tuple[str, Any, str]]:
    """(constraint, a value that breaks it, what is said) for each constraint of this one value."""
    yield "type", [1] if isinstance(shape, StringShape | MapShape | StructureShape) else {"a": 1}, "must be of type"
    lowest, highest = shape.metadata.get("min"), shape.metadata.get("max")
    if isinstance(shape, StringShape):
        if shape.metadata.get("enum"):
            yield "enum", "Unheard", "enum value set"
        if shape.metadata.get("pattern"):
            inside = [g for g in GARBAGE if (lowest or 0) <= len(g) <= (highest or len(g))]
            wrong = next(g for g in inside if any("pattern" in v for v in violations(shape, g)))
            yield "pattern", wrong, "regular expression pattern"
        if lowest:
            yield "min", "a" * (lowest - 1), "greater than or equal to"
        if highest is not None:
            yield "max", "a" * (highest + 1), "less than or equal to"
    elif isinstance(shape, ListShape):
        if lowest:
            yield "min", valid[: lowest - 1], "greater than or equal to"
        if highest is not None:
            yield "max", valid[:1] * (highest + 1), "less than or equal to"
    elif isinstance(shape, MapShape):
        if highest is not None:
            value = next(iter(valid.values()))
            yield "max", {f"a{n}": value for n in range(highest + 1)}, "less than or equal to"
        for constraint, key, said in broken(shape.key, next(iter(valid))):
            if constraint != "type":  # JSON's keys are strings anyway
                yield f"key {constraint}", {key: next(iter(valid.values()))}, said
    elif shape.type_name == "blob":
        if highest is not None:
            yield "max", "YWFh" * (highest // 3 + 1), "less than or equal to"
    elif shape.type_name in ("integer", "long"):
        if lowest is not None:
            yield "min", lowest - 1, "greater than or equal to"
        if highest is not None:
            yield "max", highest + 1, "less than or equal to"


def at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def replaced(whole: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(whole)
    at(changed, path[:-1])[path[-1]] = value
    return changed


@pytest.fixture(scope="module")
def rig() -> Rig:
    return Rig(small_fleet())


@pytest.mark.parametrize("operation", sorted(ssm.OPERATIONS))
def test_the_unbroken_sample_passes_the_model(operation: str) -> None:
    shape = ssm_model().operation_model(operation).input_shape
    assert shape is not None
    assert list(violations(shape, sample(shape))) == []


@pytest.mark.parametrize("operation", sorted(ssm.OPERATIONS))
def test_each_broken_constraint_is_refused(operation: str, rig: Rig) -> None:
    before = len(rig.world.region(NONPRODUCTION, "eu-west-1").commands)
    for case in cases(operation):
        with pytest.raises(SsmError) as refused:
            ssm.answer(rig.world, NONPRODUCTION, "eu-west-1", operation, case.params)
        assert refused.value.code == "ValidationException", str(case)
        assert case.expected in refused.value.message, str(case)
    assert len(rig.world.region(NONPRODUCTION, "eu-west-1").commands) == before


def test_the_count_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    counts = {operation: sum(1 for _ in cases(operation)) for operation in ssm.OPERATIONS}
    with capsys.disabled():
        print(f"\n{sum(counts.values())} constraints of {len(counts)} SSM operations broken once each, none accepted")
    assert min(counts.values()) >= 2
