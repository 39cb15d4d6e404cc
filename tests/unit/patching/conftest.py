"""Options of the domain's tests, and how many random worlds they see: 100 in `make test`, more in `make torture`."""

import pytest
from hypothesis import settings

settings.register_profile("many", max_examples=500)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known when this folder or a file in it is named on the command line."""
    parser.addoption("--golden-update", action="store_true", help="write the golden plans anew, to be read in the diff")
