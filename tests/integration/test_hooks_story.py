"""Installs with hooks, from the plan to the end: each hook failing in turn, and the bot gone at every step."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from commands.install import Install
from patching.hooks import INSTALL_WITH_HOOKS, INSTALL_WITH_HOOKS_UNPINNED
from patching.plan import StepKind
from patching.states import ChangeState, RunState, StepState
from scheduler.parts import target_of
from storage import runs, steps
from storage.steps import Step
from tests.integration.hooked_house import (
    approved,
    invocation,
    left_on,
    newest_run,
    nodes_of,
    run_card,
    soaked,
    stand,
    until,
    with_hooks,
)
from tests.integration.small_house import installs, newest
from tests.integration.small_town import fleet_of
from tests.stateful.house import House
from tests.stateful.street import Street
from tests.unit.simulated_aws.hooks import HOOKS, WITH_HOOKS
from tests.unit.simulated_aws.test_install_with_hooks import FAILURES, Left

SAYS = (
    "the pre-install hook DrainOrders failed, so nothing was installed here: ",
    "the installation failed, so part of it may be installed and nothing was rebooted for it: ",
    "the post-install hook UpdateOrders failed, so what was installed waits for its reboot: ",
    "the second installation, which reboots, failed, so what was installed may still wait for its reboot: ",
    "the on-exit hook StartOrders failed, so look whether the application is well: ",
)
"""What people read where the first, the second, … of the five steps failed."""

WELL = Left("SSSSS", healthy=True, closed=False, installed=True, updates=1)
STORIES: dict[tuple[str, str], Left] = {("", ""): WELL, **FAILURES}
APART = timedelta(seconds=0.4)  # less than any step on a node takes


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    names = [f"app-{number:02}" for number in range(len(STORIES) + 3)]
    opened = Street(tmp_path_factory.mktemp("street"), fleet_of(names, prod=2))
    yield opened
    opened.close()


def gone_at_every_step(house: House, step: Step) -> set[str]:
    """The bot is killed and started again until the nodes have ended; how they stood each time."""
    seen: set[str] = set()
    for _ in range(200):
        house.close()
        house.jump(APART)
        found = [invocation(house, step, node_id) for node_id in step.node_ids]
        seen |= {stand(each) for each in found}
        house.start()
        house.sweep()
        if all(each.terminal for each in found):
            return seen
    raise AssertionError(f"the nodes did not end; they stood {sorted(seen)}")


@pytest.mark.parametrize(("failing", "left"), STORIES.items(), ids=[f"{d}.{s}" for d, s in STORIES])
def test_each_step_failing_in_turn_with_the_bot_gone_at_every_step(
    street: Street, failing: tuple[str, str], left: Left
) -> None:
    """I2: one Install for each node, and what the guide's table promises is what is left."""
    house = with_hooks(street)
    soaked(house)
    struck, other = nodes_of(house, "prod")
    if failing != ("", ""):
        document, name = failing
        house.world.faults.add(
            "ssm", "SendCommand", "step-fails", document=document, step=name, nodes=[struck.id], times=1
        )
    approved(house)
    step = until(house, StepState.SENT)
    assert step.document == INSTALL_WITH_HOOKS
    assert {name: step.parameters[name] for name in HOOKS} == {name: (hook,) for name, hook in HOOKS.items()}
    seen = gone_at_every_step(house, step)
    ran = [number for number, letter in enumerate(left.steps) if letter != "-"]
    assert {number for each in seen for number, letter in enumerate(each) if letter == "~"} >= set(ran)
    house.settle()

    assert stand(invocation(house, step, struck.id)) == left.steps
    closed = {"3000"} if left.closed else set()
    assert left_on(house, struck) == (left.healthy, closed, left.installed, left.pending, left.updates)
    assert [call.params["DocumentName"] for call in installs(house)] == [INSTALL_WITH_HOOKS]
    begun = [each for each in house.world.installs() if struck.id in each.node_ids]
    assert len(begun) == (1 if left.steps[1] != "-" and failing != (WITH_HOOKS, "InstallNoReboot") else 0)

    run = runs.get(house.store.db, step.run_id)
    verified = [each for each in steps.of_run(house.store.db, run.id) if each.kind is StepKind.VERIFY]
    assert [(each.document, each.state) for each in verified] == [("AWS-RunPatchBaseline", StepState.DONE)]
    assert newest(house).state is ChangeState.DONE
    shown = run_card(house, run)
    if left is WELL:
        assert run.state is RunState.SUCCEEDED
        assert left_on(house, other) == left_on(house, struck)
        return
    assert run.state is RunState.FAILED
    assert f"{struck.name}` failed: {SAYS[left.steps.index('F')]}" in shown
    # One failure ends the wave: the other node was not begun.
    assert f"{other.name}` failed: Terminated" in shown
    assert left_on(house, other) == (True, set(), False, False, 0)


def test_non_production_installs_all_that_its_baseline_approves_with_the_same_hooks(street: Street) -> None:
    house = with_hooks(street)
    (node,) = nodes_of(house, "nonprod")
    house.world.faults.add(
        "ssm", "SendCommand", "step-fails", document="UpdateOrders", step="UpdateDependencies", nodes=[node.id]
    )
    house.ask(Install(house.nonprod), "U0ANN")
    house.settle()
    run = newest_run(house)
    assert run.state is RunState.FAILED
    assert f"{node.name}` failed: {SAYS[2]}" in run_card(house, run)
    assert left_on(house, node) == (True, set(), True, True, 0)

    house.ask(Install(house.nonprod), "U0ANN")
    house.settle()
    assert newest_run(house).state is RunState.SUCCEEDED
    assert left_on(house, node) == (True, set(), True, False, 1)
    sent = [call.params["DocumentName"] for call in house.sent() if call.params["Parameters"].get("SnapshotId")]
    assert sent == ["AWS-RunPatchBaseline", *[INSTALL_WITH_HOOKS_UNPINNED, "AWS-RunPatchBaseline"] * 2]


def test_a_hook_that_got_stuck_is_told_with_what_went_on_all_the_same(street: Street) -> None:
    house = with_hooks(street)
    soaked(house)
    stuck, other = nodes_of(house, "prod")
    house.world.faults.add("ssm", "SendCommand", "step-hangs", document="DrainOrders", step="Drain", nodes=[stuck.id])
    approved(house)
    step = until(house, StepState.SENT)
    house.jump(timedelta(minutes=3))
    house.settle()
    assert invocation(house, step, stuck.id).details == "ExecutionTimedOut"
    shown = run_card(house, runs.get(house.store.db, step.run_id))
    assert (
        f"{stuck.name}` failed: the pre-install hook DrainOrders ran into its time limit, and the steps after it"
        in shown
    )
    assert left_on(house, stuck) == (True, set(), True, False, 1)
    assert left_on(house, other) == (True, set(), False, False, 0)


def test_a_command_that_somebody_cancels_leaves_a_hook_to_run_by_hand(street: Street) -> None:
    house = with_hooks(street)
    soaked(house)
    begun, waiting = nodes_of(house, "prod")
    approved(house)
    step = until(house, StepState.SENT)
    house.jump(APART)
    assert [stand(invocation(house, step, node.id)) for node in (begun, waiting)] == ["~....", "....."]
    house.parts.patch_manager.cancel(target_of(house.parts.config.environments()[house.prod]), step.command_id or "")
    house.settle()
    lines = run_card(house, runs.get(house.store.db, step.run_id)).splitlines()
    told = {node.name: next(line for line in lines if f"{node.name}` failed: " in line) for node in (begun, waiting)}
    assert "The on-exit hook StartOrders did not run, so run it by itself." in told[begun.name]
    assert "on-exit" not in told[waiting.name]
