"""What Slack hands out for a while: trigger ids, response URLs, Socket Mode tickets.

Their lives are felt by a person, so they are measured in real time and not on the sandbox's clock.
"""

import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sandbox.slack.model import Refused

TRIGGER_SECONDS = 3.0
RESPONSE_SECONDS = 30 * 60.0
RESPONSE_USES = 5
_KEPT = 10_000
"""How many of each are remembered: far more than are alive at once, and no more after a week of load."""
_T = TypeVar("_T")


@dataclass
class Trigger:
    user: str
    from_view: str | None
    until: float
    used: bool = False


@dataclass
class ResponseUrl:
    """Where an interaction came from; `message` is the ts of the message clicked, None for a command."""

    user: str
    channel: str
    message: str | None
    until: float
    uses: int = 0


class Tickets:
    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._count = itertools.count(1)
        self._triggers: dict[str, Trigger] = {}
        self._responses: dict[str, ResponseUrl] = {}
        self._sockets: set[str] = set()

    def new_trigger(self, user: str, from_view: str | None = None) -> str:
        id = f"{next(self._count)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        _remember(self._triggers, id, Trigger(user, from_view, self._monotonic() + TRIGGER_SECONDS))
        return id

    def check_trigger(self, id: object) -> Trigger:
        """The trigger of this id, not used up: a refused view may be corrected and sent with the same one."""
        trigger = self._triggers.get(id) if isinstance(id, str) else None
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        if self._monotonic() > trigger.until:
            raise Refused("expired_trigger_id")
        return trigger

    def new_response(self, user: str, channel: str, message: str | None) -> str:
        token = secrets.token_urlsafe(24)
        until = self._monotonic() + RESPONSE_SECONDS
        _remember(self._responses, token, ResponseUrl(user, channel, message, until))
        return token

    def use_response(self, token: str) -> ResponseUrl:
        """Count one use; a token that is unknown, old or used up is refused in the words of Slack's answer."""
        response = self._responses.get(token)
        if response is None or self._monotonic() > response.until:
            raise Refused("Expired url")
        if response.uses >= RESPONSE_USES:
            raise Refused("Used url")
        response.uses += 1
        return response

    def new_socket(self) -> str:
        ticket = secrets.token_urlsafe(24)
        self._sockets.add(ticket)
        return ticket

    def use_socket(self, ticket: str) -> bool:
        known = ticket in self._sockets
        self._sockets.discard(ticket)
        return known


def _remember(kept: dict[str, _T], key: str, value: _T) -> None:
    kept[key] = value
    if len(kept) > _KEPT:
        del kept[next(iter(kept))]
