"""What import-linter can't say: `patching` may import *only* the standard library and pydantic."""

import ast
import sys
from pathlib import Path

import pytest

from tests.unit.docs.tree import name_of, sources

_ALLOWED = sys.stdlib_module_names | {"patching", "pydantic"}


@pytest.mark.parametrize("path", sources("patching"), ids=name_of)
def test_patching_imports_the_standard_library_and_pydantic_alone(path: Path) -> None:
    assert {name for name in _imported(path) if name.partition(".")[0] not in _ALLOWED} == set()


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
