"""The weekly digest's moment across daylight saving, by whole and half hours."""

from datetime import UTC, datetime, time, timedelta

import pytest

from patching.notices import Weekly

SUNDAY = 6


@pytest.mark.parametrize(
    ("at", "timezone", "moment"),
    [
        (time(9), "UTC", "2026-03-29T09:00"),
        (time(9), "Europe/Berlin", "2026-03-29T07:00"),
        (time(2, 30), "Europe/Berlin", "2026-03-29T01:30"),  # left out that night: as late as if it had not been
        (time(2, 30), "Europe/Berlin", "2026-10-25T00:30"),  # twice that night: the first counts
        (time(2, 15), "Australia/Lord_Howe", "2026-10-03T15:45"),  # half an hour is left out
        (time(1, 45), "Australia/Lord_Howe", "2026-04-04T14:45"),  # half an hour comes twice
        (time(1, 45), "Asia/Kathmandu", "2032-02-28T20:00"),  # of a leap day there
    ],
)
def test_the_newest_digest_is_never_ahead_and_never_goes_back(at: time, timezone: str, moment: str) -> None:
    expected = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    weekly = Weekly(SUNDAY, at, timezone)
    minutes = [expected + timedelta(minutes=each) for each in range(-180, 180, 5)]
    found = [weekly.last(now) for now in minutes]
    assert all(last <= now for last, now in zip(found, minutes, strict=True))
    assert found == sorted(found)
    assert found[minutes.index(expected)] == expected
    assert found[minutes.index(expected) - 1] < expected - timedelta(days=6)
