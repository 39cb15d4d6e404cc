"""The repository as the docs tests see it."""

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("aws", "bot", "commands", "patching", "sandbox", "scheduler", "storage")

# Not part of the project: what git, the tools and the virtual environment leave behind (.gitignore).
_GENERATED = frozenset({".git", ".venv", "__pycache__", "build", "dist"})


def files() -> Iterator[Path]:
    """Every file of the project, by walking: a tarball has no git, and git may distrust a CI checkout's owner."""
    for folder, names, found in os.walk(ROOT):
        names[:] = [name for name in names if name not in _GENERATED and not name.endswith(("_cache", ".egg-info"))]
        names[:] = [name for name in names if name != ".hypothesis"]
        for name in found:
            yield Path(folder, name)


def text_of(path: Path) -> str | None:
    """The file's text; None for a binary file."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None


def markdown() -> list[Path]:
    return sorted(path for path in files() if path.suffix == ".md")


def sources(*packages: str) -> list[Path]:
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    """Path inside the repository, for messages and test ids."""
    return path.relative_to(ROOT).as_posix()
