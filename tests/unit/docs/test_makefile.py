"""The Makefile documents itself, and what its targets run is there."""

import re

from tests.unit.docs.tree import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_every_target_for_people_has_its_line_of_help() -> None:
    assert set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)) == set(
        re.findall(r"^\.PHONY: ([a-z-]+)$", MAKEFILE, re.MULTILINE)
    )


def test_modules_that_targets_run_exist() -> None:
    ours = [name for name in re.findall(r"/python -m ([\w.]+)", MAKEFILE) if name not in {"pip", "venv"}]
    assert ours
    paths = {name: ROOT / name.replace(".", "/") for name in ours}
    missing = [
        name
        for name, path in paths.items()
        if not path.with_suffix(".py").is_file() and not (path / "__main__.py").is_file()
    ]
    assert missing == []


def test_tests_that_targets_run_exist() -> None:
    ours = [ROOT / found for found in re.findall(r"/pytest .*?\b(tests/[\w/.]+)", MAKEFILE)]
    assert ours
    assert [path for path in ours if not path.is_file() and not any(path.glob("test_*.py"))] == []


def test_no_target_names_a_package_index() -> None:
    assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host", MAKEFILE)


def test_ci_runs_what_people_run() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    run = [line for line in lines if line.startswith("make ")]
    assert run == ["make check", "make test || {"]
    assert lines.index(run[0]) + 1 < lines.index(run[1])
