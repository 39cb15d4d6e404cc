"""What a message looks like on the page: Slack's markup and blocks become elements, and text never becomes markup."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.page import Served, chromium, opened, served

pytestmark = pytest.mark.browser

# What the bot sends → what stands in the message: its text with the tags that matter.
MRKDWN = [
    ("*bold* _it_ ~off~ `code`", "<strong>bold</strong> <em>it</em> <s>off</s> <code>code</code>"),
    ("*bold _and it_ too*", "<strong>bold <em>and it</em> too</strong>"),
    ("snake_case_name 2*3*4 a ~ b", "snake_case_name 2*3*4 a ~ b"),
    ("* not bold * and *not\nbold*", "* not bold * and *not<br>bold*"),
    ("`*code* <b>`", "<code>*code* b</code>"),
    ("```\nlet *x*\n  = 1\n```", "<pre>let *x*\n  = 1</pre>"),
    ("&gt; one\n> two\nthree", "<blockquote>one<br>two</blockquote>three"),
    ("• one\n- two", "<ul><li>one</li><li>two</li></ul>"),
    ("2. two\n3. three", "<ol><li>two</li><li>three</li></ol>"),
    ("<https://example.com/?a=1&amp;b=2|a &amp; b>", "<a>a &amp; b</a>"),
    ("see https://example.com/x.", "see <a>https://example.com/x</a>."),
    ("<javascript:alert(1)|run>", "run"),
    ("<@U0EVE> <#C0BILLING> <!here>", "@Eve Moreau <a>#billing</a> @here"),
    ("<!subteam^S0ONCALL> <!channel>", "@oncall @channel"),
    ("&lt;!channel&gt; &amp;lt;b&amp;gt;", "&lt;!channel&gt; &amp;lt;b&amp;gt;"),
    ("10:30:45 :no_such_emoji: C::x", "10:30:45 :no_such_emoji: C::x"),
    ("<!date^0^{date_num} {time_secs}|never>", "<time>1970-01-01 01:00:00</time>"),
    ("<!date^soon^{time}|at noon>", "at noon"),
]

_EMOJI = (
    "white_check_mark warning x no_entry hourglass_flowing_sand rocket mag package lock calendar bell eyes memo "
    "arrow_right large_green_circle large_yellow_circle red_circle large_blue_circle white_circle "
    "black_square_button rotating_light repeat wrench envelope shield question"
)

# Serialises an element with the tags of text alone, so that a case reads like what a person sees.
_OUTLINE = """element => {
  const kept = new Set(["STRONG", "EM", "S", "CODE", "PRE", "BLOCKQUOTE", "UL", "OL", "LI", "A", "TIME"]);
  const escape = text => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const walk = node => {
    if (node.nodeType === Node.TEXT_NODE) return escape(node.data);
    if (node.tagName === "BR") return "<br>";
    const inside = [...node.childNodes].map(walk).join("");
    const tag = node.tagName.toLowerCase();
    return kept.has(node.tagName) ? `<${tag}>${inside}</${tag}>` : inside;
  };
  return [...element.childNodes].map(walk).join("");
}"""


def _words(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def _cells(*texts: str) -> list[dict[str, str]]:
    return [{"type": "raw_text", "text": text} for text in texts]


BLOCKS: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "header", "text": _words(":package: Ready")}, "h3", "Ready"),
    ({"type": "section", "text": {"type": "mrkdwn", "text": "*x*"}}, ".section-text strong", "x"),
    ({"type": "section", "fields": [{"type": "mrkdwn", "text": "*n*\n3"}]}, ".field", "n\n3"),
    ({"type": "context", "elements": [{"type": "mrkdwn", "text": "by `me`"}]}, ".block-context code", "me"),
    ({"type": "divider"}, "hr", ""),
    ({"type": "markdown", "text": "## T\n- **b**"}, ".block-markdown li strong", "b"),
    ({"type": "table", "rows": [_cells("Patch"), _cells("libssl3")]}, "tbody td", "libssl3"),
    ({"type": "image", "image_url": "https://example.com/i.png", "alt_text": "a chart"}, ".image-missing", "a chart"),
    (
        {"type": "actions", "elements": [{"type": "button", "action_id": "go", "text": _words("Go")}]},
        "button[data-testid=block-button][data-action-id=go]",
        "Go",
    ),
    (
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_list",
                    "style": "bullet",
                    "elements": [
                        {
                            "type": "rich_text_section",
                            "elements": [{"type": "text", "text": "<b>", "style": {"bold": True}}],
                        }
                    ],
                }
            ],
        },
        ".block-rich li strong",
        "<b>",
    ),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def slack() -> Iterator[Served]:
    with served() as started:
        yield started


@pytest.fixture(scope="module")
def page(browser: Browser, slack: Served) -> Iterator[Page]:
    with opened(browser, slack.url, "#user=U0ANN&channel=C0ORDERS") as tab:
        yield tab


def shown(page: Page, slack: Served, **message: Any) -> Locator:
    """Post as the bot and wait for the message to appear."""
    answer = slack.bot().chat_postMessage(channel="C0ORDERS", **message)
    node = page.locator(f"[data-testid=message][data-ts='{answer['ts']}']")
    expect(node).to_be_visible()
    return node


@pytest.mark.parametrize(("text", "expected"), MRKDWN)
def test_mrkdwn(page: Page, slack: Served, text: str, expected: str) -> None:
    assert shown(page, slack, text=text).locator(".message-text").evaluate(_OUTLINE) == expected


def test_emoji_of_the_bots_messages_are_drawn(page: Page, slack: Served) -> None:
    names = _EMOJI.split()
    message = shown(page, slack, text=" ".join(f":{name}:" for name in names))
    drawn = message.locator("svg.emoji").evaluate_all("all => all.map(each => each.textContent)")
    assert drawn == [f":{name}:" for name in names]


@pytest.mark.parametrize(("block", "selector", "text"), BLOCKS, ids=[block["type"] for block, _, _ in BLOCKS])
def test_blocks(page: Page, slack: Served, block: dict[str, Any], selector: str, text: str) -> None:
    message = shown(page, slack, text="fallback", blocks=[block])
    expect(message.locator(selector).first).to_contain_text(text, use_inner_text=True)
    assert message.locator(".unsupported").count() == 0


def test_a_data_table_turns_pages_sorts_and_filters(page: Page, slack: Served) -> None:
    rows = [_cells("Patch", "Nodes"), *(_cells(f"lib{number}", str(20 - number)) for number in range(12))]
    table = {"type": "data_table", "caption": "12 patches", "rows": rows}
    message = shown(page, slack, text="fallback", blocks=[table])
    first = message.locator("tbody tr").first
    expect(message.get_by_role("status")).to_have_text("12 rows")
    message.get_by_role("button", name="Next").click()
    expect(first).to_have_text("lib515")
    message.get_by_role("button", name="Nodes").click()
    message.get_by_role("button", name="Previous").click()
    expect(first).to_have_text("lib119")
    message.get_by_role("searchbox").fill("lib11")
    expect(message.locator("tbody tr")).to_have_count(1)


@pytest.mark.parametrize(
    "hostile", ["<img src=x onerror=document.title='hit'>", "</div><script>hit()</script>", "<!channel>"]
)
def test_text_never_becomes_markup(page: Page, slack: Served, hostile: str) -> None:
    escaped = hostile.replace("<", "&lt;").replace(">", "&gt;")
    plain = {"type": "header", "text": _words(hostile)}
    section = {"type": "section", "text": {"type": "mrkdwn", "text": f"`{escaped}` {escaped}"}}
    cell = {"type": "table", "rows": [_cells("h"), _cells(hostile)]}
    message = shown(page, slack, text="fallback", blocks=[plain, section, cell])
    assert [text.count(hostile) for text in message.locator(".block").all_inner_texts()] == [1, 2, 1]
    assert message.locator("img, script, .mention").count() == 0
    assert page.title().startswith("#orders")


def test_dates_are_in_the_readers_zone_and_follow_the_clock(browser: Browser) -> None:
    with served() as slack, opened(browser, slack.url, "#user=U0KIM&channel=C0ORDERS") as page:
        noon = slack.clock.now().replace(hour=1, minute=30, second=0)
        message = shown(page, slack, text=f"<!date^{int(noon.timestamp())}^{{date_short_pretty}} at {{time}}|utc>")
        expect(message.locator(".message-text")).to_contain_text("at 10:30")
        before = message.locator(".message-text").inner_text()
        slack.clock.jump(timedelta(days=30))
        expect(message.locator(".message-text")).not_to_have_text(before)
        expect(message.locator(".message-text")).to_contain_text(f"{noon:%b} {noon.day}, {noon.year}")
