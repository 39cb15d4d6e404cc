"""Nothing in the repository says where it was made."""

import re
from collections.abc import Callable

from tests.unit.docs.tree import files, name_of, text_of

# Written in pieces, or this file would find itself.
_FOLDERS = "|".join(("work", "root", "home", "Users"))
_MACHINE_PATH = re.compile(rf"(?<![\w.~>)}}\]*-])/(?:{_FOLDERS})/[A-Za-z0-9_.]")
_REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("proxy", "golang", "org"),
        ("crates", "io"),
    )
)


def test_no_machine_path() -> None:
    assert _lines_with(lambda line: bool(_MACHINE_PATH.search(line))) == []


def test_no_package_registry_host() -> None:
    assert _lines_with(lambda line: any(host in line for host in _REGISTRIES)) == []


def test_the_pattern_finds_machine_paths() -> None:
    folder = "/" + "home"
    assert _MACHINE_PATH.search(f"open('{folder}/ann/patchgate.yaml')")
    assert not _MACHINE_PATH.search(f"https://example.com{folder}/ann")


def _lines_with(is_wrong: Callable[[str], bool]) -> list[str]:
    found = []
    for path in files():
        for number, line in enumerate((text_of(path) or "").splitlines(), start=1):
            if is_wrong(line):
                found.append(f"{name_of(path)}:{number}: {line.strip()[:120]}")
    return found
