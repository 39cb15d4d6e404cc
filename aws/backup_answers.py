"""EC2's and AWS Backup's answers about backups, as the values that `aws/backups.py` gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from patching.backups import Image, Kind, Machine, RecoveryPoint, Snapshot, State, Volume

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import ImageTypeDef, InstanceTypeDef, SnapshotTypeDef

PREFIX: Final = "patchgate:"
STEP, NODE = f"{PREFIX}step", f"{PREFIX}node"
_SNAPSHOT_STATES: Final = {
    "pending": State.UNDER_WAY,
    "completed": State.COMPLETE,
}
_IMAGE_STATES: Final = {"pending": State.UNDER_WAY, "transient": State.UNDER_WAY, "available": State.COMPLETE}
_RECOVERY_POINT_STATES: Final = {"CREATING": State.UNDER_WAY, "COMPLETED": State.COMPLETE}


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that a step took of one node. `percent` is of the slowest part; an image tells none until it is done."""

    kind: Kind
    node_id: str
    ids: tuple[str, ...]
    started_at: datetime
    state: State
    percent: int | None
    why: str = ""  # of a failed one: what EC2 says about it, e.g. that a KMS key is not accessible
    volume_ids: tuple[str, ...] = ()  # of snapshots that were looked up, in the order of `ids`

    @property
    def ended(self) -> bool:
        return self.state is not State.UNDER_WAY


def machine_of(instance: "InstanceTypeDef") -> Machine:
    """EC2 lists EBS volumes alone among the devices; an instance store can't be backed up this way."""
    volumes = [
        Volume(mapping["Ebs"]["VolumeId"], mapping["DeviceName"], _utc(mapping["Ebs"].get("AttachTime")))
        for mapping in instance.get("BlockDeviceMappings", [])
        if "Ebs" in mapping
    ]
    zone = instance.get("Placement", {}).get("AvailabilityZone", "")
    return Machine(instance["InstanceId"], zone, tuple(sorted(volumes, key=lambda volume: volume.device)))


def snapshot_of(found: "SnapshotTypeDef") -> Snapshot:
    return Snapshot(
        id=found["SnapshotId"],
        volume_id=found["VolumeId"],
        started_at=found["StartTime"].astimezone(UTC),
        state=_SNAPSHOT_STATES.get(found["State"], State.FAILED),
        step=tags_of(found).get(STEP, ""),
    )


def image_of(found: "ImageTypeDef") -> Image | None:
    """None for an image that doesn't say what it was made of."""
    source = found.get("SourceInstanceId")
    if not source:
        return None
    return Image(
        id=found["ImageId"],
        node_id=source,
        created_at=_created(found),
        state=_IMAGE_STATES.get(found["State"], State.FAILED),
        snapshot_ids=tuple(
            mapping["Ebs"]["SnapshotId"]
            for mapping in found.get("BlockDeviceMappings", [])
            if mapping.get("Ebs", {}).get("SnapshotId")
        ),
    )


def recovery_point_of(resource: str, found: Mapping[str, Any]) -> RecoveryPoint:
    return RecoveryPoint(
        arn=str(found["RecoveryPointArn"]),
        node_id=last_part(resource),
        created_at=found["CreationDate"].astimezone(UTC),
        state=_RECOVERY_POINT_STATES.get(str(found["Status"]), State.FAILED),
        vault=str(found.get("BackupVaultName", "")),
    )


def taken_image(found: "ImageTypeDef", node_id: str = "") -> Taken:
    state = _IMAGE_STATES.get(found["State"], State.FAILED)
    percent = 100 if state is State.COMPLETE else None
    node = node_id or tags_of(found).get(NODE, "")
    why = str(found.get("StateReason", {}).get("Message", ""))
    return Taken(Kind.IMAGE, node, (found["ImageId"],), _created(found), state, percent, why)


def taken_snapshots(node_id: str, members: "Sequence[SnapshotTypeDef]") -> Taken:
    members = sorted(members, key=lambda each: each["SnapshotId"])
    states = [_SNAPSHOT_STATES.get(each["State"], State.FAILED) for each in members]
    state = next(each for each in (State.FAILED, State.UNDER_WAY, State.COMPLETE) if each in states)
    return Taken(
        kind=Kind.SNAPSHOTS,
        node_id=node_id,
        ids=tuple(each["SnapshotId"] for each in members),
        started_at=min(each["StartTime"].astimezone(UTC) for each in members),
        state=state,
        percent=min(_percent(each.get("Progress", "")) for each in members),
        why=next((each["StateMessage"] for each in members if each.get("StateMessage")), ""),
        volume_ids=tuple(each["VolumeId"] for each in members),
    )


def _created(image: "ImageTypeDef") -> datetime:
    """`2026-11-20T12:00:00.000Z`, which EC2 gives as text."""
    return datetime.fromisoformat(image["CreationDate"]).astimezone(UTC)


def _percent(progress: str) -> int:
    """`54%`; nothing at the very beginning."""
    digits = progress.removesuffix("%")
    return int(digits) if digits.isdigit() else 0


def tags_of(resource: "SnapshotTypeDef | ImageTypeDef") -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}


def last_part(arn: str) -> str:
    """The resource's id: `arn:aws:ec2:eu-west-1:111111111111:instance/i-0abc` is `i-0abc`."""
    return arn.rpartition("/")[2]


def _utc(time: datetime | None) -> datetime | None:
    return time.astimezone(UTC) if time else None
