"""The next executions that the simulated AWS tells agree with APScheduler's cron, over a year and in four time zones.

The sandbox reckons with croniter. AWS counts weekdays from Sunday as 1 and writes the second Tuesday `TUE#2`, the last
Friday `6L`; how that reads to APScheduler is said here by hand, so that the translation is looked at too. No time lies
in an hour that is left out or comes twice: AWS does not say what it does there.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger

from aws.sessions import Sessions
from aws.target import Target
from aws.window_orders import WindowOrders
from aws.windows import MaintenanceWindows
from patching.window_spec import read_spec
from sandbox.aws.server import SimulatedAws
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.fleet import PRODUCTION, REGION, demo_fleet

START: Final = datetime(2027, 1, 1, tzinfo=UTC)
YEAR: Final = timedelta(days=366)
ZONES: Final = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
# {AWS's expression: (APScheduler's fields, days of the schedule offset)}
SCHEDULES: Final[dict[str, tuple[dict[str, Any], int]]] = {
    "cron(30 0 ? * SUN *)": ({"day_of_week": "sun", "hour": 0, "minute": 30}, 0),
    "cron(0 22 ? * 3 *)": ({"day_of_week": "tue", "hour": 22, "minute": 0}, 0),
    "cron(15 4 ? * 7#1 *)": ({"day": "1st sat", "hour": 4, "minute": 15}, 0),
    "cron(0 23 ? * TUE#2 *)": ({"day": "2nd tue", "hour": 23, "minute": 0}, 3),
    "cron(45 3 ? * 6L *)": ({"day": "last fri", "hour": 3, "minute": 45}, 0),
    "cron(0 0 1 * ? *)": ({"day": 1, "hour": 0, "minute": 0}, 0),
    "cron(0 5 31 * ? *)": ({"day": 31, "hour": 5, "minute": 0}, 0),
    "cron(10 6 L * ? *)": ({"day": "last", "hour": 6, "minute": 10}, 0),
    "cron(0 9 * * ? *)": ({"hour": 9, "minute": 0}, 0),
    "cron(0 12 ? JAN,JUL MON-FRI *)": ({"month": "1,7", "day_of_week": "mon-fri", "hour": 12, "minute": 0}, 0),
}


@pytest.fixture(scope="module")
def sessions() -> Iterator[Sessions]:
    with SimulatedAws(World(SandboxClock(START, rate=0), demo_fleet())) as server:
        yield Sessions(
            {
                "AWS_ACCESS_KEY_ID": server.base_key(PRODUCTION),
                "AWS_SECRET_ACCESS_KEY": "not-a-secret",
                "AWS_ENDPOINT_URL": server.url,
            }
        )


@pytest.mark.parametrize("zone", ZONES)
def test_a_years_executions_agree_with_another_cron_library(sessions: Sessions, zone: str) -> None:
    here = Target(PRODUCTION, REGION)
    orders = WindowOrders(sessions)
    expected: dict[str, list[datetime]] = {}
    for number, (expression, (fields, offset)) in enumerate(SCHEDULES.items()):
        spec = read_spec(
            {
                "name": f"{zone.replace('/', '-')}-{number}",
                "schedule": expression,
                "schedule_offset": offset,
                "timezone": zone,
                "duration_hours": 2,
                "cutoff_hours": 1,
                "targets": {"tag:PatchGroup": ["orders-db-prod"]},
                "operation": "Scan",
            }
        )
        window_id = orders.create(here, spec, {}, f"{spec.name}-token")
        expected[window_id] = times(fields, offset, ZoneInfo(zone))
    daily = next(window_id for window_id, agreed in expected.items() if len(agreed) > 300)
    assert list(orders.next_executions(here, daily, 5)) == expected[daily][:5]
    told: dict[str, list[datetime]] = {window_id: [] for window_id in expected}
    for window_id, time in MaintenanceWindows(sessions).executions(here, START, START + YEAR):
        if window_id in told:
            told[window_id].append(time)
    for (window_id, agreed), expression in zip(expected.items(), SCHEDULES, strict=True):
        # AWS plans no more than so many of one window ahead.
        assert told[window_id] == agreed[: len(told[window_id])], expression
        assert len(told[window_id]) >= min(len(agreed), 100), expression
    for window_id in expected:
        orders.delete(here, window_id)
    offsets = {time.astimezone(ZoneInfo(zone)).utcoffset() for each in told.values() for time in each}
    assert len(offsets) == (1 if zone == "Asia/Kathmandu" else 2), "the year has both changes of the clock"


def times(fields: dict[str, Any], offset: int, zone: ZoneInfo) -> list[datetime]:
    """All of the year, as APScheduler reckons on the wall's calendar, where no clock changes; the zone moves it then.

    Given the zone itself, APScheduler 3 leaves out the first midnight after a change and stays at a time that comes
    twice for ever.
    """
    trigger = CronTrigger(**fields, timezone=UTC)
    found: list[datetime] = []
    last = START - timedelta(days=offset + 2)
    while True:
        last = trigger.get_next_fire_time(None, last + timedelta(minutes=1))
        opens = (last + timedelta(days=offset)).replace(tzinfo=zone).astimezone(UTC)
        if opens >= START + YEAR:
            return found
        if opens > START:
            found.append(opens)


def test_another_librarys_times_are_real() -> None:
    """What the comparison stands on: a weekly window at half past one in Berlin moves against UTC twice a year."""
    weekly = times({"day_of_week": "sun", "hour": 1, "minute": 30}, 0, ZoneInfo("Europe/Berlin"))
    assert len(weekly) == 52
    assert {(later - earlier) for earlier, later in pairwise(weekly)} == {
        timedelta(days=7),
        timedelta(days=7, hours=-1),
        timedelta(days=7, hours=1),
    }
