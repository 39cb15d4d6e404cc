"""The weekly digest: owed once a week to each channel, never in a burst, compared with the one before (I7)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from commands.digest_report import KIND
from commands.scan import Scan
from patching.notices import Notices
from scheduler import digests
from storage import outbox
from tests.integration.small_house import asked, built, install, owed, words
from tests.stateful.house import House
from tests.stateful.street import Street

DAY, WEEK = timedelta(days=1), timedelta(days=7)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("digests"))
    yield opened
    opened.close()


@pytest.fixture
def house(street: Street) -> Iterator[House]:
    opened = built(street, soak="0s")
    yield opened
    opened.close()


def look(house: House, digest: str = "mon 09:00 UTC") -> int:
    """The sweep, twice; how many digests were ever owed."""
    config = house.parts.config.model_copy(update={"notices": Notices.model_validate({"digest": digest})})
    for _ in range(2):
        digests.tick(replace(house.parts, config=config), house.clock.now())
    return len(owed(house, KIND))


def scan(house: House) -> None:
    for key in (house.nonprod, house.prod):
        house.ask(Scan(key), "U0ANN")
    house.settle()


def to(house: House, moment: datetime) -> None:
    house.jump(moment - house.clock.now())


def monday(after: datetime) -> datetime:
    """The first Monday, 09:00 UTC, that is later."""
    nine = after.astimezone(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    return next(day for ahead in range(9) if (day := nine + ahead * DAY) > after and day.weekday() == 0)


def test_I7_each_week_has_one_digest_that_is_compared_with_the_last(house: House) -> None:
    assert look(house) == 0  # nothing has ever happened here
    scan(house)
    first = monday(house.clock.now())
    to(house, first - timedelta(minutes=1))
    assert look(house) == 0
    to(house, first)
    assert look(house) == 1
    (digest,) = owed(house, KIND)
    assert digest.recipient == house.parts.config.channel_of(house.name)
    said = words(house, digest)
    assert "*0 of 3 nodes (0%)* are compliant" in said
    assert "last digest" not in said.replace("Last digest", "")
    assert f"1 patch missing in {house.prod}" in said

    to(house, first + WEEK - timedelta(hours=1))
    install(house)
    change = asked(house)
    to(house, first + WEEK)
    assert look(house) == 2
    said = words(house, owed(house, KIND)[-1])
    assert "*1 of 3 nodes (33%)* are compliant" in said
    assert "It was 0 of 3 nodes (0%) at the last digest" in said
    assert f"*Approvals pending*\n`{change.ref}` · {house.prod}: waits for approval" in said
    assert f"The maintenance windows of {house.prod} have not been read yet" in said


def test_I7_after_downtime_only_the_newest_comes_and_not_when_it_is_long_past(house: House) -> None:
    scan(house)
    first = monday(house.clock.now())
    to(house, first + 3 * WEEK + timedelta(days=3, seconds=1))
    assert look(house) == 0
    to(house, first + 5 * WEEK + 2 * DAY)
    assert look(house) == 1
    assert f"The oldest evidence of {house.prod} is of" in words(house, owed(house, KIND)[0])


def test_a_digest_keeps_its_hour_across_daylight_saving_and_may_be_off(house: House) -> None:
    scan(house)
    year = house.clock.now().year + 1
    autumn = next(day for at in range(25, 32) if (day := datetime(year, 10, at, tzinfo=UTC)).weekday() == 6)
    before, after = autumn - 6 * DAY + timedelta(hours=7), autumn + DAY + timedelta(hours=8)
    for moment, count in ((before, 1), (after, 2)):
        to(house, moment - timedelta(seconds=1))
        assert look(house, "mon 09:00 Europe/Berlin") == count - 1
        to(house, moment)
        assert look(house, "mon 09:00 Europe/Berlin") == count
    to(house, after + WEEK)
    assert look(house, "off") == 2


def test_a_digest_that_nobody_could_be_sent_is_what_the_next_is_compared_with(house: House) -> None:
    scan(house)
    first = monday(house.clock.now())
    to(house, first)
    look(house)
    with house.store.transaction() as tx:
        outbox.begin_sending(tx, owed(house, KIND)[0])
        outbox.bury(tx, owed(house, KIND)[0], "channel_not_found")
    to(house, first + WEEK)
    assert look(house) == 2
    assert "at the last digest" in words(house, owed(house, KIND)[-1])
