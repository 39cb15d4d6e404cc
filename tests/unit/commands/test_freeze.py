"""`/patch freeze`: what is understood, who may, what is recorded, who is told; and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from commands import grammar
from commands.command import Actor
from commands.errors import Refused
from commands.freeze import Action, Freeze
from commands.freezes import FreezeList, in_force
from commands.ports import Role
from commands.replies import Done
from patching.moments import parse_when
from storage import audit, freezes
from tests.unit.commands.desk import ADA, EVE, NOW, Desk, configuration
from tests.unit.commands.test_freezes_in_force import ACME, CALENDAR, MONTH_END, YEAR_END, frozen
from tests.unit.storage.rows import notices

CONFIG = configuration()


def asked(desk: Desk, text: str, actor: Actor = ADA) -> str:
    """What is answered to `/patch freeze …`."""
    reply = desk.ask(grammar.parse(f"freeze {text}", desk.config), actor)
    assert isinstance(reply, Done)
    return reply.sentence


def refused(desk: Desk, text: str) -> str:
    return desk.refused(grammar.parse(f"freeze {text}", desk.config), ADA).sentence


def holds(desk: Desk, at: datetime | None = None, application: str = "orders-db") -> list[str]:
    now = desk.clock.now()
    return [each.name for each in in_force(desk.store.db, desk.config, application, at or now, now)]


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("freeze", Freeze()),
        ("freeze LIST", Freeze()),
        ("freeze lift launch it went well", Freeze(Action.LIFT, "launch", "it went well")),
        ("freeze add launch we go live", Freeze(Action.ADD, "launch", "we go live")),
        ('freeze add "year  end" as always --apps all', Freeze(Action.ADD, "year end", "as always")),
        (
            "freeze add launch --apps orders-db,billing-db,orders-db --from 2026-12-20 --until=48h we go live",
            Freeze(
                Action.ADD,
                "launch",
                "we go live",
                ("orders-db", "billing-db"),
                parse_when("2026-12-20"),
                parse_when("48h"),
            ),
        ),
        ("freeze add launch we go —until 48h live", Freeze(Action.ADD, "launch", "we go live", ends=parse_when("48h"))),
        ("freeze add launch a -- b", Freeze(Action.ADD, "launch", "a -- b")),
    ],
)
def test_what_is_understood(text: str, understood: Freeze) -> None:
    assert grammar.parse(text, CONFIG) == understood


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("freeze thaw", "“thaw” is not list, add or lift"),
        ("freeze list all", "has words too many"),
        ("freeze add launch", "needs a name and a reason"),
        ("freeze add --until 48h launch", "Usage: `/patch freeze add NAME [--apps A,B] [--from WHEN] [--until WHEN]"),
        ("freeze lift launch", "Usage: `/patch freeze lift NAME REASON`"),
        ("freeze add *launch* we go live", "“*launch*” can't be a freeze's name"),
        ("freeze add launch --apps ordrs-db we go live", "Did you mean orders-db?"),
        ("freeze add launch --apps orders-db, we go live", "There is no application “”"),
        ("freeze add launch --until tomorrow we go live", "“tomorrow” is not a moment"),
        ("freeze add launch we go live --until", "“” is not a moment"),
        ("freeze add launch --until 999999999d we go live", "“999999999d” is not a moment"),
        ("freeze add launch --for 48h we go live", "“--for” is no option"),
        ("freeze add launch --until 48h --until 24h we go live", "“--until” is there twice"),
        (f"freeze add {'x' * 900} we go live", "can't be a freeze's name"),
    ],
)
def test_what_is_refused(text: str, words: str) -> None:
    with pytest.raises(Refused) as refusal:
        grammar.parse(text, CONFIG)
    assert words in refusal.value.sentence
    assert "nothing was done" in refusal.value.sentence
    assert len(refusal.value.sentence) < 500


def test_I6_I7_an_added_freeze_holds_is_audited_and_told_where_it_concerns(desk: Desk) -> None:
    said = asked(desk, "add launch --apps orders-db --until 48h we go live")
    assert said == "launch freezes orders-db from now until 22 November 2026, 12:00 UTC."
    assert holds(desk) == ["launch"]
    assert holds(desk, application="billing-db") == []
    assert holds(desk, NOW + timedelta(hours=48)) == []
    (row,) = audit.rows(desk.store.db, "freeze launch")
    assert (row.actor, row.action) == ("U0ADA", "freeze added")
    assert '"reason":"we go live"' in row.detail
    told = [(each.kind, each.recipient) for each in notices(desk.store)]
    assert told == [("freeze-added", "C0PATCHING"), ("freeze-added", "C0ORDERS")]
    assert desk.woken == ["waiting", "changes", "deliver"]


def test_without_options_every_application_is_frozen_until_it_is_lifted(desk: Desk) -> None:
    assert (
        asked(desk, "add incident look first") == "incident freezes every application from now until an admin lifts it."
    )
    assert holds(desk, NOW + timedelta(days=1000), "tools") == ["incident"]
    desk.later(hours=1)
    assert asked(desk, "lift INCIDENT it is over") == "incident is lifted for every application."
    assert holds(desk) == []
    assert [row.action for row in audit.rows(desk.store.db, "freeze incident")] == ["freeze added", "freeze lifted"]
    assert [each.kind for each in notices(desk.store)] == ["freeze-added"] * 2 + ["freeze-lifted"] * 2
    assert "There is no freeze “incident”" in refused(desk, "lift incident once more")
    asked(desk, "add incident it is back")  # the name is free again
    assert holds(desk) == ["incident"]


def test_a_freeze_to_come_holds_from_its_day_on(desk: Desk) -> None:
    said = asked(desk, 'add "year end" --from 2026-12-20 --until "2027-01-03 UTC" as always')
    assert said == (
        "year end freezes every application from 20 December 2026, 00:00 UTC until 3 January 2027, 23:59 UTC."
    )
    assert holds(desk) == []
    assert holds(desk, datetime(2027, 1, 3, 23, 59, tzinfo=UTC)) == ["year end"]
    assert asked(desk, 'lift "year end" we work') == "year end is lifted for every application."
    assert holds(desk, datetime(2026, 12, 24, tzinfo=UTC)) == []


def test_a_freeze_must_end_after_it_begins_and_in_the_future(desk: Desk) -> None:
    for times in ("--until 2026-11-19", "--from 48h --until 24h", "--until 0s"):
        assert "which is not after" in refused(desk, f"add launch {times} we go live")
    assert "more than ten years from now" in refused(desk, "add launch --from 2126-12-20 we go live")


def test_a_rare_freeze_is_lifted_years_before_it_comes(desk: Desk) -> None:
    leap = {**MONTH_END, "name": "leap day", "rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"}
    desk.config = frozen(leap)
    asked(desk, "add far --from 2030-01-01 --until 2030-01-02 as planned")
    assert "is lifted for orders-db from 29 February 2028, 00:00 UTC" in asked(desk, "lift 'leap day' we work")
    assert asked(desk, "lift far no more") == "far is lifted for every application."
    assert holds(desk, datetime(2028, 2, 29, tzinfo=UTC)) == holds(desk, datetime(2030, 1, 1, tzinfo=UTC)) == []
    assert holds(desk, datetime(2032, 2, 29, tzinfo=UTC)) == ["leap day"]


def test_a_name_stands_for_one_freeze(desk: Desk) -> None:
    desk.config = frozen(YEAR_END)
    asked(desk, "add launch --until 1h we go live")
    assert "There is a freeze launch already" in refused(desk, "add Launch again")
    assert "There is a freeze year end already" in refused(desk, "add 'Year end' again")
    desk.later(hours=2)
    asked(desk, "add launch the first is over")


def test_lifting_a_configured_freeze_lifts_the_period_in_force_or_the_next(desk: Desk) -> None:
    desk.config = frozen(MONTH_END)
    november, december = datetime(2026, 11, 30, 12, tzinfo=UTC), datetime(2026, 12, 31, 12, tzinfo=UTC)
    said = asked(desk, "lift 'month end' books are closed")
    assert said == (
        "month end is lifted for orders-db from 30 November 2026, 00:00 UTC until 30 November 2026, 23:59 UTC; "
        "what comes later stays."
    )
    assert (holds(desk, november), holds(desk, december)) == ([], ["month end"])
    desk.clock.at = december
    assert "until 31 December 2026, 23:59 UTC; what comes later stays." in asked(desk, "lift 'month end' books again")
    assert holds(desk) == []
    lifted = [each for each in notices(desk.store) if each.kind == "freeze-lifted"]
    assert [each.recipient for each in lifted] == ["C0PATCHING", "C0ORDERS"] * 2


def test_a_name_that_is_unknown_over_or_ambiguous_is_refused(desk: Desk) -> None:
    asked(desk, "add launch we go live")
    assert "Did you mean launch?" in refused(desk, "lift lunch over")
    assert "`/patch freeze list` names them" in refused(desk, "lift xyz over")
    desk.config = frozen(
        {**YEAR_END, "name": "Launch"}, {**YEAR_END, "name": "past", "from": "2025-12-20", "to": "2026-01-03"}
    )
    assert "in the configuration, and one that an admin added; nothing was done" in refused(desk, "lift launch over")
    assert refused(desk, "lift past over") == (
        "past is not in force, and nobody knows of a time at which it comes; nothing was done."
    )


def test_a_calendar_that_can_not_be_read_can_be_lifted_until_it_can(desk: Desk) -> None:
    desk.config = frozen(ACME)
    assert holds(desk) == ["acme"]
    assert asked(desk, "lift acme AWS is away") == "acme is lifted for every application; what comes later stays."
    assert holds(desk) == []
    with desk.store.transaction() as tx:
        freezes.keep(tx, desk.clock.now(), CALENDAR, "CLOSED", None)
    assert holds(desk) == ["acme"]


@pytest.mark.parametrize("text", ["add launch we go live", "lift launch over"])
@pytest.mark.parametrize("roles", [{Role.OPERATOR, Role.APPROVER}, set()])
def test_I4_adding_and_lifting_is_for_admins(desk: Desk, text: str, roles: set[Role]) -> None:
    action = text.partition(" ")[0]
    said = desk.refused(grammar.parse(f"freeze {text}", desk.config), Actor("U0XYZ", frozenset(roles))).sentence
    assert said.startswith(f"freeze {action} needs the admin role, which you don't have; nothing was done.")


def test_anybody_may_list_them_page_by_page(desk: Desk) -> None:
    desk.config = frozen(YEAR_END, {**MONTH_END, "rrule": "FREQ=WEEKLY;BYDAY=SU"})
    asked(desk, "add incident look first")
    with desk.nothing_changes():
        first, second = (desk.ask(Freeze(page=page), EVE) for page in (0, 1))
    assert isinstance(first, FreezeList)
    assert isinstance(second, FreezeList)
    assert (len(first.periods), first.more, len(second.periods), second.more) == (12, True, 3, False)
    assert first.periods[0].name == "incident"
    assert [each.name for each in (*first.periods, *second.periods)].count("year end") == 1
