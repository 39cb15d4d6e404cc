"""Every decision has its sections, stands in the index, and names tests that exist."""

import re
from pathlib import Path

import pytest

from tests.unit.docs.tree import ROOT, name_of

FOLDER = ROOT / "docs" / "adr"
RECORDS = sorted(FOLDER.glob("[0-9][0-9][0-9][0-9]-*.md"))
_SECTIONS = ("## Context", "## Decision", "## Consequences", "## Checks")


def test_records_are_numbered_without_gaps() -> None:
    assert [int(path.name[:4]) for path in RECORDS] == list(range(1, len(RECORDS) + 1))
    assert RECORDS


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_record_has_its_sections_in_order(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    assert re.match(rf"# {record.name[:4]}: .+\n\nStatus: (proposed|accepted|superseded by \d{{4}})\n", text)
    assert tuple(re.findall(r"^## .+$", text, re.MULTILINE)) == _SECTIONS


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_record_stands_in_the_index(record: Path) -> None:
    title = record.read_text(encoding="utf-8").splitlines()[0].partition(": ")[2]
    assert f"| [{record.name[:4]}]({record.name}) | {title} |" in (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_checks_name_tests_that_exist(record: Path) -> None:
    checks = record.read_text(encoding="utf-8").partition("## Checks")[2]
    named = re.findall(r"`(tests/[^`:]+)", checks)
    assert named
    assert [path for path in named if not (ROOT / path).is_file()] == []
