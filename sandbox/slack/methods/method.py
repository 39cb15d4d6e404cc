"""What a Web API method is: a function of the workspace and its arguments, the scopes it needs, its rate limit."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sandbox.slack.limits import Rate
from sandbox.slack.model import Refused
from sandbox.slack.rules import Json
from sandbox.slack.workspace import Workspace

T = TypeVar("T")


@dataclass(frozen=True)
class Args:
    """A call's arguments, from JSON or from a form, where everything is a string."""

    values: Mapping[str, object]

    def get(self, name: str) -> object:
        return self.values.get(name)

    def text(self, name: str, missing: str | None = None) -> str:
        """A string that must be there; its absence is `missing`, or else Slack's `invalid_arguments`."""
        value = self.maybe(name)
        if value is None:
            if missing:
                raise Refused(missing)
            raise invalid_arguments(f"missing required field: {name}")
        return value

    def maybe(self, name: str) -> str | None:
        value = self.values.get(name)
        return None if value is None or value == "" else str(value)

    def flag(self, name: str) -> bool:
        return str(self.values.get(name, "")).lower() in ("true", "1")

    def number(self, name: str, default: int) -> int:
        value = self.maybe(name)
        if value is None:
            return default
        if not value.isdecimal():
            raise invalid_arguments(f"must provide an integer [json-pointer:/{name}]")
        return int(value)

    def decoded(self, name: str, error: str) -> object:
        """A structure: forms carry it as JSON text, which is `error` when it can't be read."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError as bad:
            raise Refused(error) from bad


@dataclass(frozen=True)
class Method:
    """`scopes`: one of them is needed; none for a method that any bot token may call."""

    run: Callable[[Workspace, Args], Json]
    rate: Rate
    scopes: tuple[str, ...] = ()
    app_level: bool = False


def invalid_arguments(*messages: str) -> Refused:
    return Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] {message}" for message in messages]})


def page(items: Sequence[T], args: Args, default: int = 100) -> tuple[Sequence[T], Json]:
    """The part of a list that `limit` and `cursor` ask for, and what the answer says of the next."""
    try:
        start = int(base64.b64decode(args.maybe("cursor") or "", validate=True) or b"0")
    except (ValueError, binascii.Error) as bad:
        raise Refused("invalid_cursor") from bad
    size = args.number("limit", default)
    if not 1 <= size <= 1000:
        raise Refused("invalid_limit")
    following = base64.b64encode(str(start + size).encode()).decode() if start + size < len(items) else ""
    return items[start : start + size], {"response_metadata": {"next_cursor": following}}
