"""Change Calendars against the simulated AWS over HTTP: what is asked, and what the sweep keeps for the gate."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aws.calendars import CalendarAnswer, Calendars
from aws.errors import AccessRefused, DefiniteRefusal
from aws.sessions import Sessions
from aws.target import Target
from commands.freezes import in_force
from patching.config import validate
from sandbox.aws.calendars import ChangeCalendar
from sandbox.aws.server import SimulatedAws
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.fleet import NONPRODUCTION, PRODUCTION, REGION, fleet_config, small_fleet
from scheduler.calendars import ReadCalendars
from tests.stateful.house import House

START = datetime(2026, 12, 18, 12, tzinfo=UTC)
ROLE = Target(PRODUCTION, REGION, f"arn:aws:iam::{PRODUCTION}:role/patchgate")
ARN = f"arn:aws:ssm:{REGION}:{PRODUCTION}:document/Acme"
HOUR = timedelta(hours=1)
EVENT = (START + HOUR, START + 2 * HOUR)


class Place:
    """One application with a freeze by a calendar, and the sweep that reads it."""

    def __init__(self, world: World, clock: SandboxClock, server: SimulatedAws, folder: Path) -> None:
        self.world, self.clock = world, clock
        self.sessions = Sessions(
            {
                "AWS_ACCESS_KEY_ID": server.base_key(PRODUCTION),
                "AWS_SECRET_ACCESS_KEY": "not-a-secret",
                "AWS_ENDPOINT_URL": server.url,
            }
        )
        self.house = House(world.fleet, world, clock, self.sessions, folder / "calendars.db")
        freeze = {"name": "acme", "calendar": ARN, "applications": "all"}
        config = validate({**fleet_config(world.fleet), "freezes": [freeze, {**freeze, "name": "the same"}]})
        self.woken: list[str] = []
        self.parts = replace(self.house.parts, config=config, wake=self.woken.append)

    def calendar(self, *events: tuple[datetime, datetime], default_closed: bool = False) -> None:
        self.world.set_calendar(PRODUCTION, REGION, "Acme", ChangeCalendar(events, default_closed))

    def state(self, arn: str = ARN, target: Target = ROLE) -> CalendarAnswer:
        return Calendars(self.sessions).state(target, arn)

    def sweep(self, **later: float) -> list[str]:
        """The names of the freezes that hold, once so much time has passed and the sweep has looked."""
        self.clock.jump(timedelta(**later))
        now = self.clock.now()
        ReadCalendars(self.parts).tick(now)
        return [each.name for each in in_force(self.parts.store.db, self.parts.config, "app", now, now)]

    @property
    def calls(self) -> int:
        return len(self.world.ssm_log.calls("GetCalendarState"))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    clock = SandboxClock(START, rate=0)
    world = World(clock, small_fleet(prod=1))
    with SimulatedAws(world) as server:
        found = Place(world, clock, server, tmp_path)
        yield found
        found.house.close()


def test_a_calendar_is_open_or_closed_and_tells_when_that_changes(place: Place) -> None:
    place.calendar(EVENT, (EVENT[1], EVENT[1] + HOUR))
    assert place.state() == CalendarAnswer("OPEN", EVENT[0])
    place.clock.jump(HOUR)
    assert place.state() == CalendarAnswer("CLOSED", EVENT[1] + HOUR)  # one event follows the other
    place.calendar(default_closed=True)
    assert place.state() == CalendarAnswer("CLOSED", None)
    place.calendar()
    assert place.state() == CalendarAnswer("OPEN", None)


def test_what_can_not_be_read_is_told_in_one_sentence(place: Place) -> None:
    with pytest.raises(DefiniteRefusal, match=r"GetCalendarState on Acme .*does not exist"):
        place.state()
    with pytest.raises(DefiniteRefusal, match="is not a change calendar"):
        place.state(ARN.replace("Acme", "AWS-RunPatchBaseline"))
    place.calendar()
    with pytest.raises(DefiniteRefusal, match="does not exist"):
        place.state(
            target=replace(ROLE, account=NONPRODUCTION, role_arn=f"arn:aws:iam::{NONPRODUCTION}:role/patchgate")
        )
    place.world.faults.add("ssm", "GetCalendarState", "access-denied")
    with pytest.raises(AccessRefused, match="allow ssm:GetCalendarState there"):
        place.state()


def test_the_sweep_asks_every_minute_and_at_the_time_that_aws_named(place: Place) -> None:
    place.calendar(EVENT)
    assert place.sweep() == []
    assert place.sweep(seconds=59) == []
    assert place.calls == 1  # two freezes name one calendar
    assert place.sweep(seconds=1) == []
    assert place.calls == 2
    for _ in range(58):
        place.sweep(minutes=1)
    assert place.woken == ["waiting", "changes"]  # at the first reading
    assert place.sweep(seconds=50) == []
    assert place.sweep(seconds=10) == ["acme", "the same"]
    assert place.woken == ["waiting", "changes"] * 2
    place.calendar()  # somebody deletes the event
    assert place.sweep(seconds=30) == ["acme", "the same"]
    assert place.sweep(seconds=30) == []


def test_a_calendar_that_can_not_be_read_closes_after_a_quarter_of_an_hour(place: Place) -> None:
    """Also one that was never read, and one whose reading a stop of the bot has made old."""
    refused = place.world.faults.add("ssm", "GetCalendarState", "access-denied", times=100)
    assert place.sweep() == ["acme", "the same"]
    place.world.faults.remove(refused.id)
    place.calendar()
    assert place.sweep(minutes=1) == []
    refused = place.world.faults.add("ssm", "GetCalendarState", "access-denied", times=100)
    assert place.sweep(minutes=15) == []
    assert place.sweep(seconds=1) == ["acme", "the same"]
    place.world.faults.remove(refused.id)
    assert place.sweep(minutes=1) == []
