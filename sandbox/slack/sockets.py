"""Socket Mode: the bot's WebSocket connections, and envelopes that go to exactly one of them (facts/slack.md)."""

import asyncio
import itertools
import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.slack.rules import Json

CONNECTION_LIMIT = 10
WARNING_SECONDS = 10.0
"""How long a connection stays open after `disconnect` with reason "warning"; with any other it is closed at once."""


class NotAcknowledged(Exception):
    """What the person reads who used the bot: `operation_timeout`, `dispatch_failed`, `http_service_error`, …"""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(eq=False)
class Connection:
    socket: WebSocket
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    leaving: bool = False
    sent: int = 0

    async def send(self, message: Json) -> None:
        await self.socket.send_text(json.dumps(message))


class Sockets:
    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self._connections: list[Connection] = []
        self._turn = itertools.count()
        self._waiting: dict[str, asyncio.Future[Json | None]] = {}

    @property
    def sent(self) -> list[int]:
        """How many envelopes each of the open connections got."""
        with self._lock:
            return [connection.sent for connection in self._connections if not connection.leaving]

    async def serve(self, socket: WebSocket, host: str, app_id: str) -> None:
        """Hold one connection from hello to its end."""
        await socket.accept()
        connection = Connection(socket)
        with self._lock:
            full = len(self._connections) >= CONNECTION_LIMIT
            if not full:
                self._connections.append(connection)
        if full:
            await connection.send(_disconnect("too_many_websockets", host))
            await socket.close()
            return
        self._changed()
        try:
            await connection.send(_hello(len(self._connections), host, app_id))
            while True:
                self._acknowledge(await socket.receive_text())
        except (WebSocketDisconnect, ValueError):
            return  # The client left, or what it sent is no JSON: either way this connection is over.
        finally:
            with self._lock:
                self._connections.remove(connection)
            self._changed()

    async def deliver(self, kind: str, payload: Json, takes_payload: bool, seconds: float, **more: object) -> Json:
        """Send one envelope to one connection and wait for its ack; returns the ack's payload, {} for none."""
        connection = self._next()
        if connection is None:
            raise NotAcknowledged("dispatch_failed")
        id = str(uuid.uuid4())
        ack: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
        self._waiting[id] = ack
        envelope = {"envelope_id": id, "type": kind, "payload": payload, "accepts_response_payload": takes_payload}
        try:
            connection.sent += 1
            async with asyncio.timeout(seconds):
                await connection.send({**envelope, **more})
                return await ack or {}
        except TimeoutError as late:
            raise NotAcknowledged("operation_timeout") from late
        except (WebSocketDisconnect, RuntimeError) as broken:
            raise NotAcknowledged("dispatch_failed") from broken
        finally:
            del self._waiting[id]

    def disconnect(self, reason: str, host: str) -> None:
        """Tell every connection to go away, as Slack does now and then; callable from any thread."""
        with self._lock:
            leaving = [connection for connection in self._connections if not connection.leaving]
            for connection in leaving:
                connection.leaving = True
        for connection in leaving:
            asyncio.run_coroutine_threadsafe(self._dismiss(connection, reason, host), connection.loop)

    async def _dismiss(self, connection: Connection, reason: str, host: str) -> None:
        await connection.send(_disconnect(reason, host))
        if reason == "warning":
            await asyncio.sleep(WARNING_SECONDS)
        if connection in self._connections:
            await connection.socket.close()

    def _next(self) -> Connection | None:
        """The connection whose turn it is; one that was told to go only while there is no other."""
        with self._lock:
            staying = [connection for connection in self._connections if not connection.leaving]
            ready = staying or self._connections
            return ready[next(self._turn) % len(ready)] if ready else None

    def _acknowledge(self, text: str) -> None:
        answer = json.loads(text)
        ack = self._waiting.get(answer.get("envelope_id"))
        if ack is not None and not ack.done():
            ack.set_result(answer.get("payload"))


def _hello(count: int, host: str, app_id: str) -> Json:
    return {
        "type": "hello",
        "num_connections": count,
        "debug_info": {"host": host, "build_number": 1, "approximate_connection_time": 18060},
        "connection_info": {"app_id": app_id},
    }


def _disconnect(reason: str, host: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": host}}
