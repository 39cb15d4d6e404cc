"""Text for Slack: escaping (I10), dates (I11), people, small words.

Three ways in for text from outside, each escaped: `code` for identifiers and package names, `prose` for sentences,
`plain` for places that read no markup (headers, buttons, table cells). Everything else in `bot/views` is our own.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from patching.notices import zone

_USER = re.compile(r"[UW][A-Z0-9]{2,}")
_MENTIONS = re.compile(r"<@[UW][A-Z0-9]{2,}>|<!subteam\^S[A-Z0-9]{2,}>")
_DATE = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
_MENTION = re.compile(r"<@([^>]*)>")
_LINK = re.compile(r"<(https?://[^<>|]*)\|([^<>]*)>")
_URL = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9._~:/?#@!$&()*+,;=%-]*")
_BOLD = re.compile(r"\*([^*]+)\*")
_MARKS = {
    ":white_check_mark:": "OK:",
    ":x:": "NOT OK:",
    ":warning:": "Note:",
    ":ballot_box_with_check:": "Waived:",
    ":rotating_light:": "!",
}
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ESCAPED = str.maketrans(_ESCAPES)
_CUT_ENTITY = re.compile(r"&[a-z]*$")  # "&am", where escaped text was cut


def escape(text: str) -> str:
    """`&`, `<` and `>`, nothing else (facts/slack.md "Text")."""
    return text.translate(_ESCAPED)


def plain(text: str, limit: int) -> str:
    """One printable line of at most `limit` characters, unescaped: for plain_text objects and table cells.

    Control characters, line breaks and marks that turn the reading direction become spaces: a node's name must not
    be able to pass for something else.
    """
    line = " ".join(text.split())
    if not line.isprintable():
        line = " ".join("".join(c if c.isprintable() else " " for c in line).split())
    return clip(line, limit)


def prose(text: str, limit: int = 300) -> str:
    """A sentence from outside: one escaped line of at most `limit` characters as Slack counts them.

    Single backticks stay, for commands to type; a fence of three, which could swallow the lines after it, does not.
    """
    line = escape(plain(text, limit).replace("```", "'''"))
    return line if len(line) <= limit else f"{_CUT_ENTITY.sub('', line[: limit - 1])}…"


def code(text: str, limit: int = 80) -> str:
    """An identifier or name in a code span, in which nothing is formatted: `openssl.amd64`."""
    return f"`{prose(text.replace('`', chr(39)), limit) or '?'}`"


def clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def when(moment: datetime) -> str:
    """A date in each reader's own time zone, in UTC where Slack can't show it."""
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{utc(moment)}>"


def own_zone(moment: datetime, timezone: str) -> str:
    """After a time of a schedule what it is in the schedule's own zone: ` (Sun 29 Nov 03:00 Europe/Berlin)`.

    Nothing where that is UTC, or a zone that nobody here knows.
    """
    try:
        local = moment.astimezone(zone(timezone))
    except ValueError:
        return ""
    return "" if timezone == "UTC" else f" ({local:%a %d %b %H:%M} {prose(timezone, 60)})"


def user(user_id: str) -> str:
    """A mention. The clock acts in Patchgate's name; what is no Slack user id mentions nobody."""
    if user_id == "clock":
        return "Patchgate"
    return f"<@{user_id}>" if _USER.fullmatch(user_id) else code(user_id)


def users(user_ids: Iterable[str]) -> str:
    return listed([user(user_id) for user_id in user_ids])


def mentions(markup: str, limit: int = 600) -> str:
    """People and groups as a read model names them, well-formed mentions alone; anything else becomes plain words."""
    shown: list[str] = []
    for part in markup.split(","):
        word = part.strip()
        if word:
            address = word.removeprefix("<@").removesuffix(">")
            shown.append(word if _MENTIONS.fullmatch(word) else prose(address, 80))
    kept = shown
    while len(listed(kept)) > limit:
        kept = kept[:-1]
    rest = len(shown) - len(kept)
    return listed(kept) if not rest else f"{', '.join(kept)} and {rest} more"


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)


def several(names: Sequence[str], limit: int = 5) -> str:
    """Names from outside as code, the first few and how many more."""
    shown = [code(name, 60) for name in names[:limit]]
    rest = len(names) - len(shown)
    return f"{', '.join(shown)} and {rest:,} more" if rest else listed(shown)


def plural(count: int, noun: str, nouns: str = "") -> str:
    """`1 node`, `3 nodes`, `2 patches` (with nouns="patches")."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def patches(count: int) -> str:
    return plural(count, "patch", "patches")


def bar(done: int, total: int) -> str:
    """`▓▓▓░░ 3/5`, at most ten cells wide. Full only when everything is done."""
    width = min(total, 10)
    full = done * width // total if total else 0
    return f"{'▓' * full}{'░' * (width - full)} {done:,}/{total:,}".strip()


def place(application: str, environment: str) -> str:
    return f"{prose(application, 80)} {prose(environment, 80)}"


def link(url: str, label: str, limit: int = 80) -> str:
    """A link under a label from outside; the label alone where the URL is none that could stand in markup."""
    shown = prose(label.replace("|", "/"), limit)
    return f"<{escape(url)}|{shown}>" if shown and is_address(url) else shown


def is_address(url: str) -> bool:
    """A web address of a reasonable length that holds nothing which Slack would read as markup."""
    return len(url) <= 300 and bool(_URL.fullmatch(url))


def command(words: str) -> str:
    """What to type next: `/patch scan orders-db prod`."""
    return code(f"/patch {words}", 160)


def unmarked(markup: str) -> str:
    """Our own markup as plain text, for e-mail: dates in UTC, marks as words, URLs, user ids as they are."""
    text = _LINK.sub(r"\2 (\1)", _MENTION.sub(r"\1", _DATE.sub(r"\1", markup)))
    for mark, word in _MARKS.items():
        text = text.replace(mark, word)
    text = _BOLD.sub(r"\1", text).replace("`", "")
    for character, escaped in reversed(_ESCAPES.items()):
        text = text.replace(escaped, character)
    return text
