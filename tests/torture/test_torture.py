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
from tests.torture.atlas import Atlas
from tests.torture.boundaries import Point
from tests.torture.clock import publish
from tests.torture.life import Keeper
from tests.torture.plans import ALARM, Plan, furnish
from tests.torture.story import Story, Tale
from tests.torture.tally import Tally, told
from tests.town import open_town

STREET = 5  # applications in a town: planning an Install asks for every environment of the account
RATE = 30.0  # a group that was read is trusted for ten minutes, and read again every fifteen real seconds
WHOLE = 60  # stories from which on every boundary must have been hit
MORE = 1.5  # times as many are told where some have not been
UNAPPROVED = 10  # every tenth story, nobody approves
WELL = 0.95
TOO_WRONG = 5  # things, after which there is no point in going on
HELPED = 0.1  # of the stories with one crash


def test_I2_a_bot_that_is_killed_at_any_boundary_installs_once_and_tells_the_truth(
    tmp_path: Path, stories: int, seed: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = secrets.randbelow(10**9) if seed is None else seed
    atlas, tally = Atlas(random.Random(seed)), Tally()
    say(capsys, f"crash torture, seed {seed}")
    for number, story in enumerate(untold(tmp_path)):
        more = stories >= WHOLE and number <= stories * MORE and bool(atlas.missing)
        if (number > stories and not more) or len(tally.wrong) > TOO_WRONG:
            break
        points: tuple[Point, ...] = ()
        # The first ones are told without a crash, to learn what boundaries there are.
        if number == 1 and stories >= WHOLE:
            story.tale = Tale(Plan.WHOLE)
        elif number:
            tale, points = atlas.next()
            story.tale = replace(tale, approved=tale.approved and number % UNAPPROVED != 0)
        began = time.monotonic()
        story.begin(*points)
        try:
            story.tell()
        except AssertionError as error:
            tally.wrong.append(f"story {number}, {told(story)}; to die at {points}: {error}")
        else:
            atlas.learn(story.tale, story.died, story.keeper.reached())
            tally.count(number, story)
        story.end()
        say(capsys, f"{number:4} {time.monotonic() - began:4.0f} s {told(story)}")
    for line in tally.report(atlas):
        say(capsys, line)
    assert tally.wrong == []
    assert atlas.hits
    if stories >= WHOLE:
        assert tally.share_well >= WELL
        assert tally.share_helped <= HELPED
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
                yield (Story(town, keeper, store, name) for name in names)
            finally:
                keeper.end()


def _fleet(names: Sequence[str]) -> Fleet:
    fleet = fleet_of(names, nonprod=2, prod=2)
    return replace(fleet, applications=tuple(replace(each, alarms=(ALARM,)) for each in fleet.applications))


def say(capsys: pytest.CaptureFixture[str], line: str) -> None:
    """Shown as it happens: at the whole size the stories take minutes."""
    with capsys.disabled():
        print(line, flush=True)
