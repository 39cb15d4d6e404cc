"""Every kind of mail, rendered from rows and taken by a real SMTP server: words without Slack's markup, whole HTML."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from slack_sdk import WebClient

from aws.smtp import Smtp
from bot import rendering
from bot.access import SlackDirectory
from bot.delivery import Delivery
from bot.followups import FollowUps
from bot.views import change_notices
from patching import config
from patching.agenda import Opening
from patching.config import Configuration
from patching.model import Operation, PinnedPatch
from patching.nodes import EnvironmentKey
from patching.states import ChangeState, NoticeState, RunState
from sandbox.mail import Mail, Mailbox
from storage import changes, objections, outbox, runs, window_executions
from storage.changes import Change
from storage.database import Store, to_json, to_text
from storage.outbox import Medium, Notice
from storage.runs import Purpose
from storage.window_executions import Execution, subject_of
from tests.stateful.house import Inline
from tests.unit.commands.desk import Clock, configuration
from tests.unit.storage.rows import NOW, change_in, notice_of
from tests.unit.views.made import HOSTILE, node

ADDRESS = "eve@example.com"
PROD = EnvironmentKey("orders-db", "prod")
PLAIN = "Größe & Co <dev> ☕, it's"
TEXTS = pytest.mark.parametrize("text", [PLAIN, HOSTILE], ids=["plain", "hostile"])
SHOWN = HOSTILE.replace("*x*", "x").replace("```", "'''")
MARKUP = re.compile(r"<!|<@|<http|&(?:amp|lt|gt);|`|:[a-z_]+:|\*\S")


def run_of(store: Store, text: str, state: RunState) -> tuple[str, Mapping[str, Any]]:
    """A production Install on a node with that name."""
    change = change_in(store, ChangeState.USED)
    with store.transaction() as tx:
        run = runs.create(
            tx,
            NOW,
            operation=Operation.INSTALL,
            application=PROD.application,
            environment=PROD.environment,
            production=True,
            purpose=Purpose.CHANGE,
            requested_by="U0ANN",
            change_id=change.id,
            pins=(PinnedPatch("openssl.amd64", "openssl.amd64:3.0.17-1"),),
        )
        tx.execute(
            "UPDATE run SET state = ?, nodes = ?, note = ?, started_at = ?, ended_at = ? WHERE id = ?",
            [state, runs.nodes_to_json([node(1, text)]), text, to_text(NOW), to_text(NOW), run.id],
        )
        tx.execute(
            """INSERT INTO absence (run_id, node_id, power, since, told_at, back_at, late_at)
               VALUES (?, ?, 'stopped', ?, ?, ?, ?)""",
            [run.id, node(1).id, *[to_text(NOW)] * 4],
        )
    return run.subject, {"nodes": [node(1).id]}


def running(store: Store, text: str) -> tuple[str, Mapping[str, Any]]:
    return run_of(store, text, RunState.RUNNING)


def failed(store: Store, text: str) -> tuple[str, Mapping[str, Any]]:
    return run_of(store, text, RunState.FAILED)


def opening(text: str, days: int = 2) -> Opening:
    opens = NOW + timedelta(days=days)
    return Opening("mw-0c50858d01", text, opens, opens + timedelta(hours=2), opens + timedelta(hours=3), "Asia/Kolkata")


def window(store: Store, text: str) -> tuple[str, Mapping[str, Any]]:
    about = {"application": PROD.application, "environment": PROD.environment, "production": True}
    comes = opening(text)
    return subject_of(comes), {**about, "opening": comes.as_json()}


def moved(store: Store, text: str) -> tuple[str, Mapping[str, Any]]:
    subject, about = window(store, text)
    was, new = opening(text), opening(text, days=3)
    with store.transaction() as tx:
        window_executions.keep(tx, NOW, Execution(PROD, was, (), None, gone_at=NOW, moved_to=new.opens))
    return subject, {**about, "corrections": [{"opening": was.as_json(), "back": False, "moved_to": new.as_json()}]}


def bypass(store: Store, text: str) -> tuple[str, Mapping[str, Any]]:
    _, about = window(store, text)
    found = {"kind": "maintenance window", "id": "mw-1", "name": text, "fingerprint": "f", "nodes": 3}
    later = {"doing": [[text, "Install"]], "next_at": to_text(NOW + timedelta(days=2)), "timezone": "Asia/Kolkata"}
    with store.transaction() as tx:
        tx.execute("INSERT INTO bypass VALUES (?, ?, ?, ?, ?)", [*PROD, "mw-1", "f", to_text(NOW)])
    return "bypass:mw-1", {**about, **found, **later}


def change_of(store: Store, text: str, state: ChangeState) -> Change:
    found = change_in(store, state)
    comes = opening(text)
    with store.transaction() as tx:
        tx.execute(
            "UPDATE change SET window = ?, starts_at = ?, timing = 'window', note = ?, emergency = ? WHERE id = ?",
            [to_json(comes.as_json()), to_text(comes.opens), text, text, found.id],
        )
        if state is ChangeState.HELD:
            objections.add(tx, NOW, found, "U0EVE", text)
    return changes.get(store.db, found.id)


def change(state: ChangeState) -> Callable[[Store, str], tuple[str, Mapping[str, Any]]]:
    def made(store: Store, text: str) -> tuple[str, Mapping[str, Any]]:
        past = to_text(NOW - timedelta(hours=1))
        return change_of(store, text, state).subject, {"why": text, "from": past, "opened": past, "window": text}

    return made


MAILED: Mapping[str, Callable[[Store, str], tuple[str, Mapping[str, Any]]]] = {
    "install-started": running,
    "install-failing": running,
    "install-ended": failed,
    "node-away": running,
    "node-back": running,
    "node-late": failed,
    "window-reminder": window,
    "window-started": window,
    "window-correction": moved,
    "bypass": bypass,
    "change-announced": change(ChangeState.WAITING),
    "change-moved": change(ChangeState.WAITING),
    "change-missed": change(ChangeState.WAITING),
    "change-held": change(ChangeState.HELD),
    "change-resumed": change(ChangeState.WAITING),
    "change-off": change(ChangeState.WITHDRAWN),
}
IN_SLACK_ALONE = {
    *("run-card", "run-details", "change-card", "change-details", "window-order-card", "paused-reminder"),
    *("approval-asked", "approval-reminder", "record", "receipt", "refusal", "digest"),
    *("backups", "plan", "window", "preflight", "sweep-failing", "sweep-recovered", "freeze-added", "freeze-lifted"),
}


def kinds() -> set[str]:
    """Every kind that `render` has a case for."""
    tree = ast.parse(Path(rendering.__file__).read_text(encoding="utf-8"))
    patterns = [each for each in ast.walk(tree) if isinstance(each, ast.MatchValue)]
    values = {each.value.value for each in patterns if isinstance(each.value, ast.Constant)}
    return {*map(str, values), *change_notices.KINDS}


def test_each_kind_is_known_to_go_by_mail_or_not() -> None:
    assert kinds() == {*MAILED, *IN_SLACK_ALONE}


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    opened = Mailbox(Clock(NOW))
    opened.start()
    yield opened
    opened.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "patchgate.db")
    yield opened
    opened.close()


def mailing() -> Configuration:
    return configuration().model_copy(
        update={"mail": config.Mail.model_validate({"from": "patchgate@ops.example.com"})}
    )


def deliver(store: Store, mailbox: Mailbox, key: str) -> Mail:
    """As the sweep does."""
    before, clock, client = len(mailbox.mails), Clock(NOW), WebClient(base_url="http://127.0.0.1:9/", retry_handlers=[])
    settings = mailing()
    delivery = Delivery(
        store,
        settings,
        clock,
        client,
        SlackDirectory(client, settings.access, clock),
        Smtp("127.0.0.1", mailbox.port),
        FollowUps(client, clock, lambda work: None),
        Inline(),
    )
    delivery.tick(NOW)
    assert notice_of(store, key).state is NoticeState.SENT, notice_of(store, key).note
    assert len(mailbox.mails) == before + 1
    return mailbox.mails[-1]


def owe(store: Store, kind: str, text: str) -> Notice:
    subject, payload = MAILED[kind](store, text)
    with store.transaction() as tx:
        tx.execute("DELETE FROM notice")
        key = f"{kind}:{ADDRESS}"
        medium = Medium.EMAIL
        outbox.owe(tx, NOW, key=key, kind=kind, medium=medium, recipient=ADDRESS, subject=subject, payload=payload)
    return notice_of(store, key)


@TEXTS
@pytest.mark.parametrize("kind", MAILED)
def test_I10_a_mail_says_in_both_its_parts_the_same_without_markup(
    store: Store, mailbox: Mailbox, kind: str, text: str
) -> None:
    notice = owe(store, kind, text)
    mail = deliver(store, mailbox, notice.key)
    message = message_from_bytes(mail.raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert mail.to == (ADDRESS,)
    assert mail.raw.isascii()
    assert max(map(len, mail.raw.split(b"\r\n"))) <= 998
    assert message["Subject"].strip().startswith("[Patchgate] ")  # it may be folded before its first word
    assert message["Message-ID"] == f"<notice-{notice.id}-{int(NOW.timestamp())}@ops.example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "List-Unsubscribe" not in message

    plain, page = message.get_body(("plain",)), message.get_body(("html",))
    assert isinstance(plain, EmailMessage)
    assert isinstance(page, EmailMessage)
    said = plain.get_content().replace("\r\n", "\n")
    assert not MARKUP.search(said.replace(SHOWN, "")), said  # what is left are our own words
    root = ElementTree.fromstring(page.get_content().partition("\n")[2])
    assert {each.tag for each in root.iter()} <= {"html", "body", "h2", "p"}
    assert [each.text or "" for each in root.iter("p")] == said.rstrip("\n").split("\n")
    heading = root.find("body/h2")
    assert heading is not None
    assert heading.text


@pytest.mark.parametrize("kind", [kind for kind in MAILED if kind.startswith(("window", "change-announced", "bypass"))])
def test_a_time_is_in_utc_and_a_windows_own_zone_is_named(store: Store, mailbox: Mailbox, kind: str) -> None:
    mail = deliver(store, mailbox, owe(store, kind, PLAIN).key)
    assert mail.text
    assert re.search(r"2026-11-2\d \d\d:\d\d UTC", mail.text)
    assert ("Asia/Kolkata" in mail.text) == (kind != "window-started")  # that one speaks of now


def test_I7_a_mail_that_is_sent_again_after_a_crash_is_recognised(store: Store, mailbox: Mailbox) -> None:
    notice = owe(store, "install-ended", PLAIN)
    first = deliver(store, mailbox, notice.key)
    with store.transaction() as tx:
        tx.execute("UPDATE notice SET state = 'sending'")  # as it stood when the process died before its commit
        assert outbox.recover(tx) == 1
    second = deliver(store, mailbox, notice.key)
    ids = [message_from_bytes(each.raw, policy=policy.default)["Message-ID"] for each in (first, second)]
    assert ids[0] == ids[1]
