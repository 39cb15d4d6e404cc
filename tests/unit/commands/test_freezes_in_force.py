"""Which freezes hold an application: configured, added, lifted; calendars as they were last read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from commands.freezes import InForce, Origin, in_force, upcoming
from patching.config import Configuration, validate
from storage import audit, freezes
from tests.unit.commands.desk import NOW, Desk, configuration

CALENDAR = "arn:aws:ssm:eu-west-1:222222222222:document/Acme"
DECEMBER = datetime(2026, 12, 24, tzinfo=UTC)
HOUR = timedelta(hours=1)


def frozen(*entries: dict[str, Any]) -> Configuration:
    document = configuration().model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for application in document["applications"].values():
        for environment in application["environments"].values():
            environment["targets"] = {"tag:PatchGroup": ["nonprod"]}
    return validate({**document, "freezes": list(entries)})


YEAR_END = {
    "name": "year end",
    "from": "2026-12-20",
    "to": "2027-01-03",
    "timezone": "Europe/Berlin",
    "applications": "all",
}
MONTH_END = {
    "name": "month end",
    "rrule": "FREQ=MONTHLY;BYMONTHDAY=-1",
    "duration": "1d",
    "timezone": "UTC",
    "applications": ["orders-db"],
}
ACME = {"name": "acme", "calendar": CALENDAR, "applications": "all"}


def held(desk: Desk, at: datetime, application: str = "orders-db") -> list[str]:
    return [each.sentence for each in in_force(desk.store.db, desk.config, application, at, desk.clock.now())]


def add(desk: Desk, name: str, ends: datetime | None, *applications: str, starts: datetime = NOW) -> str:
    with desk.store.transaction() as tx:
        return freezes.add(tx, NOW, name, applications or None, starts, ends, "we launch.", "U0ADA").key


def lift(desk: Desk, name: str, key: str) -> bool:
    with desk.store.transaction() as tx:
        return freezes.lift(tx, desk.clock.now(), name, key, "U0ADA", "it is over")


def read(desk: Desk, state: str, next_at: datetime | None = None) -> bool:
    with desk.store.transaction() as tx:
        return freezes.keep(tx, desk.clock.now(), CALENDAR, state, next_at)


def test_nothing_is_in_force_where_nothing_is_said(desk: Desk) -> None:
    assert held(desk, NOW) == []


def test_a_configured_freeze_holds_at_the_moment_that_is_asked_for(desk: Desk) -> None:
    desk.config = frozen(YEAR_END, MONTH_END)
    assert held(desk, NOW) == []
    ahead = "year end is in force from 20 December 2026, 00:00 Europe/Berlin until 3 January 2027, 23:59 Europe/Berlin."
    assert held(desk, DECEMBER) == [ahead]
    assert len(held(desk, datetime(2026, 12, 31, 12, tzinfo=UTC))) == 2
    assert len(held(desk, datetime(2026, 12, 31, 12, tzinfo=UTC), "billing-db")) == 1
    desk.clock.at = DECEMBER
    assert held(desk, DECEMBER) == ["year end is in force until 3 January 2027, 23:59 Europe/Berlin."]


def test_an_added_freeze_holds_its_applications_between_its_ends(desk: Desk) -> None:
    add(desk, "launch", NOW + HOUR, "orders-db")
    add(desk, "incident", None)
    launch = "launch is in force until 20 November 2026, 13:00 UTC: we launch."
    incident = "incident is in force until an admin lifts it: we launch."
    assert held(desk, NOW) == [launch, incident]
    assert held(desk, NOW + HOUR) == [incident]
    assert held(desk, NOW, "billing-db") == [incident]
    assert held(desk, NOW - HOUR) == []


def test_lifting_ends_one_period_and_no_other(desk: Desk) -> None:
    desk.config = frozen(MONTH_END)
    november, december = datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
    (found,) = in_force(desk.store.db, desk.config, "orders-db", november, NOW)
    assert found == InForce(
        "config:month end:2026-11-30T00:00+00:00", "month end", found.sentence, datetime(2026, 12, 1, tzinfo=UTC)
    )
    assert lift(desk, "month end", found.key)
    assert not lift(desk, "month end", found.key)
    assert (held(desk, november), len(held(desk, december))) == ([], 1)
    added = add(desk, "launch", None)
    assert len(held(desk, NOW)) == 1
    assert lift(desk, "launch", added)
    assert held(desk, NOW) == []


def test_I6_adding_lifting_and_a_calendar_that_moved_are_audited(desk: Desk) -> None:
    key = add(desk, "launch", None, "orders-db")
    lift(desk, "launch", key)
    read(desk, "CLOSED")
    read(desk, "CLOSED")
    found = [(row.actor, row.subject, row.action) for row in audit.rows(desk.store.db)]
    assert found == [
        ("U0ADA", "freeze launch", "freeze added"),
        ("U0ADA", "freeze launch", "freeze lifted"),
        ("clock", "Acme", "calendar read"),
    ]


# --- Change Calendars


def test_a_calendar_that_was_never_read_counts_as_closed(desk: Desk) -> None:
    desk.config = frozen(ACME)
    never = "acme counts as in force: its Change Calendar has not been read yet."
    assert held(desk, NOW) == held(desk, DECEMBER) == [never]
    with desk.store.transaction() as tx:
        freezes.failed(tx, NOW, CALENDAR, "AWS refused it.")
    assert held(desk, NOW) == [never]
    (listed,) = upcoming(desk.store.db, desk.config, ["orders-db"], NOW, DECEMBER)
    assert (listed.origin, listed.error) == (Origin.CALENDAR, "AWS refused it.")


def test_a_reading_is_trusted_for_a_quarter_of_an_hour(desk: Desk) -> None:
    desk.config = frozen(ACME)
    read(desk, "OPEN")
    desk.later(minutes=15)
    assert held(desk, desk.clock.now()) == []
    desk.later(seconds=1)
    unread = "acme counts as in force: its Change Calendar was last read on 20 November 2026, 12:00 UTC."
    assert held(desk, desk.clock.now()) == [unread]
    with desk.store.transaction() as tx:
        freezes.failed(tx, desk.clock.now(), CALENDAR, "AWS throttled it.")
    assert held(desk, desk.clock.now()) == [unread]
    read(desk, "OPEN")
    assert held(desk, desk.clock.now()) == []


@pytest.mark.parametrize(
    ("state", "next_at", "holds"),
    [
        ("OPEN", None, [False, False, False]),
        ("CLOSED", None, [True, True, True]),
        ("OPEN", NOW + HOUR, [False, True, True]),
        ("CLOSED", NOW + HOUR, [True, False, False]),
    ],
)
def test_what_is_planned_is_held_by_what_aws_says_of_that_time(
    desk: Desk, state: str, next_at: datetime | None, holds: list[bool]
) -> None:
    desk.config = frozen(ACME)
    read(desk, state, next_at)
    assert [bool(held(desk, at)) for at in (NOW, NOW + HOUR, DECEMBER)] == holds


def test_a_closed_calendar_is_closed_until_it_is_read_as_open(desk: Desk) -> None:
    """Another event may begin where one ends."""
    desk.config = frozen(ACME)
    read(desk, "CLOSED", NOW + timedelta(minutes=5))
    assert held(desk, NOW) == ["acme is in force until 20 November 2026, 12:05 UTC."]
    desk.later(minutes=6)
    assert held(desk, desk.clock.now()) == ["acme is in force while its Change Calendar is closed."]
    read(desk, "OPEN", DECEMBER)
    assert held(desk, desk.clock.now()) == []


def test_an_open_calendar_is_closed_from_the_time_that_aws_named(desk: Desk) -> None:
    desk.config = frozen(ACME)
    read(desk, "OPEN", NOW + timedelta(minutes=5))
    desk.later(minutes=5)
    assert held(desk, desk.clock.now()) == ["acme is in force while its Change Calendar is closed."]


def test_a_lifted_calendar_is_lifted_until_it_closes_anew(desk: Desk) -> None:
    desk.config = frozen(ACME)
    starts, ends = NOW + timedelta(minutes=5), NOW + timedelta(minutes=10)
    read(desk, "OPEN", starts)
    (ahead,) = in_force(desk.store.db, desk.config, "orders-db", starts, NOW)
    lift(desk, "acme", ahead.key)
    desk.later(minutes=6)
    assert read(desk, "CLOSED", ends)
    assert held(desk, desk.clock.now()) == []
    assert not read(desk, "CLOSED", ends + HOUR)  # made longer: the same time of being closed
    assert held(desk, desk.clock.now()) == []
    read(desk, "CLOSED", ends)
    desk.later(minutes=5)
    assert read(desk, "CLOSED", None)  # the next event began when the first ended
    assert len(held(desk, desk.clock.now())) == 1


def test_a_calendar_that_closes_without_notice_is_a_period_of_its_own(desk: Desk) -> None:
    desk.config = frozen(ACME)
    read(desk, "CLOSED")
    (first,) = in_force(desk.store.db, desk.config, "orders-db", NOW, NOW)
    lift(desk, "acme", first.key)
    desk.later(minutes=1)
    read(desk, "OPEN")
    desk.later(minutes=1)
    read(desk, "CLOSED")
    (second,) = in_force(desk.store.db, desk.config, "orders-db", desk.clock.now(), desk.clock.now())
    assert second.key != first.key


def test_a_lift_of_a_calendar_that_was_never_read_is_not_one_of_the_next_calendar_of_that_name(desk: Desk) -> None:
    desk.config = frozen(ACME)
    (unread,) = in_force(desk.store.db, desk.config, "orders-db", NOW, NOW)
    lift(desk, "acme", unread.key)
    assert held(desk, NOW) == []
    desk.config = frozen({**ACME, "calendar": f"{CALENDAR}-2027"})
    assert len(held(desk, NOW)) == 1


# --- Lists


def test_what_is_coming_is_listed_in_order_for_those_who_ask(desk: Desk) -> None:
    desk.config = frozen(MONTH_END, YEAR_END)
    add(desk, "later", None, "billing-db", starts=NOW + HOUR)
    until = NOW + timedelta(days=60)
    everybody = upcoming(desk.store.db, desk.config, ["orders-db", "billing-db"], NOW, until)
    assert [each.name for each in everybody] == ["later", "month end", "year end", "month end"]
    assert [each.name for each in upcoming(desk.store.db, desk.config, ["tools"], NOW, until)] == ["year end"]
    assert everybody[0].added_by == "U0ADA"
    assert replace(everybody[0], starts_at=None).is_in_force(NOW)
