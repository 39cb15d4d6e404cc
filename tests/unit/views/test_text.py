from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.views import text
from tests.unit.views.made import HOSTILE, NOW
from tests.unit.views.seen import assert_inert


def test_escape_i10_only_three_characters() -> None:
    assert text.escape("""<!here> & "it's" *b*""") == """&lt;!here&gt; &amp; "it's" *b*"""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (datetime(2026, 11, 28, 9, tzinfo=UTC), "2026-11-28 09:00 UTC"),
        (datetime(2026, 11, 28, 9, tzinfo=timezone(timedelta(hours=2))), "2026-11-28 07:00 UTC"),
    ],
)
def test_when_i11_has_a_utc_fallback(given: datetime, expected: str) -> None:
    assert text.when(given) == f"<!date^{int(given.timestamp())}^{{date_short_pretty}} {{time}}|{expected}>"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("U0ANN", "<@U0ANN>"),
        ("W0123ABC", "<@W0123ABC>"),
        ("clock", "Patchgate"),
        ("U0ANN> <!channel", "`U0ANN&gt; &lt;!channel`"),
        ("", "`?`"),
    ],
)
def test_user(given: str, expected: str) -> None:
    assert text.user(given) == expected


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<!subteam^S0ONCALL>, <@U0BEN>", "<!subteam^S0ONCALL> and <@U0BEN>"),
        ("<@ben@example.com>", "ben@example.com"),
        ("<!channel>, <@U0BEN>", "&lt;!channel and <@U0BEN>"),
        ("", ""),
    ],
)
def test_mentions_i10_lets_only_people_and_groups_through(markup: str, expected: str) -> None:
    assert text.mentions(markup) == expected


def test_mentions_of_many_people_stay_short() -> None:
    shown = text.mentions(", ".join(f"<@U{index:010}>" for index in range(500)))
    assert len(shown) < 650
    assert shown.endswith(f"and {500 - shown.count('<@')} more")


@pytest.mark.parametrize(
    ("done", "total", "expected"),
    [
        (3, 5, "▓▓▓░░ 3/5"),
        (0, 2, "░░ 0/2"),
        (2, 2, "▓▓ 2/2"),
        (99, 100, "▓▓▓▓▓▓▓▓▓░ 99/100"),
        (0, 0, "0/0"),
        (1500, 10_000, "▓░░░░░░░░░ 1,500/10,000"),
    ],
)
def test_bar(done: int, total: int, expected: str) -> None:
    assert text.bar(done, total) == expected


@pytest.mark.parametrize("limit", [10, 80, 300])
@pytest.mark.parametrize("given", ["&" * 3000, "a" * 3000, "<" * 299, HOSTILE * 50])
def test_prose_keeps_its_limit_as_slack_counts(given: str, limit: int) -> None:
    shown = text.prose(given, limit)
    assert 0 < len(shown) <= limit
    assert_inert(shown)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("one\n> two\tthree", "one &gt; two three"),
        ("a\u202egnp.exe\x00b", "a gnp.exe b"),
        ("```fence", "'''fence"),
        ("type `/patch help`", "type `/patch help`"),
    ],
)
def test_prose_is_one_harmless_line(given: str, expected: str) -> None:
    assert text.prose(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [("openssl.amd64", "`openssl.amd64`"), ("a`b*c*", "`a'b*c*`"), ("<!channel>", "`&lt;!channel&gt;`"), ("\n", "`?`")],
)
def test_code_cannot_be_left(given: str, expected: str) -> None:
    assert text.code(given) == expected


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "0 patches"), (1, "1 patch"), (2, "2 patches"), (1234, "1,234 patches")]
)
def test_plural(count: int, expected: str) -> None:
    assert text.patches(count) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ""),
        (["a"], "`a`"),
        (["a", "b"], "`a` and `b`"),
        (["a", "b", "c", "d"], "`a`, `b` and 2 more"),
    ],
)
def test_several(names: list[str], expected: str) -> None:
    assert text.several(names, 2) == expected


def test_unmarked_reads_as_plain_text() -> None:
    markup = f":x: *Failed* on `db-1` {text.when(NOW)}, says {text.user('U0ANN')}: a &lt; b &amp;lt; c"
    assert text.unmarked(markup) == "NOT OK: Failed on db-1 2026-11-28 09:00 UTC, says U0ANN: a < b &lt; c"
