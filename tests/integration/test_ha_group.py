"""Nodes of one cluster: when one of them failed, the next is left alone, whatever number of failures is allowed."""

from pathlib import Path

from patching.plan import StepKind
from patching.states import RunState
from tests.integration.small_house import installs, proven
from tests.integration.small_town import fleet_of
from tests.integration.waves_house import begun, names, now, until, wave, with_roles
from tests.stateful.street import Street


def test_a_node_is_not_installed_after_one_of_its_group_failed_within_the_limit(tmp_path: Path) -> None:
    street = Street(tmp_path, with_roles(fleet_of(["pair"], prod=3)))
    try:
        house = proven(street)
        house.restart(ha_group="tag:Role", rate={"max_concurrency": "100%", "max_errors": "1"})
        run = begun(house)
        ((second,),) = [step.node_ids for step in wave(house, 2, StepKind.INSTALL)]
        (first,) = [
            node_id
            for node_id in wave(house, 1, StepKind.INSTALL)[0].node_ids
            if house.world.node(node_id).tags["Role"] == "replica"
        ]
        house.world.fail_package(first, "openssl")
        until(house, lambda: now(house, run).state.ended)
        failed, spared = names(house, [first, second])
        why = f"{failed} failed, and {spared} is of the same Role replica; nothing further was sent."
        assert why in now(house, run).note
        assert now(house, run).state is RunState.FAILED
        assert [second in call.params["InstanceIds"] for call in installs(house)] == [False]
    finally:
        street.close()
