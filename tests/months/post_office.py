"""A mail server that can be down or too busy, on one port; what it took stays."""

from dataclasses import dataclass, field
from typing import Any, Literal

from aiosmtpd.smtp import SMTP

from sandbox.clock import SandboxClock
from sandbox.mail import Mail, Mailbox

Trouble = Literal["closed", "busy"]


class _Counter(Mailbox):
    busy = False

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        if self.busy:
            return "451 4.3.2 Please try again later"
        return await super().handle_DATA(server, session, envelope)


@dataclass
class PostOffice:
    clock: SandboxClock
    port: int = 0
    _open: _Counter | None = None
    _earlier: list[Mail] = field(default_factory=list)

    def open(self) -> None:
        self._open = _Counter(self.clock, port=self.port)
        self._open.start()
        self.port = self._open.port

    def down(self, trouble: Trouble) -> None:
        if trouble == "busy" and self._open:
            self._open.busy = True
        else:
            self.close()

    def up(self) -> None:
        if self._open:
            self._open.busy = False
        else:
            self.open()

    def close(self) -> None:
        if self._open:
            self._open.stop()
            self._earlier += self._open.mails
            self._open = None

    @property
    def mails(self) -> list[Mail]:
        """In the order of their arrival."""
        return [*self._earlier, *(self._open.mails if self._open else ())]
