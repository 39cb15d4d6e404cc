"""What becomes of everything that is open in a database that was put back, sweep by sweep (I2, I3)."""

from collections.abc import Iterator

import pytest

from commands.install import Install
from commands.scan import Scan
from commands.settle import Settle
from patching.plan import StepKind
from patching.states import ChangeState, RunState, StepState
from scheduler import restored
from scheduler.restored import Stopped
from storage import audit, rechecks, runs, steps
from storage.runs import Purpose, Run
from tests.integration.small_house import approve, asked, card, installs, newest, proven
from tests.stateful.house import House
from tests.stateful.street import Street


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("street"))
    yield opened
    opened.close()


@pytest.fixture
def house(street: Street) -> House:
    return proven(street)


def test_I2_a_scan_whose_command_is_on_record_goes_on_by_itself(house: House) -> None:
    run = begun(house, StepState.SENT)
    assert [each.ref for each in stop(house).runs] == [run.ref]
    assert state(house, run) is RunState.NEEDS_HUMAN
    restored.tick(house.parts, house.clock.now())
    assert runs.get(house.store.db, run.id).note == "AWS knows every command of it; it is followed to its end."
    house.settle()
    assert state(house, run) is RunState.SUCCEEDED
    assert len(scans(house, run)) == 1


def test_I2_a_scan_that_is_planned_is_looked_up_and_not_sent(house: House) -> None:
    run = begun(house, StepState.PLANNED)
    stop(house)
    restored.tick(house.parts, house.clock.now())  # a doubt is left: it doesn't go on
    house.settle()
    assert state(house, run) is RunState.NEEDS_HUMAN
    assert scans(house, run) == []
    (step,) = steps.of_run(house.store.db, run.id)
    house.ask(Settle(step.id, ran=False), "U0ADA")
    house.settle()
    assert state(house, run) is RunState.FAILED


def test_a_run_that_was_never_planned_ends(house: House) -> None:
    house.ask(Scan(house.prod), "U0ANN")
    (run,) = stop(house).runs
    assert (run.state, run.note) == (RunState.FAILED, restored.UNPLANNED_NOTE)


def test_non_production_goes_on(house: House) -> None:
    house.ask(Scan(house.nonprod), "U0ANN")
    assert stop(house) == Stopped((), ())
    house.settle()
    assert runs.recent(house.store.db, 1)[0].state is RunState.SUCCEEDED


@pytest.mark.parametrize("wanted", [ChangeState.PREPARING, ChangeState.PENDING, ChangeState.APPROVED])
def test_I3_a_request_that_waits_for_anything_expires(house: House, wanted: ChangeState) -> None:
    if wanted is ChangeState.PREPARING:
        house.ask(Install(house.prod), "U0ANN")
        change = newest(house)
    else:
        change = asked(house)
    if wanted is ChangeState.APPROVED:
        approve(house, "U0OLA")
        while newest(house).state is ChangeState.PENDING:
            house.round()
    assert change.ref == newest(house).ref
    assert newest(house).state is wanted
    assert [each.ref for each in stop(house).changes] == [change.ref]
    house.settle()
    assert newest(house).state is ChangeState.EXPIRED
    assert "The database was replaced by an older copy" in card(house)
    assert installs(house) == []
    assert audit.check(house.store.db) is None


def test_I2_an_install_that_aws_does_not_list_waits_for_an_admin_and_is_never_sent(house: House) -> None:
    change = asked(house)
    approve(house, "U0OLA")
    refusal = house.world.faults.add("ssm", "ListCommands", "access-denied", times=10**6)
    while newest(house).state is not ChangeState.USED:
        house.round()
    (install,) = runs.of_change(house.store.db, change.id, Purpose.CHANGE)
    stop(house)
    house.world.faults.remove(refusal.id)
    house.settle()
    assert state(house, install) is RunState.NEEDS_HUMAN
    doubt, verify = steps.of_run(house.store.db, install.id)
    assert (doubt.kind, doubt.state, verify.state) == (StepKind.INSTALL, StepState.UNKNOWN, StepState.PLANNED)
    house.ask(Settle(doubt.id, ran=False), "U0ADA")
    house.settle()
    assert state(house, install) is RunState.FAILED
    assert newest(house).state is ChangeState.DONE
    assert "*Failed.*" in card(house)
    assert installs(house) == []


def test_only_commands_to_these_nodes_that_are_not_on_record_say_that_the_database_is_older(street: Street) -> None:
    """Another Patchgate in the same account, or somebody's own command, says nothing about this database."""
    neighbour, house = proven(street), proven(street)
    asked(house)
    look(house)
    assert newest(house).state is ChangeState.PENDING
    neighbour.ask(Scan(neighbour.prod), "U0ANN")
    neighbour.settle()
    house.world.foreign_operation(house.node_ids("prod"), "Scan")
    look(house)
    assert newest(house).state is ChangeState.PENDING


def begun(house: House, wanted: StepState) -> Run:
    """A Scan of production whose one step is there."""
    house.ask(Scan(house.prod), "U0ANN")
    run = runs.recent(house.store.db, 1)[0]
    refusal = house.world.faults.add("ssm", "SendCommand", "throttling") if wanted is StepState.PLANNED else None
    while [step.state for step in steps.of_run(house.store.db, run.id)] != [wanted]:
        house.round()
    if refusal:
        house.world.faults.remove(refusal.id)
    return run


def stop(house: House) -> Stopped:
    with house.store.transaction() as tx:
        return restored.stop(tx, house.clock.now(), "restored from a copy", {})


def look(house: House) -> None:
    """What the start owes, and the sweep."""
    with house.store.transaction() as tx:
        rechecks.owe(tx)
    restored.tick(house.parts, house.clock.now())
    assert rechecks.owed(house.store.db) == []


def state(house: House, run: Run) -> RunState:
    return runs.get(house.store.db, run.id).state


def scans(house: House, run: Run) -> list[str]:
    return [
        call.params["Comment"] for call in house.sent() if call.params["Comment"].startswith(f"patchgate {run.ref} ")
    ]
