"""The vocabulary of Block Kit's rules: each rule says what is wrong with a value, and where.

Messages follow Slack's wording ("must be less than 3001 characters"), the place is a JSON pointer, so that what a
developer sees here is what Slack's `errors` and `response_metadata.messages` would have shown (facts/slack.md).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Json = dict[str, Any]


@dataclass(frozen=True)
class Problem:
    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.message} [json-pointer:{self.pointer}]"


class Rule(Protocol):
    def check(self, value: object, at: str) -> Iterator[Problem]: ...


@dataclass(frozen=True)
class String:
    """A string of `min` to `max` characters which, where a pattern is given, matches it as a whole."""

    max: int
    min: int = 1
    pattern: str = ""

    def check(self, value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(at, "must provide a string")
        elif len(value) < self.min:
            yield Problem(at, f"must be more than {self.min - 1} characters")
        elif len(value) > self.max:
            yield Problem(at, f"must be less than {self.max + 1} characters")
        elif self.pattern and not re.fullmatch(self.pattern, value):
            yield Problem(at, f"must match the pattern {self.pattern}")


@dataclass(frozen=True)
class Number:
    """A number within bounds; a whole one unless `whole` is False. A boolean is no number."""

    min: float
    max: float
    whole: bool = True

    def check(self, value: object, at: str) -> Iterator[Problem]:
        kinds: tuple[type, ...] = (int,) if self.whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            yield Problem(at, "must provide an integer" if self.whole else "must provide a number")
        elif not self.min <= value <= self.max:  # type: ignore[operator]
            yield Problem(at, f"must be between {self.min:g} and {self.max:g}")


@dataclass(frozen=True)
class Flag:
    def check(self, value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, bool):
            yield Problem(at, "must be a boolean")


@dataclass(frozen=True)
class Choice:
    values: tuple[str, ...]

    def check(self, value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, str) or value not in self.values:
            yield Problem(at, "must be a valid enum value")


@dataclass(frozen=True)
class Text:
    """A text object. `emoji` belongs to plain_text alone and `verbatim` to mrkdwn alone."""

    max: int
    kinds: tuple[str, ...] = ("plain_text",)

    def check(self, value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(at, "must be a valid text object")
            return
        kind = value.get("type")
        if kind not in self.kinds:
            yield Problem(f"{at}/type", f"must be one of {', '.join(self.kinds)}")
            return
        extra: dict[str, Rule] = {"emoji": Flag()} if kind == "plain_text" else {"verbatim": Flag()}
        yield from Object({"text": String(self.max)}, extra).check(value, at)


@dataclass(frozen=True)
class Many:
    """An array of `min` to `max` items, each of which keeps the item's rule."""

    item: Rule
    max: int
    min: int = 1
    nulls: bool = False

    def check(self, value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(at, "must be an array")
            return
        if len(value) < self.min:
            yield Problem(at, f"no fewer than {self.min} items allowed")
        if len(value) > self.max:
            yield Problem(at, f"no more than {self.max} items allowed")
        for i, item in enumerate(value):
            if not (self.nulls and item is None):
                yield from self.item.check(item, f"{at}/{i}")


@dataclass(frozen=True)
class Object:
    """An object with its required and its optional fields and no others; `type` is its container's business.

    `also` holds what spans several fields: it gets the object and its pointer after the fields were found right.
    """

    required: Mapping[str, Rule] = field(default_factory=dict)
    optional: Mapping[str, Rule] = field(default_factory=dict)
    also: Callable[[Json, str], Iterable[Problem]] | None = None

    def check(self, value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(at, "must be an object")
            return
        found = list(self._fields(value, at))
        yield from found
        if self.also and not found:
            yield from self.also(value, at)

    def _fields(self, value: Json, at: str) -> Iterator[Problem]:
        for name in self.required:
            if value.get(name) is None:
                yield Problem(at, f"missing required field: {name}")
        for name, item in value.items():
            rule = self.required.get(name) or self.optional.get(name)
            if rule is not None:
                if item is not None:
                    yield from rule.check(item, f"{at}/{name}")
            elif name != "type":
                yield Problem(at, f"invalid additional property: {name}")


@dataclass(frozen=True)
class Kinds:
    """An object whose `type` says which rule it keeps."""

    of: Mapping[str, Rule]

    def check(self, value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(at, "must be an object")
            return
        kind = value.get("type")
        if kind is None:
            yield Problem(at, "missing required field: type")
        elif not isinstance(kind, str) or kind not in self.of:
            yield Problem(f"{at}/type", f"unsupported type: {kind}")
        else:
            yield from self.of[kind].check(value, at)
