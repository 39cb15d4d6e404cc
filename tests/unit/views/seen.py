"""What somebody sees of a rendering, and what every rendering must keep."""

import re
from collections.abc import Iterator

from bot.views.blocks import MESSAGE_LIMIT, Block, Rendered
from sandbox.slack.blocks import check_message, text_length
from tests.unit.views.made import PEOPLE

_OURS = re.compile(
    r"<!date\^\d+\^\{date_short_pretty\} \{time\}\|\d{4}-\d\d-\d\d \d\d:\d\d UTC>|<!subteam\^S0ONCALL>"
    r"|<https://(?:support\.microsoft\.com/help|nvd\.nist\.gov/vuln|security-tracker\.debian\.org/tracker"
    r"|acme\.slack\.com/archives)/[^<>|\s]+\|[^<>|]*>"
)
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)>")


def texts(value: object) -> Iterator[str]:
    """Every string in which Slack reads markup."""
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            yield value["text"]
        for item in value.values():
            yield from texts(item)


def shown(rendered: Rendered) -> str:
    """All that somebody reads, markup and plain."""
    return "\n".join(_strings(rendered[1]))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name == "text" and isinstance(item, str):
                yield item
            else:
                yield from _strings(item)


def buttons(rendered: Rendered) -> dict[str, Block]:
    """{action id: button}; where an action has several buttons, the last."""
    return {each["action_id"]: each for each in all_buttons(rendered)}


def all_buttons(rendered: Rendered) -> list[Block]:
    return [each for block in rendered[1] if block["type"] == "actions" for each in block["elements"]]


def assert_inert(markup: str) -> None:
    """I10: no markup but ours, and nobody mentioned but those who act."""
    rest = _OURS.sub("", markup)
    assert set(_MENTION.findall(rest)) <= PEOPLE, markup
    rest = _MENTION.sub("", rest)
    assert "<" not in rest, markup
    assert not re.search(r"(?<!\n)(?<!^)>", rest), markup
    assert not re.search(r"&(?!amp;|lt;|gt;)", rest), markup


def assert_accepted(rendered: Rendered) -> None:
    """Slack takes it, on a phone's notification too."""
    text, blocks = rendered
    assert text
    assert len(text) <= 3000
    assert check_message(blocks) == []
    assert text_length(blocks) < MESSAGE_LIMIT
    for markup in [text, *texts(blocks)]:
        assert_inert(markup)
