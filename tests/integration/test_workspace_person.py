"""The person's side: what each one sees, the live events, mail; and what a foreign page may not do."""

import json
import smtplib
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest
from slack_sdk.errors import SlackApiError

from tests.unit.workspace.harness import Json, Running, Stopwatch, http, post_json, running
from tests.unit.workspace.well_formed import MESSAGE, MODAL


@pytest.fixture
def slack() -> Iterator[Running]:
    with running() as started:
        yield started


def test_the_state_shows_the_workspace_as_one_person_sees_it(slack: Running) -> None:
    slack.client().chat_postMessage(channel="U0EVE", text="for Eve")
    ts = slack.client().chat_postMessage(channel="C0ORDERS", text="for all")["ts"]
    state = slack.person("U0EVE").read("state")
    assert state["team"]["name"] == "Sandbox"
    assert state["commands"][0]["command"] == "/patch"
    assert {user["id"]: user["tz"] for user in state["users"]}["U0KIM"] == "Asia/Tokyo"
    channels = {channel["id"]: channel for channel in state["channels"]}
    assert (channels["C0ORDERS"]["latest"], channels["C0BILLING"]["latest"]) == (ts, None)
    assert "U0ANN" in channels["C0ORDERS"]["members"]
    direct = channels["D0EVE"]
    assert (direct["kind"], direct["with"]) == ("dm", "U0PATCHGATE")
    assert "D0EVE" not in {channel["id"] for channel in slack.person("U0ANN").read("state")["channels"]}
    assert http("GET", f"{slack.url}/sandbox/slack/history?user=U0ANN&channel=D0EVE")[0] == 404


def test_history_and_threads(slack: Running) -> None:
    client, ann = slack.client(), slack.person("U0ANN")
    ts = client.chat_postMessage(channel="C0ORDERS", text="top", blocks=MESSAGE)["ts"]
    client.chat_postMessage(channel="C0ORDERS", text="reply", thread_ts=ts)
    client.chat_postEphemeral(channel="C0ORDERS", user="U0ANN", text="for Ann")
    ann.do("message", channel="C0ORDERS", text="<!channel> & co", thread_ts=ts)
    history = ann.history()
    assert [(m["text"], m["reply_count"], m["ephemeral"]) for m in history] == [
        ("top", 2, False),
        ("for Ann", 0, True),
    ]
    assert len(history[0]["blocks"]) == len(MESSAGE)
    thread = ann.read("replies", channel="C0ORDERS", ts=ts)["messages"]
    assert [(m["user"], m["text"]) for m in thread] == [
        ("U0PATCHGATE", "top"),
        ("U0PATCHGATE", "reply"),
        ("U0ANN", "&lt;!channel&gt; &amp; co"),
    ]
    assert [m["text"] for m in slack.person("U0BEN").history()] == ["top"]


def test_times_follow_the_sandbox_s_clock_and_never_stand_still(slack: Running) -> None:
    slack.clock.set_rate(0)
    for number in range(3):
        slack.client().chat_postMessage(channel="C0ORDERS", text=str(number))
    slack.clock.jump(timedelta(days=8))
    slack.client().chat_postMessage(channel="C0ORDERS", text="3")
    messages = slack.person().history()
    stamps = [float(message["ts"]) for message in messages]
    assert stamps == sorted(set(stamps))
    first, last = (datetime.fromisoformat(messages[i]["at"]) for i in (0, 3))
    assert last - first >= timedelta(days=7, hours=23)
    assert last == slack.clock.now()


def test_a_permalink_leads_to_the_page(slack: Running) -> None:
    ts = slack.client().chat_postMessage(channel="C0ORDERS", text="x")["ts"]
    link = slack.client().chat_getPermalink(channel="C0ORDERS", message_ts=ts)["permalink"]

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: object) -> None:
            return None

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay())
    with pytest.raises(urllib.error.HTTPError) as redirect, opener.open(link, timeout=5):
        pass
    with redirect.value as answer:
        assert (answer.code, answer.headers["location"]) == (302, f"/#channel=C0ORDERS&ts={ts}")


class Events:
    """One page's stream of events, read as a browser reads it."""

    def __init__(self, slack: Running, user: str) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._stream = opener.open(f"{slack.url}/sandbox/slack/events?user={user}", timeout=5)
        assert self._stream.readline() == b": open\n"

    def next(self) -> Json:
        while not (line := self._stream.readline()).startswith(b"data: "):
            assert line, "the stream has ended"
        event: Json = json.loads(line.removeprefix(b"data: "))
        return event

    def ended(self) -> bool:
        return bool(self._stream.read() == b"\n")

    def __enter__(self) -> "Events":
        return self

    def __exit__(self, *exception: object) -> None:
        self._stream.close()


def test_pages_are_told_what_changed_and_only_for_their_eyes(slack: Running) -> None:
    client = slack.client()
    with Events(slack, "U0ANN") as ann, Events(slack, "U0EVE") as eve:
        client.chat_postEphemeral(channel="C0ORDERS", user="U0ANN", text="psst")
        client.chat_postMessage(channel="U0EVE", text="hello")
        client.chat_postMessage(channel="C0BILLING", text="x")
        with slack.workspace.lock:
            trigger = slack.workspace.tickets.new_trigger("U0ANN")
        client.views_open(trigger_id=trigger, view=MODAL)
        slack.workspace.clock_changed()
        assert [ann.next() for _ in range(4)] == [
            {"type": "changed", "channel": "C0ORDERS"},
            {"type": "changed", "channel": "C0BILLING"},
            {"type": "view"},
            {"type": "clock"},
        ]
        assert [eve.next() for _ in range(4)] == [
            {"type": "channels"},
            {"type": "changed", "channel": "D0EVE"},
            {"type": "changed", "channel": "C0BILLING"},
            {"type": "clock"},
        ]
        slack.workspace.close()
        assert ann.ended()


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("http://evil.example", None, 403),
        ("null", None, 403),
        ("http://evil.example", "evil.example", 403),
        ("http://127.0.0.1:1", None, 403),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", 200),
        ("http://localhost:8080", "localhost:8080", 200),
    ],
)
def test_a_foreign_page_changes_nothing(slack: Running, origin: str, host: str | None, status: int) -> None:
    body = json.dumps({"user": "U0ANN", "channel": "C0ORDERS", "text": "x"}).encode()
    headers = {"Content-Type": "application/json", "Origin": origin, **({"Host": host} if host else {})}
    assert http("POST", f"{slack.url}/sandbox/slack/message", body, headers)[0] == status
    assert len(slack.workspace.messages("C0ORDERS")) == (status == 200)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("message", {"user": "U0ANN", "channel": "C0ORDERS"}, 400),
        ("message", {"user": "U0ANN", "channel": "C0ORDERS", "text": 5}, 400),
        ("message", {"user": "U0NOBODY", "channel": "C0ORDERS", "text": "x"}, 404),
        ("message", {"user": "U0ANN", "channel": "C0NOWHERE", "text": "x"}, 404),
        ("message", {"user": "U0ANN", "channel": "C0ORDERS", "text": "x", "thread_ts": "1.000001"}, 404),
        ("message", [], 400),
        ("view/submit", {"user": "U0ANN", "view_id": "V0"}, 404),
        ("view/submit", {"user": "U0ANN", "view_id": "V0", "values": {"a": "b"}}, 400),
        ("home/open", {"user": "U0NOBODY"}, 404),
    ],
)
def test_bad_input_is_answered_with_one_sentence(slack: Running, path: str, body: object, status: int) -> None:
    answered, answer = post_json(f"{slack.url}/sandbox/slack/{path}", body)
    assert answered == status
    assert answer["error"]
    assert slack.workspace.messages("C0ORDERS") == []


def test_mail_arrives_with_both_its_parts(slack: Running) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "patchgate@example.com", "orders-team@example.com", "Größe: done"
    mail.set_content("plain words")
    mail.add_alternative("<p>rich words</p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", slack.mailbox.port, timeout=5) as smtp:
        smtp.send_message(mail)
    assert slack.mailbox.wait_for(1)
    [shown] = json.loads(http("GET", f"{slack.url}/sandbox/mail")[1])["mails"]
    assert (shown["from"], shown["to"]) == ("patchgate@example.com", ["orders-team@example.com"])
    assert (shown["subject"], shown["text"].strip()) == ("Größe: done", "plain words")
    assert shown["html"].strip() == "<p>rich words</p>"
    assert abs(datetime.fromisoformat(shown["at"]) - slack.clock.now()) < timedelta(minutes=1)


def test_a_trigger_lives_three_seconds_and_works_once() -> None:
    watch = Stopwatch()
    with running(monotonic=watch) as slack:
        client = slack.client()

        def trigger() -> str:
            with slack.workspace.lock:
                return slack.workspace.tickets.new_trigger("U0ANN")

        first = trigger()
        with pytest.raises(SlackApiError, match="invalid_arguments"):
            client.views_open(trigger_id=first, view={"type": "modal"})
        watch.seconds += 2.9
        view = client.views_open(trigger_id=first, view=MODAL)["view"]
        with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
            client.views_open(trigger_id=first, view=MODAL)
        second = trigger()
        watch.seconds += 3.1
        with pytest.raises(SlackApiError, match="expired_trigger_id"):
            client.views_open(trigger_id=second, view=MODAL)

        client.views_update(view_id=view["id"], hash=view["hash"], view=MODAL)
        with pytest.raises(SlackApiError, match="hash_conflict"):
            client.views_update(view_id=view["id"], hash=view["hash"], view=MODAL)


def test_a_stack_holds_three_views_and_a_view_a_quarter_of_a_megabyte(slack: Running) -> None:
    client = slack.client()

    def push() -> None:
        with slack.workspace.lock:
            trigger = slack.workspace.tickets.new_trigger("U0ANN", "V")
        client.views_push(trigger_id=trigger, view=MODAL)

    with slack.workspace.lock:
        trigger = slack.workspace.tickets.new_trigger("U0ANN")
    big = {**MODAL, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2999}}] * 90}
    with pytest.raises(SlackApiError, match="view_too_large"):
        client.views_open(trigger_id=trigger, view=big)
    client.views_open(trigger_id=trigger, view=MODAL)
    push()
    push()
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        push()
    assert len(slack.workspace.views("U0ANN")) == 3


def test_a_response_url_lives_half_an_hour() -> None:
    watch = Stopwatch()
    with running(monotonic=watch) as slack:
        with slack.workspace.lock:
            token = slack.workspace.tickets.new_response("U0ANN", "C0ORDERS", None)
        url = f"{slack.url}/response/{token}"
        watch.seconds += 30 * 60 - 1
        assert post_json(url, {"text": "in time"})[0] == 200
        watch.seconds += 2
        assert post_json(url, {"text": "late"}) == (404, {"ok": False, "error": "Expired url"})
        assert [message.text for message in slack.workspace.ephemerals("U0ANN")] == ["in time"]
