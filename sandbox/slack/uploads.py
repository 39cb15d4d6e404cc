"""Files on their way into the workspace and in it. Its caller holds the workspace's lock."""

import itertools
import mimetypes
import secrets
from dataclasses import dataclass, replace

from sandbox.slack.model import File, Refused


@dataclass
class _Pending:
    file: File
    length: int
    received: bool = False


class Uploads:
    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._pending: dict[str, _Pending] = {}
        self._complete: dict[str, File] = {}

    def announce(self, name: str, length: int) -> tuple[str, str]:
        """The ticket of the URL that takes the bytes, and the file's id."""
        id, ticket = f"F{next(self._ids):08d}", secrets.token_urlsafe(16)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._pending[ticket] = _Pending(File(id, name, name, kind, b""), length)
        return ticket, id

    def receive(self, ticket: str, content: bytes) -> None:
        pending = self._pending.get(ticket)
        if pending is None:
            raise Refused("upload_not_found")
        if len(content) != pending.length:
            raise Refused("length_mismatch")
        pending.file, pending.received = replace(pending.file, content=content), True

    def finish(self, id: object, title: str | None) -> File:
        for ticket, pending in self._pending.items():
            if pending.file.id == id and pending.received:
                del self._pending[ticket]
                file = replace(pending.file, title=title or pending.file.name)
                self._complete[file.id] = file
                return file
        raise Refused("file_not_found")

    def get(self, id: str) -> File:
        if id not in self._complete:
            raise Refused("file_not_found")
        return self._complete[id]

    def complete(self) -> list[File]:
        return list(self._complete.values())
