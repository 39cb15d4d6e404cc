"""A street of small applications in one simulated AWS, a new one for each story.

moto's state is global and a server takes a moment to start, so a world serves many stories; when its applications
are used up the next world is built.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aws.sessions import Sessions
from sandbox.aws.fleet import Fleet
from sandbox.aws.runcommand import Durations
from sandbox.aws.server import SimulatedAws
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.fleet import PRODUCTION, REGION
from tests.integration.small_town import fleet_of
from tests.stateful.house import House

HOUSES = 8  # EC2 looks at every instance of an account for each question
BRISK = Durations(delivery=0.1, scan=0.5, install_per_package=0.1, reboot=0.5, cancel=0.1)


class Street:
    """`next_house` gives an application that nobody has touched, with a database of its own; `house` one by name."""

    def __init__(self, folder: Path, fleet: Fleet | None = None, durations: Durations = BRISK) -> None:
        self._folder = folder
        self._durations = durations
        self._fleet = fleet or fleet_of([f"app-{number:02}" for number in range(HOUSES)], prod=2)
        self._built = 0
        self._server: SimulatedAws | None = None

    def next_house(self, policy: Mapping[str, object]) -> House:
        names = [each.name for each in self._fleet.applications]
        if self._built and self._built % len(names) == 0:
            self.close()
        return self.house(names[self._built % len(names)], policy)

    def house(self, name: str, policy: Mapping[str, object]) -> House:
        if self._server is None:
            self._open()
        self._built += 1
        path = self._folder / f"{self._built}.db"
        return House(_of(self._fleet, name, policy), self._world, self._clock, self._sessions, path)

    def close(self) -> None:
        if self._server:
            self._server.stop()
        self._server = None

    def _open(self) -> None:
        self._clock = SandboxClock(rate=0)
        self._world = World(self._clock, self._fleet, self._durations)
        self._server = SimulatedAws(self._world)
        self._server.start()
        self._sessions = Sessions(
            {
                "AWS_ACCESS_KEY_ID": self._server.base_key(PRODUCTION),
                "AWS_SECRET_ACCESS_KEY": "sandbox",
                "AWS_DEFAULT_REGION": REGION,
                "AWS_ENDPOINT_URL": self._server.url,
            }
        )


def _of(fleet: Fleet, name: str, policy: Mapping[str, object]) -> Fleet:
    """The one application of the fleet that a story is about."""
    (application,) = (each for each in fleet.applications if each.name == name)
    return replace(fleet, applications=(replace(application, policy=policy),))
