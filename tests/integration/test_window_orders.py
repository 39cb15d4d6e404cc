"""Orders for maintenance windows, from a committed row to the simulated AWS and back to the order's card."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from aws.window_wire import NotEditable, OnlyScans
from bot.rendering import render
from bot.views.tables import Flavour
from commands.requests import owe_card
from patching.model import Operation
from patching.nodes import EnvironmentKey
from patching.states import OrderState
from patching.window_spec import WindowSpec, read_spec
from sandbox.aws.windows import MaintenanceWindow
from scheduler import window_orders as sweep
from scheduler.parts import target_of
from storage import agenda, audit, outbox, window_orders
from storage.window_orders import Action, OrderOpen, WindowOrder
from tests.stateful.house import House
from tests.stateful.street import Street
from tests.town import words_of

ROLE: Final = "arn:aws:iam::111111111111:role/patchgate-windows"
TOPIC: Final = "arn:aws:sns:eu-west-1:111111111111:patching"
MAKING: Final = (
    "CreateMaintenanceWindow",
    "RegisterTargetWithMaintenanceWindow",
    "RegisterTaskWithMaintenanceWindow",
)
CHANGING: Final = ("UpdateMaintenanceWindow", "UpdateMaintenanceWindowTarget", "UpdateMaintenanceWindowTask")


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("window-orders"))
    yield opened
    opened.close()


@pytest.fixture
def house(street: Street) -> Iterator[House]:
    house = street.next_house({})
    yield house
    house.world.faults = type(house.world.faults)()
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


# --- Editing


def test_an_edit_changes_everything_and_keeps_what_has_no_word_here(house: House) -> None:
    order = carried_out(house, order_for(house, Action.CREATE, house.nonprod, settings(house, house.nonprod)))
    window = window_of(house, order)
    ssm = client(house, house.nonprod)
    ssm.update_maintenance_window(WindowId=window.id, Enabled=False)
    (target,), (task,) = window.targets.values(), window.tasks.values()
    alarms = {"Alarms": [{"Name": "orders-down"}]}
    ssm.update_maintenance_window_target(
        WindowId=window.id, WindowTargetId=target.id, Name="servers", OwnerInformation="orders"
    )
    ssm.update_maintenance_window_task(
        WindowId=window.id, WindowTaskId=task.id, Name="look", AlarmConfiguration=alarms, Description="by hand"
    )
    changed = settings(
        house,
        house.nonprod,
        name="orders-weekly",
        schedule="rate(7 days)",
        timezone="Asia/Kathmandu",
        duration_hours=2,
        cutoff_hours=0,
        operation="Install",
        reboot_option="NoReboot",
        max_errors="10%",
        targets={**settings(house, house.nonprod).targets, "tag:Name": ["db-1"]},
    )
    edited = carried_out(house, order_for(house, Action.EDIT, house.nonprod, changed, window.id))
    assert edited.state is OrderState.DONE, edited.note
    assert read(house, edited) == changed
    assert not window.enabled
    assert "It is disabled, and stays so." in card(house, edited)
    said = [call for call in house.world.ssm_log.calls("UpdateMaintenanceWindow") if call.params.get("Replace")]
    assert said[-1].params["Enabled"] is False, "with Replace, AWS takes what is left out for unset"
    assert target.described == {"Name": "servers", "OwnerInformation": "orders"}
    assert {name: task.params[name] for name in ("Name", "Description", "AlarmConfiguration")} == {
        "Name": "look",
        "Description": "by hand",
        "AlarmConfiguration": alarms,
    }
    assert [len(window.targets), len(window.tasks)] == [1, 1]
    back = carried_out(house, order_for(house, Action.EDIT, house.nonprod, settings(house, house.nonprod), window.id))
    assert back.state is OrderState.DONE
    assert read(house, back) == settings(house, house.nonprod), "what is not set any more is gone"


@pytest.mark.parametrize("lost", CHANGING)
def test_an_edit_whose_answer_was_lost_is_said_again(house: House, lost: str) -> None:
    order = carried_out(house, order_for(house, Action.CREATE, house.nonprod, settings(house, house.nonprod)))
    house.world.faults.add("ssm", lost, "lost-reply")
    changed = settings(house, house.nonprod, name="orders-weekly", comment="again")
    edit = carried_out(house, order_for(house, Action.EDIT, house.nonprod, changed, order.window_id))
    assert edit.state is OrderState.REQUESTED
    house.jump(sweep.RETRY_AFTER)
    edit = carried_out(house, edit)
    assert edit.state is OrderState.DONE
    assert read(house, edit) == changed
    whole(house, edit)


def test_a_window_without_task_or_target_gets_them_by_an_edit(house: House) -> None:
    bare = made_by_hand(house, house.nonprod)
    with pytest.raises(NotEditable, match="would reach no node"):
        read_at(house, house.nonprod, bare)
    spec = settings(house, house.nonprod)
    order = carried_out(house, order_for(house, Action.EDIT, house.nonprod, spec, bare))
    assert order.state is OrderState.DONE, order.note
    assert read(house, order) == spec
    whole(house, order)


def test_a_task_that_names_its_nodes_itself_goes_on_to(house: House) -> None:
    window_id = made_by_hand(house, house.nonprod)
    group = {"tag:PatchGroup": settings(house, house.nonprod).targets["tag:PatchGroup"]}
    written = [{"Key": key, "Values": list(values)} for key, values in group.items()]
    register(house, house.nonprod, window_id, Targets=written)
    order = order_for(house, Action.EDIT, house.nonprod, settings(house, house.nonprod, comment="new"), window_id)
    order = carried_out(house, order)
    window = window_of(house, order)
    (task,) = window.tasks.values()
    assert (order.state, window.targets, task.params["Targets"]) == (OrderState.DONE, {}, written)
    assert read(house, order).comment == "new"


def test_a_window_with_more_than_can_be_said_here_is_left_alone(house: House) -> None:
    order = carried_out(house, order_for(house, Action.CREATE, house.nonprod, settings(house, house.nonprod)))
    window = window_of(house, order)
    register(house, house.nonprod, window.id, Targets=[{"Key": "WindowTargetIds", "Values": list(window.targets)}])
    before = (dict(window.settings), {task.id: dict(task.params) for task in window.tasks.values()})
    with pytest.raises(NotEditable, match="has 2 tasks and 1 targets"):
        read(house, order)
    edit = order_for(house, Action.EDIT, house.nonprod, settings(house, house.nonprod, name="other"), window.id)
    edit = carried_out(house, edit)
    assert edit.state is OrderState.FAILED
    assert "edit it in Systems Manager" in edit.note
    assert before == (window.settings, {task.id: task.params for task in window.tasks.values()})


def test_an_edit_that_aws_refuses_half_way_says_what_was_changed(house: House) -> None:
    order = carried_out(house, order_for(house, Action.CREATE, house.nonprod, settings(house, house.nonprod)))
    bad = settings(house, house.nonprod, schedule="cron(nonsense)")
    edit = carried_out(house, order_for(house, Action.EDIT, house.nonprod, bad, order.window_id))
    assert edit.state is OrderState.FAILED
    assert "Invalid cron expression" in edit.note
    assert "Its targets and task had been changed already; its times may not have been." in edit.note


# --- On production a window only scans


def test_production_gets_no_window_that_installs_whoever_wrote_the_row(house: House) -> None:
    calls = len(house.world.ssm_log)
    for key, spec in (
        (house.prod, settings(house, house.prod, operation="Install")),
        (house.prod, settings(house, house.prod, document="AWS-RunPatchBaselineWithHooks")),
        (house.prod, settings(house, house.prod, targets={"tag:PatchGroup": ["another"]})),
        (house.nonprod, settings(house, house.prod, operation="Install")),
    ):
        order = carried_out(house, order_for(house, Action.CREATE, key, spec))
        assert order.state is OrderState.FAILED, spec
    assert changes_asked(house, calls) == []
    whose = target_of(house.parts.config.environments()[house.prod])
    window_id = made_by_hand(house, house.prod)
    with pytest.raises(OnlyScans, match="would install on production"):
        house.parts.window_orders.register_task(
            whose, window_id, "t" * 36, settings(house, house.prod, operation="Install"), "k", scan_only=True
        )


def test_an_existing_window_that_installs_on_production_is_disabled_but_enabled_only_once_it_scans(
    house: House,
) -> None:
    window_id = made_by_hand(house, house.prod, with_target=True)
    window = house_windows(house)[window_id]
    register(
        house,
        house.prod,
        window_id,
        Targets=[{"Key": "WindowTargetIds", "Values": list(window.targets)}],
        TaskInvocationParameters={"RunCommand": {"Parameters": {"Operation": ["Install"]}}},
    )
    assert read_at(house, house.prod, window_id).operation is Operation.INSTALL
    done = carried_out(house, order_for(house, Action.DISABLE, house.prod, None, window_id))
    assert done.state is OrderState.DONE
    assert not window.enabled
    assert "no longer opens" in card(house, done)
    refused = carried_out(house, order_for(house, Action.ENABLE, house.prod, None, window_id))
    assert refused.state is OrderState.FAILED
    assert "past the gate; it stays disabled" in refused.note
    assert not window.enabled
    spec = settings(house, house.prod)
    assert carried_out(house, order_for(house, Action.EDIT, house.prod, spec, window_id)).state is OrderState.DONE
    enabled = carried_out(house, order_for(house, Action.ENABLE, house.prod, None, window_id))
    assert enabled.state is OrderState.DONE
    assert window.enabled
    assert len(enabled.progress["next"]) == 5
    house.read_agenda()
    gone = carried_out(house, order_for(house, Action.DELETE, house.prod, None, window_id))
    assert gone.state is OrderState.DONE
    assert window_id not in house_windows(house)
    house.read_agenda()
    assert window_id not in known_windows(house)


def test_I13_a_window_that_installs_reaches_no_node_that_is_tagged_as_production(house: House) -> None:
    node_id = next(iter(house.node_ids("nonprod")))
    settings_of = house.parts.config.environments()[house.nonprod]
    ec2 = house._sessions.client("ec2", target_of(settings_of))
    ec2.create_tags(Resources=[node_id], Tags=[{"Key": "Environment", "Value": "production"}])
    calls = len(house.world.ssm_log)
    spec = settings(house, house.nonprod, operation="Install")
    order = carried_out(house, order_for(house, Action.CREATE, house.nonprod, spec))
    assert order.state is OrderState.FAILED
    assert "Environment=production" in order.note
    assert changes_asked(house, calls) == []
    assert carried_out(house, order_for(house, Action.CREATE, house.nonprod, settings(house, house.nonprod))).state is (
        OrderState.DONE
    )


def test_one_order_at_a_time_for_an_environment(house: House) -> None:
    order = order_for(house, Action.CREATE, house.nonprod, settings(house, house.nonprod))
    with pytest.raises(OrderOpen) as open_one:
        order_for(house, Action.DELETE, house.nonprod, None, "mw-0123456789abcdef0")
    assert open_one.value.order.id == order.id
    done = carried_out(house, order)
    assert done.state is OrderState.DONE
    order_for(house, Action.DELETE, house.nonprod, None, done.window_id)


# --- Helpers


def settings(house: House, key: EnvironmentKey, **changed: object) -> WindowSpec:
    values: dict[str, Any] = {
        "name": "orders-monthly",
        "schedule": "cron(0 2 ? * SUN *)",
        "duration_hours": 3,
        "cutoff_hours": 1,
        "operation": "Scan",
        "targets": house.parts.config.environments()[key].targets,
    }
    return read_spec({**values, **changed})


def order_for(
    house: House, action: Action, key: EnvironmentKey, spec: WindowSpec | None, window_id: str | None = None
) -> WindowOrder:
    """As the form's command commits it."""
    with house.store.transaction() as tx:
        now = house.clock.now()
        order = window_orders.create(
            tx,
            now,
            action=action,
            key=key,
            requested_by="U0ANN",
            spec=spec,
            window_id=window_id,
            window_name="a window" if window_id else "",
        )
        owe_card(tx, now, house.parts.config, order.subject, key.application)
    return order


def carried_out(house: House, order: WindowOrder) -> WindowOrder:
    """After one look of the sweep."""
    sweep.tick(house.parts, house.clock.now())
    return window_orders.get(house.store.db, order.id)


def card(house: House, order: WindowOrder) -> str:
    notice = outbox.card(house.store.db, order.subject)
    assert notice
    shown = render(house.store, house.parts.config, notice, Flavour.TEXT)
    return words_of({"text": shown.text, "blocks": shown.blocks})


def client(house: House, key: EnvironmentKey) -> Any:
    return house._sessions.client("ssm", target_of(house.parts.config.environments()[key]))


def house_windows(house: House) -> Mapping[str, MaintenanceWindow]:
    return {window.id: window for region in house.world.regions() for window in region.windows.values()}


def ours(house: House) -> list[MaintenanceWindow]:
    """Those that were made for this application."""
    return [each for each in house_windows(house).values() if each.tags.get("patchgate:application") == house.name]


def window_of(house: House, order: WindowOrder) -> MaintenanceWindow:
    assert order.window_id
    return house_windows(house)[order.window_id]


def whole(house: House, order: WindowOrder) -> None:
    """There is one of everything."""
    window = window_of(house, order)
    assert [len(window.targets), len(window.tasks)] == [1, 1]
    assert len(ours(house)) <= 1


def known_windows(house: House) -> set[str]:
    """Of the accounts that were read for the agenda."""
    found = [agenda.reading(house.store.db, where) for where in agenda.tries(house.store.db)]
    return {window.id for reading in found if reading and reading.agenda for window in reading.agenda.windows}


def read(house: House, order: WindowOrder) -> WindowSpec:
    assert order.window_id
    return read_at(house, order.key, order.window_id)


def read_at(house: House, key: EnvironmentKey, window_id: str) -> WindowSpec:
    return house.parts.window_orders.read(target_of(house.parts.config.environments()[key]), window_id)


def made_by_hand(house: House, key: EnvironmentKey, *, with_target: bool = False) -> str:
    """A window that somebody made elsewhere."""
    ssm = client(house, key)
    made = ssm.create_maintenance_window(
        Name="by-hand", Schedule="cron(0 3 ? * SAT *)", Duration=2, Cutoff=0, AllowUnassociatedTargets=False
    )
    window_id: str = made["WindowId"]
    if with_target:
        written = [{"Key": each, "Values": list(values)} for each, values in settings(house, key).targets.items()]
        ssm.register_target_with_maintenance_window(WindowId=window_id, ResourceType="INSTANCE", Targets=written)
    return window_id


def register(house: House, key: EnvironmentKey, window_id: str, **task: Any) -> None:
    scan = {"RunCommand": {"Parameters": {"Operation": ["Scan"]}}}
    client(house, key).register_task_with_maintenance_window(
        **{
            "WindowId": window_id,
            "TaskArn": "AWS-RunPatchBaseline",
            "TaskType": "RUN_COMMAND",
            "MaxConcurrency": "1",
            "MaxErrors": "0",
            "TaskInvocationParameters": scan,
            **task,
        }
    )


def changes_asked(house: House, since: int) -> list[str]:
    return [call.operation for call in house.world.ssm_log.after(since) if call.operation in (*MAKING, *CHANGING)]
