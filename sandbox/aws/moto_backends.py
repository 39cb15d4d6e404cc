"""The rest of AWS, which is moto's: its state made to agree with the fleet.

moto's state is global to the process, so one simulated AWS at a time; starting another begins anew.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

from moto.cloudwatch.models import CloudWatchBackend, cloudwatch_backends
from moto.ec2.models import ec2_backends
from moto.ec2.models import instances as moto_instances
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix
from moto.iam.models import iam_backends
from moto.moto_api._internal.models import moto_api_backend
from moto.s3.exceptions import S3ClientError
from moto.s3.models import s3_backends

from sandbox.aws import backups, iam
from sandbox.aws.fleet import Environment, Fleet, Node
from sandbox.aws.node import ManagedNode
from sandbox.aws.region import Region

# Otherwise every EC2 backend begins by loading 1,291 public images, which is most of a start.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

_STATES = {"running": ("running", 16), "stopped": ("stopped", 80), "terminated": ("terminated", 48)}


def populate(fleet: Fleet, at: datetime) -> None:
    """Forget everything, then create the fleet's instances, roles, alarms and artifacts bucket."""
    moto_api_backend.reset()
    TaggedEC2Resource.get_tags = _tags  # type: ignore[method-assign]
    iam.create_roles(fleet)
    for _, environment, node in fleet.nodes():
        _create_instance(environment, node)
        backups.attached(environment.account, environment.region, node.id, at)
    for application, environment in fleet.environments():
        for alarm in application.alarms:
            _create_alarm(environment, application.name, alarm, at)
    s3_backends[fleet.bucket_account]["aws"].create_bucket(fleet.bucket, fleet.bucket_region)
    iam.let_nodes_in(fleet)


def account_of(access_key: str) -> str | None:
    """The account whose AssumeRole or IAM gave out this key."""
    for account, partitions in list(iam_backends.items()):
        if access_key in partitions["aws"].access_keys:
            return str(account)
    return None


class MotoSurroundings:
    """What the nodes see of the rest of AWS."""

    def read_object(self, url: str) -> bytes:
        bucket, key = _object_address(url)
        owner = s3_backends.bucket_accounts.get(bucket)
        if owner is None:
            raise LookupError(f"the bucket {bucket} does not exist")
        partition, account = owner
        try:
            found = s3_backends[account][partition].get_object(bucket, key)
        except S3ClientError as refused:
            raise LookupError(f"{url}: {refused}") from refused
        if found is None:
            raise LookupError(f"{url} does not exist")
        return bytes(found.value)

    def may_read(self, node: ManagedNode, url: str) -> bool:
        """A presigned https:// address needs no role."""
        if not url.startswith("s3://"):
            return True
        return node.role and iam.may_read(node.account, iam.NODE_ROLE, *_object_address(url))

    def tags(self, node: ManagedNode) -> Mapping[str, str]:
        """Straight from the backend's dictionary: its own get_tags() is quadratic (facts/aws-simulation.md)."""
        tags: Mapping[str, str] = ec2_backends[node.account][node.region].tags.get(node.id, {})
        return tags

    def power_changed(self, node: ManagedNode) -> None:
        instance = ec2_backends[node.account][node.region].get_instance(node.id)
        instance._state.name, instance._state.code = _STATES[node.power]

    def alarm_changed(self, region: Region, name: str, at: datetime) -> None:
        _set_alarm(cloudwatch_backends[region.account][region.name], name, region.alarms[name], at)


def _tags(self: TaggedEC2Resource) -> list[dict[str, str]]:
    """In place of moto's own, which looks at every tag of the account each time (facts/aws-simulation.md)."""
    of: Any = self
    tags: Mapping[str, str] = of.ec2_backend.tags.get(of.id, {})
    kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(of.id), "") if tags else ""
    return [{"resource_id": of.id, "key": key, "value": value, "resource_type": kind} for key, value in tags.items()]


def _create_instance(environment: Environment, node: Node) -> None:
    """moto draws instance ids at random; the fleet's follow from the nodes' names."""
    backend = ec2_backends[environment.account][environment.region]
    with patch.object(moto_instances, "random_instance_id", lambda: node.id):
        backend.run_instances(
            "ami-00000000000000000",
            1,
            None,
            [],
            region_name=environment.region,
            instance_type="m5.large",
            is_instance_type_default=True,
            tags={"instance": dict(node.tags)},
        )
    if node.role:
        backend.associate_iam_instance_profile(node.id, iam_instance_profile_name=iam.NODE_ROLE)


def _create_alarm(environment: Environment, application: str, name: str, at: datetime) -> None:
    backend = cloudwatch_backends[environment.account][environment.region]
    backend.put_metric_alarm(
        name=name,
        namespace="AWS/ApplicationELB",
        metric_name="HTTPCode_Target_5XX_Count",
        comparison_operator="GreaterThanThreshold",
        evaluation_periods=1,
        period=300,
        threshold=5.0,
        statistic="Sum",
        description=f"Server errors of {application}",
        dimensions=[{"Name": "LoadBalancer", "Value": f"app/{application}/0123456789abcdef"}],
        alarm_actions=[],
    )
    _set_alarm(backend, name, "OK", at)


def _set_alarm(backend: CloudWatchBackend, name: str, state: str, at: datetime) -> None:
    """moto stamps changes with the time of the machine; here the sandbox's counts."""
    backend.set_alarm_state(name, f"The sandbox put it to {state}.", "{}", state)
    backend.alarms[name].state_updated_timestamp = at


def _object_address(url: str) -> tuple[str, str]:
    """Bucket and key of s3://bucket/key, https://bucket.s3.region.amazonaws.com/key or the older path style."""
    parts = urlsplit(url)
    path = unquote(parts.path).lstrip("/")
    if parts.scheme == "s3":
        return parts.netloc, path
    if parts.netloc.startswith("s3"):
        bucket, _, key = path.partition("/")
        return bucket, key
    return parts.netloc.partition(".s3")[0], path
