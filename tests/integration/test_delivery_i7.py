"""What is owed arrives, once, in order, whatever Slack and the mail server do meanwhile (I7)."""

import json
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import pytest

from sandbox.clock import SandboxClock
from sandbox.mail import Mailbox
from storage import outbox
from storage.database import Store
from tests.integration.small_town import CHANNEL, ask, fleet_of, run_of
from tests.town import Town, open_town, wait_for, words_of

APPLICATIONS = ("outage", "limits", "errors", "order", "deleted", "blocks", "mail", "gone")


@dataclass
class Doorkeeper:
    """Stands before the workspace and, while told to, refuses messages with certain blocks as Slack does."""

    url: str
    refuses: frozenset[str] = frozenset()
    refused: list[str] = field(default_factory=list)

    def answer(self, method: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if self.refuses & self._types(method, body):
            self.refused.append(method)
            found = {"ok": False, "error": "invalid_blocks", "errors": ["no [json-pointer:/blocks/0/type]"]}
            return 200, {"Content-Type": "application/json"}, json.dumps(found).encode()
        request = urllib.request.Request(f"{self.url}/api/{method}", body, headers, method="POST")
        with urllib.request.urlopen(request, timeout=30) as got:
            return got.status, {"Content-Type": got.headers["Content-Type"]}, got.read()

    @staticmethod
    def _types(method: str, body: bytes) -> frozenset[str]:
        if method not in {"chat.postMessage", "chat.update"}:
            return frozenset()
        blocks = json.loads(body).get("blocks") or []
        return frozenset(block["type"] for block in (json.loads(blocks) if isinstance(blocks, str) else blocks))


@pytest.fixture(scope="module")
def doorkeeper() -> Doorkeeper:
    return Doorkeeper("")


@dataclass
class PostOffice:
    """A mail server that can be down, on one port."""

    mailbox: Mailbox
    port: int

    def close(self) -> None:
        self.mailbox.stop()

    def reopen(self, town: Town) -> None:
        self.mailbox = Mailbox(town.around.clock, port=self.port)
        self.mailbox.start()


@pytest.fixture(scope="module")
def post_office() -> Iterator[PostOffice]:
    mailbox = Mailbox(SandboxClock())
    mailbox.start()
    office = PostOffice(mailbox, mailbox.port)
    yield office
    office.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, doorkeeper: Doorkeeper, post_office: PostOffice) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("delivery")
    with open_town(folder, fleet_of(APPLICATIONS), started=False) as opened, served(doorkeeper) as port:
        doorkeeper.url = opened.around.url
        opened.environment["SLACK_API_URL"] = f"http://127.0.0.1:{port}/api/"
        opened.environment["PATCHGATE_SMTP"] = f"smtp://127.0.0.1:{post_office.port}"
        opened.start()
        yield opened


@pytest.mark.parametrize(
    ("application", "kind"), [("outage", "outage"), ("limits", "ratelimited"), ("errors", "server-error")]
)
def test_I7_what_was_owed_during_trouble_at_slack_arrives_afterwards(
    town: Town, application: str, kind: Literal["outage", "ratelimited", "server-error"]
) -> None:
    faults = town.around.workspace.faults
    ids = [faults.add(method, kind, times=None) for method in ("chat.postMessage", "chat.update")]
    ref = ask(town, f"/patch scan {application} nonprod")
    wait_for(lambda: run_of(town, ref).state.ended, "the run to end although nobody can be told")
    assert cards(town, ref) == []
    for each in ids:
        faults.remove(each)
    card = town.card(ref, "*Done*", channel=CHANNEL)
    wait_for(lambda: len(town.replies(card)) == 2, "the details in the thread")
    assert len(cards(town, ref)) == 1
    assert_settled(town)


def test_I7_a_channel_keeps_the_order_in_which_messages_were_owed(town: Town) -> None:
    """Two runs and a third, all asked for while nothing can be posted."""
    fault = town.around.workspace.faults.add("chat.postMessage", "outage", times=None)
    refs = [ask(town, f"/patch scan {name} nonprod") for name in ("order", "outage", "limits")]
    wait_for(lambda: all(run_of(town, ref).state.ended for ref in refs), "the runs to end")
    town.around.workspace.faults.remove(fault)
    for ref in refs:
        town.card(ref, "*Done*", channel=CHANNEL)
    stamps = [cards(town, ref)[0]["ts"] for ref in refs]
    assert stamps == sorted(stamps)
    assert_settled(town)


def test_I7_a_deleted_message_is_posted_anew_when_there_is_news(town: Town) -> None:
    ref = ask(town, "/patch install deleted nonprod")
    old = town.card(ref, channel=CHANNEL)
    workspace = town.around.workspace
    with workspace.lock:
        workspace.remove(workspace.posts.get(CHANNEL, old["ts"]))
    new = town.card(ref, "*Done*", channel=CHANNEL)
    assert new["ts"] > old["ts"]
    assert len(cards(town, ref)) == 1
    wait_for(lambda: len(town.replies(new)) == 2, "the details below the new message")
    assert_settled(town)


@pytest.mark.parametrize(
    "refused", [{"table"}, {"table", "data_table"}, {"table", "data_table", "rich_text", "header", "section"}]
)
def test_I7_a_message_whose_blocks_slack_refuses_goes_as_something_simpler(
    town: Town, doorkeeper: Doorkeeper, refused: set[str]
) -> None:
    doorkeeper.refuses = frozenset(refused | {"data_table"})
    doorkeeper.refused.clear()
    ref = ask(town, "/patch scan blocks nonprod")
    card = wait_for(lambda: next(iter(cards(town, ref)), None), "the card")
    wait_for(lambda: run_of(town, ref).state.ended, "the run to end")
    details = wait_for(lambda: town.replies(card)[1:], "the details")
    assert doorkeeper.refused
    assert not refused & {block["type"] for block in details[0]["blocks"] or ()}
    assert "openssl" in words_of(details[0]) or "section" in refused
    wait_for(lambda: f"{ref} on blocks nonprod: succeeded" in cards(town, ref)[0]["text"], "the card to say the end")
    doorkeeper.refuses = frozenset()
    assert_settled(town)


def test_I7_a_recipient_who_is_gone_is_buried_with_the_reason_and_holds_up_nobody(
    town: Town, post_office: PostOffice
) -> None:
    """Eve, an owner, was deactivated: her direct messages can't be opened any more."""
    eve = town.around.workspace.directory.users.pop("U0EVE")
    ref = ask(town, "/patch install gone nonprod")
    town.card(ref, "*Done*", channel=CHANNEL)
    wait_for(lambda: len(mails_about(post_office, ref)) == 2, "the team's mail about start and end")
    wait_for(lambda: len(outbox.dead(store(town).db)) == 2, "both of her messages to be given up")
    town.around.workspace.directory.users["U0EVE"] = eve
    buried = outbox.dead(store(town).db)
    assert {each.recipient for each in buried} == {"U0EVE"}
    assert {each.note for each in buried} == {"user_not_found"}
    assert {each.kind for each in buried} == {"install-started", "install-ended"}


def test_I7_mail_that_found_no_server_goes_out_once_when_there_is_one(town: Town, post_office: PostOffice) -> None:
    post_office.close()
    ref = ask(town, "/patch install mail nonprod")
    town.card(ref, "*Done*", channel=CHANNEL)
    wait_for(lambda: [each for each in waiting(town) if each["attempts"] and each["medium"] == "email"], "an attempt")
    post_office.reopen(town)
    town.jump(minutes=5)
    wait_for(lambda: not waiting(town), "all mail to be sent")
    mails = post_office.mailbox.mails
    assert Counter(mail.to for mail in mails) == {("mail-team@example.com",): 2}
    assert len({mail.subject for mail in mails}) == 2


def test_I7_nothing_was_said_twice(town: Town) -> None:
    """Each card once, and below each the details once; of notices to people one for each moment."""
    posted = [message for message in town.messages(CHANNEL) if not message["ephemeral"]]
    assert Counter(message["text"].split(" ")[0] for message in posted).most_common(1)[0][1] == 1
    keys = [row["key"] for row in store(town).db.execute("SELECT key FROM notice")]
    assert len(keys) == len(set(keys))
    assert {row["state"] for row in store(town).db.execute("SELECT state FROM notice")} == {"sent", "dead"}


def store(town: Town) -> Store:
    assert town.bot
    return town.bot.store


def cards(town: Town, ref: str) -> list[dict[str, Any]]:
    """The messages of a run that stand in the channel."""
    return [each for each in town.messages(CHANNEL) if each["text"].startswith(f"{ref} ") and not each["ephemeral"]]


def waiting(town: Town) -> list[dict[str, Any]]:
    rows = store(town).db.execute("SELECT * FROM notice WHERE state IN ('due', 'sending')")
    return [dict(row) for row in rows]


def mails_about(post_office: PostOffice, ref: str) -> list[str]:
    return [mail.subject for mail in post_office.mailbox.mails if ref in f"{mail.subject} {mail.text}"]


def assert_settled(town: Town) -> None:
    """In the end nothing is owed any more, and nothing was given up."""
    wait_for(lambda: not waiting(town), "everything to be sent")
    assert [each.note for each in outbox.dead(store(town).db)] == []


@contextmanager
def served(doorkeeper: Doorkeeper) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: self.headers[name] for name in ("Content-Type", "Authorization") if name in self.headers}
            try:
                status, more, answer = doorkeeper.answer(self.path.removeprefix("/api/"), body, headers)
            except urllib.error.HTTPError as error:
                status, answer = error.code, error.read()
                more = {name: error.headers[name] for name in ("Content-Type", "Retry-After") if name in error.headers}
            except OSError:
                self.close_connection = True  # the workspace hung up, and so does this
                return
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(answer))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
