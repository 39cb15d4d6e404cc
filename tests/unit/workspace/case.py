"""One way to break a well-formed payload in exactly one place."""

import copy
from typing import Any, NamedTuple

DELETE = object()


class Case(NamedTuple):
    """A case's name, the path to the place, what to put there (DELETE: take it away), and Slack's refusal."""

    name: str
    path: tuple[str | int, ...]
    value: object
    refusal: str


def broken(whole: Any, case: Case) -> Any:
    """A copy of a payload, broken in the one place that the case names."""
    payload = copy.deepcopy(whole)
    *way, last = case.path
    place = payload
    for step in way:
        place = place[step]
    if case.value is DELETE:
        del place[last]
    else:
        place[last] = copy.deepcopy(case.value)
    return payload
