"""The container image, as far as it can be judged by reading: no container engine is needed to run these."""

import re
import tomllib

import pytest

from aws.documents import SHIPPED
from tests.unit.docs.tree import PACKAGES, ROOT

Instruction = tuple[str, str]


def _instructions(text: str) -> list[Instruction]:
    """(keyword, arguments) pairs, continuation lines joined, comments left out."""
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    lines = re.sub(r"\\\n\s*", "", code).splitlines()
    return [(keyword, rest.strip()) for keyword, _, rest in (line.partition(" ") for line in lines if line.strip())]


def _stages(instructions: list[Instruction]) -> dict[str, list[Instruction]]:
    stages: dict[str, list[Instruction]] = {}
    for keyword, rest in instructions:
        if keyword == "FROM":
            current = stages.setdefault(rest.rpartition(" AS ")[2], [])
        current.append((keyword, rest))
    return stages


STAGES = _stages(_instructions((ROOT / "Dockerfile").read_text(encoding="utf-8")))
RUNTIME = STAGES["runtime"]


def _values(stage: list[Instruction], keyword: str) -> list[str]:
    return [rest for found, rest in stage if found == keyword]


def test_two_slim_stages() -> None:
    assert list(STAGES) == ["builder", "runtime"]
    assert {_values(stage, "FROM")[0].partition(" AS ")[0] for stage in STAGES.values()} == {"python:3.11-slim"}


def test_dependencies_are_installed_by_hash_and_the_project_without_any() -> None:
    commands = [part.strip() for run in _values(STAGES["builder"], "RUN") for part in run.split("&&")]
    installs = [command for command in commands if command.startswith(("pip install", "pip wheel"))]
    assert len(installs) == 3
    assert all(("--require-hashes" in command) != ("--no-deps" in command) for command in installs)


def test_runtime_gets_nothing_but_the_environment() -> None:
    assert _values(RUNTIME, "COPY") == ["--from=builder /opt/patchgate /opt/patchgate"]


def test_not_root() -> None:
    (user,) = _values(RUNTIME, "USER")
    uid, _, gid = user.partition(":")
    assert int(uid) >= 1000
    assert int(gid) >= 1000
    assert RUNTIME.index(("USER", user)) < RUNTIME.index(("ENTRYPOINT", '["patchgate"]'))


def test_one_data_volume_that_the_user_owns() -> None:
    assert _values(RUNTIME, "VOLUME") == ["/data"]
    assert _values(RUNTIME, "RUN") == ["install -d -o 10001 -g 10001 /data"]
    assert _values(RUNTIME, "USER") == ["10001:10001"]


def test_database_and_configuration_have_their_places() -> None:
    (environment,) = _values(RUNTIME, "ENV")
    assert "PATCHGATE_DATABASE=/data/patchgate.db" in environment.split()
    assert "PATCHGATE_CONFIG=/config/patchgate.yaml" in environment.split()


def test_it_runs_the_bot() -> None:
    assert _values(RUNTIME, "ENTRYPOINT") == ['["patchgate"]']
    assert _values(RUNTIME, "CMD") == ['["run"]']


def _copied() -> list[str]:
    return [source for copy in _values(STAGES["builder"], "COPY") for source in copy.split()[:-1]]


@pytest.mark.parametrize("source", _copied())
def test_copied_source_exists_and_is_not_ignored(source: str) -> None:
    assert (ROOT / source).exists()
    assert f"!{source}" in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def test_every_package_is_copied() -> None:
    assert set(PACKAGES) <= set(_copied())


def test_every_file_that_the_wheel_takes_in_besides_is_copied_and_read_from_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert set(included) <= set(_copied())
    assert str(SHIPPED.relative_to(ROOT).parent) in included
    assert all(source == place for source, place in included.items())
