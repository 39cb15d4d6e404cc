"""Durations, suggestions and lists as people read them."""

from datetime import timedelta

import pytest

from patching.durations import parse_duration, words
from patching.phrases import by_name, counted, listed
from patching.suggest import did_you_mean


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("0d", timedelta(0)),
        ("999999999d", timedelta(days=999999999)),
    ],
)
def test_parse_duration(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "7", "d", "-7d", "1.5d", "7 d", "7D", "7w", "1d12h", "٧d", "9999999999d", "7d\n"])
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="90s, 15m, 24h or 7d"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(days=2, hours=4, minutes=9), "2 d 4 h"),
        (timedelta(days=7), "7 d"),
        (timedelta(days=1, minutes=5), "1 d"),
        (timedelta(minutes=15), "15 min"),
        (timedelta(seconds=90), "1 min 30 s"),
        (timedelta(0), "0 s"),
        (timedelta(seconds=-5), "0 s"),
    ],
)
def test_words(duration: timedelta, text: str) -> None:
    assert words(duration) == text


@pytest.mark.parametrize(
    ("word", "meant"),
    [("order-db", "orders-db"), ("ORDERS-DB", "orders-db"), ("Billing", "Billing-DB"), ("zebra", None), ("", None)],
)
def test_did_you_mean(word: str, meant: str | None) -> None:
    assert did_you_mean(word, ["orders-db", "Billing-DB"]) == meant


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["b", "a", "a"], "a and b"),
        (["c", "b", "a"], "a, b and c"),
        (list("gfedcba"), "a, b, c, d, e and 2 more"),
    ],
)
def test_listed(names: list[str], text: str) -> None:
    assert listed(names) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 patches"), (1, "1 patch"), (2, "2 patches"), (12000, "12,000 patches")]
)
def test_counted(count: int, text: str) -> None:
    assert counted(count, "patch", "patches") == text


def test_names_are_in_the_order_in_which_people_look_them_up() -> None:
    assert by_name(["db-10", "db-2", "a", "db-2b", "10", "9", ""]) == ["", "9", "10", "a", "db-2", "db-2b", "db-10"]
