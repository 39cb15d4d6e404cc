"""Managed nodes' operations."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.aws.fleet import AGENT_VERSION
from sandbox.aws.model import SsmError
from sandbox.aws.node import ManagedNode
from sandbox.aws.ssm.call import Call, Operation
from sandbox.aws.ssm.paging import page

_DEFAULT_HOST_MANAGEMENT = "/ssm/managed-instance/default-ec2-instance-management-role"

_KNOWN: dict[str, Callable[[ManagedNode], str]] = {
    "InstanceIds": lambda node: node.id,
    "AgentVersion": lambda node: node.agent_version,
    "PingStatus": lambda node: node.ping_status,
    "PlatformTypes": lambda node: node.platform.type,
    "ActivationIds": lambda node: "",
    "IamRole": lambda node: "",
    "ResourceType": lambda node: "EC2Instance",
    "AssociationStatus": lambda node: "",
    "SourceIds": lambda node: node.id,
    "SourceTypes": lambda node: "AWS::EC2::Instance",
}


def describe_instance_information(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    filters = [(item["Key"], item["Values"]) for item in params.get("Filters", [])]
    filters += [(item["key"], item["valueSet"]) for item in params.get("InstanceInformationFilterList", [])]
    tagged = [key for key, _ in filters if key == "tag-key" or key.startswith("tag:")]
    if tagged and len(tagged) < len(filters):
        raise SsmError("ValidationException", "Tag filters can't be combined with other filter types.")
    if any(key not in _KNOWN for key, _ in filters if key not in tagged):
        raise SsmError("InvalidFilterKey")
    nodes = [
        node
        for node in call.region.nodes.values()
        if call.world.registered(node) and all(_passes(call, node, key, values) for key, values in filters)
    ]
    shown, token = page(params, nodes, default=10)
    return {"InstanceInformationList": [_information(node, call.now) for node in shown], **token}


def get_service_setting(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    setting = params["SettingId"]
    prefix = f"arn:aws:ssm:{call.region.name}:{call.region.account}:servicesetting"
    if setting.removeprefix(prefix) != _DEFAULT_HOST_MANAGEMENT:
        raise SsmError("ServiceSettingNotFound", f"Setting {setting} not found")
    role = call.region.host_management_role
    return {
        "ServiceSetting": {
            "SettingId": _DEFAULT_HOST_MANAGEMENT,
            "SettingValue": role or "$None",
            "LastModifiedDate": call.region.created,
            "LastModifiedUser": "System",
            "ARN": prefix + _DEFAULT_HOST_MANAGEMENT,
            "Status": "Customized" if role else "Default",
        }
    }


def _passes(call: Call, node: ManagedNode, key: str, values: list[str]) -> bool:
    if key in _KNOWN:
        return _KNOWN[key](node) in values
    return node in call.world.resolve(call.region, [{"Key": key, "Values": values}])


def _information(node: ManagedNode, now: datetime) -> dict[str, Any]:
    if node.ping_status == "Online":
        node.last_ping = now
    number = int(node.id[-4:], 16)
    address = f"10.0.{number // 256}.{number % 256}"
    return {
        "InstanceId": node.id,
        "PingStatus": node.ping_status,
        "LastPingDateTime": node.last_ping,
        "AgentVersion": node.agent_version,
        "IsLatestVersion": node.agent_version == AGENT_VERSION,
        "PlatformType": node.platform.type,
        "PlatformName": node.platform.name,
        "PlatformVersion": node.platform.version,
        "ResourceType": "EC2Instance",
        "IPAddress": address,
        "ComputerName": f"ip-{address.replace('.', '-')}.{node.region}.compute.internal",
        "SourceId": node.id,
        "SourceType": "AWS::EC2::Instance",
    }


OPERATIONS: dict[str, Operation] = {
    "DescribeInstanceInformation": describe_instance_information,
    "GetServiceSetting": get_service_setting,
}
