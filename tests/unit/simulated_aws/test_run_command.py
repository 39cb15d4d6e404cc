"""Run Command as time passes: facts/patch-manager.md section 4."""

from datetime import timedelta

import pytest

from sandbox.aws.model import SsmError
from sandbox.fleet import small_fleet
from tests.unit.simulated_aws.support import OPENSSL, START, Rig, upgrade

# With support.Rig: delivered after 1 s, a scan takes 10 s, a package 2 s, a reboot 30 s.
SCANNED, DELIVERED = 11.1, 1.1


def rig(nodes: int = 1, *failing: int) -> Rig:
    """Nodes with one upgrade; it fails on those whose numbers are given, from 1."""
    refused = {f"app-nonprod-{number}": frozenset({"openssl"}) for number in failing}
    return Rig(
        small_fleet(nonprod=nodes, packages=(OPENSSL,), releases=(upgrade(OPENSSL, "3.0.17-1"),), failing=refused)
    )


def test_a_scan_goes_from_pending_through_in_progress_to_success() -> None:
    world = rig()
    command = world.send()
    assert (world.details(command), world.parent(command)) == (["Pending"], ("Pending", "Pending"))
    world.later(DELIVERED)
    assert (world.details(command), world.parent(command)) == (["InProgress"], ("InProgress", "InProgress"))
    world.later(SCANNED)
    assert (world.details(command), world.parent(command)) == (["Success"], ("Success", "Success"))


@pytest.mark.parametrize(("concurrency", "at_once"), [("1", 1), ("2", 2), ("50%", 2), ("10%", 1), ("100%", 4)])
def test_max_concurrency_is_honoured(concurrency: str, at_once: int) -> None:
    world = rig(4)
    command = world.send(MaxConcurrency=concurrency)
    world.later(DELIVERED)
    assert world.details(command).count("InProgress") == at_once
    world.later(SCANNED + DELIVERED)
    assert world.details(command).count("Success") == at_once
    world.later(4 * (SCANNED + DELIVERED))
    assert world.details(command) == ["Success"] * 4


@pytest.mark.parametrize(
    ("max_errors", "failing", "details", "parent"),
    [
        ("0", (1,), ["Failed", "Terminated", "Terminated"], ("Failed", "Failed")),
        ("1", (1,), ["Failed", "Success", "Success"], ("Success", "Incomplete")),
        ("1", (1, 2), ["Failed", "Failed", "Terminated"], ("Failed", "Failed")),
        ("34%", (1, 2), ["Failed", "Failed", "Terminated"], ("Failed", "Failed")),
        ("67%", (1, 2), ["Failed", "Failed", "Success"], ("Success", "Incomplete")),
    ],
)
def test_error_number_max_errors_plus_one_stops_the_command(
    max_errors: str, failing: tuple[int, ...], details: list[str], parent: tuple[str, str]
) -> None:
    world = rig(3, *failing)
    command = world.send("Install", MaxConcurrency="1", MaxErrors=max_errors)
    world.later(600)
    assert (world.details(command), world.parent(command)) == (details, parent)


def test_undeliverable_nodes_leave_the_parent_a_success() -> None:
    world = rig(3)
    world.world.set_agent(world.ids[1], "lost")
    world.world.set_power(world.ids[2], "stop")
    command = world.run("Scan", MaxErrors="0")
    assert world.details(command) == ["Success", "Undeliverable", "Undeliverable"]
    assert world.parent(command) == ("Success", "Success")
    answer = world.call("ListCommands", CommandId=command)["Commands"][0]
    assert (answer["TargetCount"], answer["CompletedCount"], answer["ErrorCount"]) == (3, 3, 0)


def test_a_silent_node_times_out_in_delivery_and_not_as_an_error() -> None:
    world = rig(2)
    world.world.set_agent(world.ids[1], "silent")
    command = world.send(TimeoutSeconds=60)
    world.later(59)
    assert world.details(command) == ["Success", "Pending"]
    world.later(2)
    assert world.details(command) == ["Success", "DeliveryTimedOut"]
    assert world.parent(command) == ("Success", "Incomplete")


def test_a_silent_node_that_comes_back_in_time_takes_the_command() -> None:
    world = rig()
    world.world.set_agent(world.ids[0], "silent")
    command = world.send(TimeoutSeconds=60)
    world.later(30)
    world.world.set_agent(world.ids[0], "back")
    world.later(SCANNED)
    assert world.details(command) == ["Success"]


def test_a_node_that_never_answers_is_in_progress_until_the_step_times_out() -> None:
    world = rig()
    world.world.faults.add("ssm", "SendCommand", "never-answers")
    command = world.send()
    world.later(7200)
    assert world.details(command) == ["InProgress"]
    world.later(2)
    assert world.details(command) == ["ExecutionTimedOut"]
    assert world.parent(command) == ("TimedOut", "ExecutionTimedOut")


def test_a_node_that_dies_mid_run_is_in_progress_until_everything_has_expired() -> None:
    world = rig()
    command = world.send(TimeoutSeconds=60)
    world.later(5)
    world.world.set_power(world.ids[0], "stop")
    world.later(60 + 7200 - 6)
    assert world.details(command) == ["InProgress"]
    world.later(2)
    assert world.details(command) == ["DeliveryTimedOut"]
    assert world.state() == {}


def test_a_node_whose_reboot_hangs_is_away_until_somebody_starts_it_and_then_goes_on() -> None:
    world = rig()
    world.world.faults.add("ssm", "SendCommand", "never-returns")
    command = world.send("Install")
    world.later(600)
    (seen,) = world.call("DescribeInstanceInformation")["InstanceInformationList"]
    assert (seen["PingStatus"], world.details(command)) == ("ConnectionLost", ["InProgress"])
    assert seen["LastPingDateTime"] == (START + timedelta(seconds=1 + 10 + 2)).timestamp()
    world.world.set_power(world.ids[0], "start")
    assert world.details(command) == ["Success"]
    assert world.call("DescribeInstanceInformation")["InstanceInformationList"][0]["PingStatus"] == "Online"


def test_a_node_out_of_reach_goes_on_although_its_command_has_expired() -> None:
    world = rig()
    command = world.send("Install", TimeoutSeconds=60)
    world.later(12)
    world.world.faults.add("ssm", "SendCommand", "never-returns")
    world.later(60 + 7200)
    assert world.details(command) == ["DeliveryTimedOut"]
    world.world.set_power(world.ids[0], "start")
    assert world.details(command) == ["DeliveryTimedOut"]
    assert world.world.node(world.ids[0]).running is None
    assert world.state()["Operation"] == "Install"


def test_an_agent_lost_mid_run_reports_when_it_is_back_but_the_picture_stays_old() -> None:
    world = rig()
    command = world.send("Install")
    world.later(5)
    world.world.set_agent(world.ids[0], "lost")
    world.later(600)
    assert world.details(command) == ["InProgress"]
    world.world.set_agent(world.ids[0], "back")
    assert world.details(command) == ["Success"]
    assert world.state() == {}
    assert world.world.installs()[0].rows == {world.ids[0]: (("openssl.amd64", "openssl.amd64:3.0.17-1"),)}


def test_a_second_run_on_a_busy_node_fails_and_the_first_goes_on() -> None:
    world = rig()
    first = world.send()
    world.later(5)
    second = world.send()
    world.later(DELIVERED)
    assert (world.details(first), world.details(second)) == (["InProgress"], ["Failed"])
    world.later(SCANNED)
    assert world.details(first) == ["Success"]
    invocation = world.call("GetCommandInvocation", CommandId=second, InstanceId=world.ids[0], PluginName="PatchLinux")
    assert invocation["ResponseCode"] == 152


def test_during_a_reboot_the_agent_is_away_and_the_invocation_in_progress() -> None:
    world = rig()
    command = world.send("Install")

    def ping() -> str:
        found = world.call("DescribeInstanceInformation")["InstanceInformationList"]
        return str(found[0]["PingStatus"])

    world.later(12)
    assert (ping(), world.details(command)) == ("Online", ["InProgress"])
    world.later(5)
    assert (ping(), world.details(command)) == ("ConnectionLost", ["InProgress"])
    world.later(30)
    assert (ping(), world.details(command)) == ("Online", ["Success"])


def test_a_command_to_a_rebooting_node_is_delayed_until_it_is_back() -> None:
    world = rig()
    world.send("Install")
    world.later(20)
    command = world.send()
    world.later(2)
    assert world.details(command) == ["Delayed"]
    world.later(40)
    assert world.details(command) == ["Success"]


def test_cancelling_stops_what_waits_at_once_and_what_runs_a_little_later() -> None:
    world = rig(2)
    command = world.send(MaxConcurrency="1")
    world.later(DELIVERED)
    world.call("CancelCommand", CommandId=command)
    assert world.details(command) == ["Cancelling", "Cancelled"]
    assert world.parent(command) == ("Cancelling", "Cancelling")
    world.later(2)
    assert world.details(command) == ["Cancelled", "Cancelled"]
    assert world.parent(command) == ("Cancelled", "Cancelled")
    world.later(60)
    assert world.state() == {}


def test_a_cancelled_install_keeps_what_was_already_in_place() -> None:
    packages = tuple(type(OPENSSL)(f"lib{letter}", "amd64", "1", suite="security") for letter in "abc")
    world = Rig(small_fleet(packages=packages, releases=tuple(upgrade(package, "2") for package in packages)))
    command = world.send("Install")
    world.later(1 + 10 + 2.5)
    world.call("CancelCommand", CommandId=command)
    world.later(2)
    assert world.details(command) == ["Cancelled"]
    assert [title for _, title in world.world.installs()[0].rows[world.ids[0]]] == ["liba.amd64:2"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"InstanceIds": ["i-00000000000000000"]}, "InvalidInstanceId"),
        ({"InstanceIds": []}, "ValidationException"),
        ({"DocumentName": "AWS-Unheard"}, "InvalidDocument"),
        ({"DocumentVersion": "99"}, "InvalidDocumentVersion"),
        ({"DocumentHash": "0" * 64, "DocumentHashType": "Sha256"}, "InvalidDocument"),
        ({"Parameters": {}}, "InvalidParameters"),
        ({"Parameters": {"Operation": ["Sweep"]}}, "InvalidParameters"),
        ({"Parameters": {"Operation": ["Scan", "Install"]}}, "InvalidParameters"),
        ({"Parameters": {"Operation": ["Scan"], "Unheard": ["x"]}}, "InvalidParameters"),
        ({"Parameters": {"Operation": ["Scan"], "SnapshotId": ["mine"]}}, "InvalidParameters"),
        ({"Targets": [{"Key": "tag:PatchGroup", "Values": ["app-nonprod"]}]}, "ValidationException"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_and_none_is_created(change: dict[str, object], code: str) -> None:
    world = rig()
    good = {"DocumentName": "AWS-RunPatchBaseline", "InstanceIds": world.ids, "Parameters": {"Operation": ["Scan"]}}
    with pytest.raises(SsmError) as refused:
        world.call("SendCommand", **(good | change))
    assert refused.value.code == code
    assert world.call("ListCommands")["Commands"] == []


def test_the_document_s_own_hash_is_accepted_and_a_new_version_changes_it() -> None:
    world = rig()
    document = world.call("DescribeDocument", Name="AWS-RunPatchBaseline")["Document"]
    world.send(DocumentHash=document["Hash"], DocumentHashType="Sha256")
    world.world.library.publish("AWS-RunPatchBaseline", world.clock.now(), "A newer description")
    newer = world.call("DescribeDocument", Name="AWS-RunPatchBaseline")["Document"]
    assert (newer["DocumentVersion"], newer["Hash"] != document["Hash"]) == ("2", True)
    with pytest.raises(SsmError, match="InvalidDocument"):
        world.send(DocumentHash=document["Hash"], DocumentHashType="Sha256")


def test_a_terminated_node_is_refused_and_one_terminated_later_is_undeliverable() -> None:
    world = rig(2)
    command = world.send()
    world.world.set_power(world.ids[0], "terminate")
    world.later(SCANNED + 1)
    assert world.details(command) == ["Undeliverable", "Success"]
    with pytest.raises(SsmError, match="InvalidInstanceId"):
        world.send()


def test_targets_by_tag_reach_the_same_nodes() -> None:
    world = rig(2)
    command = world.send(ids=[], Targets=[{"Key": "tag:PatchGroup", "Values": ["app-nonprod"]}])
    world.later(SCANNED + 1)
    assert world.details(command) == ["Success", "Success"]
    nobody = world.send(ids=[], Targets=[{"Key": "tag:PatchGroup", "Values": ["other"]}])
    assert world.parent(nobody) == ("Failed", "NoInstancesInTag")


def test_an_invocation_is_not_known_at_once_and_needs_the_step_s_name() -> None:
    world = rig()
    command = world.send()
    asked = {"CommandId": command, "InstanceId": world.ids[0], "PluginName": "PatchLinux"}
    with pytest.raises(SsmError, match="InvocationDoesNotExist"):
        world.call("GetCommandInvocation", **asked)
    world.later(60)
    assert world.call("GetCommandInvocation", **asked)["ExecutionElapsedTime"] == "PT10.000S"
    skipped = world.call("GetCommandInvocation", **(asked | {"PluginName": "PatchWindows"}))
    assert "unsupported platform" in skipped["StandardOutputContent"]
    with pytest.raises(SsmError, match="InvalidPluginName"):
        world.call("GetCommandInvocation", CommandId=command, InstanceId=world.ids[0])


def test_commands_are_listed_newest_first_and_filtered() -> None:
    world = rig()
    first = world.run("Scan")
    middle = world.clock.now()
    world.later(1)
    second = world.send("Scan")

    def listed(**filters: str) -> list[str]:
        items = [{"key": key, "value": value} for key, value in filters.items()]
        found = world.call("ListCommands", **({"Filters": items} if items else {}))["Commands"]
        return [command["CommandId"] for command in found]

    assert listed() == [second, first]
    assert listed(InvokedAfter=middle.isoformat()) == [second]
    assert listed(InvokedBefore=middle.isoformat()) == [first]
    assert listed(Status="Success") == [first]
    assert listed(ExecutionStage="Executing") == [second]
    assert listed(DocumentName="AWS-Other") == []
