"""The workspace's server: uvicorn in a thread of its own, on loopback unless told otherwise."""

import socket
import threading

import uvicorn
from starlette.applications import Starlette

from sandbox.slack.connection import BreakableProtocol

_PATIENCE_SECONDS = 10.0


class WorkspaceServer:
    """Its port is bound, and its URL known, as soon as it exists; `start()` returns when it answers."""

    def __init__(self, app: Starlette, host: str = "127.0.0.1", port: int = 0) -> None:
        self._workspace = app.state.workspace
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((host, port))
        self.port: int = self._socket.getsockname()[1]
        reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
        self.url = f"http://{reachable}:{self.port}"
        self._workspace.url = self.url
        config = uvicorn.Config(
            app,
            http=BreakableProtocol,
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="workspace", daemon=True)

    def start(self) -> None:
        self._thread.start()
        if not self._server.ready.wait(_PATIENCE_SECONDS):
            raise RuntimeError("the workspace's server did not start")

    def stop(self) -> None:
        self._workspace.close()
        self._server.should_exit = True
        self._thread.join(_PATIENCE_SECONDS)
        self._socket.close()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()
