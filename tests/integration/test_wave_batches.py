"""A wave of more than 50 nodes is several commands: its rate and its limit hold over all of them (I2, I9)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from commands.install import Install
from commands.scan import Scan
from commands.settle import Settle
from patching.plan import StepKind
from patching.states import RunState, StepState
from sandbox.aws.steps import Durations
from storage import audit, evidence, invocations, runs
from storage.runs import Run
from storage.steps import Step
from tests.integration.small_house import built
from tests.integration.small_town import fleet_of
from tests.integration.waves_house import now, of, until
from tests.stateful.house import House
from tests.stateful.street import Street

NODES = 120
UNHURRIED = Durations(delivery=0.1, scan=0.5, install_per_package=2, reboot=2)
RATES = {"50%": (60, 50), "70": (70, 70), "100%": (120, 120)}
"""What is configured → how many nodes may be under way together, and how many are: a batch begins as a whole."""


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("street"), fleet_of(["app-00"], nonprod=NODES, prod=0), UNHURRIED)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def house(street: Street) -> House:
    house = built(street)
    house.ask(Scan(house.nonprod), "U0ANN")  # so that no Install has to begin with one
    house.settle()
    return house


def installing(house: House, **rate: str) -> Run:
    """Right after its first sends."""
    house.restart(rate=rate)
    house.ask(Install(house.nonprod), "U0ANN")
    house.sweep()
    return runs.recent(house.store.db, 1)[0]


def batches(house: House) -> list[Step]:
    return [step for step in of(house) if step.kind is StepKind.INSTALL]


def under_way(house: House) -> int:
    """Nodes of the newest run that AWS has told to install and that have not ended, by the world itself."""
    mine = {step.command_id for step in batches(house)}
    with house.world.lock:
        house.world.advance()
        commands = [each for region in house.world.regions() for each in region.commands.values() if each.id in mine]
    return sum(not invocation.terminal for command in commands for invocation in command.invocations)


@pytest.mark.parametrize("rate", RATES)
def test_I9_no_more_nodes_than_the_rate_are_under_way_together_over_all_batches(house: House, rate: str) -> None:
    allowed, most = RATES[rate]
    run = installing(house, max_concurrency=rate, max_errors="0")
    seen = set()
    for _ in range(300):
        house.sweep()
        seen.add(under_way(house))
        if now(house, run).state.ended:
            break
        house.jump(timedelta(seconds=1))
    assert now(house, run).state is RunState.SUCCEEDED
    assert max(seen) == most <= allowed
    assert [len(step.node_ids) for step in batches(house)] == [50, 50, 20]
    assert set(evidence.of_run(house.store.db, run.id)) == house.node_ids("nonprod")


def in_doubt(house: House, kind: str) -> Run:
    """All batches may go together; the second one's send gets no clear answer."""
    house.world.faults.add("ssm", "SendCommand", kind, after=1)
    run = installing(house, max_concurrency="100%")
    assert "step unknown" in [row.action for row in audit.rows(house.store.db, run.ref)]
    assert [step.state for step in batches(house)][::2] == [StepState.SENT, StepState.PLANNED]
    return run


def sent_installs(house: House, run: Run) -> list[str]:
    """What was answered to each Install of the run."""
    return [
        call.outcome
        for call in house.world.ssm_log.calls("SendCommand")
        if call.params["Comment"].startswith(f"patchgate {run.ref} ")
        and call.params["Parameters"]["Operation"] == ["Install"]
    ]


def test_I2_a_batch_that_AWS_has_after_all_is_followed_and_only_then_the_next_begins(house: House) -> None:
    run = in_doubt(house, "lost-reply")
    until(house, lambda: now(house, run).state.ended)
    assert now(house, run).state is RunState.SUCCEEDED
    assert sent_installs(house, run) == ["ok", "lost-reply", "ok"]
    assert set(evidence.of_run(house.store.db, run.id)) == house.node_ids("nonprod")


def test_I2_I8_beside_a_batch_that_nobody_knows_of_the_other_is_followed_and_all_are_verified_in_the_end(
    house: House,
) -> None:
    run = in_doubt(house, "server-error")
    until(house, lambda: now(house, run).state is RunState.NEEDS_HUMAN)
    first, second, third = batches(house)
    until(house, lambda: batches(house)[0].state is StepState.DONE)
    assert len(invocations.of_step(house.store.db, first.id)) == 50
    assert not [step for step in of(house) if step.kind is StepKind.VERIFY and step.sending_at]

    house.ask(Settle(second.id, ran=False), "U0ADA")
    until(house, lambda: now(house, run).state.ended)
    ended = now(house, run)
    assert (ended.state, ended.note) == (
        RunState.FAILED,
        "An admin says that it did not run. Installed on 50 of 120 nodes, 50 did not succeed, 20 were left alone.",
    )
    assert sent_installs(house, run) == ["ok", "InternalServerError"]
    verified = set(evidence.of_run(house.store.db, run.id))
    assert verified == {*first.node_ids, *second.node_ids}
    assert not verified & set(third.node_ids)
