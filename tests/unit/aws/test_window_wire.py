"""Windows that others made, read as AWS tells them, and written back without losing what there is no word for."""

from typing import Any

import pytest

from aws.window_wire import ExistingWindow, NotEditable, task_settings, window_settings
from patching.model import Operation
from sandbox.aws.model import check_input

WINDOW = "mw-0123456789abcdef0"
TARGET, TASK = "84c818da-b619-4d3d-9651-946f3e1e8a01", "0e842a8d-2d44-4886-bb62-af8dc1e8a012"
SERVICE_LINKED = "arn:aws:iam::111222333444:role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM"


def window(**changed: Any) -> dict[str, Any]:
    told = {
        "WindowId": WINDOW,
        "Name": "by-hand",
        "Schedule": "cron(0 3 ? * SAT *)",
        "Duration": 2,
        "Cutoff": 0,
        "AllowUnassociatedTargets": False,
        "Enabled": True,
    }
    return told | changed


def target(**changed: Any) -> dict[str, Any]:
    group = [{"Key": "tag:PatchGroup", "Values": ["orders"]}]
    return {"WindowTargetId": TARGET, "ResourceType": "INSTANCE", "Targets": group} | changed


def task(parameters: dict[str, list[str]] | None = None, /, **changed: Any) -> dict[str, Any]:
    """As GetMaintenanceWindowTask tells one that was registered in the console, with its empty members."""
    told = {
        "WindowId": WINDOW,
        "WindowTaskId": TASK,
        "TaskArn": "AWS-RunPatchBaseline",
        "TaskType": "RUN_COMMAND",
        "ServiceRoleArn": SERVICE_LINKED,
        "Targets": [{"Key": "WindowTargetIds", "Values": [TARGET]}],
        "TaskParameters": {},
        "Priority": 0,
        "MaxConcurrency": "1",
        "MaxErrors": "0",
        "TaskInvocationParameters": {
            "RunCommand": {
                "Comment": "",
                "OutputS3BucketName": "",
                "OutputS3KeyPrefix": "",
                "DocumentVersion": "$DEFAULT",
                "NotificationConfig": {"NotificationArn": "", "NotificationEvents": [], "NotificationType": ""},
                "CloudWatchOutputConfig": {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": True},
                "TimeoutSeconds": 600,
                "Parameters": {"Operation": ["Scan"]} if parameters is None else parameters,
            }
        },
    }
    return told | changed


def test_the_empty_members_of_the_console_and_the_role_of_the_service_are_not_settings() -> None:
    existing = ExistingWindow(window(), [target()], [task()])
    spec = existing.spec()
    assert (spec.service_role_arn, spec.s3_bucket, spec.sns_topic_arn) == (None, None, None)
    assert (spec.priority, spec.cutoff_hours, spec.cloudwatch_output) == (0, 0, True)
    written = task_settings(spec, TARGET, scan_only=True, existing=existing.task)
    assert "ServiceRoleArn" not in written
    check_input("UpdateMaintenanceWindowTask", {"WindowId": WINDOW, "WindowTaskId": TASK, **written})
    check_input("UpdateMaintenanceWindow", {"WindowId": WINDOW, **window_settings(spec)})


def test_a_documents_hash_stays_with_its_document_alone() -> None:
    hashed = task()
    hashed["TaskInvocationParameters"]["RunCommand"] |= {"DocumentHash": "a" * 64, "DocumentHashType": "Sha256"}
    spec = ExistingWindow(window(), [target()], [hashed]).spec()
    same = task_settings(spec, TARGET, scan_only=True, existing=hashed)["TaskInvocationParameters"]["RunCommand"]
    assert same["DocumentHash"] == "a" * 64
    newer = spec.model_copy(update={"document_version": "7"})
    other = task_settings(newer, TARGET, scan_only=True, existing=hashed)["TaskInvocationParameters"]["RunCommand"]
    assert "DocumentHash" not in other


def test_a_task_of_old_has_its_parameters_and_its_bucket_elsewhere() -> None:
    older = task(
        {},
        TaskParameters={"Operation": {"Values": ["Install"]}, "RebootOption": {"Values": ["NoReboot"]}},
        LoggingInfo={"S3BucketName": "acme-logs", "S3KeyPrefix": "w", "S3Region": "eu-west-1"},
    )
    existing = ExistingWindow(window(), [target()], [older])
    spec = existing.spec()
    assert (spec.operation, spec.reboot_option) == (Operation.INSTALL, "NoReboot")
    assert (spec.s3_bucket, spec.s3_prefix) == ("acme-logs", "w")
    assert existing.may_install()


@pytest.mark.parametrize(
    ("existing", "why"),
    [
        (ExistingWindow(window(), [target(), target()], [task()]), "1 tasks and 2 targets"),
        (ExistingWindow(window(), [target()], [task(TaskType="AUTOMATION")]), "type AUTOMATION"),
        (ExistingWindow(window(), [target(ResourceType="RESOURCE_GROUP")], [task()]), "a resource group"),
        (ExistingWindow(window(), [target()], [task({})]), "The operation is missing"),
        (ExistingWindow(window(), [target()], [task({"Operation": ["Scan", "Install"]})]), "'Scan, Install'"),
        (ExistingWindow(window(), [target()], [task({"Operation": ["{{ssm:op}}"]})]), "Scan or Install"),
        (ExistingWindow(window(), [], [task()]), "would reach no node"),
        (
            ExistingWindow(window(), [target()], [task(Targets=[{"Key": "InstanceIds", "Values": ["i-1"]}])]),
            "names its nodes beside the window's targets",
        ),
    ],
)
def test_what_can_not_be_said_here_is_left_to_systems_manager(existing: ExistingWindow, why: str) -> None:
    with pytest.raises(NotEditable) as refused:
        existing.spec()
    assert why in str(refused.value)
    assert "edit it in Systems Manager." in str(refused.value)


@pytest.mark.parametrize(
    ("tasks", "may"),
    [
        ([], False),
        ([task()], False),
        ([task(TaskArn="AWS-RunShellScript")], False),
        ([task(), task({"Operation": ["Install"]})], True),
        ([task({})], True),
        ([task({}, TaskArn="AWS-PatchInstanceWithRollback")], True),
    ],
)
def test_which_windows_may_install(tasks: list[dict[str, Any]], may: bool) -> None:
    assert ExistingWindow(window(), [target()], tasks).may_install() is may
