"""Subscribing, and saying that one has seen what comes."""

from commands.acknowledge import Acknowledge
from commands.affected import affected
from commands.replies import Done
from commands.subscribe import Subscribe
from commands.unsubscribe import Unsubscribe
from patching.config import validate
from patching.model import Node
from patching.states import ChangeState, NoticeState
from storage import acknowledgements, audit, environment_readings, outbox, subscriptions
from storage.outbox import Medium
from tests.unit.commands.desk import ANN, EVE, OLA, Desk
from tests.unit.storage.rows import notice_of, notices, set_notice
from tests.unit.views.made import DEBIAN

WINDOW = "window:mw-0c50858d01EXAMPLE:2026-11-29T03:00:00.000000+00:00"


def owe(desk: Desk, kind: str, medium: Medium, recipient: str, subject: str = WINDOW) -> str:
    key = f"{kind}:{medium}:{recipient}"
    with desk.store.transaction() as tx:
        outbox.owe(tx, desk.clock.now(), key=key, kind=kind, medium=medium, recipient=recipient, subject=subject)
    return key


def test_subscribing_and_ending_it(desk: Desk) -> None:
    reply = desk.ask(Subscribe("orders-db"), EVE)
    assert isinstance(reply, Done)
    assert "`/patch unsubscribe orders-db`" in reply.sentence
    assert subscriptions.of_application(desk.store.db, "orders-db") == ("U0EVE",)
    assert desk.woken == ["reminders"]
    assert "subscribed to orders-db already" in desk.refused(Subscribe("orders-db"), EVE).sentence
    desk.ask(Unsubscribe("orders-db"), EVE)
    assert subscriptions.of_application(desk.store.db, "orders-db") == ()
    assert "no subscription to orders-db" in desk.refused(Unsubscribe("orders-db"), EVE).sentence
    assert "There is no application “orders-bd”" in desk.refused(Unsubscribe("orders-bd"), EVE).sentence


def test_a_subscription_to_an_application_that_is_configured_no_more_can_be_ended(desk: Desk) -> None:
    with desk.store.transaction() as tx:
        subscriptions.add(tx, desk.clock.now(), "gone-db", "U0EVE")
    desk.ask(Unsubscribe("gone-db"), EVE)
    assert subscriptions.of_application(desk.store.db, "gone-db") == ()


def test_who_has_seen_a_window_shows_on_the_channels_message_and_ones_own(desk: Desk) -> None:
    shown = owe(desk, "window-reminder", Medium.CHANNEL, "C0ORDERS")
    mine = owe(desk, "window-reminder", Medium.USER, "U0EVE")
    others = owe(desk, "window-reminder", Medium.USER, "U0ANN")
    by_mail = owe(desk, "window-reminder", Medium.EMAIL, "team@example.com")
    under_way = owe(desk, "window-started", Medium.CHANNEL, "C0ORDERS")
    for key in (shown, mine, others, by_mail):
        set_notice(desk.store, key, NoticeState.SENT)
    set_notice(desk.store, under_way, NoticeState.SENDING)
    desk.ask(Acknowledge(WINDOW), EVE)
    assert acknowledgements.of_subject(desk.store.db, WINDOW) == (("U0EVE", desk.clock.now()),)
    states = {each.key: (each.state, each.revision) for each in notices(desk.store)}
    first = notice_of(desk.store, others).revision
    assert states == {
        shown: (NoticeState.DUE, first + 1),
        mine: (NoticeState.DUE, first + 1),
        others: (NoticeState.SENT, first),
        by_mail: (NoticeState.SENT, first),
        under_way: (NoticeState.SENDING, first + 1),
    }
    desk.ask(Acknowledge(WINDOW), ANN)
    with desk.nothing_changes():
        context = desk.context()
        again = Acknowledge(WINDOW).perform(context, EVE)
    assert again == Done("You have acknowledged it already; everybody sees that.")


def test_who_has_seen_a_change_shows_on_its_card_and_its_announcement_stays(desk: Desk) -> None:
    change = desk.change(ChangeState.WAITING)
    card = owe(desk, "change-card", Medium.CHANNEL, "C0ORDERS", change.subject)
    announced = owe(desk, "change-announced", Medium.CHANNEL, "C0ORDERS", change.subject)
    for key in (card, announced):
        set_notice(desk.store, key, NoticeState.SENT)
    before = audit.head(desk.store.db)
    desk.ask(Acknowledge(change.subject), OLA)
    assert notice_of(desk.store, card).state is NoticeState.DUE
    assert notice_of(desk.store, announced).state is NoticeState.SENT  # when it was sent counts for notify_before
    assert audit.head(desk.store.db) == before


def test_what_nobody_was_told_of_is_not_acknowledged(desk: Desk) -> None:
    owe(desk, "run-card", Medium.CHANNEL, "C0ORDERS", "run:1")
    for subject in ("run:1", "window:mw-1:2026", "change:99", ""):
        assert "nothing was noted" in desk.refused(Acknowledge(subject), EVE).sentence


def test_a_tag_names_several_people_however_they_are_written(desk: Desk) -> None:
    config = validate(
        {
            "slack": {"channel": "C0PATCHING"},
            "mail": {"from": "bot@example.com"},
            "notices": {"tags": {"users": "Owner", "emails": "Contact"}},
            "applications": {
                "orders-db": {
                    "environments": {
                        "test": {"account": "1" * 12, "region": "eu-west-1", "targets": {"tag:PatchGroup": ["test"]}}
                    }
                }
            },
        }
    )
    tags = {"Owner": "U0ANN, ben@example.com;U0EVE", "Contact": "dba@example.com,ops@example.com, On call: a:b@c"}
    node = Node("i-1", "db-1", "running", "Online", DEBIAN, tags=tags)
    with desk.store.transaction() as tx:
        environment_readings.keep(tx, desk.clock.now(), "orders-db", "test", [node])
    assert affected(desk.store.db, config, "orders-db", "test") == (
        (Medium.CHANNEL, "C0PATCHING"),
        (Medium.USER, "U0ANN"),
        (Medium.USER, "U0EVE"),
        (Medium.USER, "ben@example.com"),
        (Medium.EMAIL, "dba@example.com"),
        (Medium.EMAIL, "ops@example.com"),
    )
