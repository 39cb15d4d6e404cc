"""A person settles a doubt while the sweep asks AWS about the same one: the person's answer holds (I2)."""

from collections.abc import Iterator

import pytest

from commands.scan import Scan
from commands.settle import Settle
from patching.states import RunState, StepState
from scheduler.parts import target_of
from storage import runs, steps
from storage.runs import Run
from tests.integration.small_house import built
from tests.stateful.house import House
from tests.stateful.street import Street


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("street"))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("ran", "state", "end"),
    # Nothing was sent: what a person calls sent all the same is looked for until its time is up.
    [(False, StepState.FAILED, RunState.FAILED), (True, StepState.SENT, RunState.RUNNING)],
)
def test_I2_what_a_person_settles_while_aws_is_asked_is_not_asked_of_a_person_again(
    street: Street, ran: bool, state: StepState, end: RunState
) -> None:
    house = built(street)
    house.world.faults.add("ssm", "SendCommand", "server-error")
    house.ask(Scan(house.nonprod), "U0ANN")
    while newest(house).state is not RunState.NEEDS_HUMAN:
        house.round()
    asked: list[str] = []

    def settle_now(**_: object) -> None:
        (doubt,) = steps.of_run(house.store.db, newest(house).id)
        if not asked:
            asked.append(doubt.id)
            house.ask(Settle(doubt.id, ran=ran), "U0ADA")

    target = target_of(house.parts.config.environments()[house.nonprod])
    house._sessions.client("ssm", target).meta.events.register("before-call.ssm.ListCommands", settle_now)
    house.round()
    assert asked
    house.sweep()
    (step,) = steps.of_run(house.store.db, newest(house).id)
    assert (step.state, newest(house).state) == (state, end)


def newest(house: House) -> Run:
    return runs.recent(house.store.db, 1)[0]
