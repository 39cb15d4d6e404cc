"""Pinned installs on Debian, RHEL, Amazon Linux 2023 and Windows do exactly the list; a version that leaves the
repository is reported (issue 4, Shows 2).

Each application is at `listed` 1 and `moving` 1, its production at `late` 1, too (on Windows: none of the updates); its
repository offers `listed` 2 and `moving` 2 when non-production installs, and more later.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from aws.backups import Tags
from commands.install import InstallPart
from patching.states import ChangeState, RunState
from sandbox.aws.fleet import (
    AMAZON_LINUX_2023,
    DEBIAN_12,
    RHEL_9,
    WINDOWS_2022,
    Baseline,
    Fleet,
    Package,
    Platform,
    Release,
)
from sandbox.fleet import small_fleet
from scheduler.parts import target_of
from storage import evidence, outbox, runs
from storage.runs import Purpose, Run
from tests.integration.small_house import approve, asked, card, installs, modal, newest, proven, words
from tests.stateful.house import STEP, House
from tests.stateful.street import Street


@dataclass(frozen=True)
class Kind:
    """A platform with the packages of the story, each from old to new."""

    platform: Platform
    listed: tuple[Package, Package]
    moving: tuple[Package, Package, Package]
    late: tuple[Package, Package]
    brings: tuple[Package, ...] = ()  # what comes along with the new `listed`
    keeps_old: bool = False

    def row(self, package: Package) -> tuple[str, str]:
        """(KBId, Title)."""
        name, arch = package.name, package.arch
        return self.platform.kb_id(name, arch), self.platform.title(name, arch, package.version)

    def fleet(self, application: str) -> Fleet:
        common = () if self.platform is WINDOWS_2022 else (self.listed[0], self.moving[0])
        return small_fleet(
            application=application,
            prod=2,
            packages=(*common, self.late[0]) if common else (),
            differing={f"{application}-nonprod-1": {"packages": common}},
            releases=(Release(self.listed[1], brings=self.brings), Release(self.moving[1])),
            platform=self.platform,
            baseline=Baseline(f"all-{self.platform.operating_system}", self.platform.operating_system),
            keeps_old_versions=self.keeps_old,
        )


def _versions(arch: str, name: str, count: int) -> tuple[Package, ...]:
    package = Package(name, arch, "1", severity="Important", suite="security", classification="Security")
    return tuple(replace(package, version=str(number)) for number in range(1, count + 1))


def _updates(*named: tuple[str, str]) -> tuple[Package, ...]:
    return tuple(
        Package(kb, "", f"{title} ({kb})", severity="Critical", classification="SecurityUpdates") for kb, title in named
    )


def _linux(platform: Platform, arch: str, **more: object) -> Kind:
    packages = (_versions(arch, "listed", 2), _versions(arch, "moving", 3), _versions(arch, "late", 2))
    return Kind(platform, *packages, **more)  # type: ignore[arg-type]


KINDS = {
    "debian": _linux(DEBIAN_12, "amd64", brings=_versions("amd64", "along", 1)),
    "rhel": _linux(RHEL_9, "x86_64", keeps_old=True),
    "al2023": _linux(AMAZON_LINUX_2023, "x86_64", keeps_old=True),
    "windows": Kind(
        WINDOWS_2022,
        _updates(("KB9000010", "2026-11 Security Update"), ("KB9000010", "2026-11 Security Update")),  # type: ignore[arg-type]
        _updates(*(("KB890830", f"Removal Tool x64 - v5.{number}") for number in (138, 139, 140))),  # type: ignore[arg-type]
        _updates(("KB9000012", "2026-11 Other"), ("KB9000012", "2026-11 Other")),  # type: ignore[arg-type]
    ),
}
STORIES = ("exact", "leaves", "moves", "missed")


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """An application for each kind and story, in one world."""
    fleets = {name: [kind.fleet(f"{name}-{story}") for story in STORIES] for name, kind in KINDS.items()}
    every = [fleet for of_kind in fleets.values() for fleet in of_kind]
    opened = Street(
        tmp_path_factory.mktemp("platforms"),
        Fleet(
            tuple(fleet.applications[0] for fleet in every),
            tuple(fleet.repositories[0] for fleet in every),
            tuple(of_kind[0].baselines[0] for of_kind in fleets.values()),
        ),
    )
    yield opened
    opened.close()


@pytest.mark.parametrize("name", KINDS)
def test_production_gets_exactly_the_list(street: Street, name: str) -> None:
    """The ready part: `late` is missing and not on the list; of `moving` there is a version that nobody proved."""
    kind, house = KINDS[name], proven(street, f"{name}-exact")
    house.world.publish(house.name, Release(kind.moving[2]))
    house.world.publish(house.name, Release(kind.late[1]))
    change = asked(house, command=InstallPart(house.prod))
    assert change.state is ChangeState.PENDING, card(house)
    # An RPM repository still has the version that soaked; a mirror of Debian's has dropped it, Windows has no versions.
    listed = (kind.listed[1], kind.moving[1]) if kind.keeps_old else (kind.listed[1],)
    assert {(pin.id, pin.title) for pin in change.pins or ()} == set(map(kind.row, listed))
    assert ("approves the 1 listed KB." in modal(house)) is (name == "windows")
    approve(house, "U0OLA")
    house.settle()

    run = production_run(house)
    assert run.state is RunState.SUCCEEDED, run_words(house, run)
    came = {kind.row(package) for package in (*listed, *kind.brings)}
    assert rows_that_came(house) == [came, came]
    expected = dict(came)
    if name != "windows":
        expected |= dict(map(kind.row, (kind.late[0], *(() if kind.keeps_old else kind.moving[:1]))))
    assert on_nodes(house) == [expected, expected]
    left = {kind.row(package) for package in (kind.moving[2], kind.late[1])}
    assert missing(house) == [left, left]
    told = run_words(house, run)
    if kind.keeps_old:
        assert "1 of 2 installed as approved" in told
        assert "1 proven, not the newest, not shown by the scan afterwards" in told
    else:
        assert "*1 of 1 patch installed* on 2 nodes" in told
    assert ("1 dependency came along: `along.amd64`" in told) is bool(kind.brings)


GONE = "is gone from the repository"
AFTER_APPROVAL = {
    ("debian", "leaves"): f"moving.amd64 2 {GONE}: no node is offered it any more",
    ("debian", "moves"): f"moving.amd64 2 {GONE}, which offers 3 now",
    ("rhel", "leaves"): f"moving.x86_64 0:2 {GONE}, or waits for the baseline's approval again: no node is offered it",
    ("al2023", "moves"): "moving.x86_64 0:2 is not the newest any more: the repository offers 0:3 now",
    ("windows", "leaves"): "KB890830 Removal Tool x64 - v5.139 is no longer offered: Windows Update has withdrawn it",
    ("windows", "moves"): "KB890830 Removal Tool x64 - v5.139 comes with other content now: Removal Tool x64 - v5.140",
}


@pytest.mark.parametrize(("name", "story"), AFTER_APPROVAL)
def test_I3_a_version_that_leaves_between_approval_and_send_is_named_and_nothing_is_sent(
    street: Street, name: str, story: str
) -> None:
    kind, house = KINDS[name], proven(street, f"{name}-{story}")
    assert asked(house).state is ChangeState.PENDING, card(house)
    approve(house, "U0OLA")
    if story == "leaves":
        house.world.withdraw(house.name, kind.moving[1])
    else:
        house.world.publish(house.name, Release(kind.moving[2]))
    house.settle()
    assert newest(house).state is ChangeState.SUPERSEDED
    assert newest(house).note.startswith(AFTER_APPROVAL[name, story])
    assert AFTER_APPROVAL[name, story] in card(house)
    assert installs(house) == []


@pytest.mark.parametrize("name", KINDS)
def test_I9_a_version_that_left_once_the_install_was_sent_is_reported_with_what_to_do(
    street: Street, name: str
) -> None:
    kind, house = KINDS[name], proven(street, f"{name}-missed")
    production = target_of(house.parts.config.environments()[house.prod])
    for node_id in house.node_ids("prod"):
        house.parts.backups.create_snapshots(production, node_id, Tags(house.name, "", "by hand", "by hand"))
    house.jump(timedelta(minutes=3))
    assert asked(house).state is ChangeState.PENDING, card(house)
    approve(house, "U0OLA")
    while not installs(house):
        house.round()
    # Gone in the moment in which it was sent: no node has begun yet.
    house.world.repositories[house.name].withdraw(kind.moving[1], house.clock.now() - STEP)
    house.settle()

    run = production_run(house)
    assert run.state is RunState.DEVIATED
    came = {kind.row(package) for package in (kind.listed[1], *kind.brings)}
    assert rows_that_came(house) == [came, came]
    told = run_words(house, run)
    moving = kind.row(kind.moving[1])[0]
    assert "*1 of 2 patches installed* on 2 nodes" in told
    assert f"gone from the repository: `{moving}`" in told
    assert "1 of 2 installed as approved" in told
    assert f"*1 gone from the repository* (`{moving}`)" in told
    assert f"`/patch install {house.name} nonprod` takes the newest set, which soaks anew" in told
    assert "*To go back*" in told
    assert "`snap-" in told
    assert "aws ec2 create-volume --region eu-west-1" in told
    assert "snapshot of last night" in told  # what Ola said of the database's own


# --- What is there


def production_run(house: House) -> Run:
    (run,) = runs.of_change(house.store.db, newest(house).id, Purpose.CHANGE)
    return run


def run_words(house: House, run: Run) -> str:
    found = outbox.card(house.store.db, run.subject)
    assert found
    return words(house, found)


def rows_that_came(house: House) -> list[set[tuple[str, str]]]:
    """What the nodes of production installed, each, as the simulated nodes themselves recorded it."""
    production = house.node_ids("prod")
    return [
        set(rows) for each in house.world.installs() for node_id, rows in each.rows.items() if node_id in production
    ]


def on_nodes(house: House) -> list[dict[str, str]]:
    """{KBId: Title} of everything on each node of production."""
    found = []
    for node_id in sorted(house.node_ids("prod")):
        node = house.world.node(node_id)
        packages = [each.package for each in node.packages.values()]
        found.append(
            {node.platform.kb_id(p.name, p.arch): node.platform.title(p.name, p.arch, p.version) for p in packages}
        )
    return found


def missing(house: House) -> list[set[tuple[str, str]]]:
    """What the verification's rows call missing, node by node."""
    return [
        {(row.kb_id, row.title) for row in item.rows if row.state.value == "Missing"}
        for item in evidence.newest(house.store.db, house.name, "prod").values()
    ]
