"""New maintenance windows, from a committed row to the simulated AWS and back to the order's card."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from patching.states import OrderState
from scheduler import window_orders as sweep
from storage import audit, window_orders
from storage.window_orders import Action
from tests.integration.ordered_windows import (
    MAKING,
    card,
    carried_out,
    known_windows,
    order_for,
    ours,
    read,
    settings,
    whole,
    window_of,
)
from tests.stateful.house import House
from tests.stateful.street import Street

ROLE: Final = "arn:aws:iam::111111111111:role/patchgate-windows"
TOPIC: Final = "arn:aws:sns:eu-west-1:111111111111:patching"


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("window-orders"))
    yield opened
    opened.close()


@pytest.fixture
def house(street: Street) -> Iterator[House]:
    house = street.next_house({})
    yield house
    house.close()


# --- What every field becomes


def test_a_new_window_has_every_field_at_aws_and_is_read_back_as_it_was_asked_for(house: House) -> None:
    spec = settings(
        house,
        house.prod,
        description="The monthly look",
        schedule="cron(30 2 ? * TUE#2 *)",
        schedule_offset=3,
        timezone="Europe/Dublin",
        start_date="2026-12-01T00:00:00+00:00",
        end_date="2036-12-01T00:00:00+00:00",
        duration_hours=4,
        cutoff_hours=1,
        allow_unassociated_targets=True,
        document_version="$DEFAULT",
        reboot_option="NoReboot",
        parameters={"BaselineTags": ["Key=a,Values=b"]},
        comment="looked at by orders",
        delivery_seconds=900,
        max_concurrency="25%",
        max_errors="2",
        priority=5,
        cutoff_behavior="CANCEL_TASK",
        service_role_arn=ROLE,
        s3_bucket="acme-output",
        s3_prefix="windows/",
        sns_topic_arn=TOPIC,
        sns_events=["Failed", "TimedOut"],
        sns_type="Invocation",
        sns_role_arn=ROLE,
        cloudwatch_output=True,
    )
    house.read_agenda()
    order = carried_out(house, order_for(house, Action.CREATE, house.prod, spec))
    assert order.state is OrderState.DONE, order.note
    window = window_of(house, order)
    assert window.settings == {
        "Name": "orders-monthly",
        "Description": "The monthly look",
        "Schedule": "cron(30 2 ? * TUE#2 *)",
        "ScheduleTimezone": "Europe/Dublin",
        "ScheduleOffset": 3,
        "StartDate": "2026-12-01T00:00:00+00:00",
        "EndDate": "2036-12-01T00:00:00+00:00",
        "Duration": 4,
        "Cutoff": 1,
        "AllowUnassociatedTargets": True,
    }
    assert window.tags == {
        "patchgate:application": house.name,
        "patchgate:environment": "prod",
        "patchgate:order": order.ref,
    }
    (target,) = window.targets.values()
    assert (target.id, target.resource_type) == (order.progress["target_id"], "INSTANCE")
    assert target.targets == [{"Key": "tag:PatchGroup", "Values": list(spec.targets["tag:PatchGroup"])}]
    (task,) = window.tasks.values()
    assert task.id == order.progress["task_id"]
    assert {name: value for name, value in task.params.items() if name != "WindowId"} == {
        "TaskArn": "AWS-RunPatchBaseline",
        "TaskType": "RUN_COMMAND",
        "Targets": [{"Key": "WindowTargetIds", "Values": [target.id]}],
        "Priority": 5,
        "MaxConcurrency": "25%",
        "MaxErrors": "2",
        "ServiceRoleArn": ROLE,
        "CutoffBehavior": "CANCEL_TASK",
        "TaskInvocationParameters": {
            "RunCommand": {
                "Parameters": {
                    "Operation": ["Scan"],
                    "RebootOption": ["NoReboot"],
                    "BaselineTags": ["Key=a,Values=b"],
                },
                "Comment": "looked at by orders",
                "DocumentVersion": "$DEFAULT",
                "TimeoutSeconds": 900,
                "OutputS3BucketName": "acme-output",
                "OutputS3KeyPrefix": "windows/",
                "NotificationConfig": {
                    "NotificationArn": TOPIC,
                    "NotificationEvents": ["Failed", "TimedOut"],
                    "NotificationType": "Invocation",
                },
                "ServiceRoleArn": ROLE,
                "CloudWatchOutputConfig": {"CloudWatchOutputEnabled": True},
            }
        },
    }
    assert read(house, order) == spec
    told = [datetime.fromisoformat(each) for each in order.progress["next"]]
    assert len(told) == 5
    assert told == sorted(told)
    assert {time.astimezone(UTC).weekday() for time in told} == {4}  # three days after a Tuesday
    shown = card(house, order)
    assert "Created:" in shown
    assert str(order.window_id) in shown
    assert "It opens next, as AWS plans it:" in shown
    assert [row.action for row in audit.rows(house.store.db, order.ref)] == [
        "window create requested",
        "window create done",
    ]
    house.read_agenda()
    assert order.window_id in known_windows(house)


def test_the_least_that_a_window_needs_is_all_that_aws_is_told(house: House) -> None:
    spec = settings(house, house.nonprod)
    order = carried_out(house, order_for(house, Action.CREATE, house.nonprod, spec))
    window = window_of(house, order)
    assert set(window.settings) == {
        *("Name", "Schedule", "ScheduleTimezone", "Duration", "Cutoff", "AllowUnassociatedTargets")
    }
    (task,) = window.tasks.values()
    assert task.params["TaskInvocationParameters"] == {
        "RunCommand": {"Parameters": {"Operation": ["Scan"]}, "TimeoutSeconds": 600}
    }
    assert read(house, order) == spec


# --- Nothing is made twice


@pytest.mark.parametrize("lost", MAKING)
def test_a_lost_answer_makes_nothing_twice(house: House, lost: str) -> None:
    house.world.faults.add("ssm", lost, "lost-reply")
    order = carried_out(house, order_for(house, Action.CREATE, house.nonprod, settings(house, house.nonprod)))
    assert (order.state, order.attempts) == (OrderState.REQUESTED, 1)
    assert f"no clear answer to {lost}" in card(house, order)
    sweep.tick(house.parts, house.clock.now())
    assert window_orders.get(house.store.db, order.id).attempts == 1, "it is tried again only after a while"
    house.restart()
    house.jump(sweep.RETRY_AFTER)
    order = carried_out(house, order)
    assert order.state is OrderState.DONE
    whole(house, order)


@pytest.mark.parametrize(
    "known", [(), ("window_id",), ("window_id", "target_id"), ("window_id", "target_id", "task_id")]
)
def test_a_death_before_a_commit_makes_nothing_twice(house: House, known: tuple[str, ...]) -> None:
    order = carried_out(house, order_for(house, Action.CREATE, house.nonprod, settings(house, house.nonprod)))
    first = order.progress
    with house.store.transaction() as tx:
        tx.execute(
            "UPDATE window_order SET state = 'requested', window_id = NULL, progress = '{}' WHERE id = ?", [order.id]
        )
        window_orders.advance(tx, order, {name: first[name] for name in known})
    house.restart()
    again = carried_out(house, order)
    assert again.state is OrderState.DONE
    assert {name: again.progress[name] for name in ("window_id", "target_id", "task_id")} == {
        name: first[name] for name in ("window_id", "target_id", "task_id")
    }
    whole(house, again)


def test_what_aws_refuses_half_way_is_deleted_again_and_told(house: House) -> None:
    house.world.faults.add("ssm", "RegisterTaskWithMaintenanceWindow", "access-denied")
    house.world.faults.add("ssm", "DeleteMaintenanceWindow", "lost-reply")
    order = carried_out(house, order_for(house, Action.CREATE, house.nonprod, settings(house, house.nonprod)))
    assert order.state is OrderState.REQUESTED
    assert "still to be deleted" in order.note
    house.restart()
    house.jump(sweep.RETRY_AFTER)
    order = carried_out(house, order)
    assert order.state is OrderState.FAILED
    assert "allow ssm:RegisterTaskWithMaintenanceWindow there" in order.note
    assert "was deleted again" in order.note
    assert "Not created:" in card(house, order)
    assert ours(house) == []


def test_what_can_not_be_deleted_again_is_named(house: House) -> None:
    house.world.faults.add("ssm", "RegisterTaskWithMaintenanceWindow", "access-denied")
    house.world.faults.add("ssm", "DeleteMaintenanceWindow", "access-denied")
    order = carried_out(house, order_for(house, Action.CREATE, house.nonprod, settings(house, house.nonprod)))
    (window,) = ours(house)
    assert order.state is OrderState.FAILED
    assert f"The window {window.id} exists without its task, so nothing runs in it: delete it." in order.note


def test_throttling_is_waited_out_and_what_takes_too_long_is_given_up(house: House) -> None:
    house.world.faults.add("ssm", "CreateMaintenanceWindow", "throttling")
    order = carried_out(house, order_for(house, Action.CREATE, house.nonprod, settings(house, house.nonprod)))
    assert order.state is OrderState.REQUESTED
    assert "tried again" in card(house, order)
    house.jump(sweep.RETRY_AFTER)
    assert carried_out(house, order).state is OrderState.DONE
    house.world.faults.add("ssm", "CreateMaintenanceWindow", "lost-reply")
    second = carried_out(house, order_for(house, Action.CREATE, house.nonprod, settings(house, house.nonprod)))
    house.jump(sweep.GIVE_UP_AFTER + timedelta(minutes=1))
    second = carried_out(house, second)
    assert second.state is OrderState.FAILED
    assert "AWS may have made a window named orders-monthly all the same" in second.note
