"""What the world needs from outside: a clock, and the rest of AWS as far as its nodes touch it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from sandbox.aws.node import ManagedNode
from sandbox.aws.region import Region


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC, never going back."""


class Surroundings(Protocol):
    """The rest of AWS, as far as the nodes touch it."""

    def read_object(self, url: str) -> bytes:
        """The object at an s3:// or https:// address. Raises LookupError."""

    def may_read(self, node: ManagedNode, url: str) -> bool:
        """Whether the node's own role lets it read the object."""

    def tags(self, node: ManagedNode) -> Mapping[str, str]:
        """The instance's tags as they are now."""

    def power_changed(self, node: ManagedNode) -> None:
        """EC2 shows the node's power too."""

    def alarm_changed(self, region: Region, name: str, at: datetime) -> None:
        """CloudWatch shows the state that the region's alarm has now."""


class NoSurroundings:
    """A world on its own: no bucket, and the tags that the fleet gave."""

    def read_object(self, url: str) -> bytes:
        raise LookupError(f"nothing at {url}")

    def may_read(self, node: ManagedNode, url: str) -> bool:
        return True

    def tags(self, node: ManagedNode) -> Mapping[str, str]:
        return node.tags

    def power_changed(self, node: ManagedNode) -> None:
        return None

    def alarm_changed(self, region: Region, name: str, at: datetime) -> None:
        return None
