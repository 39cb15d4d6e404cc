"""What is checked of hooks before an Install is sent, and how people are told (I3)."""

from collections.abc import Iterator

import pytest

from commands.install import Install
from patching.states import ChangeState, RunState, StepState
from sandbox.fleet import NONPRODUCTION, PRODUCTION, REGION
from tests.integration.hooked_house import NAMES, approved, newest_run, nodes_of, soaked, until, with_hooks
from tests.integration.small_house import asked, card, installs, newest
from tests.integration.small_town import fleet_of
from tests.stateful.house import House
from tests.stateful.street import Street
from tests.unit.simulated_aws.hooks import DEPLOY, WITH_HOOKS


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("street"), fleet_of([f"app-{number:02}" for number in range(6)]))
    yield opened
    opened.close()


def own_hook(house: House, content: str, *accounts: str) -> str:
    """A pre-install hook of this application alone; its name."""
    name = f"Drain-{house.name}"
    for account in accounts:
        house.world.region(account, REGION).library.create(name, content, "YAML", house.clock.now(), account)
    house.restart(hooks={**NAMES, "pre_install": name})
    return name


DRAIN = (DEPLOY / "examples" / "DrainOrders.yaml").read_text(encoding="utf-8")
DEMANDING = DRAIN.replace("mainSteps:", "parameters:\n  Port:\n    type: String\nmainSteps:")


def test_I3_a_change_whose_hook_cannot_run_ends_with_what_to_do(street: Street) -> None:
    house = with_hooks(street)
    soaked(house)
    name = own_hook(house, DEMANDING, PRODUCTION)
    change = asked(house)
    assert (change.state, change.note) == (
        ChangeState.SUPERSEDED,
        f"The pre-install hook {name} in account {PRODUCTION}, {REGION} can't be run, so nothing is installed there: "
        "it demands Port, which nobody gives it, so give defaults to its parameters.",
    )
    assert change.note in card(house)


def test_I3_a_product_s_document_that_is_another_stops_a_change_before_anybody_is_asked(street: Street) -> None:
    house = with_hooks(street)
    soaked(house)
    library = house.world.region(PRODUCTION, REGION).library
    ours = library.find(WITH_HOOKS).content
    library.remove(WITH_HOOKS)
    assert asked(house).note.startswith(f"{WITH_HOOKS} does not exist in account {PRODUCTION}, {REGION}, so nothing is")
    library.create(
        WITH_HOOKS, ours.replace("onFailure: exit", "onFailure: successAndExit"), "YAML", house.clock.now(), PRODUCTION
    )
    change = asked(house)
    assert change.state is ChangeState.SUPERSEDED
    assert "is not what this Patchgate was made for, so nothing is installed with hooks there: update it" in change.note
    library.remove(WITH_HOOKS)
    library.create(WITH_HOOKS, ours, "YAML", house.clock.now(), PRODUCTION)
    assert asked(house).state is ChangeState.PENDING


def test_a_run_of_non_production_says_in_a_sentence_why_its_hooks_cannot_run(street: Street) -> None:
    house = with_hooks(street)
    (node,) = nodes_of(house, "nonprod")
    node.agent_version = "3.0.501.9"
    house.ask(Install(house.nonprod), "U0ANN")
    house.settle()
    assert (newest_run(house).state, newest_run(house).note) == (
        RunState.FAILED,
        f"Hooks need SSM Agent 3.0.502 or later, and {node.name} (3.0.501.9) has an older one, so nothing was sent: "
        "update it there first.",
    )
    node.agent_version = "3.0.502.0"
    name = own_hook(house, DRAIN)
    house.ask(Install(house.nonprod), "U0ANN")
    house.settle()
    assert newest_run(house).note.startswith(f"The pre-install hook {name} does not exist in account {NONPRODUCTION}")
    assert [call.params["DocumentName"] for call in house.sent()] == []


@pytest.mark.parametrize("gone", [False, True], ids=["changed", "deleted"])
def test_I3_a_hook_that_is_another_at_the_send_is_not_run(street: Street, gone: bool) -> None:
    house = with_hooks(street)
    soaked(house)
    name = own_hook(house, DRAIN, PRODUCTION)
    approved(house)
    until(house, StepState.PLANNED)
    library = house.world.region(PRODUCTION, REGION).library
    if gone:
        library.remove(name)
    else:
        library.update(name, "$LATEST", f"{DRAIN}# slower\n", "YAML", house.clock.now())
        library.own_shelf(name).default = 2
    house.settle()
    why = "does not exist in account" if gone else "is not the one of the plan any more; nothing was sent."
    change = newest(house)
    assert change.state is ChangeState.SUPERSEDED
    assert change.note.startswith(f"The pre-install hook {name} {why}")
    assert installs(house) == []


def test_I3_an_approval_does_not_cover_a_hook_that_was_changed_since(street: Street) -> None:
    house = with_hooks(street)
    soaked(house)
    name = own_hook(house, DRAIN, PRODUCTION)
    approved(house)
    library = house.world.region(PRODUCTION, REGION).library
    library.update(name, "$LATEST", f"{DRAIN}# slower\n", "YAML", house.clock.now())
    library.own_shelf(name).default = 2
    house.settle()
    assert newest(house).state is ChangeState.SUPERSEDED
    assert name in newest(house).note
    assert installs(house) == []
