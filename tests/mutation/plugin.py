"""The pytest plugin that breaks one rule before any test runs: `-p tests.mutation.plugin --mutate NAME`."""

import pytest

from tests.mutation.mutants import MUTANTS


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--mutate", metavar="NAME", help="the rule to break, by its name in tests/mutation/mutants.py")


def pytest_configure(config: pytest.Config) -> None:
    name = config.getoption("--mutate")
    if name is not None:
        next(mutant for mutant in MUTANTS if mutant.name == name).apply()
