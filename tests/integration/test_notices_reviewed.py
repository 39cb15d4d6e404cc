"""What is owed reaches the others when one notice, one person or one server is the trouble (I7)."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from slack_sdk import WebClient
from sqlite_utils import Database

from aws.mail import MailError
from bot.access import SlackDirectory
from bot.delivery import MOST_TRIES, PACE, Delivery
from bot.followups import FollowUps
from patching.config import Mail
from patching.states import ChangeState, NoticeState
from scheduler.pool import Pool
from storage import outbox
from storage.database import Store
from storage.outbox import Medium, Notice
from tests.stateful.house import Inline
from tests.town import wait_for
from tests.unit.commands.desk import Clock, configuration
from tests.unit.storage.rows import change_in, notice_of, notices

Answer = Mapping[str, Any]


@dataclass
class Slack:
    """A workspace that answers each method as it is told, over HTTP."""

    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def answer(self, method: str, asked: dict[str, Any]) -> Answer:
        self.calls.append((method, asked))
        usual: dict[str, Answer] = {
            "conversations.open": {"ok": True, "channel": {"id": f"D{asked.get('users')}"}},
            "chat.postMessage": {"ok": True, "channel": asked.get("channel"), "ts": f"{len(self.calls)}.0"},
            "chat.getPermalink": {"ok": True, "permalink": "https://example.slack.com/archives/C1/p1"},
        }
        return self.answers.get(method) or usual[method]

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [asked for name, asked in self.calls if name == method]

    def texts(self) -> list[str]:
        return [asked["text"] for asked in self.asked("chat.postMessage")]


@pytest.fixture
def slack() -> Slack:
    return Slack()


@pytest.fixture
def client(slack: Slack) -> Iterator[WebClient]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            asked = json.loads(body) if body.startswith("{") else dict(parse_qsl(body))
            answer = json.dumps(slack.answer(self.path.removeprefix("/api/"), asked)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield WebClient(token="xoxb-1", base_url=f"http://127.0.0.1:{server.server_address[1]}/api/", retry_handlers=[])
    server.shutdown()
    server.server_close()
    thread.join(10)


class Disk(Store):
    """A store whose next writes fail where the disk is full."""

    full_after: int | None = None

    @contextmanager
    def transaction(self, before_commit: Callable[[], None] | None = None) -> Iterator[Database]:
        if self.full_after is not None:
            self.full_after -= 1
            if self.full_after < 0:
                raise sqlite3.OperationalError("database or disk is full")
        with super().transaction(before_commit) as tx:
            yield tx


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Disk]:
    opened = Disk(tmp_path / "patchgate.db")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class HangingServer:
    """A mail server that takes the connection and says nothing until it is told to."""

    goes_on: threading.Event = field(default_factory=threading.Event)
    waiting: list[str] = field(default_factory=list)

    def send(self, sender: str, to: str, *_: object, **__: object) -> None:
        self.waiting.append(to)
        self.goes_on.wait(30)
        raise MailError("The mail server could not be used.", permanent=False)


def delivery(
    store: Store,
    clock: Clock,
    client: WebClient,
    *,
    pace: float = 0,
    pool: Pool | None = None,
    mailer: HangingServer | None = None,
) -> Delivery:
    config = configuration()
    if mailer:
        config = config.model_copy(update={"mail": Mail.model_validate({"from": "bot@example.com"})})
    return Delivery(
        store,
        config,
        clock,
        client,
        SlackDirectory(client, config.access, clock),
        mailer,
        FollowUps(client, clock, lambda work: work()),
        pool or Inline(),
        pace,
    )


def owe(store: Store, clock: Clock, key: str, *, kind: str = "refusal", **more: Any) -> Notice:
    about = {"medium": Medium.CHANNEL, "recipient": "C0ORDERS", "subject": "change:1", **more}
    with store.transaction() as tx:
        outbox.owe(tx, clock.now(), key=key, kind=kind, payload={"sentence": key}, **about)
    return notice_of(store, key)


def ticks(sweep: Delivery, clock: Clock, times: int, every: timedelta = timedelta(minutes=6)) -> None:
    for _ in range(times):
        sweep.tick(clock.now())
        clock.at += every


@pytest.mark.parametrize("error", [None, "msg_too_long"])
def test_I7_a_message_that_can_never_be_sent_is_given_up_in_the_end_and_the_next_goes_out(
    store: Disk, clock: Clock, client: WebClient, slack: Slack, error: str | None
) -> None:
    owe(store, clock, "poison", kind="refusal" if error else "of-another-version")
    owe(store, clock, "news")
    if error:
        slack.answers["chat.postMessage"] = {"ok": False, "error": error}
    sweep = delivery(store, clock, client)
    ticks(sweep, clock, MOST_TRIES - 1)
    assert notice_of(store, "poison").state is NoticeState.DUE
    assert slack.asked("chat.postMessage") == [] or error
    ticks(sweep, clock, 1)
    slack.answers.clear()
    ticks(sweep, clock, 1)
    assert notice_of(store, "poison").state is NoticeState.DEAD
    assert notice_of(store, "poison").note == (error or "ValueError while rendering")
    assert notice_of(store, "news").state is NoticeState.SENT


def test_I7_what_waits_for_slack_itself_is_never_given_up(
    store: Disk, clock: Clock, client: WebClient, slack: Slack
) -> None:
    owe(store, clock, "news")
    sweep = delivery(store, clock, client)
    for error in ("internal_error", "invalid_auth"):
        slack.answers["chat.postMessage"] = {"ok": False, "error": error}
        ticks(sweep, clock, MOST_TRIES + 1)
        assert notice_of(store, "news").state is NoticeState.DUE
    slack.answers.clear()
    ticks(sweep, clock, 1)
    assert notice_of(store, "news").state is NoticeState.SENT


def test_I7_an_approver_hears_of_a_change_whose_card_was_deleted_from_slack(
    store: Disk, clock: Clock, client: WebClient, slack: Slack
) -> None:
    change = change_in(store, ChangeState.PENDING)
    approver = {"medium": Medium.USER, "recipient": "U0OLA"}
    owe(store, clock, "asked", kind="approval-asked", subject=change.subject, **approver)
    owe(store, clock, "news", **approver)
    slack.answers["chat.getPermalink"] = {"ok": False, "error": "message_not_found"}
    ticks(delivery(store, clock, client), clock, 3)
    assert [notice_of(store, key).state for key in ("asked", "news")] == [NoticeState.SENT] * 2


def test_I7_an_address_that_slack_does_not_know_is_given_up_with_the_reason(
    store: Disk, clock: Clock, client: WebClient, slack: Slack
) -> None:
    slack.answers["users.lookupByEmail"] = {"ok": False, "error": "users_not_found"}
    owe(store, clock, "news", medium=Medium.USER, recipient="left@example.com")
    ticks(delivery(store, clock, client), clock, 1)
    notice = notice_of(store, "news")
    assert (notice.state, notice.note) == (
        NoticeState.DEAD,
        "Slack knows nobody with the address left@example.com.",
    )


def test_I7_what_became_of_a_message_is_written_once_the_disk_has_room_again_and_it_is_not_sent_twice(
    store: Disk, clock: Clock, client: WebClient, slack: Slack
) -> None:
    owe(store, clock, "news")
    owe(store, clock, "later")
    sweep = delivery(store, clock, client)
    store.full_after = 1  # after it is marked as being sent
    with pytest.raises(sqlite3.OperationalError):
        sweep.tick(clock.now())
    with pytest.raises(sqlite3.OperationalError):
        sweep.tick(clock.now())
    store.full_after = None
    ticks(sweep, clock, 2)
    assert [each.state for each in notices(store)] == [NoticeState.SENT] * 2
    assert slack.texts() == ["news", "later"]


def test_a_crowd_of_direct_messages_is_opened_at_the_pace_that_slack_permits_the_oldest_first(
    store: Disk, clock: Clock, client: WebClient, slack: Slack
) -> None:
    people = [f"U0P{number:03}" for number in range(30)]
    for person in people:
        owe(store, clock, f"first-{person}", medium=Medium.USER, recipient=person)
    sweep = delivery(store, clock, client, pace=PACE)
    begun = clock.seconds
    while not all(each.state is NoticeState.SENT for each in notices(store)):
        sweep.tick(clock.now())
        clock.seconds += 0.5
    opened = slack.asked("conversations.open")
    assert [asked["users"] for asked in opened] == people
    assert len(opened) / (clock.seconds - begun) * 60 <= 50


def test_I7_a_mail_server_that_hangs_holds_up_no_message_in_slack(
    store: Disk, clock: Clock, client: WebClient, slack: Slack
) -> None:
    run = {"kind": "bypass", "medium": Medium.EMAIL}
    for number in range(20):
        owe(store, clock, f"mail-{number}", recipient=f"dba{number}@example.com", **run)
    with store.transaction() as tx:  # what the mail says does not matter here, but it is rendered
        tx.execute("UPDATE notice SET payload = ?", [json.dumps(BYPASS)])
    owe(store, clock, "news")
    server, pool = HangingServer(), Pool(threads=4, share=2)
    try:
        sweep = delivery(store, clock, client, pool=pool, mailer=server)
        sweep.tick(clock.now())
        wait_for(lambda: notice_of(store, "news").state is NoticeState.SENT, "the message in Slack")
        assert len(server.waiting) == 2
    finally:
        server.goes_on.set()
        pool.close()


BYPASS = {
    "application": "orders-db",
    "environment": "prod",
    "kind": "maintenance window",
    "id": "mw-1",
    "name": "monthly",
    "doing": [["AWS-RunPatchBaseline", "Install"]],
    "nodes": 1,
    "next_at": None,
    "timezone": "UTC",
    "fingerprint": "f",
}
