"""A run that people stop, pause and let go on, sweep by sweep: what is sent, what is on the nodes, what is told."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from commands.cancel import Cancel
from commands.errors import Refused
from commands.install import Install
from commands.pause import Continue, Pause
from commands.scan import Scan
from patching.plan import StepKind
from patching.states import ChangeState, RunState, StepState
from sandbox.aws.log import SsmCall
from storage import audit, outbox, runs
from tests.integration.small_house import built, newest, owed, proven, recipients, words
from tests.integration.small_town import fleet_of
from tests.integration.waves_house import (
    WAVES,
    begun,
    card,
    has_ended,
    names,
    now,
    of,
    patched,
    until,
    wave,
    with_roles,
)
from tests.stateful.house import House
from tests.stateful.street import Street


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    fleet = with_roles(fleet_of([f"app-{number:02}" for number in range(8)], prod=4))
    opened = Street(tmp_path_factory.mktemp("street"), fleet)
    yield opened
    opened.close()


@pytest.fixture
def house(street: Street) -> House:
    """Production in three waves: a canary, the other two replicas one after the other, the primary."""
    house = proven(street)
    house.restart(waves=WAVES, canary=1)
    return house


def cancels(house: House) -> list[SsmCall]:
    """CancelCommand calls about commands of the newest run."""
    mine = {step.command_id for step in of(house)}
    return [call for call in house.world.ssm_log.calls("CancelCommand") if call.params["CommandId"] in mine]


def test_I6_cancelled_between_two_waves_the_rest_is_left_alone_and_everybody_is_told_which(house: House) -> None:
    run = begun(house)
    until(house, lambda: has_ended(house, 1))
    (canary,) = wave(house, 1, StepKind.INSTALL)[0].node_ids
    sent = len(house.sent())
    house.ask(Cancel(run.ref), "U0OLA")
    assert "*Being cancelled*, asked by <@U0OLA>" in card(house, run)
    with pytest.raises(Refused, match="is being cancelled already"):
        house.ask(Cancel(run.ref), "U0ANN")
    house.settle()

    after = now(house, run)
    assert (after.state, after.cancelled_by) == (RunState.CANCELLED, "U0OLA")
    assert (newest(house).state, len(house.sent())) == (ChangeState.DONE, sent)
    left = sorted(house.node_ids("prod") - {canary})
    assert patched(house) == {house.world.node(canary).name.removeprefix(f"{house.name}-prod-")}
    assert all(house.world.node(node_id).changes == 0 for node_id in left)

    told = card(house, run)
    (name,) = names(house, [canary])
    assert "*Cancelled.* By <@U0OLA>." in told
    assert f"*Installed and verified*: `{name}`." in told
    assert all(f"`{each}`" in told.partition("*Left alone*: ")[2].partition(".\n")[0] for each in names(house, left))
    assert "1 node as approved, 0 deviating" in told
    assert f"`/patch install {house.name} prod` asks for the rest" in told
    change_card = outbox.card(house.store.db, newest(house).subject)
    assert change_card
    assert "*Cancelled* before its end" in words(house, change_card)
    acted = [(row.actor, row.action) for row in audit.rows(house.store.db, run.ref)]
    assert ("U0OLA", "cancel asked") in acted
    assert acted[-1] == ("clock", "cancelled")
    assert recipients(house, "receipt") == ["U0ANN", "U0OLA"]
    assert audit.first_broken(house.store.db) is None


def test_I9_cancelled_during_an_install_what_is_with_AWS_goes_on_to_its_end_and_is_verified(house: House) -> None:
    run = begun(house)
    until(house, lambda: wave(house, 2, StepKind.INSTALL)[0].state is StepState.SENT)
    house.ask(Cancel(run.ref), "U0ADA")
    told = card(house, run)
    assert "2 nodes not begun will be patched too" in told
    assert "could stop a package manager in the middle" in told
    house.settle()
    assert now(house, run).state is RunState.CANCELLED
    assert patched(house) == {"1", "2", "3"}
    assert [step.state for step in wave(house, 2)] == [StepState.DONE] * 3
    assert {step.sending_at for step in wave(house, 3)} == {None}
    assert cancels(house) == []
    assert "3 nodes as approved, 0 deviating" in card(house, run)


def test_I3_cancelled_before_anything_was_sent_the_change_is_superseded(house: House) -> None:
    run = begun(house)
    house.ask(Cancel(run.ref), "U0ANN")
    house.settle()
    assert now(house, run).state is RunState.CANCELLED
    assert newest(house).state is ChangeState.SUPERSEDED
    assert patched(house) == set()


def test_I9_a_cancelled_scan_is_cancelled_at_AWS_and_watched_to_its_end(house: House) -> None:
    house.ask(Scan(house.prod), "U0ANN")
    until(house, lambda: any(step.state is StepState.SENT for step in of(house)))
    (run,) = runs.in_state(house.store.db, RunState.RUNNING)
    house.ask(Cancel(run.ref), "U0BEN")
    house.sweep()
    assert now(house, run).state is RunState.RUNNING
    (call,) = cancels(house)
    assert call.params["CommandId"] == of(house)[0].command_id
    house.settle()
    assert now(house, run).state is RunState.CANCELLED
    told = card(house, run)
    assert "*Cancelled.* By <@U0BEN>." in told
    assert "*Not scanned*: " in told
    assert ":x:" not in told
    assert len(cancels(house)) == 1


def test_I7_paused_between_waves_over_a_restart_it_waits_for_somebody_and_reminds(house: House) -> None:
    run = begun(house)
    until(house, lambda: wave(house, 1, StepKind.INSTALL)[0].state is StepState.SENT)
    house.ask(Pause(run.ref), "U0OLA")
    assert "*Pausing* after wave 1 of 3 (`canary`), asked by <@U0OLA>" in card(house, run)
    until(house, lambda: has_ended(house, 1))
    sent = len(house.sent())
    house.restart()
    for _ in range(5):
        house.round()
    assert (now(house, run).state, len(house.sent())) == (RunState.PAUSED, sent)
    assert "*Paused* after wave 1 of 3 (`canary`) by <@U0OLA>, since" in card(house, run)
    assert owed(house, "paused-reminder") == []

    house.jump(timedelta(hours=1))
    house.sweep()
    house.sweep()
    assert recipients(house, "paused-reminder") == ["C0PATCHING", "U0OLA"]
    reminder = words(house, owed(house, "paused-reminder")[0])
    assert "waits for somebody for 1 h" in reminder
    assert "The new set is on 1 node and not on 3 nodes" in reminder
    house.jump(timedelta(hours=30))  # nobody looked, and the bot was away: only the newest that is due
    house.sweep()
    assert len(owed(house, "paused-reminder")) == 4

    house.ask(Continue(run.ref), "U0KIM")
    with pytest.raises(Refused, match="not paused"):
        house.ask(Continue(run.ref), "U0OLA")
    assert "was paused and is running now" in words(house, owed(house, "paused-reminder")[0])
    house.settle()
    assert now(house, run).state is RunState.SUCCEEDED
    assert patched(house) == {"1", "2", "3", "4"}
    assert newest(house).state is ChangeState.DONE


def test_a_paused_run_whose_last_wave_has_begun_is_over_with_it_and_a_paused_one_can_be_cancelled(house: House) -> None:
    run = begun(house)
    until(house, lambda: has_ended(house, 1))
    house.ask(Pause(run.ref), "U0ANN")
    house.ask(Cancel(run.ref), "U0ANN")
    house.round()
    house.round()
    assert now(house, run).state is RunState.CANCELLED
    assert len(patched(house)) == 1


def test_I9_a_cancelled_non_production_install_ends_with_what_was_under_way(street: Street) -> None:
    """The Scan before the Install is no Scan that was asked for: it is not cancelled, and nothing follows it."""
    house = built(street)
    house.ask(Install(house.nonprod), "U0ANN")
    until(house, lambda: any(step.state is StepState.SENT for step in of(house)))
    (run,) = runs.in_state(house.store.db, RunState.RUNNING)
    house.ask(Cancel(run.ref), "U0BEN")
    house.settle()
    assert now(house, run).state is RunState.CANCELLED
    assert [step.state for step in of(house)] == [StepState.DONE, StepState.FAILED, StepState.FAILED]
    assert cancels(house) == []
    told = card(house, run)
    assert "Nothing was installed." in told
    assert f"*Left alone*: `{house.name}-nonprod-1`." in told
    assert f"Next: nothing more is sent; to start over, `/patch install {house.name} nonprod`." in told
