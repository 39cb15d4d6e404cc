"""Both lock files: every pin has hashes, they agree, and they hold what pyproject.toml asks for."""

import re
import tomllib

import pytest

from tests.unit.docs.tree import ROOT

LOCKS = ("requirements.lock", "requirements-run.lock")
_PIN = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)(?: ; [^\\]+)?(?: \\)?$")


def _pins(lock: str) -> dict[str, str]:
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    return {match[1]: match[2] for line in lines if (match := _PIN.match(line.rstrip()))}


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^a-z0-9-]", requirement.lower())[0] for requirement in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_with_hashes(lock: str) -> None:
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    starts = [number for number, line in enumerate(lines) if line and not line.startswith((" ", "#"))]
    assert len(starts) == len(_pins(lock)) > 0
    assert [lines[number] for number in starts if "--hash=sha256:" not in lines[number + 1]] == []


def test_locks_agree() -> None:
    everything = _pins("requirements.lock")
    assert {name: everything.get(name) for name in _pins("requirements-run.lock")} == _pins("requirements-run.lock")


def test_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    run_time = _names(project["dependencies"])
    extras = set().union(*(_names(extra) for extra in project["optional-dependencies"].values())) - {"patchgate"}
    assert run_time <= set(_pins("requirements-run.lock"))
    assert run_time | extras <= set(_pins("requirements.lock"))
    # The image is for the bot: no test tool, no simulator.
    assert not {"moto", "pytest", "playwright"} & set(_pins("requirements-run.lock"))
