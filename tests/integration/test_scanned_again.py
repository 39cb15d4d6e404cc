"""Before an approved Install is sent, what it is judged on is seen anew: a scan that shows nothing is no look (I3)."""

from collections.abc import Iterator

import pytest

from patching.states import ChangeState, RunState
from storage import runs
from storage.runs import Purpose
from tests.integration.small_house import approve, asked, card, installs, newest, proven
from tests.stateful.house import House
from tests.stateful.street import Street


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("street"))
    yield opened
    opened.close()


@pytest.mark.parametrize(("refused", "environment"), [(1, "nonprod"), (2, "prod")])
def test_I3_nothing_is_installed_on_what_was_seen_before_the_approval(
    street: Street, refused: int, environment: str
) -> None:
    """AWS refuses one of the two scans at the send; the evidence from before the approval is minutes old."""
    house = approved(street)
    while not runs.of_change(house.store.db, newest(house).id, Purpose.SEND):
        house.round()
    if refused > 1:
        house.world.faults.add("ssm", "SendCommand", "slow", times=refused - 1, seconds=0.01)
    fault = house.world.faults.add("ssm", "SendCommand", "access-denied")
    house.settle()
    assert fault.left == 0
    scans = {run.environment: run.state for run in runs.of_change(house.store.db, newest(house).id, Purpose.SEND)}
    assert scans[environment] is RunState.FAILED
    assert newest(house).state is ChangeState.SUPERSEDED
    assert installs(house) == []
    assert "was not seen anew" in card(house)


def approved(street: Street) -> House:
    house = proven(street)
    change = asked(house)
    assert change.state is ChangeState.PENDING
    approve(house, "U0OLA")
    return house
