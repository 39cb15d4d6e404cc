"""The production story under crashes: at most one Install for each (change, node), and messages that say what is so.

Which stories are told follows from the printed seed; threads race, so that a story's course may differ all the same.
"""

import itertools
import random
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.aws.fleet import Fleet
from storage.database import Store
from tests.integration.small_town import fleet_of
from tests.torture.atlas import CALM, Atlas
from tests.torture.boundaries import Point
from tests.torture.clock import publish
from tests.torture.judge import as_without_crash, judge
from tests.torture.life import Keeper
from tests.torture.plans import ALARM, furnish
from tests.torture.story import Story
from tests.town import open_town

STREET = 5  # applications in a town: planning an Install asks for every environment of the account
RATE = 30.0  # a group that was read is trusted for ten minutes, and read again every fifteen real seconds
WHOLE = 60  # stories from which on every boundary must have been hit
MORE = 1.5  # times as many are told where some have not been
UNAPPROVED = 10  # every tenth story, nobody approves
WELL = 0.95
HELPED = 0.1  # of the stories with one crash


def test_I2_a_bot_that_is_killed_at_any_boundary_installs_once_and_tells_the_truth(
    tmp_path: Path, stories: int, seed: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = secrets.randbelow(10**9) if seed is None else seed
    atlas = Atlas(random.Random(seed))
    lost: list[Story] = []  # a reply was: how they end depends on what was lost
    well: list[Story] = []
    other: list[Story] = []
    wrong: list[str] = []
    say(capsys, f"crash torture, seed {seed}")
    for number, story in enumerate(untold(tmp_path)):
        more = stories >= WHOLE and number <= stories * MORE and bool(atlas.missing)
        if number > stories and not more:
            break
        points: tuple[Point, ...] = ()
        if number:  # the first one is told without a crash, to learn what boundaries there are
            story.plan, story.fault, points = atlas.next()
            story.approved = number % UNAPPROVED != 0
        began = time.monotonic()
        story.begin(*points)
        try:
            story.tell()
        except AssertionError as error:
            raise AssertionError(f"story {number}, {story.plan}, {story.fault}, {points}: {error}") from error
        atlas.learn(story.plan, story.fault, story.died, story.keeper.reached())
        story.keeper.end()
        wrong += [f"story {number}, {story.plan}, {story.fault}, {points}: {sentence}" for sentence in judge(story)]
        (lost if story.fault.leaves_doubt else well if as_without_crash(story) else other).append(story)
        say(capsys, f"{number:4} {time.monotonic() - began:4.0f} s {told(story)}")
    report(capsys, atlas)
    share = len(well) / max(1, len(well) + len(other))
    # A boundary that only a doubt leads to is reached by making one: that says nothing of how often one arises.
    free = [story for story in well if len(story.died) < 2]
    helped = sum(1 for story in free if story.helped) / max(1, len(free))
    say(capsys, f"{len(lost)} with a doubt of AWS's; of the others {share:.0%} ended as without the crash,")
    say(capsys, f"{helped:.0%} of those with one crash after a person's answer: the bot died as it sent")
    assert wrong == []
    assert atlas.hits
    if stories >= WHOLE:
        assert share >= WELL
        assert helped <= HELPED
        assert atlas.missing == [], "nobody died there"


def untold(folder: Path) -> Iterator[Story]:
    """Stories, each with an application of its own, in one town after the other."""
    for number in itertools.count(1):
        with street(folder / f"town-{number}") as stories:
            yield from stories


@contextmanager
def street(folder: Path) -> Iterator[Iterator[Story]]:
    folder.mkdir()
    names = [f"app-{number}" for number in range(STREET)]
    with open_town(folder, _fleet(names), rate=RATE, started=False) as town:
        publish(town.around.clock, folder / "clock.json")
        furnish(town)
        Store(town.environment["PATCHGATE_DATABASE"]).close()  # so that people can look into it from the start
        keeper = Keeper(town.environment, folder)
        with closing(Store(town.environment["PATCHGATE_DATABASE"], readonly=True)) as store:
            try:
                yield (Story(town, keeper, store, name, CALM) for name in names)
            finally:
                keeper.end()


def _fleet(names: Sequence[str]) -> Fleet:
    fleet = fleet_of(names, nonprod=2, prod=2)
    return replace(fleet, applications=tuple(replace(each, alarms=(ALARM,)) for each in fleet.applications))


def told(story: Story) -> str:
    fault = f"{story.fault.kind} of {story.fault.operation}" if story.fault.kind else ""
    deaths = [f"died {point.name} ({point.turn})" for point in story.died]
    return "; ".join(
        [story.plan, *deaths, *([fault] if fault else []), *story.helped, f"{story.change and story.change.state}"]
    )


def report(capsys: pytest.CaptureFixture[str], atlas: Atlas) -> None:
    say(capsys, f"{len(atlas.ways)} boundaries, {len(atlas.ways) - len(atlas.missing)} of them hit:")
    for name in sorted(atlas.ways):
        say(capsys, f"  {atlas.hits[name]:3} {name}")


def say(capsys: pytest.CaptureFixture[str], line: str) -> None:
    """Shown as it happens: at the whole size the stories take minutes."""
    with capsys.disabled():
        print(line, flush=True)
