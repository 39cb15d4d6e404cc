"""Fixtures that more than one kind of test needs."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

# What is imported and collected stays to the end. Looking through it again and again for garbage takes a third of the
# time that every worker needs for it.
gc.disable()

from tests.town import Town, open_town  # noqa: E402


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """From the first test on garbage is collected as ever, but for what is there by then."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """The demo's four applications and a bot in this process."""
    with open_town(tmp_path) as opened:
        yield opened
