"""A store in a file of its own for each test: real SQLite, no server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "patchgate.db")
    yield opened
    opened.close()
