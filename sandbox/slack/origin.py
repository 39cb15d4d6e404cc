"""Only this server's own pages may change anything: a page from elsewhere, open in the same browser, may not."""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class SameOrigin:
    """Refuse, with 403, what isn't a GET and carries an Origin that is not this server's.

    Programs send no Origin. A name that was pointed at loopback (DNS rebinding) is foreign too, so only localhost and
    plain addresses count as this server's.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if origin is not None and not _is_own(origin, headers.get("host", "")):
                await PlainTextResponse("this page may not change anything here", 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_own(origin: str, host: str) -> bool:
    parts = urlsplit(origin)
    return parts.netloc == host and parts.scheme in ("http", "https") and _is_plain(parts.hostname or "")


def _is_plain(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
