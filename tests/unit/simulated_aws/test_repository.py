"""Repositories that move with time."""

from datetime import timedelta

import pytest

from sandbox.aws.fleet import Repository
from sandbox.aws.repository import MovingRepository
from tests.unit.simulated_aws.support import OPENSSL, START, upgrade

DAY = timedelta(days=1)


def repository(*, keeps_old_versions: bool = False) -> MovingRepository:
    """Version 1-1 from the start, 1-2 on day 3."""
    releases = (upgrade(OPENSSL, "1-1"), upgrade(OPENSSL, "1-2", available_from=3 * DAY))
    return MovingRepository(Repository("mirror", releases, keeps_old_versions), START)


def upgrades(mirror: MovingRepository, installed: str, days: float) -> list[str]:
    package = upgrade(OPENSSL, installed).package
    return [published.release.package.version for published in mirror.upgrades(package, START + days * DAY)]


def test_a_version_appears_when_its_time_comes() -> None:
    mirror = repository()
    assert [upgrades(mirror, "1-0", days) for days in (0, 2.9, 3)] == [["1-1"], ["1-1"], ["1-2"]]
    assert upgrades(mirror, "1-2", 3) == []


def test_another_kind_of_repository_keeps_the_older_versions() -> None:
    mirror = repository(keeps_old_versions=True)
    assert upgrades(mirror, "1-0", 4) == ["1-1", "1-2"]
    assert upgrades(mirror, "1-1", 4) == ["1-2"]


def test_a_withdrawn_version_is_offered_to_nobody_and_on_a_mirror_nothing_comes_back_for_it() -> None:
    for keeps, left in ((False, []), (True, ["1-1"])):
        mirror = repository(keeps_old_versions=keeps)
        mirror.withdraw(upgrade(OPENSSL, "1-2").package, START + 4 * DAY)
        assert upgrades(mirror, "1-0", 3.9)[-1] == "1-2"
        assert upgrades(mirror, "1-0", 4) == left
    with pytest.raises(KeyError, match="openssl 1-9 was never in mirror"):
        mirror.withdraw(upgrade(OPENSSL, "1-9").package, START)


def test_a_node_ahead_of_its_mirror_is_offered_nothing() -> None:
    assert upgrades(repository(), "1-2", 1) == []


def test_moved_by_hand_it_never_goes_back_to_what_was_planned() -> None:
    mirror = repository()
    for days in (1, 2):
        [moved] = mirror.move_now(START + days * DAY)
        assert (moved.package.version, moved.made_up) == (f"1-{days + 1}", True)
    assert [upgrades(mirror, "1-0", days) for days in (2, 4)] == [["1-3"], ["1-3"]]
    assert upgrades(mirror, "1-3", 4) == []


def test_moves_are_told_by_their_time() -> None:
    assert [(at - START, [r.package.version for r in releases]) for at, releases in repository().moves()] == [
        (timedelta(0), ["1-1"]),
        (3 * DAY, ["1-2"]),
    ]


def test_a_release_date_is_the_appearance_s_unless_the_advisory_says_another() -> None:
    releases = (upgrade(OPENSSL, "1-1", released=-5 * DAY), upgrade(OPENSSL, "1-2", available_from=DAY))
    mirror = MovingRepository(Repository("mirror", releases), START)
    assert [published.released - START for published in mirror.everything()] == [-5 * DAY, DAY]


def test_what_is_moved_by_hand_was_released_at_that_moment() -> None:
    mirror = MovingRepository(Repository("mirror", (upgrade(OPENSSL, "1-1", released=-5 * DAY),)), START)
    [moved] = mirror.move_now(START + DAY)
    published = mirror.find(moved.package)
    assert published is not None
    assert (published.released, moved.released) == (START + DAY, None)
