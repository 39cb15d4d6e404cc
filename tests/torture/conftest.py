"""How many stories are told: a few in `make test`, as many as one likes with `--torture-stories N`."""

import pytest

STORIES = 1  # after one of a plain plan without a crash: one of a whole plan with a crash


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known when this folder is named on the command line; elsewhere the defaults hold."""
    parser.addoption("--torture-stories", type=int, default=STORIES, help="production stories to tell with a crash")
    parser.addoption("--torture-seed", type=int, default=None, help="tell the stories of an earlier run again")


@pytest.fixture(scope="session")
def stories(pytestconfig: pytest.Config) -> int:
    found: int = pytestconfig.getoption("--torture-stories", STORIES)
    return found


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int | None:
    found: int | None = pytestconfig.getoption("--torture-seed", None)
    return found
