"""What a node could be restored from: snapshots, images and AWS Backup's recovery points, judged against its volumes.

A restore point is complete when it has every EBS volume that is attached now, as of one moment. Snapshots of several
volumes are of one moment where one CreateSnapshots made them (facts/patch-manager.md section 8): they carry our step's
tag, or began in the same second, as that call's do. What is not known to be one is not taken for one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from patching.phrases import listed


class Kind(StrEnum):
    SNAPSHOTS = "snapshots"
    IMAGE = "image"
    RECOVERY_POINT = "recovery point"


class State(StrEnum):
    UNDER_WAY = "under way"
    COMPLETE = "complete"
    FAILED = "failed"


class Level(StrEnum):
    """How much the gate asks for a backup."""

    OFF = "off"
    WARN = "warn"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Volume:
    """An EBS volume as it is attached to a node now."""

    id: str
    device: str  # /dev/xvda
    attached_at: datetime | None


@dataclass(frozen=True, slots=True)
class Machine:
    """What of a node has to be in a backup."""

    node_id: str
    zone: str  # its Availability Zone, where a restored volume must be
    volumes: tuple[Volume, ...]  # by device


@dataclass(frozen=True, slots=True)
class Snapshot:
    id: str
    volume_id: str
    started_at: datetime
    state: State
    step: str  # the UUID of the step that took it; empty where it is not ours


@dataclass(frozen=True, slots=True)
class Image:
    id: str
    node_id: str  # that it was made of
    created_at: datetime
    state: State
    snapshot_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecoveryPoint:
    """One of AWS Backup's; EC2 does not show it among its images, so that it holds a whole instance is AWS's word."""

    arn: str
    node_id: str
    created_at: datetime
    state: State
    vault: str


@dataclass(frozen=True, slots=True)
class RestorePoint:
    """All that a node can be brought back to one moment from."""

    kind: Kind
    ids: tuple[str, ...]  # snapshots in the order of `devices`, one image, or a recovery point's ARN
    devices: tuple[str, ...]  # of snapshots; otherwise empty
    started_at: datetime
    state: State


@dataclass(frozen=True, slots=True)
class NodeBackups:
    machine: Machine
    points: tuple[RestorePoint, ...]  # of all attached volumes, newest first, whatever became of them
    lacking: str  # where there is no complete one: what there is instead

    @property
    def newest(self) -> RestorePoint | None:
        """The newest that a node could be restored from."""
        return next((point for point in self.points if point.state is State.COMPLETE), None)

    @property
    def under_way(self) -> RestorePoint | None:
        """The newest that is still being made."""
        return next((point for point in self.points if point.state is State.UNDER_WAY), None)


@dataclass(frozen=True, slots=True)
class Found:
    """What was read of an environment's nodes.

    unread: what could not be asked, a sentence each. A node that has a restore point has it all the same; where it
    has none, nobody knows.
    """

    nodes: Mapping[str, NodeBackups]  # by node id; a node that EC2 does not know is not there
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attestation:
    """Somebody who approves said where the database's backup is, and from when."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BackupFacts:
    """What the gate is told: what the configuration asks for, what the plan takes first, and what there is."""

    instance: Level
    database: Level
    max_age: timedelta
    takes: Kind | None = None  # of every node, before anything is installed
    document: str = ""  # that the plan runs before anything is installed, for the database's own backup
    found: Found | None = None  # None: nobody looked, since nothing is asked for or the plan takes one
    decided: bool = False  # people have approved: nobody will attest any more
    attested: Attestation | None = None


def judge(
    machine: Machine, snapshots: Iterable[Snapshot], images: Iterable[Image], recovered: Iterable[RecoveryPoint]
) -> NodeBackups:
    """What `machine` could be restored from. Snapshots of other nodes' volumes are ignored."""
    volumes = {volume.id for volume in machine.volumes}
    theirs = {each.id: each for each in snapshots if each.volume_id in volumes}
    of_node = [each for each in images if each.node_id == machine.node_id]
    in_images = {snapshot_id for each in of_node for snapshot_id in each.snapshot_ids}
    points = [
        *_sets(machine, [each for each in theirs.values() if each.id not in in_images]),
        *(
            _of_image(each)
            for each in of_node
            if volumes <= {theirs[i].volume_id for i in each.snapshot_ids if i in theirs}
        ),
        *(
            RestorePoint(Kind.RECOVERY_POINT, (each.arn,), (), each.created_at, each.state)
            for each in recovered
            if each.node_id == machine.node_id and not _later(machine, each.created_at)
        ),
    ]
    points = points if volumes else []
    points.sort(key=lambda point: (point.started_at, point.ids), reverse=True)
    complete = any(point.state is State.COMPLETE for point in points)
    return NodeBackups(machine, tuple(points), "" if complete else _lacking(machine, list(theirs.values()), points))


def _sets(machine: Machine, snapshots: Sequence[Snapshot]) -> list[RestorePoint]:
    """The sets of snapshots of one moment that have every volume."""
    by_moment: dict[tuple[str, datetime | None], dict[str, Snapshot]] = {}
    for each in sorted(snapshots, key=lambda each: each.started_at):
        moment = ("", each.started_at.replace(microsecond=0)) if not each.step else (each.step, None)
        by_moment.setdefault(moment, {})[each.volume_id] = each
    points = []
    for members in by_moment.values():
        if not all(volume.id in members for volume in machine.volumes):
            continue
        ordered = [members[volume.id] for volume in machine.volumes]
        points.append(
            RestorePoint(
                Kind.SNAPSHOTS,
                tuple(each.id for each in ordered),
                tuple(volume.device for volume in machine.volumes),
                min(each.started_at for each in ordered),
                _worst(each.state for each in ordered),
            )
        )
    return points


def _of_image(image: Image) -> RestorePoint:
    return RestorePoint(Kind.IMAGE, (image.id,), (), image.created_at, image.state)


def _worst(states: Iterable[State]) -> State:
    found = set(states)
    return next(state for state in (State.FAILED, State.UNDER_WAY, State.COMPLETE) if state in found)


def _later(machine: Machine, moment: datetime) -> bool:
    """Whether a volume came after `moment`, or nobody knows when."""
    return any(volume.attached_at is None or volume.attached_at > moment for volume in machine.volumes)


def _lacking(machine: Machine, snapshots: Sequence[Snapshot], points: Sequence[RestorePoint]) -> str:
    if not machine.volumes:
        return "no EBS volume that could be backed up"
    if points:
        under_way = any(point.state is State.UNDER_WAY for point in points)
        return "a backup that is not complete yet" if under_way else "only backups that failed"
    covered = {each.volume_id for each in snapshots if each.state is State.COMPLETE}
    without = [volume.device for volume in machine.volumes if volume.id not in covered]
    if not covered:
        return "no backup"
    if without:
        return f"no backup of {listed(without)}"
    return "snapshots of each volume, but none of the same moment"
