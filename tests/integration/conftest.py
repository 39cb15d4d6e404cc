"""How many nodes the largest install has: few in `make test`, as many as one likes with `--many-nodes N`."""

import pytest

MANY_NODES = 60


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known when this folder is named on the command line; elsewhere the default holds."""
    parser.addoption("--many-nodes", type=int, default=MANY_NODES, help="nodes in the install of test_many_nodes")


@pytest.fixture(scope="session")
def many_nodes(pytestconfig: pytest.Config) -> int:
    found: int = pytestconfig.getoption("--many-nodes", MANY_NODES)
    return found
