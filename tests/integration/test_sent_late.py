"""Hours between what a production Install rests on and its send: a doubt, a pause, a bot that was down (I3)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from commands.pause import Continue, Pause
from patching.plan import Document, PlanStep, StepKind
from patching.states import ChangeState, RunState, StepState
from scheduler import dispatch
from storage import steps
from storage.steps import Step
from tests.integration.small_house import installs, newest, proven
from tests.integration.small_town import fleet_of
from tests.integration.waves_house import WAVES, begun, card, has_ended, names, now, until, wave, with_roles
from tests.stateful.house import House
from tests.stateful.street import Street

HOURS = timedelta(hours=5)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    fleet = with_roles(fleet_of([f"late-{number}" for number in range(7)], prod=3))
    opened = Street(tmp_path_factory.mktemp("late"), fleet)
    yield opened
    opened.close()


def test_I3_a_batch_after_a_doubt_is_looked_at_anew_however_late_the_doubt_is_settled(street: Street) -> None:
    """Two replicas in two batches. AWS doesn't say for hours whether the first was sent; it was."""
    house = proven(street)
    house.restart(waves=WAVES, rate={"max_concurrency": "1"})
    run = begun(house)
    first, second = in_two_batches(house, wave(house, 1, StepKind.INSTALL)[0])
    house.world.faults.add("ssm", "SendCommand", "lost-reply", times=1)
    dispatch.tick(house.parts, house.clock.now())
    unlisted = house.world.faults.add("ssm", "ListCommands", "access-denied", times=10**6)
    until(house, lambda: now(house, run).state is RunState.NEEDS_HUMAN)
    house.jump(HOURS)
    house.world.foreign_operation(list(second), "Install")
    house.jump(timedelta(minutes=5))
    house.world.faults.remove(unlisted.id)
    until(house, lambda: now(house, run).state.ended)
    (name,) = names(house, second)
    assert f"Somebody else's operation ran on {name} meanwhile; nothing was sent there." in now(house, run).note
    assert [tuple(call.params["InstanceIds"]) for call in installs(house)] == [first]


def in_two_batches(house: House, step: Step) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """An Install of two nodes as it would be planned if a command took one."""
    first, second = step.node_ids
    planned = PlanStep(
        kind=step.kind,
        document=Document(step.document, step.document_version, step.document_hash),
        operation=step.operation,
        parameters=step.parameters,
        node_ids=(second,),
        max_concurrency=step.max_concurrency,
        max_errors=step.max_errors,
        delivery_timeout=step.delivery_timeout,
        position=step.position * 10 + 1,
        pinned=True,
        wave=step.wave,
        settings=step.settings,
    )
    with house.store.transaction() as tx:
        tx.execute("UPDATE step SET position = position * 10 WHERE run_id = ?", [step.run_id])
        tx.execute("UPDATE step SET node_ids = ? WHERE id = ?", [f'["{first}"]', step.id])
        steps.plan(tx, step.run_id, [planned], house.parts.new_id)
    return (first,), (second,)


def test_I3_a_gate_that_was_read_a_day_after_its_scan_lets_nothing_through(street: Street) -> None:
    """The bot was down in between."""
    house = proven(street)
    house.restart(waves=WAVES)
    run = begun(house)
    until(house, lambda: has_ended(house, 1) and wave(house, 2, StepKind.GATE)[0].state is StepState.SENT)
    house.jump(timedelta(days=1))
    house.restart()
    until(house, lambda: now(house, run).state.ended)
    assert (
        "The scans taken for this Install are older than 30 minutes; nothing further was sent." in now(house, run).note
    )
    assert len(installs(house)) == 1


@pytest.mark.parametrize("level", ["required", "warn"])
def test_I3_a_required_backup_that_has_grown_too_old_in_a_pause_stops_the_next_wave(street: Street, level: str) -> None:
    house = proven(street)
    house.restart(waves=WAVES, backup={"kind": "snapshots", "instance": level, "max_age": "4h"})
    run = begun(house)
    until(house, lambda: len(installs(house)) == 1)
    house.ask(Pause(run.ref), "U0OLA")
    until(house, lambda: has_ended(house, 1))
    house.jump(HOURS)
    house.ask(Continue(run.ref), "U0OLA")
    until(house, lambda: now(house, run).state.ended)
    if level == "warn":
        assert now(house, run).state is RunState.SUCCEEDED
        return
    why = "The backup taken first (snapshots of the nodes) is older than 4 h; nothing further was sent. Ask again."
    assert why in now(house, run).note
    assert len(installs(house)) == 1
    assert all(step.state is StepState.DONE for step in wave(house, 1))


def test_I8_evidence_that_aws_throttles_is_asked_for_again(street: Street) -> None:
    house = proven(street)
    run = begun(house)
    until(house, lambda: wave(house, 1, StepKind.VERIFY)[0].state is StepState.SENT)
    refused = house.world.faults.add("ssm", "DescribeInstancePatchStates", "access-denied", times=10**6)
    house.jump(timedelta(minutes=1))
    house.sweep()  # the node has ended; a read that is throttled is dear, for it is tried again at once
    house.jump(timedelta(minutes=5))
    house.world.faults.remove(refused.id)
    throttled = house.world.faults.add("ssm", "DescribeInstancePatchStates", "throttling", times=10**6)
    house.sweep()
    assert "AWS throttled DescribeInstancePatchStates" in card(house, run)
    house.world.faults.remove(throttled.id)
    until(house, lambda: now(house, run).state.ended)
    assert now(house, run).state is RunState.SUCCEEDED


def test_I8_what_was_installed_is_verified_after_half_an_hour_of_throttling(street: Street) -> None:
    house = proven(street)
    run = begun(house)
    until(house, lambda: len(installs(house)) == 1)
    throttled = house.world.faults.add("ssm", "SendCommand", "throttling", times=10**6)
    for _ in range(30):
        house.sweep()
        house.jump(timedelta(minutes=1))
    assert "AWS throttled SendCommand" in card(house, run)
    assert wave(house, 1, StepKind.VERIFY)[0].attempts > 20
    house.world.faults.remove(throttled.id)
    until(house, lambda: now(house, run).state.ended)
    assert now(house, run).state is RunState.SUCCEEDED


def test_I9_a_run_whose_environment_is_configured_no_more_says_so_and_goes_on_when_it_is_back(street: Street) -> None:
    house = proven(street)
    run = begun(house)
    until(house, lambda: len(installs(house)) == 1)
    there = dict(house._document["applications"][house.name]["environments"])
    house.restart(environments={name: each for name, each in there.items() if name != "prod"})
    house.sweep()
    assert f"{house.prod} is no longer in the configuration, so nobody can see" in now(house, run).note
    house.jump(HOURS)
    house.sweep()
    assert now(house, run).state is RunState.RUNNING  # something may still run there
    house.restart(environments=there)
    until(house, lambda: wave(house, 1, StepKind.VERIFY)[0].state is StepState.SENT)
    assert now(house, run).note == ""
    unread = house.world.faults.add("ssm", "DescribeInstancePatchStates", "access-denied", times=10**6)
    house.jump(timedelta(minutes=1))
    house.sweep()
    house.restart(environments={name: each for name, each in there.items() if name != "prod"})
    until(house, lambda: now(house, run).state.ended)  # all of it has ended, and nobody can read what it did
    house.world.faults.remove(unread.id)
    assert now(house, run).state is RunState.FAILED
    assert "is no longer in the configuration" in card(house, run)
    assert newest(house).state is ChangeState.DONE
