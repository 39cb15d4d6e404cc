"""A small application whose production is installed in waves, with the bot's sweeps moved by hand."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta

from patching.plan import StepKind
from patching.states import ChangeState
from sandbox.aws.fleet import Environment, Fleet
from storage import outbox, runs, steps
from storage.runs import Purpose, Run
from storage.steps import Step
from tests.integration.small_house import approve, asked, newest, words
from tests.stateful.house import House

WAVES = [{"tag:Role": ["replica"]}, {"tag:Role": ["primary"]}]
NEW = "3.0.17-1~deb12u1"


def with_roles(fleet: Fleet) -> Fleet:
    """The last node of every environment is the primary."""

    def tagged(environment: Environment) -> Environment:
        last = environment.nodes[-1]
        nodes = (
            replace(node, tags={**node.tags, "Role": "primary" if node is last else "replica"})
            for node in environment.nodes
        )
        return replace(environment, nodes=tuple(nodes))

    return replace(
        fleet,
        applications=tuple(
            replace(each, environments=tuple(map(tagged, each.environments))) for each in fleet.applications
        ),
    )


def begun(house: House) -> Run:
    """The approved Install, nothing of it sent."""
    asked(house)
    approve(house, "U0OLA")
    until(house, lambda: newest(house).state is ChangeState.USED)
    (run,) = runs.of_change(house.store.db, newest(house).id, Purpose.CHANGE)
    return run


def until(house: House, reached: Callable[[], bool], most: int = 300) -> None:
    """Sweeps and time, until something holds right after a sweep."""
    for _ in range(most):
        house.sweep()
        if reached():
            return
        house.jump(timedelta(seconds=1))
    raise AssertionError(f"not within {most} s: {[(each.wave, each.kind, each.state) for each in of(house)]}")


def of(house: House) -> list[Step]:
    return steps.of_run(house.store.db, runs.recent(house.store.db, 1)[0].id)


def wave(house: House, number: int, kind: StepKind | None = None) -> list[Step]:
    return [step for step in of(house) if step.wave == number and kind in {None, step.kind}]


def has_ended(house: House, number: int) -> bool:
    return all(step.state.ended for step in wave(house, number))


def now(house: House, run: Run) -> Run:
    return runs.get(house.store.db, run.id)


def patched(house: House) -> set[str]:
    """Production's nodes that have the new version, by the number in their names."""
    nodes = [house.world.node(node_id) for node_id in house.node_ids("prod")]
    return {
        node.name.removeprefix(f"{house.name}-prod-")
        for node in nodes
        if node.packages["openssl.amd64"].package.version == NEW
    }


def card(house: House, run: Run) -> str:
    found = outbox.card(house.store.db, run.subject)
    assert found
    return words(house, found)


def names(house: House, node_ids: Collection[str]) -> list[str]:
    return [house.world.node(node_id).name for node_id in node_ids]
