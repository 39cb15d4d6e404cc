"""The panel's count of missing patches: remembered, and never another than a scan's."""

import time
from datetime import timedelta

from sandbox.aws.offers import MissingCounts, missing
from sandbox.aws.runcommand import Durations
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.fleet import demo_fleet
from tests.unit.simulated_aws.support import START


class Counted:
    def __init__(self) -> None:
        self.clock = SandboxClock(START, rate=0)
        self.world = World(self.clock, demo_fleet(), Durations(0, 1, 0, 5, 1))
        self.counts = MissingCounts()
        self.nodes = [self.world.node(spec.id) for _, _, spec in self.world.fleet.nodes()]

    def remembered(self) -> list[int]:
        now = self.world.advance()
        return [self.counts.of(node, self.world.baseline_of(node), now) for node in self.nodes]

    def scanned(self) -> list[int]:
        now = self.world.advance()
        return [missing(node, self.world.baseline_of(node), now) for node in self.nodes]


def test_it_is_what_a_scan_would_find_at_any_time_and_after_any_change() -> None:
    counted = Counted()
    seen = set()
    for hour in range(0, 24 * 30, 6):
        if hour == 48:
            counted.world.foreign_operation([counted.nodes[0].id, counted.nodes[1].id], "Install")
        if hour == 72:
            counted.world.move_repository("orders-db")
        seen.add(tuple(counted.remembered()))
        assert counted.remembered() == counted.scanned()
        counted.clock.jump(timedelta(hours=6))
    assert len(seen) == 5


def test_a_report_agrees_with_the_count() -> None:
    counted = Counted()
    counted.clock.jump(timedelta(days=8))
    for node, count in zip(counted.nodes, counted.remembered(), strict=True):
        counted.world.foreign_operation([node.id], "Scan")
        counted.clock.jump(timedelta(seconds=5))
        counted.world.advance()
        assert node.report is not None
        assert node.report.counts["MissingCount"] == count


def test_asked_every_second_by_each_page_it_costs_next_to_nothing() -> None:
    counted = Counted()
    counted.remembered()
    began = time.process_time()
    for _ in range(20):
        counted.remembered()
    assert (time.process_time() - began) / 20 < 0.010
