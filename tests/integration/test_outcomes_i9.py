"""A node's outcome is its own invocation's, against the expected list; never the command's overall status (I9, I13).

One application for each way in which a node can come out of a run.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from patching.outcomes import NodeOutcome
from patching.states import RunState
from sandbox.aws.fleet import Fleet
from sandbox.aws.fleet import Node as FleetNode
from storage import invocations
from tests.integration.small_town import CHANNEL, ask, fleet_of, run_of, steps_of
from tests.town import Town, open_town, wait_for, words_of

APPLICATIONS = ("hangs", "power", "silent", "lost", "ended", "stopped", "nobody", "fails", "tagged")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Two non-production nodes each; dpkg fails on one of `fails`, one of `tagged` is marked as production."""
    fleet = fleet_of(APPLICATIONS, nonprod=2, prod=0)
    fleet = with_second_node(fleet, "fails", failing=frozenset({"openssl"}))
    fleet = with_second_node(fleet, "tagged", tags={"PatchGroup": "tagged-nonprod", "Environment": "production"})
    with open_town(tmp_path_factory.mktemp("outcomes"), fleet) as opened:
        yield opened


def test_I9_a_node_that_never_answers_fails_when_its_time_has_passed_and_not_before(town: Town) -> None:
    first, second = nodes(town, "hangs")
    town.around.world.faults.add("ssm", "SendCommand", "never-answers", nodes=[second.id])
    ref = ask(town, "/patch scan hangs nonprod")
    wait_for(lambda: outcomes(town, ref).get(first.id) is NodeOutcome.SUCCEEDED, "the first node to succeed")
    town.jump(minutes=30)
    assert run_of(town, ref).state is RunState.RUNNING
    town.jump(hours=3)
    card = town.card(ref, "*Failed.*", "1 of 2 nodes did not succeed", channel=CHANNEL)
    assert f"`{second.name}` failed: Execution Timed Out: the node worked on it for longer than allowed" in words_of(
        card
    )
    assert outcomes(town, ref) == {first.id: NodeOutcome.SUCCEEDED, second.id: NodeOutcome.TIMED_OUT}


@pytest.mark.parametrize(
    ("application", "agent", "outcome", "words"),
    [
        ("silent", "silent", NodeOutcome.DELIVERY_TIMED_OUT, "Delivery Timed Out: AWS did not hear"),
        ("lost", "lost", NodeOutcome.UNDELIVERABLE, "Undeliverable: the node does not exist"),
    ],
)
def test_I9_a_node_that_took_nothing_fails_although_the_command_succeeded(
    town: Town, application: str, agent: str, outcome: NodeOutcome, words: str
) -> None:
    """facts/patch-manager.md section 4: undelivered nodes don't count, so a parent can be Success."""
    first, second = nodes(town, application)
    throttled = town.around.world.faults.add("ssm", "SendCommand", "throttling", times=10**6)
    ref = ask(town, f"/patch scan {application} nonprod")
    wait_for(lambda: steps_of(town, ref), "the run to be planned with both nodes")
    town.around.world.set_agent(second.id, agent)
    town.around.world.faults.remove(throttled.id)
    wait_for(lambda: outcomes(town, ref).get(first.id) is NodeOutcome.SUCCEEDED, "the first node to succeed")
    town.jump(minutes=15)
    card = town.card(ref, "*Failed.*", "1 of 2 nodes did not succeed", channel=CHANNEL)
    town.around.world.set_agent(second.id, "back")
    assert f"`{second.name}` failed: {words}" in words_of(card)
    assert outcomes(town, ref)[second.id] is outcome
    (step,) = steps_of(town, ref)
    assert step.command_id
    assert parent_status(town, step.command_id) == "Success"


def test_I9_a_node_that_loses_power_in_the_middle_is_waited_for_and_fails(town: Town) -> None:
    first, second = nodes(town, "power")
    ref = ask(town, "/patch scan power nonprod")
    wait_for(lambda: town.around.world.node(second.id).running, "the second node to begin")
    town.around.world.set_power(second.id, "stop")
    wait_for(lambda: outcomes(town, ref).get(first.id) is NodeOutcome.SUCCEEDED, "the first node to succeed")
    assert run_of(town, ref).state is RunState.RUNNING
    town.jump(hours=3)
    card = town.card(ref, "*Failed.*", channel=CHANNEL)
    assert f"`{second.name}` failed" in words_of(card)
    assert outcomes(town, ref)[second.id] is not NodeOutcome.SUCCEEDED


def test_I9_a_node_that_is_terminated_in_the_middle_fails(town: Town) -> None:
    first, second = nodes(town, "ended")
    ref = ask(town, "/patch scan ended nonprod")
    wait_for(lambda: town.around.world.node(second.id).running, "the second node to begin")
    town.around.world.set_power(second.id, "terminate")
    town.jump(hours=3)
    town.card(ref, "*Failed.*", channel=CHANNEL)
    assert outcomes(town, ref)[first.id] is NodeOutcome.SUCCEEDED
    assert outcomes(town, ref)[second.id] is not NodeOutcome.SUCCEEDED


def test_I9_a_node_that_was_stopped_before_is_named_and_the_run_is_no_success(town: Town) -> None:
    first, second = nodes(town, "stopped")
    town.around.world.set_power(second.id, "stop")
    ref = ask(town, "/patch scan stopped nonprod")
    card = town.card(ref, "*Failed.*", channel=CHANNEL)
    assert f"1 of 2 nodes were never reached: {second.name}" in words_of(card)
    assert f"`{second.name}` never reached: stopped" in words_of(card)
    assert town.sent()[-1].params["InstanceIds"] == [first.id]


def test_I9_with_nobody_to_reach_nothing_is_sent(town: Town) -> None:
    for node in nodes(town, "nobody"):
        town.around.world.set_agent(node.id, "lost")
    sent = len(town.sent())
    ref = ask(town, "/patch scan nobody nonprod")
    card = town.card(ref, "*Failed.*", channel=CHANNEL)
    assert "None of the 2 nodes of nobody nonprod is running with its agent online; nothing was sent" in words_of(card)
    assert len(town.sent()) == sent


def test_I9_a_package_that_fails_on_one_node_stops_the_others_and_all_are_verified(town: Town) -> None:
    """MaxConcurrency 50%, MaxErrors 0: the node whose turn had not come is terminated, untouched."""
    first, second = nodes(town, "fails")
    ref = ask(town, "/patch install fails nonprod")
    card = town.card(ref, "*Failed.*", channel=CHANNEL)
    assert f"`{second.name}` failed: Failed: the document ended with an error on the node" in words_of(card)
    scan, install, verify = steps_of(town, ref)
    assert f"`{first.name}` failed: Terminated: AWS stopped the command because other nodes failed" in words_of(card)
    assert outcomes_of(town, install.id) == {first.id: NodeOutcome.TERMINATED, second.id: NodeOutcome.FAILED}
    assert outcomes_of(town, verify.id) == {first.id: NodeOutcome.SUCCEEDED, second.id: NodeOutcome.SUCCEEDED}
    assert scan.sent_at
    assert verify.sent_at
    (done,) = [each for each in town.around.world.installs() if each.command_id == install.command_id]
    assert done.node_ids == (second.id,)


def test_I13_an_install_on_a_node_that_is_marked_as_production_is_not_sent(town: Town) -> None:
    _, second = nodes(town, "tagged")
    ref = ask(town, "/patch install tagged nonprod")
    card = town.card(ref, "*Failed.*", channel=CHANNEL)
    assert f"{second.id}) carries the tag Environment=production, but tagged nonprod is not production" in words_of(
        card
    )
    assert "Nothing was sent" in words_of(card)
    assert [call for call in town.sent() if second.id in call.params["InstanceIds"]] == []
    scan = ask(town, "/patch scan tagged nonprod")  # a Scan changes nothing, and shows what there is
    town.card(scan, "*Done*", channel=CHANNEL)


def test_I13_every_command_names_its_nodes_by_id(town: Town) -> None:
    assert town.sent()
    for call in town.sent():
        assert "Targets" not in call.params
        assert all(node.startswith("i-") for node in call.params["InstanceIds"])
        assert len(call.params["InstanceIds"]) <= 50


def with_second_node(fleet: Fleet, application: str, **changed: object) -> Fleet:
    """The fleet with another second node in that application's non-production."""
    applications = []
    for each in fleet.applications:
        if each.name == application:
            nonprod, *others = each.environments
            first, second = nonprod.nodes
            tags = {**second.tags, **changed.pop("tags", {})}  # type: ignore[dict-item]
            second = replace(second, tags=tags, **changed)  # type: ignore[arg-type]
            each = replace(each, environments=(replace(nonprod, nodes=(first, second)), *others))
        applications.append(each)
    return replace(fleet, applications=tuple(applications))


def nodes(town: Town, application: str) -> tuple[FleetNode, ...]:
    return town.around.world.fleet.environment(application, "nonprod").nodes


def outcomes(town: Town, ref: str) -> dict[str, NodeOutcome]:
    """Node → outcome, in the one step of a Scan."""
    planned = steps_of(town, ref)
    return outcomes_of(town, planned[0].id) if planned else {}


def outcomes_of(town: Town, step_id: str) -> dict[str, NodeOutcome]:
    assert town.bot
    found = invocations.of_step(town.bot.store.db, step_id)
    return {node_id: seen.outcome for node_id, seen in found.items() if seen.outcome}


def parent_status(town: Town, command_id: str) -> str:
    for region in town.around.world.regions():
        if command_id in region.commands:
            return region.commands[command_id].status[0]
    raise AssertionError(f"no command {command_id}")
