"""Options of the domain's tests."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known when this folder or a file in it is named on the command line."""
    parser.addoption("--golden-update", action="store_true", help="write the golden plans anew, to be read in the diff")
