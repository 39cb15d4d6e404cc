"""What is owed to people: once each, in order, fairly, and still there after a crash (I7)."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlite_utils import Database

from patching.model import Operation
from patching.states import NOTICE_TRANSITIONS, NoticeState
from storage import outbox, runs
from storage.database import Store
from storage.outbox import Medium, Notice
from storage.runs import Purpose
from tests.unit.storage.rows import (
    NOW,
    change_in,
    everything,
    killed_half_way,
    notice_of,
    owed,
    set_notice,
)

LATER = NOW + timedelta(minutes=10)

MOVES: dict[str, tuple[Callable[[Database, Notice], object], NoticeState, NoticeState]] = {
    "begin_sending": (outbox.begin_sending, NoticeState.DUE, NoticeState.SENDING),
    "sent": (
        lambda tx, notice: outbox.sent(tx, notice, NOW, "C0ORDERS", "1.0"),
        NoticeState.SENDING,
        NoticeState.SENT,
    ),
    "postpone": (
        lambda tx, notice: outbox.postpone(tx, notice, LATER, "later"),
        NoticeState.SENDING,
        NoticeState.DUE,
    ),
    "bury": (lambda tx, notice: outbox.bury(tx, notice, "gone"), NoticeState.SENDING, NoticeState.DEAD),
}


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("state", NoticeState)
def test_I7_a_notice_moves_from_the_state_it_is_in_or_not_at_all(store: Store, name: str, state: NoticeState) -> None:
    move, old, new = MOVES[name]
    assert new in NOTICE_TRANSITIONS[old]
    owed(store, "a")
    set_notice(store, "a", state)
    before = everything(store)
    with store.transaction() as tx:
        move(tx, notice_of(store, "a"))
    if state is old:
        assert notice_of(store, "a").state is new
    else:
        assert everything(store) == before


def test_I7_a_key_is_owed_once(store: Store) -> None:
    assert owed(store, "window:mw-1:2026-11-21:86400:C0ORDERS")
    assert not owed(store, "window:mw-1:2026-11-21:86400:C0ORDERS", recipient="C0OTHER", subject="other")
    assert [each.recipient for each in outbox.due(store.db, NOW)] == ["C0ORDERS"]


def test_I7_a_key_stays_taken_once_sent_or_dead(store: Store) -> None:
    for state in NoticeState:
        owed(store, f"k-{state}")
        set_notice(store, f"k-{state}", state)
        assert not owed(store, f"k-{state}")
        assert notice_of(store, f"k-{state}").state is state


def test_I7_nothing_is_owed_when_the_transaction_dies(store: Store) -> None:
    with killed_half_way(store) as tx:
        assert outbox.owe(tx, NOW, key="a", kind="receipt", medium=Medium.USER, recipient="U0ANN", subject="change:1")
    assert outbox.due(store.db, NOW) == []
    assert owed(store, "a")


def test_I7_one_recipient_gets_new_messages_in_the_order_in_which_they_were_owed(store: Store) -> None:
    for key in ("first", "second", "third"):
        owed(store, key, subject=f"run:{key}")
    got = []
    while turn := outbox.due(store.db, NOW):
        assert len(turn) == 1
        got.append(turn[0].key)
        send(store, turn[0], ts=str(len(got)))
    assert got == ["first", "second", "third"]


def test_I7_a_message_that_waits_holds_back_the_newer_ones_of_its_recipient_alone(store: Store) -> None:
    owed(store, "first")
    owed(store, "second", subject="run:2")
    owed(store, "elsewhere", recipient="C0BILLING", subject="run:3")
    postpone(store, "first")
    assert keys(outbox.due(store.db, NOW)) == ["elsewhere"]
    assert keys(outbox.due(store.db, LATER)) == ["first", "elsewhere"]


def test_I7_nothing_is_taken_up_while_the_recipient_has_something_in_sending(store: Store) -> None:
    owed(store, "first")
    owed(store, "second", subject="run:2")
    set_notice(store, "first", NoticeState.SENDING)
    assert outbox.due(store.db, NOW) == []


def test_I7_media_of_one_name_are_recipients_of_their_own(store: Store) -> None:
    owed(store, "card")
    owed(store, "details", medium=Medium.THREAD, kind="run-details")
    assert keys(outbox.due(store.db, NOW)) == ["card", "details"]


def test_a_new_message_goes_before_the_update_of_a_shown_one(store: Store) -> None:
    owed(store, "shown", subject="run:1")
    send(store, notice_of(store, "shown"), ts="1.0")
    touch(store, "run:1")
    owed(store, "new", subject="run:2")
    assert keys(outbox.due(store.db, NOW)) == ["new"]


def test_a_busy_card_does_not_hold_up_the_others(store: Store) -> None:
    """Two cards that move all the time take turns: the one that was shown longest ago goes first."""
    for number in (1, 2):
        owed(store, f"card-{number}", subject=f"run:{number}")
        send(store, notice_of(store, f"card-{number}"), ts=f"{number}.0")
    turns = []
    for second in range(1, 7):
        touch(store, "run:1")
        touch(store, "run:2")
        notice = outbox.due(store.db, NOW)[0]
        turns.append(notice.subject)
        send(store, notice, ts=notice.ts, at=NOW + timedelta(seconds=second))
    assert turns == ["run:1", "run:2"] * 3


def test_an_update_that_waits_does_not_hold_back_anything(store: Store) -> None:
    owed(store, "shown", subject="run:1")
    send(store, notice_of(store, "shown"), ts="1.0")
    touch(store, "run:1")
    postpone(store, "shown")
    owed(store, "second", subject="run:2")
    assert keys(outbox.due(store.db, NOW)) == ["second"]


def test_I5_a_card_that_moved_while_it_was_sent_is_due_again(store: Store) -> None:
    owed(store, "card")
    rendered = notice_of(store, "card")
    with store.transaction() as tx:
        assert outbox.begin_sending(tx, rendered)
        outbox.touch(tx, "run:1")
    assert notice_of(store, "card").state is NoticeState.SENDING  # the message under way is not disturbed
    with store.transaction() as tx:
        outbox.sent(tx, rendered, NOW, "C0ORDERS", "1.0")
    again = notice_of(store, "card")
    assert (again.state, again.ts) == (NoticeState.DUE, "1.0")
    send(store, again, ts="1.0")
    assert outbox.due(store.db, LATER) == []


def test_a_touch_reaches_the_card_of_the_subject_and_of_its_change_only(store: Store) -> None:
    change = change_in(store)
    with store.transaction() as tx:
        run = runs.create(
            tx,
            NOW,
            operation=Operation.SCAN,
            application="orders-db",
            environment="prod",
            production=True,
            purpose=Purpose.PREPARE,
            requested_by="clock",
            change_id=change.id,
        )
    owed(store, "other", subject="run:99")
    owed(store, "receipt", kind="receipt", medium=Medium.USER, recipient="U0ANN", subject=change.subject)
    for key in ("other", "receipt"):
        set_notice(store, key, NoticeState.SENT)
    touch(store, run.subject)
    assert keys(outbox.due(store.db, NOW)) == [f"change:{change.id}:card"]


def test_a_dead_card_is_not_raised_by_a_touch(store: Store) -> None:
    owed(store, "card")
    set_notice(store, "card", NoticeState.DEAD)
    touch(store, "run:1")
    assert outbox.due(store.db, LATER) == []


def test_I7_what_was_being_sent_in_a_crash_is_due_again(store: Store) -> None:
    for state in NoticeState:
        owed(store, f"k-{state}", recipient=f"C0{state.upper()}")
        set_notice(store, f"k-{state}", state)
    with store.transaction() as tx:
        assert outbox.recover(tx) == 1
    assert keys(outbox.due(store.db, NOW)) == ["k-due", "k-sending"]


def test_I7_a_postponed_notice_counts_its_attempts_and_says_why(store: Store) -> None:
    owed(store, "a")
    for _ in range(3):
        postpone(store, "a")
    waiting = notice_of(store, "a")
    assert (waiting.attempts, waiting.note, waiting.not_before) == (3, "ratelimited", LATER)
    send(store, waiting, ts="1.0")
    done = notice_of(store, "a")
    assert (done.attempts, done.note, done.not_before) == (0, "", None)


def test_a_buried_notice_is_kept_with_its_reason(store: Store) -> None:
    owed(store, "a")
    with store.transaction() as tx:
        outbox.begin_sending(tx, notice_of(store, "a"))
        outbox.bury(tx, notice_of(store, "a"), "user_not_found")
    assert [(each.key, each.note) for each in outbox.dead(store.db)] == [("a", "user_not_found")]
    assert outbox.due(store.db, LATER) == []


def test_a_reposted_card_forgets_where_it_stood(store: Store) -> None:
    owed(store, "a")
    send(store, notice_of(store, "a"), ts="1.0")
    assert notice_of(store, "a").ts == "1.0"
    with store.transaction() as tx:
        outbox.repost(tx, notice_of(store, "a"))
    assert notice_of(store, "a").ts is None


def keys(notices: list[Notice]) -> list[str]:
    return [notice.key for notice in notices]


def send(store: Store, notice: Notice, *, ts: str | None, at: datetime = NOW) -> None:
    with store.transaction() as tx:
        tx.execute("UPDATE notice SET state = 'sending' WHERE id = ?", [notice.id])
        outbox.sent(tx, notice, at, notice.recipient, ts)


def postpone(store: Store, key: str) -> None:
    set_notice(store, key, NoticeState.SENDING)
    with store.transaction() as tx:
        outbox.postpone(tx, notice_of(store, key), LATER, "ratelimited")


def touch(store: Store, subject: str) -> None:
    with store.transaction() as tx:
        outbox.touch(tx, subject)
