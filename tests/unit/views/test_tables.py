import csv
import io

import pytest

from bot.views.blocks import Block
from bot.views.tables import Flavour, listing, table
from sandbox.slack.blocks import check_message, text_length
from tests.unit.views.made import HOSTILE
from tests.unit.views.seen import assert_inert, texts

HEADERS = ("Patch", "Version")
FLAVOURS = pytest.mark.parametrize("flavour", list(Flavour))


def rows(count: int, cell: str = "3.0.17-1") -> list[tuple[str, str]]:
    return [(f"package{index}.amd64", cell) for index in range(count)]


def read(content: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content)))


def kinds(blocks: list[Block]) -> list[str]:
    return [block["type"] for block in blocks]


@FLAVOURS
@pytest.mark.parametrize("count", [1, 20, 99])
def test_a_table_that_fits_needs_no_file(flavour: Flavour, count: int) -> None:
    blocks, attached = listing("scan-12-missing", "Missing", HEADERS, rows(count), flavour)
    assert attached is None
    assert check_message(blocks) == []


@FLAVOURS
@pytest.mark.parametrize("count", [100, 10_000])
@pytest.mark.parametrize("cell", ["3.0.17-1", HOSTILE, "x" * 3000, "&" * 200])
def test_what_does_not_fit_is_in_the_file(flavour: Flavour, count: int, cell: str) -> None:
    given = rows(count, cell)
    blocks, attached = listing("scan-12-missing", "Missing", HEADERS, given, flavour)
    assert attached is not None
    assert read(attached.content) == [list(HEADERS), *map(list, given)]
    assert attached.filename == "scan-12-missing.csv"
    assert check_message(blocks) == []
    assert text_length(blocks) < 10_000
    assert f"of {count:,} rows" in blocks[-1]["elements"][0]["text"]
    for markup in texts(blocks):
        assert_inert(markup)


@FLAVOURS
def test_a_clipped_cell_is_whole_in_the_file(flavour: Flavour) -> None:
    cves = ", ".join(f"CVE-2026-{index:05}" for index in range(60))
    _, attached = listing("scan-12-missing", "Missing", HEADERS, rows(1, cves), flavour)
    assert attached is not None
    assert read(attached.content)[1][1] == cves


def test_native_table_shows_cells_as_they_are() -> None:
    made = table(HEADERS, [("a&b", "")], Flavour.TABLE)
    assert made.blocks == [
        {
            "type": "table",
            "rows": [
                [{"type": "raw_text", "text": "Patch"}, {"type": "raw_text", "text": "Version"}],
                [{"type": "raw_text", "text": "a&b"}, {"type": "raw_text", "text": "–"}],
            ],
        }
    ]


def test_text_flavour_is_aligned_monospace() -> None:
    made = table(HEADERS, [("curl", "1"), ("openssl", "2```")], Flavour.TEXT)
    assert kinds(made.blocks) == ["section"]
    assert made.blocks[0]["text"]["text"] == "```Patch    Version\ncurl     1\nopenssl  2'''```"


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\tx"])
def test_a_file_holds_no_formula(cell: str) -> None:
    _, attached = listing("f", "t", HEADERS, rows(200, cell), Flavour.TABLE)
    assert attached is not None
    assert read(attached.content)[1][1] == f"'{cell}"
