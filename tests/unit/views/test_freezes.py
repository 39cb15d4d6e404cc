"""Freezes as people read them: the list, and the line in a channel."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.views.freezes import freeze_told
from bot.views.replies import render
from bot.views.text import unmarked
from commands.freezes import FreezeList, FreezePeriod, Origin
from tests.unit.views.seen import assert_accepted, buttons, shown

NOW = datetime(2026, 12, 24, 12, tzinfo=UTC)
YEAR_END = FreezePeriod(
    "config:year end:x",
    "year end",
    Origin.CONFIGURED,
    None,
    datetime(2026, 12, 19, 23, tzinfo=UTC),
    datetime(2027, 1, 3, 23, tzinfo=UTC),
    "Europe/Berlin",
)
LAUNCH = FreezePeriod(
    "added:1", "launch", Origin.ADDED, ("orders-db",), NOW, None, "UTC", "we go live.", added_by="U0ADA"
)
CLOSED = FreezePeriod("calendar:acme:x", "acme", Origin.CALENDAR, None, NOW, None, "UTC")
UNREAD = replace(CLOSED, starts_at=None, reason="its Change Calendar has not been read yet", error="AWS refused it.")


def listed(*periods: FreezePeriod, page: int = 0, more: bool = False) -> list[str]:
    rendered = render(FreezeList(periods, NOW, timedelta(days=90), page, more))
    assert_accepted(rendered)
    return unmarked(shown(rendered)).splitlines()


def test_what_is_in_force_stands_first() -> None:
    later = replace(YEAR_END, name="month end", starts_at=NOW + timedelta(days=7), ends_at=NOW + timedelta(days=8))
    assert listed(YEAR_END, LAUNCH, CLOSED, UNREAD, replace(later, timezone="UTC")) == [
        "Freezes",
        "In force",
        "• year end · every application: until 2027-01-03 23:00 UTC (Europe/Berlin)",
        "• launch · orders-db: until an admin lifts it · we go live · added by U0ADA",
        "• acme · every application: while its Change Calendar is closed",
        "• acme · every application: counts as closed · its Change Calendar has not been read yet · AWS refused it",
        "To come",
        "• month end · every application: from 2026-12-31 12:00 UTC until 2027-01-01 12:00 UTC",
        "The next 90 days. An admin lifts one: /patch freeze lift NAME REASON.",
    ]


def test_no_freeze_and_the_last_page() -> None:
    assert listed()[1] == "No freeze is in force, and none is to come."
    rendered = render(FreezeList((LAUNCH,), NOW, timedelta(days=90), 1, more=True))
    assert [each["value"] for each in buttons(rendered).values()] == ['{"page":2}']
    assert len([block for block in rendered[1] if block["type"] == "actions"]) == 2


def told(kind: str, **changed: Any) -> str:
    payload = {
        "name": "launch",
        "applications": ["orders-db", "billing-db"],
        "starts_at": NOW.isoformat(),
        "ends_at": (NOW + timedelta(days=2)).isoformat(),
        "reason": "we go live",
        "by": "U0ADA",
        "recurs": True,
    }
    rendered = freeze_told(kind, {**payload, **changed})
    assert_accepted(rendered)
    return unmarked(shown(rendered))


def test_a_channel_is_told_who_froze_what_until_when_and_why() -> None:
    assert told("freeze-added") == (
        "U0ADA added the freeze launch: production of orders-db and billing-db is left alone from 2026-12-24 12:00 UTC "
        "until 2026-12-26 12:00 UTC. Reason: we go live"
    )
    assert "of every application is left alone" in told("freeze-added", applications=None)
    assert "until an admin lifts it. Reason" in told("freeze-added", ends_at=None)


def test_a_channel_is_told_who_lifted_what_and_which_period() -> None:
    assert told("freeze-lifted") == (
        "U0ADA lifted the freeze launch of orders-db and billing-db: we go live. "
        "That is the period until 2026-12-26 12:00 UTC; what comes later stays."
    )
    assert told("freeze-lifted", recurs=False).endswith("billing-db: we go live.")
    assert told("freeze-lifted", applications=None, ends_at=None, starts_at=None, reason="It is over.") == (
        "U0ADA lifted the freeze launch of every application: It is over."
    )


@pytest.mark.parametrize("hostile", ["<!channel> *x* `y`", "a & b > c", "x" * 5000, "‮evil\n> quote"])
def test_I10_text_from_outside_stays_text(hostile: str) -> None:
    for kind in ("freeze-added", "freeze-lifted"):
        told(kind, name=hostile, reason=hostile, applications=[hostile] * 40)
    listed(*[replace(LAUNCH, name=hostile, reason=hostile, applications=(hostile,) * 40)] * 12)
    listed(replace(UNREAD, error=hostile))
