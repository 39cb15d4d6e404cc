"""The simulated AWS as a server on loopback."""

import socket
import threading
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from sandbox.aws import moto_backends
from sandbox.aws.front import Front
from sandbox.aws.world import World


class SimulatedAws:
    """Serves one world. moto's state is global to the process, so only one of these may run at a time."""

    def __init__(self, world: World, host: str = "127.0.0.1", port: int = 0) -> None:
        self._world = world
        self._address = (host, port)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        if self._server is None:
            raise RuntimeError("the simulated AWS has not been started")
        return f"http://{self._address[0]}:{self._server.port}"

    def base_key(self, account: str) -> str:
        """The access key of the sandbox's own user in this account; its secret is anything."""
        return f"AKIASANDBOX{account[:9]}"

    def start(self) -> None:
        """Reset moto, create the fleet there, and serve from a thread."""
        moto_backends.populate(self._world.fleet, self._world.started)
        self._world.surroundings = moto_backends.MotoSurroundings()
        front = Front(self._world, {self.base_key(account): account for account in self._world.fleet.accounts})
        self._server = _Server(*self._address, front, handler=_Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="aws", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close every connection."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.close_connections()
        self._server = self._thread = None

    def __enter__(self) -> "SimulatedAws":
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


class _Server(ThreadedWSGIServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._connections: set[socket.socket] = set()
        super().__init__(*args, **kwargs)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, socket.socket):
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """A client that keeps its connection would keep a thread; hang up on it."""
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                self._connections.discard(connection)  # its client was quicker


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # a client may keep its connection

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing: the world keeps its own log."""
