"""The real Bolt App at a workspace: over Socket Mode with the SDK's built-in client, or over signed HTTP."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import uvicorn
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.starlette import SlackRequestHandler
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.unit.workspace.harness import Running


@contextmanager
def connected(slack: Running, app: App, connections: int = 1) -> Iterator[None]:
    """So many connections of one app. Closing takes a `ping_interval`, so it is done once for a whole module."""
    handlers = [
        SocketModeHandler(app, "xapp-sandbox", web_client=slack.client(), ping_interval=3) for _ in range(connections)
    ]
    for handler in handlers:
        handler.connect()  # type: ignore[no-untyped-call]
    assert slack.workspace.wait_until(lambda: len(slack.workspace.sockets.sent) == connections)
    try:
        yield
    finally:
        with ThreadPoolExecutor(connections) as threads:
            list(threads.map(lambda handler: handler.close(), handlers))


@contextmanager
def served(slack: Running, app: App) -> Iterator[None]:
    """The same app behind Bolt's HTTP adapter, which checks Slack's signatures."""
    handler = SlackRequestHandler(app)

    async def endpoint(request: Request) -> Response:
        return await handler.handle(request)

    ready = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    web = Starlette(routes=[Route("/slack/events", endpoint, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(web, lifespan="off", log_config=None, access_log=False))

    async def serve() -> None:
        await server.startup([listening])
        ready.set()
        await server.main_loop()
        await server.shutdown([listening])

    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="bot")
    thread.start()
    assert ready.wait(10)
    slack.workspace.request_url = f"http://127.0.0.1:{listening.getsockname()[1]}/slack/events"
    try:
        yield
    finally:
        slack.workspace.request_url = None
        server.should_exit = True
        thread.join(10)
        listening.close()
