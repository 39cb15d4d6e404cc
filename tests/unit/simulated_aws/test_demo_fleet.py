"""The demo's fleet: real rows, four stories, and its mapping in the shape of patchgate.yaml."""

from datetime import timedelta

import pytest

from sandbox.aws.patchrun import missing
from sandbox.aws.runcommand import Durations
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.data.debian import candidates, installed_packages
from sandbox.data.made_up import next_version
from sandbox.fleet import demo_fleet, fleet_config
from tests.unit.simulated_aws.support import START


class Demo:
    def __init__(self) -> None:
        self.clock = SandboxClock(START, rate=0)
        self.fleet = demo_fleet()
        self.world = World(self.clock, self.fleet, Durations(delivery=0, scan=1, install_per_package=0, reboot=1))

    def ids(self, application: str, environment: str) -> list[str]:
        return [node.id for node in self.fleet.environment(application, environment).nodes]

    def titles_missing(self, application: str, environment: str) -> set[str]:
        """What a scan of the first node finds missing now."""
        [first, *_] = self.ids(application, environment)
        self.world.foreign_operation([first], "Scan")
        self.clock.jump(timedelta(seconds=10))
        report = self.world.node(first).report
        assert report is not None
        return {row.title for row in report.rows if row.state == "Missing"}


def test_every_node_carries_the_whole_real_machine() -> None:
    assert len(installed_packages()) == 710
    for _, environment, node in demo_fleet().nodes():
        assert node.packages == installed_packages()
        assert environment.account in ("111111111111", "222222222222")


def test_what_the_mirrors_offer_first_is_real_and_the_rest_is_marked_as_made_up() -> None:
    for repository in demo_fleet().repositories:
        for release in repository.releases:
            real = candidates()[release.package.name].package.version
            later = isinstance(release.available_from, timedelta) and release.available_from > timedelta(0)
            assert release.made_up is later
            assert (release.package.version == real) is not release.made_up


@pytest.mark.parametrize(
    ("version", "after"),
    [
        ("7.88.1-10+deb12u14", "7.88.1-10+deb12u15"),
        ("2.6.1", "2.6.2"),
        ("1:2.66-4+b1", "1:2.66-4+b2"),
        ("1.0a", "1.1a"),
        ("x", "x.1"),
    ],
)
def test_the_next_version_is_the_last_number_and_one(version: str, after: str) -> None:
    assert next_version(version) == after


def test_every_environment_begins_with_about_thirty_missing_patches() -> None:
    demo = Demo()
    for _, _, spec in demo.fleet.nodes():
        node = demo.world.node(spec.id)
        assert missing(node, demo.world.baseline_of(node), START) == 32


def test_orders_keeps_still_for_three_weeks_and_then_moves() -> None:
    demo = Demo()
    before = demo.titles_missing("orders-db", "prod")
    demo.clock.jump(timedelta(days=21))
    assert demo.titles_missing("orders-db", "prod") == before
    demo.clock.jump(timedelta(days=2))
    assert len(demo.titles_missing("orders-db", "prod") - before) == 7


def test_billing_moves_on_day_three_past_what_non_production_installed() -> None:
    demo = Demo()
    tested = demo.titles_missing("billing-db", "nonprod")
    demo.world.foreign_operation(demo.ids("billing-db", "nonprod"), "Install")
    demo.clock.jump(timedelta(days=4))
    untested = demo.titles_missing("billing-db", "prod") - tested
    assert len(untested) == 5
    assert demo.titles_missing("billing-db", "nonprod") == untested


def test_reports_has_one_node_on_which_a_package_always_fails() -> None:
    demo = Demo()
    ids = demo.ids("reports-db", "nonprod")
    for _ in range(2):
        demo.world.foreign_operation(ids, "Install")
        demo.clock.jump(timedelta(seconds=30))
    states = []
    for node_id in ids:
        report = demo.world.node(node_id).report
        assert report is not None
        states.append({row.kb_id: row.state for row in report.rows}["postgresql-15.amd64"])
    assert states == ["Installed", "Failed"]


def test_a_repository_can_be_moved_by_hand() -> None:
    demo = Demo()
    before = demo.titles_missing("orders-db", "prod")
    moved = demo.world.move_repository("orders-db")
    assert len(moved) == 5
    assert len(demo.titles_missing("orders-db", "prod") - before) == 5


def test_the_configuration_names_every_environment_in_promotion_order() -> None:
    config = fleet_config(demo_fleet())
    assert list(config["applications"]) == ["orders-db", "billing-db", "search-db", "reports-db"]
    assert config["applications"]["search-db"]["policy"] == {"soak": "30d"}
    orders = config["applications"]["orders-db"]
    assert orders["channel"] == "C0ORDERS"
    assert list(orders["environments"]) == ["nonprod", "prod"]
    assert "production" not in orders["environments"]["nonprod"]
    assert orders["environments"]["prod"] == {
        "production": True,
        "account": "222222222222",
        "region": "eu-west-1",
        "role_arn": "arn:aws:iam::222222222222:role/patchgate",
        "targets": {"tag:PatchGroup": ["orders-db-prod"]},
    }
