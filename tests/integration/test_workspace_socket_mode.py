"""Socket Mode with the real Bolt App and its built-in client: envelopes, acks in time and late, reconnecting."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from slack_bolt import Ack, App
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from sandbox.slack.model import Command
from sandbox.slack.workspace import Workspace
from tests.unit.workspace.bolt import connected
from tests.unit.workspace.harness import Json, Running, running
from tests.unit.workspace.well_formed import HOME

COMMANDS = tuple(Command(name, "") for name in ("/patch", "/reply", "/late", "/nobody"))


@pytest.fixture(scope="module")
def late() -> threading.Event:
    """Lets the listener of /late go on."""
    return threading.Event()


@pytest.fixture(scope="module")
def slack(late: threading.Event) -> Iterator[Running]:
    """A bot on two connections: it echoes /patch, answers /reply with the JSON typed, /late late, /nobody never."""
    with running(ack_seconds=1.0, commands=COMMANDS) as started:
        app = App(client=started.client())

        @app.command("/patch")
        def patch(ack: Ack, command: Json) -> None:
            ack(text=f"{command['user_id']} {command['channel_name']}: {command['text']}")

        @app.command("/reply")
        def reply(ack: Ack, command: Json) -> None:
            ack(**json.loads(command["text"]))

        @app.command("/late")
        def answer_late(ack: Ack) -> None:
            assert late.wait(10)
            ack(text="too late")

        @app.event("app_home_opened")
        def opened(event: Json) -> None:
            app.client.views_publish(user_id=event["user"], view=HOME)

        with connected(started, app, connections=2):
            yield started


@pytest.fixture
def alone() -> Iterator[Running]:
    """A workspace to which no bot is connected."""
    with running(ack_seconds=0.5) as started:
        yield started


def test_people_are_given_three_seconds() -> None:
    with running() as slack:
        assert slack.workspace.ack_seconds == 3.0


def test_a_command_s_ack_is_seen_by_its_user_alone(slack: Running) -> None:
    assert slack.person("U0ANN").command("/patch scan <!channel> & co") == {"ok": True}
    shown = [(m["text"], m["ephemeral"]) for m in slack.person("U0ANN").history()]
    assert shown == [("U0ANN orders: scan <!channel> & co", True)]
    assert [message.text for message in slack.workspace.ephemerals("U0ANN")] == [shown[0][0]]
    assert slack.person("U0BEN").history() == []


@pytest.mark.parametrize(
    ("reply", "channel", "shown", "refusals"),
    [
        ({"response_type": "in_channel", "text": "all"}, "C0PATCHING", ["all"], []),
        ({"response_type": "in_channel", "blocks": [{"type": "divider"}]}, "C0BILLING", [""], []),
        ({"blocks": [{"type": "marquee"}], "text": "lost"}, "C0SEARCH", [], ["invalid_blocks"]),
        ({}, "C0REPORTS", [], []),
    ],
)
def test_what_an_ack_shows(slack: Running, reply: Json, channel: str, shown: list[str], refusals: list[str]) -> None:
    before = len(slack.workspace.refusals)
    assert slack.person("U0BEN").command(f"/reply {json.dumps(reply)}", channel) == {"ok": True}
    assert [message.text for message in slack.workspace.messages(channel)] == shown
    assert slack.workspace.ephemerals("U0BEN") == []
    assert [refused.error for refused in slack.workspace.refusals[before:]] == refusals


def test_a_late_ack_is_a_failure_that_slackbot_tells(slack: Running, late: threading.Event) -> None:
    answer = slack.person("U0EVE").command("/late")
    late.set()
    assert answer == {"ok": False, "error": "operation_timeout"}
    # The ack that comes after all changes nothing: one more round trip shows that it has had its time.
    assert slack.person("U0EVE").command("/patch") == {"ok": True}
    told = [(message.user, message.text) for message in slack.workspace.ephemerals("U0EVE")]
    assert told == [
        ("USLACKBOT", "/late failed with the error `operation_timeout`"),
        ("U0PATCHGATE", "U0EVE orders: "),
    ]


def test_a_command_that_nobody_listens_to_times_out(slack: Running) -> None:
    assert slack.person().command("/nobody") == {"ok": False, "error": "operation_timeout"}


def test_without_a_connection_dispatch_fails(alone: Running) -> None:
    assert alone.person().command("/patch") == {"ok": False, "error": "dispatch_failed"}
    assert alone.workspace.ephemerals("U0ANN")[0].text == "/patch failed with the error `dispatch_failed`"


def test_commands_that_slack_itself_refuses(alone: Running) -> None:
    person = alone.person()
    assert person.command("/patches x") == {"ok": False, "error": "/patches is not a valid command."}
    ts = person.do("message", channel="C0ORDERS", text="top")["ts"]
    threaded = person.do("command", channel="C0ORDERS", text="/patch", thread_ts=ts)
    assert threaded == {"ok": False, "error": "/patch is not supported in threads. Sorry!"}
    assert person.try_("command", channel="C0NOWHERE", text="/patch")[0] == 404
    assert person.try_("command", channel="C0ORDERS", text="patch")[0] == 400


def test_one_envelope_goes_to_one_of_two_connections(slack: Running) -> None:
    before = slack.workspace.sockets.sent
    for number in range(6):
        assert slack.person("U0ADA").command(f"/patch {number}") == {"ok": True}
    assert [after - sent for after, sent in zip(slack.workspace.sockets.sent, before, strict=True)] == [3, 3]
    assert len(slack.workspace.ephemerals("U0ADA")) == 6


def test_many_commands_at_once_each_get_their_own_ack(slack: Running) -> None:
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda n: slack.person("U0KIM").command(f"/patch {n}"), range(20)))
    assert answers == [{"ok": True}] * 20
    shown = {message.text for message in slack.workspace.ephemerals("U0KIM")}
    assert shown == {f"U0KIM orders: {number}" for number in range(20)}


def test_clients_come_back_when_they_are_told_to_go(slack: Running) -> None:
    before = _tickets(slack.workspace)
    slack.workspace.disconnect("refresh_requested")
    assert slack.workspace.sockets.sent == []
    assert slack.workspace.wait_until(lambda: len(slack.workspace.sockets.sent) == 2)
    assert _tickets(slack.workspace) == before + 2
    assert slack.person("U0OLA").command("/patch") == {"ok": True}


def test_a_connection_that_was_warned_serves_until_there_is_another(alone: Running) -> None:
    with connect(_ticket(alone), proxy=None) as warned, ThreadPoolExecutor(1) as typing:
        assert json.loads(warned.recv(timeout=5))["type"] == "hello"
        alone.workspace.disconnect("warning")
        told = json.loads(warned.recv(timeout=5))
        assert (told["type"], told["reason"]) == ("disconnect", "warning")
        answer = typing.submit(alone.person().command, "/patch one")
        envelope = json.loads(warned.recv(timeout=5))
        warned.send(json.dumps({"envelope_id": envelope["envelope_id"]}))
        assert answer.result(5) == {"ok": True}
        with connect(_ticket(alone), proxy=None) as another:
            assert json.loads(another.recv(timeout=5))["type"] == "hello"
            answer = typing.submit(alone.person().command, "/patch two")
            envelope = json.loads(another.recv(timeout=5))
            assert envelope["payload"]["text"] == "two"
            another.send(json.dumps({"envelope_id": envelope["envelope_id"]}))
            assert answer.result(5) == {"ok": True}


def _tickets(workspace: Workspace) -> int:
    return [call.method for call in workspace.calls].count("apps.connections.open")


def _ticket(slack: Running) -> str:
    """The URL of one connection to be."""
    return str(slack.client().apps_connections_open(app_token="xapp-sandbox")["url"])


def test_a_ticket_works_once(alone: Running) -> None:
    url = _ticket(alone)
    with connect(url, proxy=None) as socket:
        assert '"hello"' in str(socket.recv(timeout=5))
    with pytest.raises(InvalidStatus), connect(url, proxy=None):
        pass


def test_the_eleventh_connection_is_one_too_many(alone: Running) -> None:
    sockets = [connect(_ticket(alone), proxy=None) for _ in range(10)]
    assert alone.workspace.wait_until(lambda: len(alone.workspace.sockets.sent) == 10)
    with connect(_ticket(alone), proxy=None) as eleventh:
        assert "too_many_websockets" in str(eleventh.recv(timeout=5))
    for socket in sockets:
        socket.close()


def test_opening_the_home_tab_is_an_event_and_its_view_is_published(slack: Running) -> None:
    assert slack.person("U0EVE").do("home/open") == {"ok": True}
    assert slack.workspace.wait_until(lambda: slack.workspace.home("U0EVE"))
    assert slack.person("U0EVE").read("home")["view"]["callback_id"] == "home"
    assert slack.person("U0ANN").read("home")["view"] is None
