"""Soak by patch: each has its clock, and what holds, restarts or shortens it (issue 3, section 2)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from commands.install import InstallPart
from commands.problem import ClearProblem, ReportProblem
from commands.scan import Scan
from patching.states import ChangeState
from sandbox.aws.fleet import RHEL_9, Baseline, Fleet, Package, Release, Rule
from sandbox.fleet import small_fleet
from scheduler.alarms import Watch
from storage import soak
from storage.changes import Change
from tests.integration.small_house import approve, asked, built, card, failing, install, installs, newest
from tests.integration.small_town import BASH, OPENSSL, SECURE_OPENSSL
from tests.stateful.house import House
from tests.stateful.street import Street

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NAMES = ("two", "alarm", "flicker", "problem", "foreign", "scanned")
ALARM = "orders-5xx"
NEW_BASH = Release(replace(BASH, version="5.2.15-3", suite="security"))
KERNEL = Package("kernel", "x86_64", "5.14.0-427.el9", severity="Critical", classification="Security")
TAR = Package("tar", "x86_64", "2:1.34-6.el9", severity="Moderate", classification="Security")
RPM_BASELINE = Baseline("acme-rhel-9", RHEL_9.operating_system, (Rule(),))


def fleet() -> Fleet:
    """Debian with an update for openssl; one application on RHEL 9 has a critical and a moderate update."""
    debian = [
        small_fleet(
            application=name,
            nonprod=2,
            prod=1,
            packages=(OPENSSL, BASH),
            releases=(SECURE_OPENSSL,),
            alarms=(ALARM,) if name in {"alarm", "flicker"} else (),
        )
        for name in NAMES
    ]
    releases = (Release(replace(KERNEL, version="5.14.0-428.el9")), Release(replace(TAR, version="2:1.34-7.el9")))
    rpm = small_fleet(
        application="rpm", prod=1, packages=(KERNEL, TAR), releases=releases, platform=RHEL_9, baseline=RPM_BASELINE
    )
    everything = (*debian, rpm)
    return replace(
        rpm,
        applications=tuple(each.applications[0] for each in everything),
        repositories=tuple(each.repositories[0] for each in everything),
        baselines=(*debian[0].baselines, RPM_BASELINE),
    )


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("soak"), fleet())
    yield opened
    opened.close()


def publish(house: House, release: Release) -> None:
    """The application's repository gets one more version now."""
    with house.world.lock:
        house.world.repositories[house.name].publish(release, house.world.advance())


def part(change: Change) -> tuple[int, int]:
    """(ready, of) as the message says it."""
    told = (change.facts or {})["part"]
    return told["ready"], told["of"]


def all_ready_in(house: House, change: Change) -> timedelta:
    return datetime.fromisoformat((change.facts or {})["all_ready_at"]) - house.clock.now()


def test_each_patch_has_its_own_clock_and_the_ready_one_goes_alone(street: Street) -> None:
    house = built(street, "two")
    install(house)
    house.jump(3 * DAY)
    publish(house, NEW_BASH)
    install(house)
    house.jump(4 * DAY + HOUR)
    change = asked(house)
    assert (change.state, failing(change), part(change)) == (ChangeState.BLOCKED, {"soak-over"}, (1, 2))
    assert 2 * DAY < all_ready_in(house, change) < 3 * DAY
    assert "`bash.amd64`: Soaks for another 2 d" in card(house)
    assert asked(house, command=InstallPart(house.prod)).state is ChangeState.PENDING
    approve(house, "U0OLA")
    house.settle()
    assert rows_on_production(house) == {"openssl.amd64"}
    house.jump(3 * DAY)
    assert asked(house).state is ChangeState.PENDING
    approve(house, "U0OLA")
    house.settle()
    assert rows_on_production(house) == {"openssl.amd64", "bash.amd64"}


def test_a_critical_patch_soaks_for_as_long_as_the_policy_says_of_critical_ones(street: Street) -> None:
    house = built(street, "rpm", soak={"default": "7d", "critical": "2d"})
    install(house)
    house.jump(2 * DAY + HOUR)
    change = asked(house, command=InstallPart(house.prod))
    assert (change.state, part(change)) == (ChangeState.PENDING, (1, 2))
    assert [pin.id for pin in change.pins or ()] == ["kernel.x86_64"]


def test_an_alarm_that_is_on_holds_what_has_soaked_until_it_is_off(street: Street) -> None:
    house = built(street, "alarm", alarms=[ALARM])
    install(house)
    house.jump(8 * DAY)
    house.world.set_alarm(ALARM, "ALARM")
    change = asked(house)
    assert (change.state, failing(change)) == (ChangeState.BLOCKED, {"alarms-quiet", "soak-over"})
    assert "1 of 1 alarm on: orders-5xx" in card(house)
    house.world.set_alarm(ALARM, "OK")
    assert asked(house).state is ChangeState.PENDING


def test_I3_an_alarm_that_goes_on_after_the_approval_stops_the_send(street: Street) -> None:
    house = built(street, "alarm", alarms=[ALARM])
    install(house)
    house.jump(8 * DAY)
    assert asked(house).state is ChangeState.PENDING
    approve(house, "U0OLA")
    house.world.set_alarm(ALARM, "ALARM")
    house.settle()
    house.world.set_alarm(ALARM, "OK")
    assert (newest(house).state, installs(house)) == (ChangeState.SUPERSEDED, [])
    assert "orders-5xx" in newest(house).note


def test_an_alarm_of_the_past_moves_the_ready_date_by_as_long_as_it_was_on(street: Street) -> None:
    """Nobody asks meanwhile: the sweep looks by itself."""
    house = built(street, "flicker", alarms=[ALARM])
    install(house)
    watch = Watch(house.parts)
    house.jump(DAY)
    for state, lasts in (("ALARM", 2 * DAY), ("OK", 4 * DAY + HOUR)):
        house.world.set_alarm(ALARM, state)
        watch.tick(house.clock.now())
        house.jump(lasts)
    change = asked(house)
    assert failing(change) == {"soak-over"}
    assert DAY < all_ready_in(house, change) < 2 * DAY
    house.jump(2 * DAY)
    assert asked(house).state is ChangeState.PENDING


def test_a_problem_of_the_past_moves_the_ready_date_by_as_long_as_it_was_open(street: Street) -> None:
    house = built(street, "problem")
    install(house)
    house.jump(DAY)
    house.ask(ReportProblem(1, "queries hang"), "U0EVE")
    house.jump(2 * DAY)
    house.ask(ClearProblem(house.name, "it was the network"), "U0ANN")
    house.jump(4 * DAY + HOUR)
    change = asked(house)
    assert failing(change) == {"soak-over"}
    assert DAY < all_ready_in(house, change) < 2 * DAY
    house.jump(2 * DAY)
    assert asked(house).state is ChangeState.PENDING


def test_I8_what_a_foreign_install_brought_has_not_begun_to_soak_and_the_rest_goes_on(street: Street) -> None:
    house = built(street, "foreign")
    install(house)
    house.jump(8 * DAY)
    publish(house, NEW_BASH)
    house.world.foreign_operation(sorted(house.node_ids("nonprod")), "Install")
    house.jump(HOUR)
    change = asked(house)
    assert change.state is ChangeState.BLOCKED
    assert "soak-over" in failing(change)
    assert part(change) == (1, 2)
    assert "the soak of 1 has not begun" in card(house)
    house.jump(8 * DAY)
    assert part(asked(house)) == (1, 2)  # time alone does not prove it
    install(house)
    house.jump(7 * DAY + HOUR)
    assert asked(house).state is ChangeState.PENDING


def test_I8_a_scan_of_ours_starts_no_clock_and_a_verification_does(street: Street) -> None:
    house = built(street, "scanned")
    house.ask(Scan(house.nonprod), "U0ANN")
    house.settle()
    assert not any(soak.of_environment(house.store.db, house.name, "nonprod").values())
    install(house)
    clocks = soak.of_environment(house.store.db, house.name, "nonprod")
    assert len(clocks) == 2
    for of_node in clocks.values():
        assert ("openssl.amd64", "3.0.17-1~deb12u1") in of_node


def rows_on_production(house: House) -> set[str]:
    """Ids that production's nodes really installed."""
    production = house.node_ids("prod")
    return {
        kb_id
        for each in house.world.installs()
        if production & each.rows.keys()
        for rows in each.rows.values()
        for kb_id, _ in rows
    }
