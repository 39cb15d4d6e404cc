"""A connection that breaks before its answer: what a client sees of a lost reply or an outage."""

from collections.abc import MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

_ABORT = "patchgate.abort"


class BreakableProtocol(H11Protocol):
    """uvicorn's HTTP protocol, whose requests carry a way to break their connection off."""

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - the base class's own annotation is narrower
        super().connection_made(transport)
        inner = self.app

        async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
            scope.setdefault("extensions", {})[_ABORT] = transport.abort
            await inner(scope, receive, send)

        self.app = app


async def drop(request: Request) -> Response:
    """Break this request's connection off. The response that is returned goes nowhere."""
    request.scope["extensions"][_ABORT]()
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response()
