"""The demo's fleet: real Debian rows, the stories of its applications, and its mapping in patchgate.yaml's shape."""

from datetime import timedelta

import pytest

from patching.config import validate
from patching.hooks import INSTALL_WITH_HOOKS
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

    def rows(self, application: str, environment: str) -> dict[str, tuple[str, str]]:
        """KBId → (State, Title) as a scan of the first node finds them now."""
        [first, *_] = self.ids(application, environment)
        self.world.foreign_operation([first], "Scan")
        self.clock.jump(timedelta(seconds=10))
        report = self.world.node(first).report
        assert report is not None
        return {row.kb_id: (row.state, row.title) for row in report.rows}

    def titles_missing(self, application: str, environment: str) -> set[str]:
        return {title for state, title in self.rows(application, environment).values() if state == "Missing"}

    def install(self, application: str, environment: str) -> None:
        self.world.foreign_operation(self.ids(application, environment), "Install")
        self.clock.jump(timedelta(seconds=30))


DEBIAN = ("orders-db", "orders-ha", "billing-db", "search-db", "reports-db")
OTHERS = ("ledger-db", "cache-al2023", "crm-win")


def test_every_debian_node_carries_the_whole_real_machine() -> None:
    assert len(installed_packages()) == 710
    for application, environment, node in demo_fleet().nodes():
        assert environment.account in ("111111111111", "222222222222")
        if application.name in DEBIAN:
            assert node.packages == installed_packages()


def test_the_other_platforms_have_two_nodes_an_environment_and_at_most_150_rows_each_spelled_once() -> None:
    fleet = demo_fleet()
    assert [application.name for application in fleet.applications] == [*DEBIAN, *OTHERS]
    for application in OTHERS:
        for environment in ("nonprod", "prod"):
            nodes = fleet.environment(application, environment).nodes
            assert len(nodes) == 2
            ids = [nodes[0].platform.kb_id(package.name, package.arch) for package in nodes[0].packages]
            assert len(ids) == len(set(ids)) <= 150


def test_what_the_other_platforms_offer_is_marked_as_made_up() -> None:
    for repository in demo_fleet().repositories:
        if repository.name in OTHERS:
            assert repository.releases
            assert all(release.made_up for release in repository.releases)


def test_what_the_mirrors_offer_first_is_real_and_the_rest_is_marked_as_made_up() -> None:
    for repository in demo_fleet().repositories:
        for release in repository.releases if repository.name in DEBIAN else ():
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
        ("1:3.0.7-28.el9_4", "1:3.0.7-29.el9_4"),
        ("6.1.112-122.189.amzn2023", "6.1.112-122.190.amzn2023"),
        ("6.2.16-1.amzn2023.0.1", "6.2.16-2.amzn2023.0.1"),
        ("2026-11 Cumulative Update (KB9901101)", "2026-12 Cumulative Update (KB9901101)"),
        ("2026-12 Cumulative Update (KB9901101)", "2027-01 Cumulative Update (KB9901101)"),
        ("Removal Tool x64 - v5.139 (KB890830)", "Removal Tool x64 - v5.140 (KB890830)"),
    ],
)
def test_the_next_version_is_the_last_number_and_one(version: str, after: str) -> None:
    assert next_version(version) == after


def test_how_many_patches_each_application_begins_with() -> None:
    demo = Demo()
    found: dict[str, set[int]] = {}
    for application, _, spec in demo.fleet.nodes():
        node = demo.world.node(spec.id)
        found.setdefault(application.name, set()).add(missing(node, demo.world.baseline_of(node), START))
    assert found == {name: {32} for name in DEBIAN} | {"ledger-db": {31}, "cache-al2023": {23}, "crm-win": {7}}


def test_ledger_s_ready_part_31_of_34_are_installed_first_and_3_appear_on_day_four() -> None:
    demo = Demo()
    first = demo.titles_missing("ledger-db", "prod")
    demo.install("ledger-db", "nonprod")
    assert demo.titles_missing("ledger-db", "nonprod") == set()
    demo.clock.jump(timedelta(days=3))
    assert demo.titles_missing("ledger-db", "prod") == first
    demo.clock.jump(timedelta(days=1))
    late = demo.titles_missing("ledger-db", "nonprod")
    assert (len(first), len(late)) == (31, 3)
    demo.install("ledger-db", "nonprod")
    assert demo.titles_missing("ledger-db", "nonprod") == set()
    demo.clock.jump(timedelta(days=20))
    assert demo.titles_missing("ledger-db", "prod") == first | late


def test_the_cache_s_repository_moves_past_what_was_tested_and_keeps_that_too() -> None:
    demo = Demo()
    tested = demo.titles_missing("cache-al2023", "prod")
    demo.install("cache-al2023", "nonprod")
    demo.clock.jump(timedelta(days=4))
    assert demo.titles_missing("cache-al2023", "prod") == tested
    demo.clock.jump(timedelta(days=2))
    untested = demo.titles_missing("cache-al2023", "prod") - tested
    assert {title.partition(".")[0] for title in untested} == {"expat", "openssl", "openssl-libs", "redis6"}
    node = demo.world.node(demo.ids("cache-al2023", "prod")[0])
    offered = node.repository.upgrades(node.packages["redis6.x86_64"].package, demo.clock.now())
    assert [published.release.package.version for published in offered] == [
        "6.2.16-1.amzn2023.0.1",
        "6.2.16-2.amzn2023.0.1",
    ]


def test_the_crm_s_cumulative_update_is_superseded_and_its_removal_tool_comes_with_another_title() -> None:
    demo = Demo()
    cumulative, following, tool = "KB9901101", "KB9901201", "KB890830"
    assert demo.rows("crm-win", "prod")[cumulative][0] == "Missing"
    demo.install("crm-win", "nonprod")
    demo.clock.jump(timedelta(days=5))
    assert demo.rows("crm-win", "prod")[following][0] == "AvailableSecurityUpdate"
    demo.clock.jump(timedelta(days=3))
    tested, wanted = demo.rows("crm-win", "nonprod"), demo.rows("crm-win", "prod")
    assert (tested[cumulative][0], wanted[cumulative][0]) == ("Installed", "NotApplicable")
    assert (tested[following][0], wanted[following][0]) == ("Missing", "Missing")
    assert wanted[tool] == ("Missing", "Windows Malicious Software Removal Tool x64 - v5.140 (KB890830)")


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


def test_orders_ha_has_a_primary_and_replicas_and_its_plan_s_documents_are_in_both_accounts() -> None:
    demo = Demo()
    plan = validate(fleet_config(demo.fleet)).applications["orders-ha"]
    named = {*plan.hooks.named.values(), plan.health.document, plan.backup.document, INSTALL_WITH_HOOKS}
    for name in ("nonprod", "prod"):
        environment = demo.fleet.environment("orders-ha", name)
        roles = [node.tags["Role"] for node in environment.nodes]
        assert roles == ["primary", *["replica"] * (len(roles) - 1)]
        region = demo.world.region(environment.account, environment.region)
        assert named <= set(region.library.names())
        assert set(plan.health.alarms) <= region.alarms.keys()


def test_the_configuration_names_every_environment_in_promotion_order() -> None:
    config = fleet_config(demo_fleet())
    assert list(config["applications"]) == [*DEBIAN, *OTHERS]
    assert [config["applications"][name]["channel"] for name in OTHERS] == ["C0LEDGER", "C0CACHE", "C0CRM"]
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
