"""Which boundaries there are, which a bot has died at, and where the next story's bot is to die."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.torture.boundaries import Point
from tests.torture.story import Fault

SECOND_DEATH = 0.2  # of the stories
READS = ("ListCommands", "ListCommandInvocations", "DescribeInstancePatchStates", "DescribeDocument")
CALM = Fault()


@dataclass(frozen=True, slots=True)
class Way:
    """What led to a boundary: AWS's fault, and the points at which earlier lives of the story ended."""

    fault: Fault
    points: tuple[Point, ...]
    turns: int  # how often it was reached there


@dataclass
class Atlas:
    chance: random.Random
    ways: dict[str, Way] = field(default_factory=dict)
    hits: Counter[str] = field(default_factory=Counter)

    def learn(self, fault: Fault, died: Sequence[Point], lives: Sequence[Counter[str]]) -> None:
        """Each life of a story that was told."""
        self.hits.update(point.name for point in died)
        for number, life in enumerate(lives):
            for name, turns in life.items():
                self.ways.setdefault(name, Way(fault, tuple(died[:number]), turns))

    @property
    def missing(self) -> list[str]:
        """Boundaries that no bot has died at yet, in a random order that the seed decides."""
        names = sorted(name for name in self.ways if not self.hits[name])
        self.chance.shuffle(names)
        return names

    def next(self) -> tuple[Fault, tuple[Point, ...]]:
        """Where to die: a boundary that nobody died at, any when there is none."""
        name = next(iter(self.missing), None) or self.chance.choice(sorted(self.ways))
        way = self.ways[name]
        # Threads race: what was reached seven times may be reached six times now.
        point = Point(name, self.chance.randint(1, max(1, way.turns * 2 // 3)))
        points = (*way.points, point)
        fault = way.fault if way.fault != CALM or self.hits[name] else self._fault()
        if len(points) == 1 and self.chance.random() < SECOND_DEATH:
            points = (*points, Point(self.chance.choice(sorted(self.ways)), 1))
        return fault, points

    def _fault(self) -> Fault:
        stage = self.chance.randrange(4)
        times = self.chance.randint(1, 3)
        read = self.chance.choice(READS)
        return self.chance.choice(
            (
                CALM,
                CALM,
                Fault("throttling", self.chance.choice((read, "SendCommand")), stage, times),
                Fault("server-error", read, stage, times),
                Fault("lost-reply", read, stage, 1),
                Fault("lost-reply", "SendCommand", stage, 4),  # after the approval: two scans, the Install, its scan
                Fault("server-error", "SendCommand", stage, 1),
            )
        )
