"""Fixtures that more than one kind of test needs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.town import Town, open_town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """The demo's four applications and a bot in this process."""
    with open_town(tmp_path) as opened:
        yield opened
