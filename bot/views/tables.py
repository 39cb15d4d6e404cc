"""Tables, and the file that holds what a table has no room for.

Slack refuses a whole message because of its table now and then, so each table has two flavours: Slack's own block
and monospace text. Delivery tries the next flavour when one is refused (facts/slack.md "Block Kit").
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.views.blocks import SECTION_LIMIT, Block, context, section
from bot.views.text import clip, code, escape, plain


class Flavour(StrEnum):
    """In the order in which delivery tries them."""

    TABLE = "table"
    TEXT = "text"


ROW_LIMIT = 100  # with the header
CHARACTER_LIMIT = 9_000  # a table may hold 10,000, a message 12,000 in all
CELL_LIMIT = 200
_COLUMN_LIMIT = 40  # in monospace, all columns but the last
_FENCE = "```"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file for what a message has no room for."""

    filename: str
    title: str
    content: str  # CSV, JSON or plain text


@dataclass(frozen=True, slots=True)
class Table:
    blocks: list[Block]
    shown: int  # rows in `blocks`, without the header
    complete: bool  # every row, and every cell in full


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], flavour: Flavour) -> Table:
    """As many of the rows as Slack takes, in order. Cells are text from outside, unescaped."""
    given = [headers, *rows[: ROW_LIMIT - 1]]
    cells = [[plain(cell, CELL_LIMIT) or "–" for cell in row] for row in given]
    if flavour is Flavour.TEXT:
        cells = [[*(clip(cell, _COLUMN_LIMIT) for cell in row[:-1]), row[-1]] for row in cells]
    blocks, shown = _native(cells) if flavour is Flavour.TABLE else _monospace(cells)
    whole = all(
        cell in {plain(text, len(text)), "–"}
        for row, texts in zip(cells, given, strict=True)
        for cell, text in zip(row, texts, strict=True)
    )
    return Table(blocks, shown, complete=whole and shown == len(rows))


def listing(
    name: str, title: str, headers: Sequence[str], rows: Sequence[Sequence[str]], flavour: Flavour
) -> tuple[list[Block], Attachment | None]:
    """A table, and where it leaves anything out a line that says so and the whole of it as the file `name`.csv."""
    made = table(headers, rows, flavour)
    if made.complete:
        return made.blocks, None
    note = f"{made.shown:,} of {len(rows):,} rows are shown here; the file {code(f'{name}.csv')} has all of them."
    return [*made.blocks, context(note)], _attachment(f"{name}.csv", title, headers, rows)


def _attachment(filename: str, title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Attachment:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([list(headers), *([_inert(cell) for cell in row] for row in rows)])
    return Attachment(filename, title, out.getvalue())


def _native(cells: Sequence[Sequence[str]]) -> tuple[list[Block], int]:
    kept: list[list[Block]] = []
    used = 0
    for row in cells:
        used += sum(map(len, row))
        if used > CHARACTER_LIMIT:
            break
        kept.append([{"type": "raw_text", "text": cell} for cell in row])
    return [{"type": "table", "rows": kept}], len(kept) - 1


def _monospace(cells: Sequence[Sequence[str]]) -> tuple[list[Block], int]:
    texts: list[str] = []
    shown = used = 0
    for line in map(_fenced, aligned(cells)):
        used += len(line) + 1
        if used > CHARACTER_LIMIT:
            break
        if texts and len(texts[-1]) + 1 + len(line) + 2 * len(_FENCE) <= SECTION_LIMIT:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
        shown += 1
    return [section(f"{_FENCE}{text}{_FENCE}") for text in texts], shown - 1


def aligned(cells: Sequence[Sequence[str]]) -> Iterator[str]:
    """A line for each row, its columns below each other; unescaped."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _fenced(line: str) -> str:
    return escape(line.replace("`", "'"))


def _inert(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula stays text."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
