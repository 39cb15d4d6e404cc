"""Lists and numbers in sentences."""

import re
from collections.abc import Iterable

_SHOWN = 5
_split = re.compile(r"([0-9]+)").split


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`; after five names `and 7 more`. Sorted, each name once."""
    unique = sorted(set(names))
    shown, rest = unique[:_SHOWN], len(unique) - _SHOWN
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more"
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def by_name(names: Iterable[str]) -> list[str]:
    """As people look them up: db-2 before db-10."""
    return sorted(names, key=lambda name: [(len(part), part) if part.isdigit() else (0, part) for part in _split(name)])


def one_line(text: str) -> str:
    """Text from outside, such as a tag's value, that must not be able to pass for a line of ours."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 node`, `3 nodes`, `2 patches` (with plural="patches")."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
