import json

import pytest

from bot.views.blocks import MESSAGE_LIMIT, actions, button, first, message, pager, section, sections, text_length
from sandbox.slack.blocks import check_message


def test_sections_hold_what_slack_takes_and_lose_no_line() -> None:
    lines = [f"{index}: {'x' * 700}" for index in range(10)]
    blocks = sections(lines)
    assert check_message(blocks) == []
    assert "\n".join(block["text"]["text"] for block in blocks).splitlines() == lines


@pytest.mark.parametrize(
    ("count", "expected"), [(2, ["0", "1"]), (3, ["0", "1", "2"]), (1003, ["0", "1", "2", "and 1,000 more nodes"])]
)
def test_first(count: int, expected: list[str]) -> None:
    assert first([str(index) for index in range(count)], 3, "nodes") == expected


def test_a_message_that_fits_stays_as_it_is() -> None:
    blocks = [section("a\nb")]
    assert message("text", blocks) == ("text", blocks)


def test_a_message_too_long_loses_whole_lines_and_says_so_and_keeps_its_buttons() -> None:
    lines = [f"*line {index}* {'x' * 500}" for index in range(60)]
    click = actions(button("Approve", "approve", {"change": 4}))
    _, blocks = message("text", [*sections(lines), click])
    assert MESSAGE_LIMIT - 600 < text_length(blocks) < MESSAGE_LIMIT
    assert blocks[-1] == click
    shown = [line for block in blocks[:-1] for line in block["text"]["text"].splitlines()]
    assert set(shown) <= {*lines, *(f"{line} …" for line in lines), "…"}
    assert "…" in shown


def test_pager_stands_in_blocks_of_its_own_because_ids_are_unique_in_a_block() -> None:
    blocks = pager("status-page", 3, True, {"a": 1})
    assert check_message(blocks) == []
    assert [json.loads(block["elements"][0]["value"])["page"] for block in blocks] == [2, 4]
