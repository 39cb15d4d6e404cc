"""The workspace as one ASGI application: Slack's side for the bot, the person's side for the page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from sandbox.mail import Mailbox
from sandbox.slack.bot import Bot
from sandbox.slack.origin import SameOrigin
from sandbox.slack.person import person_routes
from sandbox.slack.replies import response_routes
from sandbox.slack.web_api import web_api_routes
from sandbox.slack.workspace import APP_ID, Workspace


class Page(StaticFiles):
    """Asked for anew each time, so that no browser mixes the scripts of two versions."""

    def file_response(self, *args: Any, **options: Any) -> Response:
        answer = super().file_response(*args, **options)
        answer.headers["cache-control"] = "no-cache"
        return answer


def create_app(
    workspace: Workspace,
    mailbox: Mailbox | None,
    extra_routes: Sequence[BaseRoute] = (),
    page_dir: Path | None = None,
) -> Starlette:
    """`extra_routes` come before the page, which is served from `page_dir` at "/"."""

    async def socket(websocket: WebSocket) -> None:
        with workspace.lock:
            known = workspace.tickets.use_socket(websocket.path_params["ticket"])
        if known:
            await workspace.sockets.serve(websocket, workspace.url, APP_ID)
        else:
            await websocket.close()

    async def mail(request: Request) -> Response:
        return JSONResponse({"mails": [each.shown() for each in mailbox.mails] if mailbox else []})

    routes: list[BaseRoute] = [
        *web_api_routes(workspace),
        *response_routes(workspace),
        WebSocketRoute("/socket/{ticket}", socket),
        *person_routes(workspace, Bot(workspace)),
        Route("/sandbox/mail", mail, methods=["GET"]),
        *extra_routes,
    ]
    if page_dir is not None:
        routes.append(Mount("/", Page(directory=page_dir, html=True)))
    app = Starlette(routes=routes, middleware=[Middleware(SameOrigin)])
    app.state.workspace = workspace
    return app
