"""Maintenance windows that are there already: edited, disabled, enabled, deleted; on production they only scan."""

from collections.abc import Iterator

import pytest

from aws.window_wire import NotEditable, OnlyScans
from patching.model import Operation
from patching.nodes import EnvironmentKey
from patching.states import OrderState
from scheduler import window_orders as sweep
from scheduler.parts import target_of
from storage.window_orders import Action, OrderOpen
from tests.integration.ordered_windows import (
    CHANGING,
    card,
    carried_out,
    changes_asked,
    client,
    house_windows,
    known_windows,
    made_by_hand,
    order_for,
    read,
    read_at,
    register,
    settings,
    whole,
    window_of,
)
from tests.stateful.house import House
from tests.stateful.street import Street


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("window-edits"))
    yield opened
    opened.close()


@pytest.fixture
def house(street: Street) -> Iterator[House]:
    house = street.next_house({})
    yield house
    house.close()


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


def test_a_window_of_non_production_whose_targets_reach_production_too_is_not_enabled_while_it_installs(
    house: House,
) -> None:
    """Somebody made it for both, beside the gate."""
    environments = house._document["applications"][house.name]["environments"]
    stage = {**environments["prod"], "production": False, "targets": {"tag:PatchGroup": ["stage"]}}
    house.restart(environments={"stage": stage, **environments})
    key = EnvironmentKey(house.name, "stage")
    window_id = made_by_hand(house, house.prod)
    groups = [*settings(house, house.prod).targets["tag:PatchGroup"], "stage"]
    install = {"RunCommand": {"Parameters": {"Operation": ["Install"]}}}
    targets = [{"Key": "tag:PatchGroup", "Values": groups}]
    register(house, house.prod, window_id, Targets=targets, TaskInvocationParameters=install)
    carried_out(house, order_for(house, Action.DISABLE, key, None, window_id))
    refused = carried_out(house, order_for(house, Action.ENABLE, key, None, window_id))
    assert refused.state is OrderState.FAILED
    assert "past the gate; it stays disabled" in refused.note
    assert not house_windows(house)[window_id].enabled


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
