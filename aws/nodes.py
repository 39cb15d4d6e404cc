"""Which nodes a target's tags or ids mean now, and whether their agents answer."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aws.caller import MOST_IDS, Caller, batches, known_time
from aws.errors import calling
from aws.target import Target
from patching.absence import Presence
from patching.model import Node, Platform
from patching.nodes import INSTANCE_IDS, selects

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FilterTypeDef, InstanceTypeDef
    from mypy_boto3_ssm.type_defs import InstanceInformationTypeDef

ABSENT = "absent"
_ALIVE = ["pending", "running", "stopping", "stopped"]
_MOST_FILTER_VALUES = 200


class Nodes(Caller):
    def resolve(self, target: Target, targets: Mapping[str, Sequence[str]]) -> tuple[Node, ...]:
        """The nodes that carry every tag of `targets`, or that `instance_ids` names, sorted by id.

        `targets` is {"tag:PatchGroup": ["orders-db-prod"]} or {"instance_ids": ["i-…"]}. Terminated instances
        are left out, but an id that was named stays, with power "absent": a node must not vanish silently (I9).
        Raises AwsError.
        """
        instances: dict[str, InstanceTypeDef] = {}
        for filters in _filters(targets):
            found = self._instances(target, filters)
            # To the letter: EC2's filters read * and ? as wildcards, which could add nodes.
            instances |= {
                node_id: instance for node_id, instance in found.items() if selects(targets, node_id, _tags(instance))
            }
        ids = sorted(instances.keys() | set(targets.get(INSTANCE_IDS, ())))
        information = self._information(target, ids)
        return tuple(_node(node_id, instances.get(node_id), information.get(node_id)) for node_id in ids)

    def ping(self, target: Target, node_ids: Sequence[str]) -> Mapping[str, str]:
        """Online, ConnectionLost or Inactive for each node that Systems Manager knows; the others are left out."""
        information = self._information(target, node_ids)
        return {node_id: str(found["PingStatus"]) for node_id, found in information.items() if "PingStatus" in found}

    def presence(self, target: Target, node_ids: Sequence[str]) -> Mapping[str, Presence]:
        """How each node is known to Systems Manager; one that it does not know is left out. A call for 50 nodes."""
        return {
            node_id: Presence(str(found.get("PingStatus", "")), known_time(found.get("LastPingDateTime")))
            for node_id, found in self._information(target, node_ids).items()
        }

    def powers(self, target: Target, node_ids: Sequence[str]) -> Mapping[str, str]:
        """EC2's state of each node: running, stopped, terminated …; "absent" where EC2 does not know it any more.

        A call for 200 nodes. EC2 shows a terminated instance for about an hour.
        """
        found: dict[str, InstanceTypeDef] = {}
        for ids in batches(node_ids, _MOST_FILTER_VALUES):
            found |= self._instances(target, [{"Name": "instance-id", "Values": ids}])
        return {node_id: found[node_id]["State"]["Name"] if node_id in found else ABSENT for node_id in node_ids}

    def _instances(self, target: Target, filters: "list[FilterTypeDef]") -> "dict[str, InstanceTypeDef]":
        client = self._sessions.client("ec2", target)
        with calling("DescribeInstances", target):
            pages = client.get_paginator("describe_instances").paginate(Filters=filters)
            return {
                instance["InstanceId"]: instance
                for page in pages
                for reservation in page["Reservations"]
                for instance in reservation.get("Instances", [])
            }

    def _information(self, target: Target, node_ids: Sequence[str]) -> "dict[str, InstanceInformationTypeDef]":
        client = self._sessions.client("ssm", target)
        found: dict[str, InstanceInformationTypeDef] = {}
        for ids in batches(node_ids):
            with calling("DescribeInstanceInformation", target):
                pages = client.get_paginator("describe_instance_information").paginate(
                    Filters=[{"Key": "InstanceIds", "Values": ids}], PaginationConfig={"PageSize": MOST_IDS}
                )
                found |= {item["InstanceId"]: item for page in pages for item in page["InstanceInformationList"]}
        return found


def _filters(targets: Mapping[str, Sequence[str]]) -> "list[list[FilterTypeDef]]":
    """EC2's filters, a list for each call: filters in one call must all match, values of a filter any.

    Ids go in as a filter too: the InstanceIds parameter fails altogether when one of them is gone.
    """
    common: list[FilterTypeDef] = [{"Name": "instance-state-name", "Values": _ALIVE}]
    common += [{"Name": key, "Values": list(values)} for key, values in targets.items() if key != INSTANCE_IDS]
    if INSTANCE_IDS not in targets:
        return [common]
    return [
        [*common, {"Name": "instance-id", "Values": ids}] for ids in batches(targets[INSTANCE_IDS], _MOST_FILTER_VALUES)
    ]


def _tags(instance: "InstanceTypeDef") -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}


def _node(node_id: str, instance: "InstanceTypeDef | None", information: "InstanceInformationTypeDef | None") -> Node:
    tags = _tags(instance) if instance else {}
    return Node(
        id=node_id,
        name=tags.get("Name", ""),
        power=instance["State"]["Name"] if instance else ABSENT,
        ping=information.get("PingStatus") if information else None,
        platform=_platform(instance, information) if instance and information else None,
        agent_version=information.get("AgentVersion") if information else None,
        tags=tags,
    )


def _platform(instance: "InstanceTypeDef", information: "InstanceInformationTypeDef") -> Platform | None:
    """None until the agent has reported its name and version.

    Windows Server 2016, 2019 and 2022 are all version 10.0 and differ in the build, so the whole version counts.
    """
    name, version = information.get("PlatformName", ""), information.get("PlatformVersion", "")
    if not name or not version:
        return None
    is_windows = information.get("PlatformType") == "Windows"
    return Platform(os=name, major=version if is_windows else version.split(".")[0], arch=instance["Architecture"])
