"""The policies allow exactly what the code calls."""

import ast
import json
from pathlib import Path
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError

from aws.backup_answers import PREFIX
from aws.check import DOCUMENT
from aws.errors import classify
from aws.permissions import DEFAULT_HOST_MANAGEMENT
from aws.sessions import ROLE_SESSION_NAME
from patching.hooks import INSTALL_WITH_HOOKS, INSTALL_WITH_HOOKS_UNPINNED

ROOT = Path(__file__).parents[3]
SERVICES = ("backup", "cloudwatch", "ec2", "iam", "s3", "sesv2", "ssm", "sts")
# Where IAM's action is not named as the operation is.
PREFIX_OF = {"sesv2": "ses"}
ACTION_OF = {"s3:ListObjectsV2": "s3:ListBucket"}
NEEDS_NO_PERMISSION = {"sts:GetCallerIdentity"}
# Asked for besides: where what is created is tagged at once, a mail is given as it is, a role is passed on.
ASKED_BESIDES = {
    "ec2:CreateImage": "ec2:CreateTags",
    "ec2:CreateSnapshots": "ec2:CreateTags",
    "ses:SendEmail": "ses:SendRawEmail",
    "ssm:CreateMaintenanceWindow": "ssm:AddTagsToResource",
    "ssm:RegisterTaskWithMaintenanceWindow": "iam:PassRole",
    "ssm:UpdateMaintenanceWindowTask": "iam:PassRole",
}
# botocore's fetcher makes this call in our place.
THROUGH_BOTOCORE = {"AssumeRoleCredentialFetcher": "sts:AssumeRole"}


def actions_by_method() -> dict[str, str]:
    """{"send_command": "ssm:SendCommand", …} for every operation of the services used."""
    session = botocore.session.get_session()
    return {
        xform_name(operation): f"{PREFIX_OF.get(service, service)}:{operation}"
        for service in SERVICES
        for operation in session.get_service_model(service).operation_names
    }


def actions_called() -> set[str]:
    by_method = actions_by_method()
    called: set[str] = set()
    for path in sorted((ROOT / "aws").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(attr="get_paginator"), args=[ast.Constant(value=str(method))]):
                    called.add(by_method[method])
                case ast.Call(func=ast.Attribute(attr=method)) if method in by_method:
                    called.add(by_method[method])
                case ast.Call(func=ast.Name(id=name)) if name in THROUGH_BOTOCORE:
                    called.add(THROUGH_BOTOCORE[name])
    return {ACTION_OF.get(action, action) for action in called} - NEEDS_NO_PERMISSION


def actions_needed() -> set[str]:
    called = actions_called()
    return called | {ASKED_BESIDES[action] for action in called if action in ASKED_BESIDES}


def statements(name: str) -> list[dict[str, Any]]:
    policy = json.loads((ROOT / "deploy" / "iam" / name).read_text())
    found: list[dict[str, Any]] = policy["Statement"]
    assert {statement["Effect"] for statement in found} == {"Allow"}
    return found


def actions_allowed(name: str) -> set[str]:
    allowed: set[str] = set()
    for statement in statements(name):
        action = statement["Action"]
        allowed |= {action} if isinstance(action, str) else set(action)
    return allowed


def test_policies_allow_exactly_what_is_called() -> None:
    allowed = actions_allowed("bot-policy.json") | actions_allowed("target-role-policy.json")
    assert allowed == actions_needed()


def test_only_the_role_in_the_target_account_may_touch_nodes() -> None:
    assert {action.partition(":")[0] for action in actions_allowed("bot-policy.json")} == {"sts", "s3", "ses"}
    services = {action.partition(":")[0] for action in actions_allowed("target-role-policy.json")}
    assert services == {"backup", "cloudwatch", "ec2", "iam", "ssm"}


def test_beyond_sending_cancelling_backing_up_and_windows_the_target_role_only_reads() -> None:
    changing = {
        action
        for action in actions_allowed("target-role-policy.json")
        if not action.partition(":")[2].startswith(("Describe", "Get", "List", "Simulate"))
    }
    assert changing == {
        "ssm:SendCommand",
        "ssm:CancelCommand",
        "ec2:CreateImage",
        "ec2:CreateSnapshots",
        "ec2:CreateTags",
        "iam:PassRole",
        "ssm:AddTagsToResource",
        "ssm:CreateMaintenanceWindow",
        "ssm:DeleteMaintenanceWindow",
        "ssm:RegisterTargetWithMaintenanceWindow",
        "ssm:RegisterTaskWithMaintenanceWindow",
        "ssm:UpdateMaintenanceWindow",
        "ssm:UpdateMaintenanceWindowTarget",
        "ssm:UpdateMaintenanceWindowTask",
    }


def test_windows_are_made_and_tagged_in_the_bots_name_alone_and_pass_one_role_to_systems_manager() -> None:
    by_action = {str(each["Action"]): each for each in statements("target-role-policy.json")}
    made, tagged = by_action["ssm:CreateMaintenanceWindow"], by_action["ssm:AddTagsToResource"]
    assert made["Condition"] == {"StringLike": {f"aws:RequestTag/{PREFIX}application": "*"}}
    assert tagged["Condition"] == {"ForAllValues:StringLike": {"aws:TagKeys": f"{PREFIX}*"}}
    passed = by_action["iam:PassRole"]
    assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}
    assert passed["Resource"] == "arn:aws:iam::*:role/patchgate-windows"


def test_tags_are_written_while_a_backup_is_taken_and_never_else() -> None:
    (tagging,) = [each for each in statements("target-role-policy.json") if each["Action"] == "ec2:CreateTags"]
    assert tagging["Resource"] == ["arn:aws:ec2:*::snapshot/*", "arn:aws:ec2:*::image/*"]
    assert tagging["Condition"] == {"StringEquals": {"ec2:CreateAction": ["CreateSnapshots", "CreateImage"]}}


def test_the_default_host_management_setting_is_the_one_that_is_asked_for() -> None:
    (reading,) = [each for each in statements("target-role-policy.json") if each["Action"] == "ssm:GetServiceSetting"]
    assert reading["Resource"] == f"arn:aws:ssm:*:*:servicesetting{DEFAULT_HOST_MANAGEMENT}"


def test_calendars_are_read_and_nothing_else_of_a_document() -> None:
    (reading,) = [each for each in statements("target-role-policy.json") if "GetCalendarState" in str(each["Action"])]
    assert reading["Action"] == "ssm:GetCalendarState"
    assert reading["Resource"] == "arn:aws:ssm:*:*:document/*"


def test_errors_name_the_action_that_the_policies_allow() -> None:
    by_operation = {action.partition(":")[2]: action for action in actions_called()}
    answer: Any = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    refused = ClientError(answer, "")
    for operation, action in by_operation.items():
        asked = {"ListBucket": "ListObjectsV2"}.get(operation, operation)
        assert f"allow {action} there" in str(classify(refused, asked, None)), operation


def resources(sid: str) -> set[str]:
    (found,) = [each for each in statements("target-role-policy.json") if each["Sid"] == sid]
    return set(found["Resource"])


def arns(*names: str) -> set[str]:
    return {f"arn:aws:ssm:*:*:document/{name}" for name in names}


# Of the example application: run within the document that patches, or by themselves.
HOOKS = arns("DrainOrders", "UpdateOrders", "StartOrders")
BY_THEMSELVES = arns("CheckOrders", "DumpOrders")


def test_send_command_is_limited_to_the_documents_of_plans_and_to_tagged_nodes() -> None:
    sending = [each for each in statements("target-role-policy.json") if "ssm:SendCommand" in each["Action"]]
    (on_nodes,) = [each for each in sending if "instance" in str(each["Resource"])]
    assert on_nodes["Resource"] == "arn:aws:ec2:*:*:instance/*"
    assert on_nodes["Condition"] == {"StringLike": {"ssm:resourceTag/PatchGroup": "*"}}
    patching = arns(DOCUMENT, INSTALL_WITH_HOOKS, INSTALL_WITH_HOOKS_UNPINNED)
    assert resources("RunOnlyThePatchDocuments") == resources("ReadThePatchDocuments") == patching
    assert resources("RunYourHealthAndBackupDocuments") == BY_THEMSELVES
    assert {each["Sid"] for each in sending if each is not on_nodes} == {
        *("RunOnlyThePatchDocuments", "RunYourHealthAndBackupDocuments"),
    }


def test_the_documents_of_the_example_are_read_and_no_hook_may_be_sent() -> None:
    examples = {path.stem for path in (ROOT / "deploy" / "ssm" / "examples").glob("*.yaml")}
    assert resources("ReadYourHooksAndYourOtherDocuments") == HOOKS | BY_THEMSELVES == arns(*examples)
    described = [each for each in statements("target-role-policy.json") if "ssm:DescribeDocument" in each["Action"]]
    assert {each["Sid"] for each in described} == {"ReadThePatchDocuments", "ReadYourHooksAndYourOtherDocuments"}


def test_the_role_session_name_that_the_trust_demands_is_the_one_that_is_sent() -> None:
    (trust,) = statements("target-role-trust.json")
    assert trust["Action"] == "sts:AssumeRole"
    assert trust["Condition"]["StringEquals"]["sts:RoleSessionName"] == ROLE_SESSION_NAME
