"""What was asked of the simulated SSM, and what its nodes really installed. Tests assert on both."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class SsmCall:
    """`outcome` is "ok", the error's code, or "lost-reply" where the work was done and nobody was told."""

    number: int
    at: datetime
    account: str
    region: str
    operation: str
    params: dict[str, Any]
    outcome: str
    command_id: str | None = None


class SsmLog:
    def __init__(self) -> None:
        self._calls: list[SsmCall] = []

    def __iter__(self) -> Iterator[SsmCall]:
        return iter(list(self._calls))

    def __len__(self) -> int:
        return len(self._calls)

    def record(
        self,
        at: datetime,
        account: str,
        region: str,
        operation: str,
        params: dict[str, Any],
        outcome: str,
        command_id: str | None = None,
    ) -> None:
        number = len(self._calls) + 1
        self._calls.append(SsmCall(number, at, account, region, operation, params, outcome, command_id))

    def calls(self, operation: str | None = None, *, outcome: str | None = None) -> list[SsmCall]:
        return [
            call
            for call in self._calls
            if operation in (None, call.operation) and (outcome is None or call.outcome == outcome)
        ]

    def after(self, number: int) -> list[SsmCall]:
        return self._calls[max(number, 0) :]


@dataclass(frozen=True)
class OverrideEntry:
    """One patch of an InstallOverrideList; without a title every version matches."""

    id: str
    title: str | None = None


@dataclass
class Install:
    """An Install command that nodes really began to execute.

    `rows` holds, for each of those nodes, the (KBId, Title) pairs that it installed, new dependencies included.
    `foreign` marks somebody else's command.
    """

    command_id: str
    at: datetime
    account: str
    region: str
    params: dict[str, list[str]]
    foreign: bool
    override: tuple[OverrideEntry, ...] | None = None
    rows: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    @property
    def node_ids(self) -> tuple[str, ...]:
        return tuple(self.rows)
