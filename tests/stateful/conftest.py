"""How many stories are told: a few in `make test`, as many as one likes with `--stateful-examples N`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stateful.street import Street

EXAMPLES = 2


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known when this folder is named on the command line; elsewhere the default holds."""
    parser.addoption("--stateful-examples", type=int, default=EXAMPLES, help="stories of random changes to tell")


@pytest.fixture(scope="session")
def examples(pytestconfig: pytest.Config) -> int:
    found: int = pytestconfig.getoption("--stateful-examples", EXAMPLES)
    return found


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    opened = Street(tmp_path)
    yield opened
    opened.close()
