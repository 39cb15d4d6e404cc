"""How long the tale is: some weeks in `make test`, thirteen months and a leap day with `--months-whole`."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known when this folder is named on the command line; elsewhere the defaults hold."""
    parser.addoption("--months-whole", action="store_true", default=False, help="live through all thirteen months")
    parser.addoption("--months-seed", type=int, default=None, help="live through the tale of an earlier run again")


@pytest.fixture(scope="session")
def whole(pytestconfig: pytest.Config) -> bool:
    found: bool = pytestconfig.getoption("--months-whole", default=False)
    return found


@pytest.fixture(scope="session")
def months_seed(pytestconfig: pytest.Config) -> int | None:
    found: int | None = pytestconfig.getoption("--months-seed", default=None)
    return found
