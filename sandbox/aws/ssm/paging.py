"""Pages: an opaque token says where the next one starts."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from sandbox.aws.model import SsmError

Item = TypeVar("Item")


def page(params: dict[str, Any], items: Sequence[Item], default: int) -> tuple[list[Item], dict[str, str]]:
    """The page that `NextToken` and `MaxResults` ask for, and `{"NextToken": …}` where another follows.

    A token belongs to the other parameters that it was given for; with others it is refused.
    """
    size = params.get("MaxResults", default)
    others = {name: value for name, value in params.items() if name not in ("NextToken", "MaxResults")}
    asked = hashlib.sha256(json.dumps(others, sort_keys=True).encode()).hexdigest()
    start = _start(params["NextToken"], asked) if params.get("NextToken") else 0
    end = start + size
    following = {"NextToken": _token(end, asked)} if end < len(items) else {}
    return list(items[start:end]), following


def _token(start: int, asked: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([start, asked]).encode()).decode()


def _start(token: str, asked: str) -> int:
    try:
        start, asked_then = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError, TypeError) as broken:
        raise SsmError("InvalidNextToken", "The specified token is not valid.") from broken
    if asked_then != asked or not isinstance(start, int):
        raise SsmError("InvalidNextToken", "The specified token is not valid.")
    return start
