"""Backups of the simulated EC2: what moto leaves out of them.

moto's snapshots are complete at once, as many as somebody likes, stamped with the machine's time, and its images hold
a volume that nobody has seen. Here both take the sandbox's time, a volume has few snapshots under way, and an image
holds a snapshot of each volume of its instance, as EC2's does.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch
from urllib.parse import parse_qs

from moto.ec2.models import EC2Backend, ec2_backends, elastic_block_store
from moto.ec2.models.amis import Ami
from moto.ec2.models.elastic_block_store import Snapshot

from sandbox.aws.model import SsmError

DURATION = timedelta(minutes=2)  # of a snapshot
MOST_PENDING = 5  # snapshots of one volume, as of a gp2 volume
OPERATIONS = frozenset(
    {"CreateSnapshot", "CreateSnapshots", "CreateImage", "DescribeSnapshots", "DescribeImages", "DescribeInstances"}
)


class SimulatedSnapshot(Snapshot):
    """`elapsed` is between 0 and 1; a snapshot that is to fail does so at the end."""

    elapsed: float = 0.0

    @property
    def progress(self) -> str:
        return f"{self.elapsed:.0%}"


class SimulatedImage(Ami):
    held: tuple[Snapshot, ...] = ()

    @property
    def block_device_mappings(self) -> list[dict[str, object]]:
        return [
            {
                "DeviceName": _device(each),
                "Ebs": {
                    "SnapshotId": each.id,
                    "VolumeSize": each.volume.size,
                    "DeleteOnTermination": True,
                    "VolumeType": each.volume.volume_type,
                },
            }
            for each in self.held
        ]


@contextmanager
def simulated(account: str, region: str, now: datetime) -> Iterator[None]:
    """Around a request about backups, under the world's lock: what is due has happened, and what it makes is of now."""
    _settle(account, region, now)
    with patch.object(elastic_block_store, "utcnow", lambda: now):
        yield
        _settle(account, region, now)


def _settle(account: str, region: str, now: datetime) -> None:
    """Make what is new the sandbox's own, and finish what has taken its time."""
    backend: EC2Backend = ec2_backends[account][region]
    for image in list(backend.amis.values()):
        if not isinstance(image, SimulatedImage) and image.instance_id:
            _give_volumes(backend, image, now)
    for snapshot in list(backend.snapshots.values()):
        if not isinstance(snapshot, SimulatedSnapshot):
            snapshot.__class__ = SimulatedSnapshot
            snapshot.status = "pending"
        if isinstance(snapshot, SimulatedSnapshot) and snapshot.status == "pending":
            snapshot.elapsed = min(1.0, (now - snapshot.start_time) / DURATION)
            snapshot.status = "completed" if snapshot.elapsed == 1 else "pending"
    for image in list(backend.amis.values()):
        if isinstance(image, SimulatedImage) and image.state == "pending":
            states = {each.status for each in image.held}
            image.state = "failed" if "error" in states else "pending" if "pending" in states else "available"


def refusal(account: str, region: str, operation: str, form: str) -> SsmError | None:
    """What EC2 says to one snapshot of a volume too many, which moto takes."""
    if operation != "CreateSnapshots":
        return None
    backend: EC2Backend = ec2_backends[account][region]
    instance_id = parse_qs(form).get("InstanceSpecification.InstanceId", [""])[0]
    reservations = backend.describe_instances(filters={"instance-id": [instance_id]})
    volumes = [
        device.volume_id
        for reservation in reservations
        for instance in reservation.instances
        for _, device in instance.get_block_device_mapping
    ]
    pending = Counter(each.volume.id for each in backend.snapshots.values() if each.status == "pending")
    if all(pending[volume] < MOST_PENDING for volume in volumes):
        return None
    return SsmError(
        "ConcurrentSnapshotLimitExceeded", "Maximum allowed in-progress snapshots for a single volume exceeded."
    )


def reboots(operation: str, form: str) -> str:
    """The instance that a CreateImage reboots, as it does unless told otherwise; empty for any other request."""
    asked = parse_qs(form)
    if operation != "CreateImage" or asked.get("NoReboot") == ["true"]:
        return ""
    return asked.get("InstanceId", [""])[0]


def fail(account: str, region: str, snapshot_id: str) -> None:
    """Let a snapshot end in an error."""
    ec2_backends[account][region].snapshots[snapshot_id].status = "error"


def attached(account: str, region: str, instance_id: str, at: datetime) -> None:
    """Say that the instance's volumes were attached at `at`: moto takes the machine's time."""
    for _, device in ec2_backends[account][region].get_instance(instance_id).get_block_device_mapping:
        device.attach_time = at


def _give_volumes(backend: EC2Backend, image: Ami, now: datetime) -> None:
    del backend.snapshots[image.ebs_snapshot.id]
    image.__class__ = SimulatedImage
    assert isinstance(image, SimulatedImage)
    image.creation_date, image.state = now, "pending"
    instance = backend.get_instance(str(image.instance_id))
    description = f"Created by CreateImage({instance.id}) for {image.id}"
    image.held = tuple(
        backend.create_snapshot(device.volume_id, description) for _, device in instance.get_block_device_mapping
    )


def _device(snapshot: Snapshot) -> str:
    attachment = snapshot.volume.attachment
    return attachment.device if attachment else "/dev/sda1"
