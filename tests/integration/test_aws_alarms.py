"""CloudWatch alarms against the simulated AWS over HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.cloudwatch.models import cloudwatch_backends

from aws.alarms import Alarms, AlarmState
from aws.errors import AccessRefused
from aws.sessions import Sessions
from aws.target import Target
from sandbox.aws.server import SimulatedAws
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.fleet import NONPRODUCTION, PRODUCTION, REGION, small_fleet

ROLE = Target(NONPRODUCTION, REGION, f"arn:aws:iam::{NONPRODUCTION}:role/patchgate")


class Place:
    """An account with alarms, and the calls to CloudWatch."""

    def __init__(self, world: World, server: SimulatedAws) -> None:
        self.world = world
        self.sessions = Sessions(
            {
                "AWS_ACCESS_KEY_ID": server.base_key(NONPRODUCTION),
                "AWS_SECRET_ACCESS_KEY": "not-a-secret",
                "AWS_ENDPOINT_URL": server.url,
            }
        )
        self.calls: list[dict[str, Any]] = []  # their parameters
        client: Any = self.sessions.client("cloudwatch", ROLE)
        client.meta.events.register("provide-client-params.cloudwatch.DescribeAlarms", self._record)

    def add(self, name: str, *, account: str = NONPRODUCTION, rule: str | None = None) -> None:
        """An alarm on a metric; with a `rule` a composite one, which moto can hold but not be asked to make."""
        cloudwatch_backends[account][REGION].put_metric_alarm(
            name, "Acme", "Errors", "GreaterThanThreshold", 1, 60, 5.0, "Sum", "", [], [], rule=rule
        )

    def set(self, name: str, state: str, reason: str) -> None:
        cloudwatch_backends[NONPRODUCTION][REGION].set_alarm_state(name, reason, "{}", state)

    def _record(self, params: dict[str, Any], **_: object) -> None:
        self.calls.append(params)


@pytest.fixture
def place() -> Iterator[Place]:
    world = World(SandboxClock(rate=0), small_fleet())
    with SimulatedAws(world) as server:
        yield Place(world, server)


@pytest.mark.parametrize("state", ["OK", "ALARM", "INSUFFICIENT_DATA"])
@pytest.mark.parametrize("rule", [None, "ALARM(orders-5xx)"], ids=["metric", "composite"])
def test_an_alarm_has_the_state_that_was_set(place: Place, state: str, rule: str | None) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    place.add("orders-p99", rule=rule)
    place.set("orders-p99", state, "Threshold crossed: 7 datapoints")
    (found,) = Alarms(place.sessions).states(ROLE, ["orders-p99"]).values()
    assert (found.name, found.state, found.reason) == ("orders-p99", state, "Threshold crossed: 7 datapoints")
    assert found.changed_at is not None
    assert found.changed_at.tzinfo is UTC
    assert before <= found.changed_at <= datetime.now(UTC)


def test_a_name_that_cloudwatch_does_not_know_is_absent(place: Place) -> None:
    place.add("orders-5xx")
    place.add("elsewhere", account=PRODUCTION)
    found = Alarms(place.sessions).states(ROLE, ["Orders-5xx", "elsewhere", "orders-5xx", "orders-5"])
    assert {name: alarm.state == "absent" for name, alarm in found.items()} == {
        "Orders-5xx": True,
        "elsewhere": True,
        "orders-5xx": False,
        "orders-5": True,
    }
    assert found["elsewhere"] == AlarmState("elsewhere", "absent", None, "")


@pytest.mark.parametrize(("names", "calls"), [(0, 0), (1, 1), (100, 1), (101, 2), (250, 3)])
def test_a_hundred_names_are_one_call(place: Place, names: int, calls: int) -> None:
    asked = [f"alarm-{number:03}" for number in range(names)]
    for name in asked:
        place.add(name)
    found = Alarms(place.sessions).states(ROLE, [*asked, *asked])
    assert list(found) == asked
    assert "absent" not in {alarm.state for alarm in found.values()}
    assert len(place.calls) == calls


def test_composite_alarms_are_asked_for_too(place: Place) -> None:
    """CloudWatch leaves them out unless it is told; moto gives them in any case."""
    Alarms(place.sessions).states(ROLE, ["orders-5xx"])
    assert [call["AlarmTypes"] for call in place.calls] == [["MetricAlarm", "CompositeAlarm"]]


def test_a_refusal_names_the_permission(place: Place) -> None:
    place.world.faults.add("monitoring", "*", "access-denied")
    with pytest.raises(AccessRefused, match="allow cloudwatch:DescribeAlarms"):
        Alarms(place.sessions).states(ROLE, ["orders-5xx"])
