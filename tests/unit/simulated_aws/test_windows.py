"""Maintenance windows: when they open, whom they cover, what they run (facts/patch-manager.md section 5)."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from sandbox.aws.model import SsmError
from sandbox.aws.schedule import BadSchedule, openings
from sandbox.fleet import small_fleet
from tests.unit.simulated_aws.support import OPENSSL, START, Rig

WINDOW: dict[str, Any] = {
    "Name": "nightly",
    "Schedule": "cron(0 2 * * ? *)",
    "Duration": 2,
    "Cutoff": 1,
    "AllowUnassociatedTargets": False,
}


# START is Friday, 20 November 2026, 12:00 UTC.
@pytest.mark.parametrize(
    ("expression", "timezone", "offset", "expected"),
    [
        ("cron(0 2 ? * SAT *)", "Europe/Berlin", 0, ["2026-11-21T01:00", "2026-11-28T01:00"]),
        ("cron(0 2 ? * 7 *)", "UTC", 0, ["2026-11-21T02:00", "2026-11-28T02:00"]),
        ("cron(0 2 ? * 2-6 *)", "UTC", 0, ["2026-11-23T02:00", "2026-11-24T02:00"]),
        ("cron(30 23 ? * TUE#3 *)", "UTC", 0, ["2026-12-15T23:30", "2027-01-19T23:30"]),
        ("cron(30 23 ? * 3#3 *)", "UTC", 2, ["2026-12-17T23:30", "2027-01-21T23:30"]),
        ("cron(0 4 ? * FRIL *)", "UTC", 0, ["2026-11-27T04:00", "2026-12-25T04:00"]),
        ("cron(0 4 ? * 6L *)", "UTC", 0, ["2026-11-27T04:00", "2026-12-25T04:00"]),
        ("cron(0 4 L * ? *)", "UTC", 0, ["2026-11-30T04:00", "2026-12-31T04:00"]),
        ("cron(0 4 1 1 ? 2020)", "UTC", 0, []),
        ("rate(7 days)", "UTC", 0, ["2026-11-27T12:00", "2026-12-04T12:00"]),
        ("rate(1 hour)", "UTC", 0, ["2026-11-20T13:00", "2026-11-20T14:00"]),
        ("at(2026-12-01T10:00:00)", "Europe/Dublin", 0, ["2026-12-01T10:00"]),
        ("at(2020-12-01T10:00:00)", "UTC", 0, []),
    ],
)
def test_openings(expression: str, timezone: str, offset: int, expected: list[str]) -> None:
    times = islice(openings(expression, timezone, offset, START, START), 2)
    assert [at.strftime("%Y-%m-%dT%H:%M") for at in times] == expected


def test_a_window_keeps_its_hour_when_the_clocks_change() -> None:
    summer = datetime(2026, 10, 20, tzinfo=UTC)
    times = islice(openings("cron(0 2 ? * SAT *)", "Europe/Dublin", 0, summer, summer), 2)
    assert [at.hour for at in times] == [1, 2]


@pytest.mark.parametrize(
    ("expression", "timezone"),
    [
        ("cron(nonsense)", "UTC"),
        ("cron(0 2 * * SAT *)", "UTC"),
        ("cron(0 2 ? * ? *)", "UTC"),
        ("cron(0 99 ? * SAT *)", "UTC"),
        ("rate(0 days)", "UTC"),
        ("rate(7 fortnights)", "UTC"),
        ("at(tomorrow)", "UTC"),
        ("daily", "UTC"),
        ("cron(0 2 ? * SAT *)", "Europe/Atlantis"),
    ],
)
def test_a_schedule_that_means_nothing_is_refused(expression: str, timezone: str) -> None:
    with pytest.raises(BadSchedule):
        openings(expression, timezone, 0, START, START)
    with pytest.raises(SsmError, match="ValidationException"):
        Rig(small_fleet()).call(
            "CreateMaintenanceWindow", **(WINDOW | {"Schedule": expression, "ScheduleTimezone": timezone})
        )


def test_a_window_shows_when_it_opens_next_and_for_whom() -> None:
    world = Rig(small_fleet(nonprod=2))
    window = world.call("CreateMaintenanceWindow", **WINDOW)["WindowId"]
    target = [{"Key": "tag:PatchGroup", "Values": ["app-nonprod"]}]
    world.call("RegisterTargetWithMaintenanceWindow", WindowId=window, ResourceType="INSTANCE", Targets=target)
    [shown] = world.call("DescribeMaintenanceWindows")["WindowIdentities"]
    assert (shown["WindowId"], shown["NextExecutionTime"]) == (window, "2026-11-21T02:00:00.000Z")
    for asked in (target, [{"Key": "InstanceIds", "Values": [world.ids[1]]}]):
        found = world.call("DescribeMaintenanceWindowsForTarget", Targets=asked, ResourceType="INSTANCE")
        assert found["WindowIdentities"] == [{"WindowId": window, "Name": "nightly"}]
        planned = world.call("DescribeMaintenanceWindowSchedule", Targets=asked, ResourceType="INSTANCE")
        assert planned["ScheduledWindowExecutions"][0]["ExecutionTime"] == "2026-11-21T02:00Z"
    nobody = [{"Key": "tag:PatchGroup", "Values": ["other"]}]
    found = world.call("DescribeMaintenanceWindowsForTarget", Targets=nobody, ResourceType="INSTANCE")
    assert found["WindowIdentities"] == []


def test_the_schedule_ends_where_it_is_asked_to_and_comes_in_pages() -> None:
    world = Rig(small_fleet())
    window = world.call("CreateMaintenanceWindow", **WINDOW)["WindowId"]
    filters = [{"Key": "ScheduledBefore", "Values": [(START + timedelta(days=7)).isoformat()]}]
    asked: dict[str, Any] = {"WindowId": window, "Filters": filters, "MaxResults": 4}
    first = world.call("DescribeMaintenanceWindowSchedule", **asked)
    second = world.call("DescribeMaintenanceWindowSchedule", **asked, NextToken=first["NextToken"])
    assert [len(part["ScheduledWindowExecutions"]) for part in (first, second)] == [4, 3]
    assert "NextToken" not in second


def test_an_install_task_asks_nobody_when_its_window_opens() -> None:
    world = Rig(small_fleet(packages=(OPENSSL,)))
    window = world.call("CreateMaintenanceWindow", **WINDOW)["WindowId"]
    target = world.call(
        "RegisterTargetWithMaintenanceWindow",
        WindowId=window,
        ResourceType="INSTANCE",
        Targets=[{"Key": "InstanceIds", "Values": world.ids}],
    )["WindowTargetId"]
    task = world.call(
        "RegisterTaskWithMaintenanceWindow",
        WindowId=window,
        Targets=[{"Key": "WindowTargetIds", "Values": [target]}],
        TaskArn="AWS-RunPatchBaseline",
        TaskType="RUN_COMMAND",
        TaskInvocationParameters={"RunCommand": {"Parameters": {"Operation": ["Install"]}}},
    )["WindowTaskId"]
    shown = world.call("GetMaintenanceWindowTask", WindowId=window, WindowTaskId=task)
    assert shown["TaskInvocationParameters"]["RunCommand"]["Parameters"] == {"Operation": ["Install"]}
    assert world.call("DescribeMaintenanceWindowTasks", WindowId=window)["Tasks"][0]["Type"] == "RUN_COMMAND"
    world.later(2 * 86400)
    assert len(world.world.installs(foreign=True)) == 2
    executions = world.call("DescribeMaintenanceWindowExecutions", WindowId=window)["WindowExecutions"]
    assert [execution["Status"] for execution in executions] == ["SUCCESS", "SUCCESS"]


def test_a_task_that_cannot_be_sent_fails_its_execution_and_nothing_else() -> None:
    world = Rig(small_fleet())
    window = world.call("CreateMaintenanceWindow", **WINDOW)["WindowId"]
    world.call(
        "RegisterTaskWithMaintenanceWindow",
        WindowId=window,
        Targets=[{"Key": "InstanceIds", "Values": world.ids}],
        TaskArn="AWS-RunPatchBaseline",
        TaskType="RUN_COMMAND",
        TaskInvocationParameters={"RunCommand": {"Parameters": {"Operation": ["Sweep"]}}},
    )
    world.later(86400)
    [execution] = world.call("DescribeMaintenanceWindowExecutions", WindowId=window)["WindowExecutions"]
    assert execution["Status"] == "FAILED"
    assert world.call("ListCommands")["Commands"] == []


def test_a_changed_or_deleted_window_no_longer_opens_as_before() -> None:
    world = Rig(small_fleet())
    window = world.call("CreateMaintenanceWindow", **WINDOW)["WindowId"]
    world.call("UpdateMaintenanceWindow", WindowId=window, Schedule="cron(0 6 * * ? *)")
    world.later(86400)
    [execution] = world.call("DescribeMaintenanceWindowExecutions", WindowId=window)["WindowExecutions"]
    assert datetime.fromtimestamp(execution["StartTime"], UTC).hour == 6
    world.call("UpdateMaintenanceWindow", WindowId=window, Enabled=False)
    assert "NextExecutionTime" not in world.call("GetMaintenanceWindow", WindowId=window)
    world.call("DeleteMaintenanceWindow", WindowId=window)
    with pytest.raises(SsmError, match="DoesNotExistException"):
        world.call("GetMaintenanceWindow", WindowId=window)


def test_a_client_token_creates_one_window() -> None:
    world = Rig(small_fleet())
    first = world.call("CreateMaintenanceWindow", **WINDOW, ClientToken="once")
    assert world.call("CreateMaintenanceWindow", **WINDOW, ClientToken="once") == first
    with pytest.raises(SsmError, match="IdempotentParameterMismatch"):
        world.call("CreateMaintenanceWindow", **(WINDOW | {"Name": "other"}), ClientToken="once")


def test_targets_and_tasks_are_changed_piece_by_piece_or_as_a_whole_and_taken_away() -> None:
    rig = Rig(small_fleet(nonprod=1, packages=(OPENSSL,)))
    window = rig.call("CreateMaintenanceWindow", **WINDOW, Tags=[{"Key": "team", "Value": "orders"}])
    at = {"WindowId": window["WindowId"]}
    group = [{"Key": "tag:PatchGroup", "Values": ["a"]}]
    registered = rig.call(
        "RegisterTargetWithMaintenanceWindow", **at, ResourceType="INSTANCE", Targets=group, Name="servers"
    )
    target = {**at, "WindowTargetId": registered["WindowTargetId"]}
    referred = [{"Key": "WindowTargetIds", "Values": [registered["WindowTargetId"]]}]
    made = rig.call(
        "RegisterTaskWithMaintenanceWindow",
        **at,
        TaskArn="AWS-RunPatchBaseline",
        TaskType="RUN_COMMAND",
        Targets=referred,
        Priority=3,
        Name="look",
    )
    task = {**at, "WindowTaskId": made["WindowTaskId"]}
    rig.call("UpdateMaintenanceWindowTarget", **target, Description="all of them")
    rig.call("UpdateMaintenanceWindowTask", **task, MaxErrors="2")
    (told,) = rig.call("DescribeMaintenanceWindowTargets", **at)["Targets"]
    assert (told["Name"], told["Description"], told["Targets"]) == ("servers", "all of them", group)
    told = rig.call("GetMaintenanceWindowTask", **task)
    assert (told["Name"], told["Priority"], told["MaxErrors"]) == ("look", 3, "2")
    with pytest.raises(SsmError, match="Replace needs TaskArn"):
        rig.call("UpdateMaintenanceWindowTask", **task, Replace=True, Targets=referred)
    rig.call(
        "UpdateMaintenanceWindowTask",
        **task,
        Replace=True,
        TaskArn="AWS-RunPatchBaseline",
        Targets=referred,
        Priority=1,
    )
    told = rig.call("GetMaintenanceWindowTask", **task)
    assert (told.get("Name"), told["Priority"], told.get("MaxErrors")) == (None, 1, None)
    assert told["TaskType"] == "RUN_COMMAND"
    rig.call("UpdateMaintenanceWindowTarget", **target, Replace=True, Targets=group)
    assert "Name" not in rig.call("DescribeMaintenanceWindowTargets", **at)["Targets"][0]
    with pytest.raises(SsmError, match="is used by a task"):
        rig.call("DeregisterTargetFromMaintenanceWindow", **target, Safe=True)
    rig.call("DeregisterTaskFromMaintenanceWindow", **task)
    rig.call("DeregisterTargetFromMaintenanceWindow", **target, Safe=True)
    assert rig.call("DescribeMaintenanceWindowTargets", **at)["Targets"] == []
    with pytest.raises(SsmError, match="does not exist"):
        rig.call("GetMaintenanceWindowTask", **task)


def test_a_start_date_without_an_offset_is_one_of_the_windows_own_zone() -> None:
    rig = Rig(small_fleet(nonprod=1, packages=(OPENSSL,)))
    at = {"Schedule": "rate(1 day)", "ScheduleTimezone": "America/New_York", "StartDate": "2026-12-01T00:00:00"}
    window = rig.call("CreateMaintenanceWindow", **{**WINDOW, **at})
    (first, *_) = rig.call("DescribeMaintenanceWindowSchedule", WindowId=window["WindowId"])[
        "ScheduledWindowExecutions"
    ]
    assert first["ExecutionTime"] == "2026-12-02T05:00Z"
