"""How a command is followed once it was sent: what AWS is asked, when, and what people read meanwhile (I9)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from commands.reports import run_report
from commands.scan import Scan
from patching.nodes import EnvironmentKey
from patching.outcomes import NodeOutcome
from patching.states import RunState, StepState
from sandbox.aws.fleet import Fleet
from sandbox.aws.log import SsmCall
from sandbox.aws.steps import Durations
from scheduler import plan
from storage import invocations, runs, steps
from storage.runs import Run
from tests.integration.small_house import built
from tests.integration.small_town import fleet_of
from tests.stateful.house import House
from tests.stateful.street import Street

NAMES = ("hangs", "restart", "refused", "shared", "gone", "away", "delayed", "denied")
SLOW = Durations(delivery=1, scan=600)  # nothing ends unless time is let go


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("street"), _with_a_second_environment(fleet_of(NAMES, nonprod=2)), SLOW)
    yield opened
    opened.close()


def test_I9_a_command_whose_counters_stand_still_is_listed_every_five_minutes_all_the_same(street: Street) -> None:
    house = built(street, "hangs")
    node_id = sorted(house.node_ids("nonprod"))[0]
    house.world.faults.add("ssm", "SendCommand", "never-answers", nodes=[node_id])
    scan(house)
    rounds(house, minutes=20)  # the other node has ended
    began = house.log_length
    rounds(house, minutes=30)
    assert len(listings(house, began)) in {5, 6}
    assert len(polls(house, began)) == pytest.approx(30 * 4, rel=0.05)  # every fifteen seconds
    house.jump(timedelta(hours=2))
    rounds(house, minutes=1)
    assert outcomes(house) == {
        each: NodeOutcome.TIMED_OUT if each == node_id else NodeOutcome.SUCCEEDED for each in house.node_ids("nonprod")
    }


def test_I9_after_a_restart_every_open_command_is_listed_once(street: Street) -> None:
    house = built(street, "restart")
    scan(house)
    rounds(house, minutes=2)
    began = house.log_length
    rounds(house, minutes=1)
    assert listings(house, began) == []
    house.restart()
    rounds(house, minutes=1)
    assert len(listings(house, began)) == 1
    rounds(house, minutes=15)
    assert run_of(house).state is RunState.SUCCEEDED


def test_I9_a_command_is_followed_where_aws_does_not_tell_its_counters(street: Street) -> None:
    """They say when to look and nothing more."""
    house = built(street, "refused")
    scan(house)
    refusal = house.world.faults.add("ssm", "ListCommands", "access-denied", times=10**6)
    rounds(house, minutes=15)
    house.world.faults.remove(refusal.id)
    assert run_of(house).state is RunState.SUCCEEDED
    assert run_of(house).note == ""


def test_I9_runs_of_one_account_share_their_polls(street: Street) -> None:
    house = built(street, "shared")
    scan(house)
    scan(house, "staging")
    rounds(house, minutes=1)
    began = house.log_length
    rounds(house, minutes=15)
    assert [run.state for run in runs.recent(house.store.db, 2)] == [RunState.SUCCEEDED] * 2
    times = [call.at for call in polls(house, began)]
    assert len(times) == len(set(times))
    assert len(listings(house, began)) == 2 + 2  # of each after five minutes, and its end


def test_I9_a_command_that_aws_knows_no_more_is_waited_for_and_its_nodes_did_not_succeed(street: Street) -> None:
    house = built(street, "gone")
    scan(house)
    rounds(house, minutes=1)
    (step,) = steps.in_state(house.store.db, StepState.SENT)
    for region in house.world.regions():
        region.commands.pop(step.command_id or "", None)
    rounds(house, minutes=10)
    run = run_of(house)
    assert run.state is RunState.RUNNING
    assert run.note.startswith(f"AWS knows no command of step {step.id} in account ")
    house.jump(timedelta(hours=3))
    rounds(house, minutes=1)
    assert set(outcomes(house).values()) == {NodeOutcome.NEVER_ANSWERED}
    assert run_of(house).state is RunState.FAILED
    assert cancelled(house) == []


def test_I9_what_ended_while_the_bot_was_away_is_not_cancelled(street: Street) -> None:
    house = built(street, "away")
    scan(house)
    house.round()
    house.jump(timedelta(days=1))
    rounds(house, minutes=1)
    assert run_of(house).state is RunState.SUCCEEDED
    assert cancelled(house) == []


def test_a_node_that_aws_can_not_reach_yet_is_said_to_wait_for_it(street: Street) -> None:
    house = built(street, "delayed")
    node_id = sorted(house.node_ids("nonprod"))[0]
    scan(house)
    plan.tick(house.parts, house.clock.now())
    house.world.node(node_id).rebooting = True
    rounds(house, minutes=2)
    lines = {line.id: line for line in run_report(house.store, run_of(house)).nodes}
    assert (lines[node_id].state, lines[node_id].detail.partition(":")[0]) == ("waiting", "Delayed")
    assert {line.state for each, line in lines.items() if each != node_id} == {"running"}
    rounds(house, minutes=15)
    assert outcomes(house)[node_id] is NodeOutcome.DELIVERY_TIMED_OUT


def test_what_keeps_aws_from_being_asked_is_said_until_it_is_over(street: Street) -> None:
    house = built(street, "denied")
    scan(house)
    refusal = house.world.faults.add("ssm", "ListCommandInvocations", "access-denied", times=10**6)
    rounds(house, minutes=15)
    assert "AWS refused ListCommandInvocations" in run_of(house).note
    assert run_of(house).state is RunState.RUNNING
    house.world.faults.remove(refusal.id)
    rounds(house, minutes=1)
    assert (run_of(house).state, run_of(house).note) == (RunState.SUCCEEDED, "")


def scan(house: House, environment: str = "nonprod") -> None:
    house.ask(Scan(EnvironmentKey(house.name, environment)), "U0ANN")


def rounds(house: House, **time: float) -> None:
    """Let the sweeps go on for so long, 15 seconds between two looks."""
    until = house.clock.now() + timedelta(**time)
    while house.clock.now() < until:
        house.round()
        house.jump(timedelta(seconds=13))


def calls(house: House, operation: str, after: int = 0) -> list[SsmCall]:
    return [call for call in house.world.ssm_log.after(after) if call.operation == operation]


def polls(house: House, after: int) -> list[SsmCall]:
    return calls(house, "ListCommands", after)


def listings(house: House, after: int) -> list[SsmCall]:
    return [call for call in calls(house, "ListCommandInvocations", after) if "CommandId" in call.params]


def cancelled(house: House) -> list[SsmCall]:
    mine = {step.command_id for step in steps.of_run(house.store.db, run_of(house).id)}
    return [call for call in calls(house, "CancelCommand") if call.params["CommandId"] in mine]


def run_of(house: House) -> Run:
    return runs.recent(house.store.db, 1)[0]


def outcomes(house: House) -> dict[str, NodeOutcome | None]:
    (step,) = steps.of_run(house.store.db, run_of(house).id)
    return {node_id: found.outcome for node_id, found in invocations.of_step(house.store.db, step.id).items()}


def _with_a_second_environment(fleet: Fleet) -> Fleet:
    """Each application with a `staging` beside its non-production, in the same account and Region."""
    applications = []
    for application in fleet.applications:
        nonprod, prod = application.environments
        group = f"{application.name}-staging"
        nodes = tuple(
            replace(node, name=f"{group}-{number}", tags={**node.tags, "PatchGroup": group})
            for number, node in enumerate(nonprod.nodes, start=1)
        )
        staging = replace(nonprod, name="staging", nodes=nodes, patch_group=group)
        applications.append(replace(application, environments=(nonprod, staging, prod)))
    return replace(fleet, applications=tuple(applications))
