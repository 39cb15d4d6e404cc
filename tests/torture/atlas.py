"""Which boundaries there are, which a bot has died at, and where the next story's bot is to die."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tests.torture.boundaries import Point
from tests.torture.plans import Plan
from tests.torture.story import Fault, Tale
from tests.torture.whims import Whim

SECOND_DEATH = 0.4  # of the stories
WHOLE = 0.3  # of the stories whose boundary is on the way of either plan
READS = (
    ("ssm", "ListCommands"),
    ("ssm", "ListCommandInvocations"),
    ("ssm", "DescribeInstancePatchStates"),
    ("ssm", "DescribeDocument"),
)
OF_WHOLE_PLANS = (("ec2", "CreateSnapshots"), ("ec2", "DescribeSnapshots"), ("monitoring", "DescribeAlarms"))
SENDS = {Plan.PLAIN: 4, Plan.WHOLE: 12}  # after the approval: scans, dump, health, the Installs; lost one and all
CALM = Fault()
WHIMS = {Whim.NONE: 5, Whim.PAUSE: 3, Whim.CANCEL: 2}  # how often of ten


@dataclass(frozen=True, slots=True)
class Way:
    """What led to a boundary: the tale, and the points at which earlier lives of the story ended."""

    tale: Tale
    points: tuple[Point, ...]
    turns: int  # how often it was reached there

    @property
    def effort(self) -> int:
        """How much had to happen; of two ways the plainer one is kept."""
        return len(self.points) + (self.tale.fault != CALM) + (self.tale.whim != Whim.NONE) + (not self.tale.approved)


@dataclass
class Atlas:
    chance: random.Random
    ways: dict[str, dict[Plan, Way]] = field(default_factory=dict)
    hits: Counter[str] = field(default_factory=Counter)

    def learn(self, tale: Tale, died: Sequence[Point], lives: Sequence[Counter[str]]) -> None:
        """Each life of a story that was told."""
        self.hits.update(point.name for point in died)
        for number, life in enumerate(lives):
            for name, turns in life.items():
                known = self.ways.setdefault(name, {})
                way = Way(tale, tuple(died[:number]), turns)
                if tale.plan not in known or way.effort < known[tale.plan].effort:
                    known[tale.plan] = way

    @property
    def missing(self) -> list[str]:
        """Boundaries that no bot has died at yet, in a random order that the seed decides."""
        names = sorted(name for name in self.ways if not self.hits[name])
        self.chance.shuffle(names)
        return names

    def next(self) -> tuple[Tale, tuple[Point, ...]]:
        """Where to die: a boundary that nobody died at, any when there is none."""
        name = next(iter(self.missing), None) or self.chance.choice(sorted(self.ways))
        way = self._way(name)
        tale = way.tale
        # Threads race: what was reached seven times may be reached six times now.
        point = Point(name, self.chance.randint(1, max(1, way.turns * 2 // 3)))
        points = (*way.points, point)
        if tale.fault == CALM and not self.hits[name]:
            tale = replace(tale, fault=self._fault(tale.plan))
        if tale.plan is Plan.WHOLE and tale.whim is Whim.NONE:
            tale = replace(tale, whim=self.chance.choices(list(WHIMS), list(WHIMS.values()))[0])
        if len(points) == 1 and self.chance.random() < SECOND_DEATH:
            left = [other for other in self.missing if other != name and tale.plan in self.ways[other]]
            points = (*points, Point(next(iter(left), None) or self.chance.choice(sorted(self.ways)), 1))
        return tale, points

    def _way(self, name: str) -> Way:
        known = self.ways[name]
        if not any(Plan.WHOLE in ways for ways in self.ways.values()):  # nobody has told of one yet
            return replace(known[Plan.PLAIN], tale=replace(known[Plan.PLAIN].tale, plan=Plan.WHOLE))
        whole = Plan.PLAIN not in known or (Plan.WHOLE in known and self.chance.random() < WHOLE)
        return known[Plan.WHOLE if whole else Plan.PLAIN]

    def _fault(self, plan: Plan) -> Fault:
        stage = self.chance.randrange(4)
        times = self.chance.randint(1, 3)
        service, read = self.chance.choice(READS + (OF_WHOLE_PLANS if plan is Plan.WHOLE else ()))
        if service == "ec2":
            stage = 3
        return self.chance.choice(
            (
                CALM,
                CALM,
                Fault("throttling", service, read, stage, times),
                Fault("throttling", "ssm", "SendCommand", stage, times),
                Fault("server-error", service, read, stage, times),
                Fault("lost-reply", service, read, stage, 1),
                Fault("lost-reply", "ssm", "SendCommand", stage, SENDS[plan]),
                Fault("server-error", "ssm", "SendCommand", stage, 1),
            )
        )
