"""What import-linter can't say: what `patching` may import (ADR 0012), and that commands that answer late only read."""

import ast
import inspect
import sys
from pathlib import Path

import pytest

from commands.command import Command
from commands.registry import discover
from tests.unit.docs.tree import name_of, sources

_ALLOWED = sys.stdlib_module_names | {"patching", "pydantic", "dateutil"}


@pytest.mark.parametrize("path", sources("patching"), ids=name_of)
def test_patching_imports_the_standard_library_pydantic_and_dateutil_alone(path: Path) -> None:
    assert {name for name in _imported(path) if name.partition(".")[0] not in _ALLOWED} == set()


def test_a_command_that_answers_after_its_ack_only_reads() -> None:
    deferred = [command for command in discover() if command.deferred]
    assert deferred
    assert [command.name for command in deferred if command.role or _commits(command)] == []


def _commits(command: type[Command]) -> bool:
    """Whether its file reaches for a transaction."""
    tree = ast.parse(Path(inspect.getfile(command)).read_text(encoding="utf-8"))
    return any(isinstance(node, ast.Attribute) and node.attr in {"commit", "transaction"} for node in ast.walk(tree))


def _imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module
            assert node.level == 0, "imports are absolute"
            names.add(node.module)
    return names
