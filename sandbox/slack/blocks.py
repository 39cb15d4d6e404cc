"""Slack's refusals of Block Kit payloads on every surface: messages, modals and the Home tab.

`check_message(blocks)` and `check_view(view)` return the problems that Slack would answer with, in the order of the
payload; an empty list means that Slack accepts it. Sources: facts/slack.md "Block Kit"; where that is silent, the
constants of slack_sdk 3.47. Block types that no bot of ours sends (video, file, call, card, carousel, plan, …)
are refused as unsupported.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from sandbox.slack.element_rules import (
    EITHER,
    ELEMENTS,
    ID,
    IN_ACTIONS,
    IN_CONTEXT,
    IN_INPUT,
    IN_SECTION,
    SLACK_FILE,
    URL,
    one_picture,
)
from sandbox.slack.rich_text_rules import RICH_TEXT_ELEMENTS
from sandbox.slack.rules import Choice, Flag, Json, Kinds, Many, Number, Object, Problem, Rule, String, Text

MESSAGE_TEXT_LIMIT = 13_200
"""Characters of text in all blocks of a message, beyond which Slack answers `msg_blocks_too_long`."""
MARKDOWN_LIMIT = 12_000
TABLE_LIMIT = 10_000
VIEW_BYTES_LIMIT = 250_000


def _text_or_fields(it: Json, at: str) -> Iterator[Problem]:
    if not it.get("text") and not it.get("fields"):
        yield Problem(at, "must define either `text` or `fields`")


def _table_width(it: Json, at: str) -> Iterator[Problem]:
    if len({len(row) for row in it["rows"]}) > 1:
        yield Problem(f"{at}/rows", "all rows must have the same number of cells")
    for i, cell in enumerate(it["rows"][0]):
        if cell["type"] == "rich_text":
            yield Problem(f"{at}/rows/0/{i}/type", "a header cell must not be rich_text")


_RICH_TEXT = Object({"elements": RICH_TEXT_ELEMENTS}, {"block_id": ID})
_CELL = Kinds(
    {
        "raw_text": Object({"text": String(TABLE_LIMIT)}),
        "raw_number": Object({"value": Number(-1e15, 1e15, whole=False), "text": String(TABLE_LIMIT)}),
        "rich_text": _RICH_TEXT,
    }
)
_ROW = Many(_CELL, 20)
_COLUMN = Object({}, {"align": Choice(("left", "center", "right")), "is_wrapped": Flag()})

_EVERYWHERE: Mapping[str, Rule] = {
    "section": Object(
        {},
        {
            "block_id": ID,
            "text": Text(3000, EITHER),
            "fields": Many(Text(2000, EITHER), 10),
            "accessory": IN_SECTION,
            "expand": Flag(),
        },
        _text_or_fields,
    ),
    "divider": Object({}, {"block_id": ID}),
    "header": Object({"text": Text(150)}, {"block_id": ID}),
    "context": Object({"elements": Many(IN_CONTEXT, 10)}, {"block_id": ID}),
    "actions": Object({"elements": Many(IN_ACTIONS, 25)}, {"block_id": ID}),
    "image": Object(
        {"alt_text": String(2000)},
        {"block_id": ID, "image_url": URL, "slack_file": SLACK_FILE, "title": Text(2000)},
        one_picture,
    ),
    "input": Object(
        {"label": Text(2000), "element": IN_INPUT},
        {"block_id": ID, "hint": Text(2000), "optional": Flag(), "dispatch_action": Flag()},
    ),
    "rich_text": _RICH_TEXT,
}
_MESSAGE_BLOCKS: Mapping[str, Rule] = {
    **_EVERYWHERE,
    "markdown": Object({"text": String(MARKDOWN_LIMIT)}, {"block_id": ID}),
    "table": Object(
        {"rows": Many(_ROW, 100)},
        {"block_id": ID, "column_settings": Many(_COLUMN, 20, nulls=True)},
    ),
    "data_table": Object(
        {"caption": String(255), "rows": Many(_ROW, 101, min=2)},
        {"block_id": ID, "page_size": Number(1, 100), "row_header_column_index": Number(0, 19)},
        _table_width,
    ),
}
_MODAL_BLOCKS: Mapping[str, Rule] = {
    **_EVERYWHERE,
    "alert": Object(
        {"text": Text(3000, EITHER)},
        {"block_id": ID, "level": Choice(("default", "info", "warning", "error", "success"))},
    ),
}

_BLOCKS_OF_MESSAGE = Many(Kinds(_MESSAGE_BLOCKS), 50, min=0)
_OF_VIEW: Mapping[str, Rule] = {"private_metadata": String(3000, min=0), "callback_id": ID, "external_id": ID}
_MODAL = Object(
    {"title": Text(24), "blocks": Many(Kinds(_MODAL_BLOCKS), 100)},
    {
        **_OF_VIEW,
        "submit": Text(24),
        "close": Text(24),
        "clear_on_close": Flag(),
        "notify_on_close": Flag(),
        "submit_disabled": Flag(),
    },
)
_HOME = Object({"blocks": Many(Kinds(_EVERYWHERE), 100)}, _OF_VIEW)


def check_message(blocks: object) -> list[Problem]:
    return list(_BLOCKS_OF_MESSAGE.check(blocks, "/blocks")) or [
        *_unique_ids(blocks, "/blocks"),  # type: ignore[arg-type]
        *_message_totals(blocks),  # type: ignore[arg-type]
    ]


def check_view(view: object, kind: str) -> list[Problem]:
    """Check a view for the surface `kind`, "modal" or "home"."""
    if not isinstance(view, dict):
        return [Problem("/view", "must be an object")]
    if view.get("type") != kind:
        return [Problem("/view/type", f"must be {kind}")]
    rule = _MODAL if kind == "modal" else _HOME
    found = list(rule.check(view, "/view"))
    return found or [*_unique_ids(view["blocks"], "/view/blocks"), *_view_totals(view)]


def text_length(blocks: Sequence[Json]) -> int:
    """All characters that somebody reads in these blocks."""
    return sum(len(text) for text in _strings(list(blocks), ("text", "caption")))


def _message_totals(blocks: Sequence[Json]) -> Iterator[Problem]:
    kinds = Counter(block["type"] for block in blocks)
    if kinds["table"] > 1:
        yield Problem("/blocks", "only one table allowed in a message")
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MARKDOWN_LIMIT:
        yield Problem("/blocks", f"markdown must be less than {MARKDOWN_LIMIT + 1} characters in all")
    tables = [block for block in blocks if block["type"] in ("table", "data_table")]
    if text_length(tables) > TABLE_LIMIT:
        yield Problem("/blocks", f"tables must be less than {TABLE_LIMIT + 1} characters in all")


def _view_totals(view: Json) -> Iterator[Problem]:
    if view["type"] == "modal" and not view.get("submit") and any(b["type"] == "input" for b in view["blocks"]):
        yield Problem("/view/submit", "must be provided when an input block is used")
    focused = [element for block in view["blocks"] for element in elements_of(block) if element.get("focus_on_load")]
    if len(focused) > 1:
        yield Problem("/view/blocks", "only one element may have focus_on_load")


def _unique_ids(blocks: Sequence[Json], at: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for i, block in enumerate(blocks):
        block_id = block.get("block_id")
        if block_id in seen:
            yield Problem(f"{at}/{i}/block_id", f"`block_id` {block_id} already exists")
        elif block_id:
            seen.add(block_id)
        actions: set[str] = set()
        for j, element in enumerate(elements_of(block)):
            action_id = element.get("action_id")
            if action_id in actions:
                where = f"{at}/{i}/elements/{j}/action_id"
                yield Problem(where, f"`action_id` {action_id} already exists for block")
            elif action_id:
                actions.add(action_id)


def elements_of(block: Json) -> list[Json]:
    """The interactive elements of one block."""
    held = [*block.get("elements", []), block.get("accessory"), block.get("element")]
    return [element for element in held if isinstance(element, dict) and element.get("type") in ELEMENTS]


def _strings(value: object, names: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _strings(item, names)
    elif isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str) and name in names:
                yield item
            elif not isinstance(item, str):
                yield from _strings(item, names)
