"""What `/patch status` reads: an ack waits for it."""

from commands.replies import StatusList
from commands.status import OPEN, Status
from patching.model import Operation
from storage import runs
from storage.runs import Purpose
from tests.unit.commands.desk import ANN, NOW, Desk


def test_of_very_much_that_is_open_only_what_is_shown_is_read(desk: Desk) -> None:
    with desk.store.transaction() as tx:
        for number in range(2 * OPEN):
            runs.create(
                tx,
                NOW,
                operation=Operation.SCAN,
                application="orders-db",
                environment=f"env-{number}",
                production=False,
                purpose=Purpose.REQUEST,
                requested_by=ANN.user_id,
            )
    change = desk.change()
    reply = desk.ask(Status(), ANN)
    assert isinstance(reply, StatusList)
    assert reply.open_changes == (change,)
    assert len(reply.open_runs) == OPEN - 1
    assert reply.open_count == 2 * OPEN + 1
