"""Many nodes in one run: every node is accounted for, and AWS is asked as little as can be (I9).

`make test` takes few nodes, `make torture` 1,200. Time goes by hand, so that both sides of each comparison count at the
same moments: what was asked by SSM's own log, the fewest possible by the simulated world itself.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from math import ceil

import pytest

from aws.caller import MOST_IDS
from commands.install import Install
from commands.reports import NodeLine, run_report
from commands.scan import Scan
from patching.model import Operation
from patching.outcomes import NodeOutcome
from patching.states import RunState
from sandbox.aws.command import Command
from sandbox.aws.log import SsmCall
from sandbox.aws.steps import Durations
from scheduler import plan
from storage import evidence, invocations, runs, steps
from storage.runs import Run
from storage.steps import Step
from tests.integration.small_house import built
from tests.integration.small_town import fleet_of
from tests.stateful.house import House
from tests.stateful.street import Street

SLOW = Durations(delivery=1, scan=10, install_per_package=45, reboot=20)
LONGEST = timedelta(hours=3)  # a node that hangs: delivery, execution, and what is left to AWS beyond
MOST_ROUNDS = 20_000


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, many_nodes: int) -> Iterator[House]:
    street = Street(tmp_path_factory.mktemp("street"), fleet_of(["app-00"], nonprod=many_nodes, prod=0), SLOW)
    yield built(street)
    street.close()


class Follower:
    """Somebody who sees the counters of every command at each poll, and lists a command when they have moved."""

    def __init__(self, house: House) -> None:
        self.polls = 0
        self.pages = 0
        self._house = house
        self._began = house.log_length
        self._read = house.log_length
        self._seen: dict[str, tuple[object, ...]] = {}

    def round(self) -> None:
        """One of the house's rounds, seen at the very moment of its poll."""
        self._house.round()
        calls, self._read = self._house.world.ssm_log.after(self._read), self._house.log_length
        if not any(call.operation == "ListCommands" for call in calls):
            return
        self.polls += 1
        for command in (command for region in self._house.world.regions() for command in region.commands.values()):
            counters = _counters(command)
            if counters != self._seen.get(command.id, ("Pending", "Pending", 0, 0, 0)):
                self.pages += ceil(len(command.invocations) / MOST_IDS)
            self._seen[command.id] = counters

    def calls(self, operation: str) -> list[SsmCall]:
        return [call for call in self._house.world.ssm_log.after(self._began) if call.operation == operation]

    @property
    def listings(self) -> list[SsmCall]:
        """Pages of a command's invocations; others are about whose commands are on a node before an Install."""
        return [call for call in self.calls("ListCommandInvocations") if "CommandId" in call.params]


def _counters(command: Command) -> tuple[object, ...]:
    undelivered = sum(each.details == "DeliveryTimedOut" for each in command.invocations)
    return (*command.status, command.completed, command.errors, undelivered)


def test_I9_every_node_of_an_install_is_accounted_for_in_few_calls(house: House, many_nodes: int) -> None:
    ids = house.node_ids("nonprod")
    assert len(ids) == many_nodes
    follower = Follower(house)
    house.ask(Install(house.nonprod), "U0ANN")
    run = _to_the_end(house, follower)
    sent = [step for step in steps.of_run(house.store.db, run.id) if step.command_id]
    print(*_shown(run, sent, follower), sep="\n")

    assert run.state is RunState.SUCCEEDED, run.note
    for operation in Operation:
        assert _outcomes(house, sent, operation) == dict.fromkeys(ids, NodeOutcome.SUCCEEDED)
    assert {line.id: line.state for line in run_report(house.store, run).nodes} == dict.fromkeys(ids, "done")
    assert set(evidence.of_run(house.store.db, run.id)) == ids
    installed = Counter(node_id for install in house.world.installs() for node_id in install.node_ids)
    assert installed == Counter(ids)

    kinds = len({step.kind for step in sent})
    assert len(follower.calls("SendCommand")) == len(sent) == kinds * ceil(many_nodes / MOST_IDS)
    assert len(follower.calls("ListCommands")) == follower.polls
    assert len(follower.listings) <= follower.pages
    # Each state twice (I8), and once more before anything is sent, to see what others did.
    reports = sum(step.operation is Operation.SCAN for step in sent)
    assert len(follower.calls("DescribeInstancePatchStates")) <= 2 * reports + ceil(many_nodes / MOST_IDS)
    assert len(follower.calls("DescribeInstancePatches")) == many_nodes * reports // ceil(many_nodes / MOST_IDS)


def test_I9_no_node_is_lost_to_throttling_or_to_its_own_trouble(house: House, many_nodes: int) -> None:
    """A tenth of the nodes goes wrong, each kind in turn, and AWS refuses calls of every kind meanwhile."""
    world = house.world
    house.ask(Scan(house.nonprod), "U0ANN")
    plan.tick(house.parts, house.clock.now())
    troubled = dict(zip(sorted(house.node_ids("nonprod"))[::10], _kinds(), strict=False))
    for node_id, trouble in troubled.items():
        if trouble == "hangs":
            world.faults.add("ssm", "SendCommand", "never-answers", nodes=[node_id])
        else:
            world.set_agent(node_id, trouble)
    for operation, kind, times in (
        ("SendCommand", "throttling", 2),
        ("ListCommands", "throttling", 1),
        ("ListCommands", "access-denied", 3),
        ("ListCommandInvocations", "throttling", 1),
        ("ListCommandInvocations", "access-denied", 3),
        ("DescribeInstancePatchStates", "throttling", 1),
        ("DescribeInstancePatches", "access-denied", 1),
    ):
        world.faults.add("ssm", operation, kind, times=times)
    run = _to_the_end(house, Follower(house), jump=timedelta(minutes=4))

    for node_id, trouble in troubled.items():
        if trouble != "hangs":
            world.set_agent(node_id, "back")
    sent = [step for step in steps.of_run(house.store.db, run.id) if step.command_id]
    expected = dict.fromkeys(house.node_ids("nonprod"), NodeOutcome.SUCCEEDED)
    expected |= {node_id: _ENDS[trouble][0] for node_id, trouble in troubled.items()}
    assert _outcomes(house, sent, Operation.SCAN) == expected
    assert set(evidence.of_run(house.store.db, run.id)) == set(expected) - set(troubled)
    assert run.state is RunState.FAILED
    assert run.note == f"{len(troubled)} of {many_nodes} nodes did not succeed."
    lines: dict[str, NodeLine] = {line.id: line for line in run_report(house.store, run).nodes}
    assert {node_id for node_id, line in lines.items() if line.state == "failed"} == set(troubled)
    for node_id, trouble in troubled.items():
        assert lines[node_id].detail.startswith(_ENDS[trouble][1])
    assert not [fault for fault in world.faults.active() if fault.kind != "never-answers"]


_ENDS = {
    "hangs": (NodeOutcome.TIMED_OUT, "Execution Timed Out: "),
    "silent": (NodeOutcome.DELIVERY_TIMED_OUT, "Delivery Timed Out: "),
    "lost": (NodeOutcome.UNDELIVERABLE, "Undeliverable: "),
}


def _kinds() -> Iterator[str]:
    while True:
        yield from _ENDS


def _to_the_end(house: House, follower: Follower, jump: timedelta = timedelta(0)) -> Run:
    for _ in range(MOST_ROUNDS):
        follower.round()
        house.jump(jump)
        run = runs.recent(house.store.db, 1)[0]
        if run.state.ended:
            return run
    raise AssertionError(f"{run.ref} is {run.state}: {run.note}")


def _outcomes(house: House, sent: list[Step], operation: Operation) -> dict[str, NodeOutcome | None]:
    """Node → outcome, in the last step of an operation that had the node."""
    return {
        node_id: found.outcome
        for step in sent
        if step.operation is operation
        for node_id, found in invocations.of_step(house.store.db, step.id).items()
    }


def _shown(run: Run, sent: list[Step], follower: Follower) -> Iterator[str]:
    """What was asked beside the fewest possible; the details of a node are one page here."""
    nodes, batches = len(run.nodes), ceil(len(run.nodes) / MOST_IDS)
    kinds, reports = len({step.kind for step in sent}), sum(step.operation is Operation.SCAN for step in sent)
    lines = {
        "SendCommand": (len(follower.calls("SendCommand")), kinds * batches),
        "ListCommands, one for each poll": (len(follower.calls("ListCommands")), follower.polls),
        "ListCommandInvocations of changed ones": (len(follower.listings), follower.pages),
        "DescribeInstancePatchStates": (len(follower.calls("DescribeInstancePatchStates")), reports),
        "DescribeInstancePatches": (len(follower.calls("DescribeInstancePatches")), nodes * reports // batches),
    }
    lines["in all"] = (sum(made for made, _ in lines.values()), sum(fewest for _, fewest in lines.values()))
    yield f"\n{f'{nodes:,} nodes, {len(sent)} commands':40} {'made':>8} {'fewest':>8} {'ratio':>6}"
    for what, (made, fewest) in lines.items():
        yield f"{what:40} {made:8,} {fewest:8,} {made / fewest:6.3f}"
    others = len(follower.calls("ListCommandInvocations")) - len(follower.listings)
    yield f"{'who else is at work, before each Install':40} {others:8,}"
