"""Builders for the few Block Kit pieces in use, within Slack's limits (facts/slack.md "Block Kit")."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.views.text import plain

Block = dict[str, Any]
Rendered = tuple[str, list[Block]]
"""(the fallback text of a notification, escaped; the blocks)."""

SECTION_LIMIT = 3000
MESSAGE_LIMIT = 12_000
"""All text of a message; Slack refuses somewhat more with `msg_blocks_too_long`."""

_CUT = "\n…"


def message(text: str, blocks: list[Block]) -> Rendered:
    """The finished message. Where all its text is too long, the longest sections lose lines from their ends.

    Whole lines, so that no markup is cut open; buttons, tables and every section's first line stay.
    """
    shortened = list(blocks)
    while text_length(shortened) >= MESSAGE_LIMIT:
        long = [at for at, block in enumerate(shortened) if block["type"] == "section" and "\n" in _text_of(block)]
        if not long:
            break
        at = max(long, key=lambda index: len(_text_of(shortened[index])))
        kept = _text_of(shortened[at]).removesuffix(_CUT).rpartition("\n")[0]
        shortened[at] = section(kept + (_CUT if "\n" in kept else " …"))
    return text, shortened


def text_length(value: object) -> int:
    """All characters that somebody reads in these blocks."""
    if isinstance(value, list):
        return sum(map(text_length, value))
    if isinstance(value, dict):
        return sum(
            len(item) if name == "text" and isinstance(item, str) else text_length(item) for name, item in value.items()
        )
    return 0


def _text_of(block: Block) -> str:
    text: str = block["text"]["text"]
    return text


def mrkdwn(text: str) -> Block:
    """`verbatim`: Slack makes no links and no mentions of its own out of bare words such as @here."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def plain_text(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": plain(text, limit) or "–"}


def section(text: str) -> Block:
    return {"type": "section", "text": mrkdwn(text)}


def sections(lines: Iterable[str]) -> list[Block]:
    """Lines of markup, each shorter than a section may be, in as few sections as hold them."""
    packed: list[str] = []
    for line in lines:
        if packed and len(packed[-1]) + 1 + len(line) <= SECTION_LIMIT:
            packed[-1] += f"\n{line}"
        else:
            packed.append(line)
    return [section(text) for text in packed]


def first(lines: Sequence[str], limit: int, rest: str) -> list[str]:
    """The first lines; what was left out is counted in one more, with `rest` as in "and 12 more nodes"."""
    left_out = len(lines) - limit
    return [*lines[:limit], f"and {left_out:,} more {rest}"] if left_out > 0 else list(lines)


def header(text: str) -> Block:
    return {"type": "header", "text": plain_text(text, 150)}


def context(text: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(text)]}


def divider() -> Block:
    return {"type": "divider"}


def actions(*buttons: Block) -> Block:
    return {"type": "actions", "elements": list(buttons)}


def button(
    text: str, action_id: str, value: Mapping[str, Any], *, style: str | None = None, confirm: Block | None = None
) -> Block:
    """`value` travels as JSON, at most 2,000 characters. `style` is primary or danger."""
    element: Block = {
        "type": "button",
        "text": plain_text(text, 75),
        "action_id": action_id,
        "value": json.dumps(value, separators=(",", ":")),
    }
    if style:
        element["style"] = style
    if confirm:
        element["confirm"] = confirm
    return element


def confirmation(title: str, text: str, yes: str, no: str, style: str | None = None) -> Block:
    dialog: Block = {
        "title": plain_text(title, 100),
        "text": plain_text(text, 300),
        "confirm": plain_text(yes, 30),
        "deny": plain_text(no, 30),
    }
    if style:
        dialog["style"] = style
    return dialog


def pager(action_id: str, page: int, more: bool, value: Mapping[str, Any]) -> list[Block]:
    """Previous and next as two blocks: an action id may stand only once in a block, and both are one action."""
    blocks = []
    if page > 0:
        blocks.append(actions(button("Previous page", action_id, {**value, "page": page - 1})))
    if more:
        blocks.append(actions(button("Next page", action_id, {**value, "page": page + 1})))
    return blocks
