"""AWS calls for reading the evidence of N nodes, beside the fewest possible.

    python -m benchmarks.evidence_calls [N …]

The fewest possible: `ceil(N/50)` calls for the states of all nodes, and for each node whose state moved the pages of
its rows (facts/patch-manager.md section 7). Patchgate reads the states of the moved nodes once more afterwards,
because rows count only where both are equal (design, I8): that is the difference.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

import click

from aws.caller import MOST_IDS
from aws.patching import PatchManager
from aws.sessions import Sessions
from aws.target import Target
from sandbox.aws.server import SimulatedAws
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.data.debian import installed_packages
from sandbox.fleet import NONPRODUCTION, REGION, small_fleet

TARGET = Target(NONPRODUCTION, REGION, f"arn:aws:iam::{NONPRODUCTION}:role/patchgate")
READS = ("DescribeInstancePatchStates", "DescribeInstancePatches")


@dataclass(frozen=True)
class Fleet:
    """Nodes that somebody has scanned, each with all the packages of a real machine."""

    world: World
    clock: SandboxClock
    manager: PatchManager
    node_ids: list[str]

    def scan(self, node_ids: list[str]) -> None:
        for start in range(0, len(node_ids), MOST_IDS):
            self.world.foreign_operation(node_ids[start : start + MOST_IDS], "Scan")
        self.clock.jump(timedelta(hours=1))


@contextmanager
def fleet_of(count: int) -> Iterator[Fleet]:
    clock = SandboxClock()
    world = World(clock, small_fleet(nonprod=count, packages=installed_packages()))
    with SimulatedAws(world) as aws:
        environ = {
            "AWS_ACCESS_KEY_ID": aws.base_key(NONPRODUCTION),
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_ENDPOINT_URL": aws.url,
        }
        node_ids = [node.id for _, environment in world.fleet.environments() for node in environment.nodes]
        fleet = Fleet(world, clock, PatchManager(Sessions(environ)), node_ids)
        fleet.scan(node_ids)
        yield fleet


def measure(count: int) -> None:
    """Read everything, then after a tenth of the nodes has moved, then after none has."""
    with fleet_of(count) as fleet:
        moved = fleet.node_ids[: ceil(count / 10)]
        known: dict[str, tuple[str, datetime | None]] = {}
        for what, scanned in (("all are new", []), ("a tenth has moved", moved), ("none has moved", [])):
            if scanned:
                fleet.scan(scanned)
            before = len(fleet.world.ssm_log)
            reading = fleet.manager.read(TARGET, fleet.node_ids, known)
            calls = Counter(call.operation for call in fleet.world.ssm_log.after(before))
            known = {
                node_id: (summary.snapshot_id, summary.operation_end) for node_id, summary in reading.summaries.items()
            }
            pages = sum(ceil(len(rows) / MOST_IDS) for rows in reading.rows.values())
            fewest = ceil(count / MOST_IDS) + pages
            made = sum(calls[operation] for operation in READS)
            print(f"{count:6} nodes, {what:18} {made:7} {fewest:8} {made / fewest:7.3f}")


@click.command()
@click.argument("counts", type=int, nargs=-1)
def main(counts: tuple[int, ...]) -> None:
    """Print the calls that Patchgate makes, the fewest possible, and the ratio."""
    print(f"{'':32} calls   fewest   ratio")
    for count in counts or (10, 50, 120):
        measure(count)


if __name__ == "__main__":
    main()
