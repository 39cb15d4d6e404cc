"""Backups of nodes: what EC2 and AWS Backup have of them, and taking one more.

An Install may be sent once (I2); a backup may be taken twice, which costs storage and harms nothing. EC2 has no client
token for either call (facts/patch-manager.md section 8), so a backup of ours is found by its tags: look before taking,
and look again where the answer was lost.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from aws.backup_answers import (
    NODE,
    PREFIX,
    STEP,
    Taken,
    image_of,
    last_part,
    machine_of,
    recovery_point_of,
    snapshot_of,
    tags_of,
    taken_image,
    taken_snapshots,
)
from aws.caller import Caller, batches
from aws.errors import DefiniteRefusal, Throttled, calling
from aws.target import Target
from patching.backups import (
    Found,
    Image,
    Kind,
    Machine,
    RecoveryPoint,
    Snapshot,
    State,
    judge,
)

if TYPE_CHECKING:
    from mypy_boto3_ec2.literals import ResourceTypeType
    from mypy_boto3_ec2.type_defs import (
        FilterTypeDef,
        ImageTypeDef,
        SnapshotTypeDef,
        TagSpecificationTypeDef,
    )

_MOST_FILTER_VALUES: Final = 200
_LARGEST_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Tags:
    """What every backup of ours says of itself, each under `patchgate:` and its name."""

    application: str
    change: str  # "change-4"; empty where a run has none
    run: str  # "install-13"
    step: str  # the step's UUID


class Backups(Caller):
    def of(self, target: Target, node_ids: Sequence[str]) -> Found:
        """What each node could be restored from: our own backups and everybody's in the account, AWS Backup's too.

        Calls, each for 200 nodes or volumes and paged: DescribeInstances, DescribeSnapshots, DescribeImages; one
        ListProtectedResources; ListRecoveryPointsByResource for each node whose newest recovery point is not among
        the images. What is refused is told in `unread`; raises the other AwsErrors.
        """
        if not node_ids:
            return Found({})
        try:
            machines = self.machines(target, node_ids)
            snapshots = list(self._snapshots(target, "volume-id", [v.id for m in machines for v in m.volumes]))
            images = list(self._images(target, "source-instance-id", node_ids))
        except Throttled:
            raise
        except DefiniteRefusal as refused:
            return Found({}, (str(refused),))
        read_images = [image for image in map(image_of, images) if image is not None]
        recovered, unread = self._recovery_points(target, machines, {image.id for image in read_images})
        read_snapshots = [snapshot_of(each) for each in snapshots]
        by_volume: defaultdict[str, list[Snapshot]] = defaultdict(list)
        for each in read_snapshots:
            by_volume[each.volume_id].append(each)
        by_node: defaultdict[str, list[Image]] = defaultdict(list)
        for image in read_images:
            by_node[image.node_id].append(image)
        return Found(
            {
                machine.node_id: judge(
                    machine,
                    [each for volume in machine.volumes for each in by_volume[volume.id]],
                    by_node[machine.node_id],
                    [each for each in recovered if each.node_id == machine.node_id],
                )
                for machine in machines
            },
            unread,
        )

    def create_snapshots(self, target: Target, node_id: str, tags: Tags) -> Taken:
        """Snapshots of all volumes of a node, as of one moment; it goes on running. They are complete later.

        One request, never repeated. Raises DefiniteRefusal where none was taken, Doubt where they may have been:
        then `find` tells, once the answer is old enough for EC2 to list them.
        """
        client = self._sessions.client("ec2", target, retries=False)
        with calling("CreateSnapshots", target, node_id):
            taken = client.create_snapshots(
                InstanceSpecification={"InstanceId": node_id, "ExcludeBootVolume": False},
                Description=_description(node_id, tags),
                TagSpecifications=[_tagged("snapshot", node_id, tags)],
            )["Snapshots"]
            return Taken(
                kind=Kind.SNAPSHOTS,
                node_id=node_id,
                ids=tuple(sorted(each["SnapshotId"] for each in taken)),
                started_at=min(each["StartTime"].astimezone(UTC) for each in taken),
                state=State.UNDER_WAY,
                percent=0,
            )

    def create_image(self, target: Target, node_id: str, tags: Tags, now: datetime) -> Taken:
        """An image of a node without a reboot, crash-consistent as snapshots are; it is available later.

        `now` stands in for a start that EC2 doesn't tell at once. One request, never repeated; its name has the
        step's UUID, and EC2 refuses a second image of the same name. Raises as `create_snapshots` does.
        """
        client = self._sessions.client("ec2", target, retries=False)
        with calling("CreateImage", target, node_id):
            image_id = client.create_image(
                InstanceId=node_id,
                Name=f"patchgate-{node_id}-{tags.step}",
                Description=_description(node_id, tags),
                NoReboot=True,
                TagSpecifications=[_tagged("image", node_id, tags)],
            )["ImageId"]
        return Taken(Kind.IMAGE, node_id, (image_id,), now, State.UNDER_WAY, None)

    def find(self, target: Target, step: str) -> Mapping[str, Taken]:
        """{node id: the backup that the step took of it}, as far as EC2 lists it by its tags; none proves nothing.

        A set that lacks a snapshot of a volume which is attached now is left out: EC2 may not list all of it yet.
        Where a step took two of a node, because an answer was lost, the older. Calls: DescribeSnapshots and
        DescribeImages, paged, and where there are snapshots DescribeInstances. Raises AwsError.
        """
        taken: dict[str, Taken] = {}
        for image in self._images(target, f"tag:{STEP}", [step]):
            read = taken_image(image)
            if read.node_id not in taken or read.started_at < taken[read.node_id].started_at:
                taken[read.node_id] = read
        sets: defaultdict[tuple[str, datetime], list[SnapshotTypeDef]] = defaultdict(list)
        for snapshot in self._snapshots(target, f"tag:{STEP}", [step]):
            moment = snapshot["StartTime"].astimezone(UTC).replace(microsecond=0)
            sets[tags_of(snapshot).get(NODE, ""), moment].append(snapshot)
        nodes = sorted({node_id for node_id, _ in sets if node_id})
        volumes = {m.node_id: {volume.id for volume in m.volumes} for m in self.machines(target, nodes)}
        for (node_id, _), members in sorted(sets.items()):
            if volumes.get(node_id, set()) <= {each["VolumeId"] for each in members}:
                taken.setdefault(node_id, taken_snapshots(node_id, members))
        return taken

    def progress(self, target: Target, taken: Sequence[Taken]) -> Mapping[str, Taken]:
        """{node id: its backup as it is now}. One that EC2 no longer lists has failed: somebody deleted it.

        Calls: DescribeSnapshots, DescribeImages for each 200 ids. Raises AwsError.
        """
        wanted = {kind: [i for each in taken if each.kind is kind for i in each.ids] for kind in Kind}
        snapshots = {
            each["SnapshotId"]: each for each in self._snapshots(target, "snapshot-id", wanted[Kind.SNAPSHOTS])
        }
        images = {each["ImageId"]: each for each in self._images(target, "image-id", wanted[Kind.IMAGE])}
        now: dict[str, Taken] = {}
        for each in taken:
            if each.kind is Kind.IMAGE and each.ids[0] in images:
                now[each.node_id] = taken_image(images[each.ids[0]], each.node_id)
            elif each.kind is Kind.SNAPSHOTS and all(i in snapshots for i in each.ids):
                now[each.node_id] = taken_snapshots(each.node_id, [snapshots[i] for i in each.ids])
            else:
                now[each.node_id] = Taken(each.kind, each.node_id, each.ids, each.started_at, State.FAILED, None)
        return now

    def machines(self, target: Target, node_ids: Sequence[str]) -> list[Machine]:
        """The volumes of each node that EC2 knows, 200 nodes in a DescribeInstances. Raises AwsError."""
        client = self._sessions.client("ec2", target)
        found: list[Machine] = []
        for ids in batches(node_ids, _MOST_FILTER_VALUES):
            # A filter, because the InstanceIds parameter fails altogether when one of them is gone.
            with calling("DescribeInstances", target):
                pages = client.get_paginator("describe_instances").paginate(
                    Filters=[{"Name": "instance-id", "Values": ids}]
                )
                found += [
                    machine_of(instance)
                    for page in pages
                    for reservation in page["Reservations"]
                    for instance in reservation.get("Instances", [])
                ]
        return found

    def _snapshots(self, target: Target, name: str, values: Sequence[str]) -> "Iterator[SnapshotTypeDef]":
        client = self._sessions.client("ec2", target)
        for portion in batches(values, _MOST_FILTER_VALUES):
            filters: list[FilterTypeDef] = [{"Name": name, "Values": portion}]
            with calling("DescribeSnapshots", target):
                pages = client.get_paginator("describe_snapshots").paginate(
                    OwnerIds=["self"], Filters=filters, PaginationConfig={"PageSize": _LARGEST_PAGE}
                )
                found = [each for page in pages for each in page["Snapshots"]]
            yield from found

    def _images(self, target: Target, name: str, values: Sequence[str]) -> "Iterator[ImageTypeDef]":
        client = self._sessions.client("ec2", target)
        for portion in batches(values, _MOST_FILTER_VALUES):
            filters: list[FilterTypeDef] = [{"Name": name, "Values": portion}]
            with calling("DescribeImages", target):
                pages = client.get_paginator("describe_images").paginate(
                    Owners=["self"], Filters=filters, PaginationConfig={"PageSize": _LARGEST_PAGE}
                )
                found = [each for page in pages for each in page["Images"]]
            yield from found

    def _recovery_points(
        self, target: Target, machines: Sequence[Machine], image_ids: set[str]
    ) -> tuple[list[RecoveryPoint], tuple[str, ...]]:
        """AWS Backup's own that are no images of EC2's, and a sentence where they can't be read.

        The list of protected resources names recovery points in every state, so that it proves none complete.
        """
        nodes = {machine.node_id for machine in machines}
        try:
            client = self._sessions.client("backup", target)
            with calling("ListProtectedResources", target):
                pages = client.get_paginator("list_protected_resources").paginate(
                    PaginationConfig={"PageSize": _LARGEST_PAGE}
                )
                protected = {
                    str(each["ResourceArn"]): str(each.get("LastRecoveryPointArn", ""))
                    for page in pages
                    for each in page["Results"]
                    if last_part(each["ResourceArn"]) in nodes
                }
            found: list[RecoveryPoint] = []
            for resource, newest in protected.items():
                if last_part(newest) in image_ids:
                    continue
                with calling("ListRecoveryPointsByResource", target, resource):
                    points = client.get_paginator("list_recovery_points_by_resource").paginate(ResourceArn=resource)
                    found += [recovery_point_of(resource, each) for page in points for each in page["RecoveryPoints"]]
        except Throttled:
            raise
        except DefiniteRefusal as refused:
            return [], (str(refused),)
        return [each for each in found if last_part(each.arn) not in image_ids], ()


def _description(node_id: str, tags: Tags) -> str:
    return f"Before {tags.run} of {tags.application}: {node_id}"


def _tagged(resource: "ResourceTypeType", node_id: str, tags: Tags) -> "TagSpecificationTypeDef":
    values = {
        f"{PREFIX}application": tags.application,
        f"{PREFIX}change": tags.change,
        f"{PREFIX}run": tags.run,
        STEP: tags.step,
        NODE: node_id,
    }
    return {"ResourceType": resource, "Tags": [{"Key": key, "Value": value} for key, value in values.items() if value]}
