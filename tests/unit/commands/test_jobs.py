"""`/patch jobs` and the button Send again: what runs by itself, what waits, what was given up."""

from datetime import timedelta

import pytest

from commands.jobs import PAGE, ShowJobs
from commands.ports import Job
from commands.replies import JobList
from commands.send_again import SendAgain
from patching.states import NoticeState
from storage import audit, outbox
from storage.outbox import Medium, Notice
from storage.waiting import Waiting
from tests.unit.commands.desk import ADA, NOW, Desk

JOB = Job("track", 1.0, 3, NOW, 0.01, 0.0, None, 0, None, "", None)


class Board:
    def snapshot(self) -> tuple[Job, ...]:
        return (JOB,)


@pytest.fixture
def desk(desk: Desk) -> Desk:
    desk.jobs = Board()
    return desk


def owed(desk: Desk, key: str, medium: Medium = Medium.USER, recipient: str = "U0EVE") -> Notice:
    with desk.store.transaction() as tx:
        outbox.owe(
            tx, desk.clock.now(), key=key, kind="refusal", medium=medium, recipient=recipient, subject="change:1"
        )
    notice = outbox.by_key(desk.store.db, key)
    assert notice is not None
    return notice


def given_up(desk: Desk, key: str) -> Notice:
    notice = owed(desk, key)
    with desk.store.transaction() as tx:
        assert outbox.begin_sending(tx, notice)
        outbox.postpone(tx, notice, desk.clock.now() + timedelta(hours=1), "ratelimited")
        assert outbox.begin_sending(tx, notice)
        outbox.bury(tx, notice, "user_not_found")
    return notice


def listed(desk: Desk, page: int = 0) -> JobList:
    with desk.nothing_changes():
        reply = desk.ask(ShowJobs(page), ADA)
    assert isinstance(reply, JobList)
    return reply


def test_what_waits_is_counted_for_each_medium_with_its_oldest(desk: Desk) -> None:
    owed(desk, "a", Medium.EMAIL, "eve@example.com")
    desk.later(hours=1)
    owed(desk, "b")
    owed(desk, "c")
    shown = owed(desk, "change:1:card", Medium.CHANNEL, "C0ORDERS")
    with desk.store.transaction() as tx:
        tx.execute("UPDATE notice SET kind = 'change-card' WHERE id = ?", [shown.id])
        assert outbox.begin_sending(tx, shown)
        outbox.sent(tx, shown, desk.clock.now(), "C0ORDERS", "1.1")
        outbox.touch(tx, "change:1")
    reply = listed(desk)
    assert reply.jobs == (JOB,)
    assert reply.waiting == (
        Waiting(Medium.CHANNEL, 1, None),
        Waiting(Medium.EMAIL, 1, NOW),
        Waiting(Medium.USER, 2, NOW + timedelta(hours=1)),
    )
    assert (reply.dead, reply.dead_count, reply.more) == ((), 0, False)


def test_what_was_given_up_is_paged_newest_first(desk: Desk) -> None:
    buried = [given_up(desk, f"notice-{number}").id for number in range(PAGE + 2)]
    first, second, third = (listed(desk, page) for page in range(3))
    assert [each.id for each in (*first.dead, *second.dead, *third.dead)] == buried[::-1]
    assert [reply.more for reply in (first, second, third)] == [True, False, False]
    assert {reply.dead_count for reply in (first, second, third)} == {PAGE + 2}
    assert (first.dead[0].why, first.dead[0].owed_at, first.dead[0].recipient) == ("user_not_found", NOW, "U0EVE")


def test_an_admin_has_it_sent_again_once_and_the_audit_says_so(desk: Desk) -> None:
    notice = given_up(desk, "notice-1")
    assert outbox.due(desk.store.db, NOW) == []
    desk.ask(SendAgain(notice.id), ADA)
    (again,) = outbox.due(desk.store.db, NOW)  # at once, whatever it had to wait for before
    assert (again.id, again.state, again.attempts, again.note) == (notice.id, NoticeState.DUE, 0, "")
    assert desk.woken == ["deliver"]
    (row,) = audit.rows(desk.store.db, f"notice-{notice.id}")
    assert (row.actor, row.action) == ("U0ADA", "send again")
    assert '"why":"user_not_found"' in row.detail
    assert "not given up any more" in desk.refused(SendAgain(notice.id), ADA).sentence
    assert "not given up any more" in desk.refused(SendAgain(99), ADA).sentence


def test_outside_the_running_bot_nobody_knows(desk: Desk) -> None:
    desk.jobs = None
    assert "Only the running bot knows" in desk.refused(ShowJobs(), ADA).sentence
