"""What a request commits, all in one transaction, or nothing (I1, I6, I7, I12)."""

from dataclasses import dataclass, replace

import pytest

from commands.command import ACK_DEADLINE, Command
from commands.command import run as run_command
from commands.errors import TooLate
from commands.install import Install
from commands.replies import Accepted
from commands.scan import Scan
from commands.status import Status
from patching.model import Operation
from patching.nodes import EnvironmentKey
from patching.states import ChangeState, RunState
from storage import audit, changes, outbox, runs
from storage.outbox import Medium
from tests.unit.commands.desk import ANN, BEN, EVE, Clock, Desk
from tests.unit.storage.rows import everything

NONPROD, PROD = EnvironmentKey("orders-db", "nonprod"), EnvironmentKey("orders-db", "prod")


@pytest.mark.parametrize(
    ("asked", "operation", "ref"),
    [
        (Scan(NONPROD), Operation.SCAN, "scan-1"),
        (Scan(PROD), Operation.SCAN, "scan-1"),
        (Install(NONPROD), Operation.INSTALL, "install-1"),
    ],
)
def test_I1_a_request_is_a_row_with_its_audit_row_and_its_card(
    desk: Desk, asked: Command, operation: Operation, ref: str
) -> None:
    reply = desk.ask(asked, ANN)
    assert isinstance(reply, Accepted)
    assert (reply.ref, reply.subject) == (ref, "run:1")
    assert ref in reply.sentence
    run = runs.get(desk.store.db, 1)
    assert (run.operation, run.state, run.requested_by) == (operation, RunState.REQUESTED, "U0ANN")
    assert [(row.actor, row.subject, row.action) for row in audit.rows(desk.store.db)] == [("U0ANN", ref, "requested")]
    card = outbox.card(desk.store.db, "run:1")
    assert card is not None
    assert (card.medium, card.recipient) == (Medium.CHANNEL, "C0ORDERS")
    assert {"plan", "deliver"} <= set(desk.woken)


def test_I1_production_is_never_installed_by_a_request_but_by_a_change(desk: Desk) -> None:
    reply = desk.ask(Install(PROD), ANN)
    assert isinstance(reply, Accepted)
    assert reply.ref == "change-1"
    assert everything(desk.store)["run"] == []
    change = changes.get(desk.store.db, 1)
    assert (change.state, change.source, change.requesters) == (ChangeState.PREPARING, "nonprod", ("U0ANN",))
    assert change.configuration == desk.config.version


def test_an_application_without_a_channel_uses_the_general_one(desk: Desk) -> None:
    desk.ask(Scan(EnvironmentKey("tools", "dev")), ANN)
    card = outbox.card(desk.store.db, "run:1")
    assert card is not None
    assert card.recipient == "C0PATCHING"


def test_a_busy_environment_names_what_keeps_it(desk: Desk) -> None:
    desk.ask(Install(NONPROD), ANN)
    sentence = desk.refused(Scan(NONPROD), BEN).sentence
    assert "install-1 is still requested on orders-db nonprod; nothing was done" in sentence
    desk.ask(Scan(PROD), BEN)


def test_an_open_change_is_named(desk: Desk) -> None:
    desk.ask(Install(PROD), ANN)
    assert "change-1 is still preparing for orders-db prod" in desk.refused(Install(PROD), BEN).sentence


@pytest.mark.parametrize(
    ("state", "carried"),
    [
        (ChangeState.BLOCKED, True),
        (ChangeState.SUPERSEDED, True),
        (ChangeState.DONE, False),
        (ChangeState.REJECTED, False),
        (ChangeState.EXPIRED, False),
        (ChangeState.WITHDRAWN, False),
    ],
)
def test_I4_a_request_that_follows_a_superseded_one_keeps_everyone_who_asked(
    desk: Desk, state: ChangeState, carried: bool
) -> None:
    desk.change(state, requesters=("U0ANN", "U0EVE"))
    desk.ask(Install(PROD), BEN)
    second = changes.get(desk.store.db, 2)
    assert second.requesters == (("U0ANN", "U0BEN", "U0EVE") if carried else ("U0BEN",))
    assert second.supersedes == (1 if carried else None)
    if state is ChangeState.BLOCKED:
        assert changes.get(desk.store.db, 1).state is ChangeState.SUPERSEDED


def test_I4_the_chain_goes_on_over_any_number_of_requests(desk: Desk) -> None:
    for actor in (ANN, BEN, ANN):
        desk.ask(Install(PROD), actor)
        with desk.store.transaction() as tx:
            newest = changes.newest(tx, "orders-db", "prod")
            assert newest is not None
            changes.transition(tx, newest, ChangeState.SUPERSEDED, desk.clock.now(), "clock")
    assert changes.get(desk.store.db, 3).requesters == ("U0ANN", "U0BEN")


@pytest.mark.parametrize("asked", [Scan(NONPROD), Install(NONPROD), Install(PROD)])
def test_I12_work_that_comes_late_is_refused_before_anything(desk: Desk, asked: Command) -> None:
    with desk.nothing_changes(), pytest.raises(TooLate):
        run_command(asked, desk.context(received=desk.clock.seconds - ACK_DEADLINE - 0.01), ANN)


@pytest.mark.parametrize("asked", [Scan(NONPROD), Install(NONPROD), Install(PROD)])
def test_I12_work_that_grew_late_while_it_ran_is_not_committed(desk: Desk, asked: Command) -> None:
    """The person is told at three seconds that it failed: time that passes inside the transaction counts too."""
    context = replace(desk.context(), clock=Slowing(readings=2))
    with desk.nothing_changes(), pytest.raises(TooLate):
        run_command(asked, context, ANN)


def test_I12_exactly_three_seconds_are_in_time(desk: Desk) -> None:
    run_command(Scan(NONPROD), desk.context(received=desk.clock.seconds - ACK_DEADLINE), ANN)
    assert runs.get(desk.store.db, 1).state is RunState.REQUESTED


@pytest.mark.parametrize("ref", ["scan-1", "install-7", "change-1"])
def test_what_is_not_there_is_said(desk: Desk, ref: str) -> None:
    assert f"There is no {ref}; nothing was done" in desk.refused(Status(ref), EVE).sentence


def test_an_id_with_another_operation_is_not_there(desk: Desk) -> None:
    desk.ask(Scan(NONPROD), ANN)
    assert "There is no install-1" in desk.refused(Status("install-1"), EVE).sentence
    desk.ask(Status("scan-1"), EVE)


@dataclass
class Slowing(Clock):
    """In time for so many looks at it, too late afterwards."""

    readings: int = 0

    def monotonic(self) -> float:
        self.readings -= 1
        return self.seconds if self.readings >= 0 else self.seconds + ACK_DEADLINE + 0.01
