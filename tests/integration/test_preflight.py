"""`/patch preflight APP ENV`: what keeps each node from being patched, to the one who asked alone (issue 3, 3)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from commands.preflight import Preflight
from commands.scan import Scan
from patching.states import ChangeState
from sandbox.aws.fleet import Fleet
from sandbox.fleet import small_fleet
from scheduler import inquiries
from storage import audit
from tests.integration.small_house import asked, built, failing, owed, proven, words
from tests.integration.small_town import BASH, OPENSSL, SECURE_OPENSSL
from tests.stateful.house import House
from tests.stateful.street import Street

DIFFERING: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "mixed": {"mixed-nonprod-2": {"agent_version": "2.0.800.0"}, "mixed-nonprod-3": {"lacks": "python"}},
    "well": {},
    "old": {"old-prod-2": {"agent_version": "2.0.1"}},
    "roleless": {"roleless-nonprod-2": {"role": False}},
    "busy": {},
    "window": {},
}


def fleet() -> Fleet:
    single = [
        small_fleet(
            application=name,
            nonprod=5 if name == "mixed" else 2,
            prod=2,
            packages=(OPENSSL, BASH),
            releases=(SECURE_OPENSSL,),
            differing=differing,
        )
        for name, differing in DIFFERING.items()
    ]
    return replace(
        single[0],
        applications=tuple(each.applications[0] for each in single),
        repositories=tuple(each.repositories[0] for each in single),
    )


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("preflight"), fleet())
    yield opened
    opened.close()


def answer(house: House, environment: str = "nonprod", user: str = "U0EVE") -> dict[str, tuple[str, str]]:
    """Ask, let the sweep look, and read the newest answer: title without the node's id → (outcome, evidence)."""
    house.ask(Preflight(house.nonprod if environment == "nonprod" else house.prod), user)
    inquiries.tick(house.parts, house.clock.now())
    checks = owed(house, "preflight")[-1].payload["checks"]
    return {check["title"].partition(" (")[0]: (check["outcome"], check["evidence"]) for check in checks}


def scanned(house: House) -> House:
    house.ask(Scan(house.nonprod), "U0ANN")
    house.settle()
    return house


def test_each_node_that_lacks_something_is_named_with_what_and_the_rest_is_ready(street: Street) -> None:
    """An old agent, no Python, one stopped, one busy with somebody else's operation; the first one is well."""
    house = scanned(built(street, "mixed"))
    ids = {node.name: node.id for node in house.application.environments[0].nodes}
    house.world.set_power(ids["mixed-nonprod-4"], "stop")
    house.world.foreign_operation([ids["mixed-nonprod-5"]], "Scan")
    found = answer(house)
    assert found.keys() == {
        *(f"mixed-nonprod-{number}" for number in (2, 3, 4, 5)),
        "Ready",
        "Nobody else patches these nodes",
    }
    assert found["mixed-nonprod-2"][1].startswith("It has agent 2.0.800.0, at least 2.0.834.0 is needed; it failed")
    assert "Apt requires Python3 to be installed." in found["mixed-nonprod-3"][1]
    assert found["mixed-nonprod-4"] == ("fail", "It is stopped.")
    assert found["mixed-nonprod-5"] == ("fail", "It is busy with AWS-RunPatchBaseline.")
    assert found["Ready"][0] == "pass"
    assert found["Ready"][1].startswith("1 node:")


def test_the_answer_says_what_to_do_and_goes_to_the_one_who_asked(street: Street) -> None:
    house = scanned(built(street, "mixed"))
    answer(house)
    (told,) = owed(house, "preflight")
    assert (told.medium, told.recipient) == ("ephemeral", "C0PATCHING U0EVE")
    shown = words(house, told)
    for remedy in ("Update its SSM Agent", "Python on Linux"):
        assert remedy in shown
    assert [row.action for row in audit.rows(house.store.db)][-1] == "preflight asked"


def test_nothing_is_sent_to_a_node_and_one_question_is_answered_once(street: Street) -> None:
    house = scanned(built(street, "well"))
    sent = len(house.sent())
    for _ in range(2):
        answer(house)
        inquiries.tick(house.parts, house.clock.now())
    assert len(owed(house, "preflight")) == 2
    assert len(house.sent()) == sent


def test_nodes_that_were_never_scanned_are_not_called_ready(street: Street) -> None:
    found = answer(built(street, "well"), "prod")
    assert found["well-prod-1"] == ("fail", "It has no scan of ours that proves the rest.")
    assert "Ready" not in found


def test_a_node_without_a_role_is_told_apart_from_one_whose_agent_is_away(street: Street) -> None:
    house = scanned(built(street, "roleless"))
    (first, second) = sorted(house.application.environments[0].nodes, key=lambda node: node.name)
    house.world.set_agent(first.id, "lost")
    found = answer(house)
    assert found[first.name] == ("fail", "It has an agent that is ConnectionLost.")
    assert "It is unknown to Systems Manager" in found[second.name][1]
    assert "role" in found[second.name][1]


def test_whoever_else_patches_is_named_as_a_warning(street: Street) -> None:
    house = scanned(built(street, "window"))
    window = house.world.add_install_window(house.application.environments[0])
    outcome, evidence = answer(house)["Somebody else patches these nodes"]
    assert outcome == "warn"
    assert window in evidence


def test_aws_refusing_is_said_in_one_sentence(street: Street) -> None:
    house = built(street, "well")
    fault = house.world.faults.add("ssm", "DescribeInstanceInformation", "access-denied", times=1000)
    answer(house)
    assert house.world.faults.remove(fault.id)
    (told,) = owed(house, "preflight")
    assert "could not be looked at" in words(house, told)
    assert "DescribeInstanceInformation" in words(house, told)


def test_the_gate_asks_the_same_and_blocks(street: Street) -> None:
    old = asked(proven(street, "old"))
    assert old.state is ChangeState.BLOCKED
    assert "preflight" in failing(old)
    (check,) = (each for each in old.checks or () if each.name == "preflight")
    assert "old-prod-2 has agent 2.0.1" in check.evidence
