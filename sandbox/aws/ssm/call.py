"""What an operation gets to know: the world, who asks, and when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.aws.model import SsmError
from sandbox.aws.node import ManagedNode
from sandbox.aws.region import Region
from sandbox.aws.world import World


@dataclass(frozen=True)
class Call:
    world: World
    region: Region
    now: datetime

    def node(self, instance_id: str) -> ManagedNode:
        """Raises InvalidInstanceId for what isn't there any more, too."""
        node = self.region.nodes.get(instance_id)
        if node is None or not self.world.registered(node):
            message = f"Instances [[{instance_id}]] not in a valid state for account {self.region.account}"
            raise SsmError("InvalidInstanceId", message)
        return node


Operation = Callable[[Call, dict[str, Any]], dict[str, Any]]


def filter_values(
    params: dict[str, Any], known: tuple[str, ...], code: str = "InvalidFilterKey"
) -> dict[str, list[str]]:
    """`Filters` of the form Key/Values as a mapping; a key that the operation doesn't know is refused."""
    found: dict[str, list[str]] = {}
    for item in params.get("Filters", []):
        key = item.get("Key", "")
        if key not in known:
            raise SsmError(code, f"The filter key {key} is not valid; valid keys are {', '.join(known)}.")
        found[key] = item.get("Values", [])
    return found
