"""A desk at which somebody asks: real commands on a real store, with a clock that moves when told."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from commands import command
from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.ports import Jobs, Role
from commands.replies import Reply
from patching.config import Configuration, validate
from patching.states import ChangeState
from storage import changes
from storage.changes import Change
from storage.database import Store, to_text
from tests.unit.storage.rows import everything

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DIGEST = "d" * 64
ANN = Actor("U0ANN", frozenset({Role.OPERATOR}))
BEN = Actor("U0BEN", frozenset({Role.OPERATOR}))
OLA = Actor("U0OLA", frozenset({Role.APPROVER}))
KIM = Actor("U0KIM", frozenset({Role.APPROVER}))
ADA = Actor("U0ADA", frozenset({Role.ADMIN}))
EVE = Actor("U0EVE", frozenset())

_NONPRODUCTION: dict[str, Any] = {
    "account": "111111111111",
    "region": "eu-west-1",
    "targets": {"tag:PatchGroup": ["nonprod"]},
}
_PRODUCTION = {**_NONPRODUCTION, "account": "222222222222", "production": True}


def configuration(**policy: str) -> Configuration:
    return validate(
        {
            "slack": {"channel": "C0PATCHING"},
            "policy": policy,
            "applications": {
                "orders-db": {
                    "channel": "C0ORDERS",
                    "environments": {"nonprod": _NONPRODUCTION, "prod": _PRODUCTION},
                },
                "billing-db": {"environments": {"test": _NONPRODUCTION, "live": _PRODUCTION}},
                "tools": {"environments": {"dev": _NONPRODUCTION}},
            },
        }
    )


@dataclass
class Clock:
    at: datetime = NOW
    seconds: float = 1000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.seconds


class NoDirectory:
    """Commands are given an actor whose roles were looked up before; they ask nobody themselves."""

    def roles(self, user_id: str) -> frozenset[Role]:
        raise AssertionError(f"asked for the roles of {user_id}")

    def holders(self, role: Role) -> Collection[str]:
        raise AssertionError(f"asked who holds {role}")


@dataclass
class Desk:
    store: Store
    config: Configuration = field(default_factory=configuration)
    clock: Clock = field(default_factory=Clock)
    woken: list[str] = field(default_factory=list)
    jobs: Jobs | None = None

    def context(self, received: float | None = None) -> Context:
        return Context(
            config=self.config,
            store=self.store,
            clock=self.clock,
            directory=NoDirectory(),
            wake=self.woken.append,
            received=self.clock.seconds if received is None else received,
            channel="C0ORDERS",
            jobs=self.jobs,
        )

    def ask(self, asked: Command, actor: Actor) -> Reply:
        return command.run(asked, self.context(), actor)

    def refused(self, asked: Command, actor: Actor) -> Refused:
        """The refusal, after which nothing has changed and no sweep was woken."""
        with self.nothing_changes(), pytest.raises(Refused) as refusal:
            self.ask(asked, actor)
        return refusal.value

    @contextmanager
    def nothing_changes(self) -> Iterator[None]:
        before, woken = everything(self.store), list(self.woken)
        yield
        assert everything(self.store) == before
        assert self.woken == woken

    def change(self, state: ChangeState = ChangeState.PENDING, *, requesters: tuple[str, ...] = ("U0ANN",)) -> Change:
        """A change as the sweep leaves it after a passing gate, or in another state."""
        with self.store.transaction() as tx:
            change = changes.create(
                tx,
                self.clock.now(),
                application="orders-db",
                environment="prod",
                source="nonprod",
                requested_by=requesters[0],
                configuration=self.config.version,
            )
            tx.execute(
                "UPDATE change SET state = ?, digest = ?, evaluated_at = ?, requesters = ? WHERE id = ?",
                [
                    state,
                    DIGEST,
                    to_text(self.clock.now()),
                    "[" + ",".join(f'"{user}"' for user in requesters) + "]",
                    change.id,
                ],
            )
        return changes.get(self.store.db, change.id)

    def later(self, **by: float) -> None:
        self.clock.at += timedelta(**by)
