"""A desk with a store of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Store
from tests.unit.commands.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = Store(tmp_path / "patchgate.db")
    yield Desk(store)
    store.close()
