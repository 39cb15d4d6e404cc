"""Buttons, menus, modals and response URLs with the real Bolt App, over Socket Mode and over signed HTTP alike."""

from collections.abc import Iterator
from typing import Any

import pytest
from slack_bolt import Ack, App, Respond
from slack_sdk.errors import SlackApiError

from tests.unit.workspace.bolt import connected, served
from tests.unit.workspace.harness import Json, Person, Running, post_json, running
from tests.unit.workspace.well_formed import BUTTON, field, option, select, text

SECTION: Json = {"type": "section", "text": text("words", "mrkdwn")}
DEEDS: Json = {
    "type": "actions",
    "block_id": "deeds",
    "elements": [BUTTON, select(action_id="pick", initial_option=option("b"))],
}
REASON = field("reason", {"type": "plain_text_input", "action_id": "why", "min_length": 3, "max_length": 20})


def modal(callback_id: str = "ask", **more: object) -> Json:
    blocks = [REASON, field("choice", select(action_id="pick"), optional=True), {**DEEDS, "elements": [BUTTON]}]
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": text("A title"),
        "submit": text("Send"),
        "blocks": blocks,
        **more,
    }


def build(slack: Running, seen: list[Json]) -> App:
    """A bot that notes what it is sent; what it does with a modal is written in the modal's private_metadata."""
    app = App(client=slack.client(), signing_secret="sandbox-signing-secret")
    answers: dict[str, Json] = {
        "close": {},
        "errors": {"response_action": "errors", "errors": {"reason": "Say more."}},
        "errors elsewhere": {"response_action": "errors", "errors": {"nowhere": "Say more."}},
        "update": {"response_action": "update", "view": modal("updated")},
        "push": {"response_action": "push", "view": modal("pushed", private_metadata="clear")},
        "clear": {"response_action": "clear"},
        "invalid": {"response_action": "update", "view": {"type": "modal"}},
    }

    @app.command("/patch")
    def patch(ack: Ack, body: Json) -> None:
        seen.append(body)
        ack()
        if body["text"]:
            view = modal(private_metadata=body["text"], notify_on_close=True)
            app.client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.action("go")
    @app.action("pick")
    def act(ack: Ack, body: Json) -> None:
        seen.append(body)
        ack()

    @app.view("ask")
    @app.view("pushed")
    def submitted(ack: Ack, body: Json) -> None:
        seen.append(body)
        ack(**answers[body["view"]["private_metadata"]])

    @app.view_closed("ask")
    def closed(ack: Ack, body: Json) -> None:
        seen.append(body)
        ack()

    return app


@pytest.fixture(scope="module")
def all_seen() -> list[Json]:
    return []


@pytest.fixture(scope="module", params=["socket", "http"])
def slack(request: pytest.FixtureRequest, all_seen: list[Json]) -> Iterator[Running]:
    with running() as started:
        app = build(started, all_seen)
        with connected(started, app) if request.param == "socket" else served(started, app):
            yield started


@pytest.fixture
def seen(all_seen: list[Json]) -> list[Json]:
    all_seen.clear()
    return all_seen


@pytest.fixture
def ann(slack: Running) -> Person:
    return slack.person("U0ANN")


def post(slack: Running, channel: str = "C0ORDERS") -> str:
    return str(slack.client().chat_postMessage(channel=channel, text="x", blocks=[SECTION, DEEDS])["ts"])


def click(person: Person, ts: str, action_id: str = "go", **more: object) -> Json:
    return person.do("action", channel="C0ORDERS", ts=ts, block_id="deeds", action_id=action_id, **more)


def test_a_click_tells_who_did_what_where(slack: Running, seen: list[Json], ann: Person) -> None:
    ts = post(slack)
    assert click(ann, ts) == {"ok": True}
    body = seen[0]
    action = body["actions"][0]
    assert (action["action_id"], action["block_id"], action["value"], action["type"]) == ("go", "deeds", "1", "button")
    assert (body["user"]["id"], body["channel"]["id"], body["message"]["ts"]) == ("U0ANN", "C0ORDERS", ts)
    assert body["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": "C0ORDERS",
        "is_ephemeral": False,
    }
    assert body["state"]["values"]["deeds"]["pick"]["selected_option"]["value"] == "b"


def test_the_button_s_value_is_the_message_s_own(slack: Running, seen: list[Json], ann: Person) -> None:
    click(ann, post(slack), value="forged")
    assert seen[0]["actions"][0]["value"] == "1"


def test_a_click_that_crosses_an_update_counts(slack: Running, seen: list[Json], ann: Person) -> None:
    """Slack gives an updated message's blocks new ids; somebody clicked on what stood there a moment ago."""
    nameless = {name: value for name, value in DEEDS.items() if name != "block_id"}
    client = slack.client()
    ts = str(client.chat_postMessage(channel="C0ORDERS", text="x", blocks=[nameless])["ts"])
    (shown,) = [each for each in ann.history() if each["ts"] == ts]
    block_id = shown["blocks"][0]["block_id"]
    client.chat_update(channel="C0ORDERS", ts=ts, text="y", blocks=[nameless])
    assert ann.do("action", channel="C0ORDERS", ts=ts, block_id=block_id, action_id="go") == {"ok": True}
    assert seen[-1]["actions"][0]["block_id"] == block_id
    assert seen[-1]["message"]["text"] == "y"
    for _ in range(3):
        client.chat_update(channel="C0ORDERS", ts=ts, text="z", blocks=[nameless])
    assert ann.try_("action", channel="C0ORDERS", ts=ts, block_id=block_id, action_id="go")[0] == 400


def test_a_choice_is_one_of_the_options(slack: Running, seen: list[Json], ann: Person) -> None:
    ts = post(slack)
    assert click(ann, ts, "pick", selected_option={"value": "a"}) == {"ok": True}
    assert seen[0]["actions"][0]["selected_option"] == option("a")
    assert seen[0]["state"]["values"]["deeds"]["pick"]["selected_option"] == option("a")
    status, answer = ann.try_(
        "action", channel="C0ORDERS", ts=ts, block_id="deeds", action_id="pick", selected_option={"value": "z"}
    )
    assert (status, answer["error"]) == (400, "static_select 'pick' has no option 'z'")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"block_id": "deeds", "action_id": "gone"}, 400),
        ({"block_id": "gone", "action_id": "go"}, 400),
        ({"block_id": "deeds", "action_id": "go", "state": {"deeds": 1}}, 400),
        ({"block_id": "deeds", "action_id": "go", "ts": "1.000001"}, 404),
        ({"block_id": "deeds", "action_id": "go", "channel": "C0NOWHERE"}, 404),
        ({"block_id": "deeds", "action_id": "go", "user": "U0NOBODY"}, 404),
    ],
)
def test_clicks_that_can_not_be(slack: Running, seen: list[Json], ann: Person, body: Json, status: int) -> None:
    known = {"channel": "C0ORDERS", "ts": post(slack), "user": "U0ANN"}
    assert post_json(f"{ann.base}/sandbox/slack/action", known | body)[0] == status
    assert seen == []


def test_a_deleted_message_can_not_be_clicked(slack: Running, seen: list[Json], ann: Person) -> None:
    ts = post(slack)
    slack.client().chat_delete(channel="C0ORDERS", ts=ts)
    assert ann.try_("action", channel="C0ORDERS", ts=ts, block_id="deeds", action_id="go")[0] == 404
    assert seen == []


def test_an_ephemeral_message_is_its_reader_s_to_click(slack: Running, seen: list[Json], ann: Person) -> None:
    sent = slack.client().chat_postEphemeral(channel="C0ORDERS", user="U0ANN", text="x", blocks=[SECTION, DEEDS])
    other = slack.person("U0BEN").try_(
        "action", channel="C0ORDERS", ts=sent["message_ts"], block_id="deeds", action_id="go"
    )
    assert other[0] == 404
    assert click(ann, sent["message_ts"]) == {"ok": True}
    assert seen[0]["container"]["is_ephemeral"]
    assert "message" not in seen[0]


def respond(body: Json, **reply: Any) -> int:
    return Respond(response_url=body["response_url"])(**reply).status_code


def test_a_response_url_answers_its_reader_replaces_and_deletes(slack: Running, seen: list[Json], ann: Person) -> None:
    channel = "C0SEARCH"
    ts = post(slack, channel)
    ann.do("action", channel=channel, ts=ts, block_id="deeds", action_id="go")
    assert respond(seen[0], text="for you") == 200
    assert [(m.text, m.ephemeral_to) for m in slack.workspace.ephemerals("U0ANN")][-1] == ("for you", "U0ANN")
    assert respond(seen[0], text="for all", response_type="in_channel") == 200
    assert respond(seen[0], text="instead", blocks=[SECTION], replace_original=True) == 200
    assert [message.text for message in slack.workspace.messages(channel)] == ["instead", "for all"]
    assert respond(seen[0], delete_original=True) == 200
    assert [message.text for message in slack.workspace.messages(channel)] == ["for all"]


def test_a_response_url_works_five_times(slack: Running, seen: list[Json], ann: Person) -> None:
    ann.command("/patch", "C0BILLING")
    assert [respond(seen[0], text=str(number)) for number in range(6)] == [200] * 5 + [404]
    assert slack.workspace.refusals[-1].error == "Used url"


def test_a_response_url_refuses_what_slack_can_not_show(slack: Running, seen: list[Json], ann: Person) -> None:
    ann.command("/patch", "C0BILLING")
    assert respond(seen[0], text="x", blocks=[{"type": "marquee"}]) == 400
    assert (slack.workspace.refusals[-1].where, slack.workspace.refusals[-1].error) == (
        "response_url",
        "invalid_blocks",
    )
    assert post_json(f"{slack.url}/response/unknown", {"text": "x"})[0] == 404


def opened(person: Person, metadata: str) -> Json:
    person.command(f"/patch {metadata}")
    view: Json = person.view()["view"]
    assert view["private_metadata"] == metadata
    return view


def submit(person: Person, view: Json, why: str | None = "because") -> Json:
    return person.do("view/submit", view_id=view["id"], values={"reason": {"why": {"value": why}}})


def test_a_submitted_modal_closes(slack: Running, seen: list[Json], ann: Person) -> None:
    assert submit(ann, opened(ann, "close")) == {"ok": True}
    values = seen[1]["view"]["state"]["values"]
    assert values["reason"]["why"] == {"type": "plain_text_input", "value": "because"}
    assert values["choice"]["pick"] == {"type": "static_select", "selected_option": None}
    assert ann.view() == {"view": None, "stack_depth": 0}


@pytest.mark.parametrize(
    ("why", "complaint"),
    [
        (None, "Please complete this required field."),
        ("ab", "This field takes 3 to 20 characters; you entered 2."),
        ("x" * 21, "This field takes 3 to 20 characters; you entered 21."),
    ],
)
def test_slack_s_own_form_checks_first(
    slack: Running, seen: list[Json], ann: Person, why: str | None, complaint: str
) -> None:
    assert submit(ann, opened(ann, "close"), why) == {"ok": False, "errors": {"reason": complaint}}
    assert len(seen) == 1


def test_the_bot_s_errors_stand_at_their_fields(slack: Running, seen: list[Json], ann: Person) -> None:
    view = opened(ann, "errors")
    assert submit(ann, view) == {"ok": False, "errors": {"reason": "Say more."}}
    assert ann.view()["view"]["id"] == view["id"]


def test_an_update_replaces_the_view_and_a_push_lies_on_top(slack: Running, seen: list[Json], ann: Person) -> None:
    view = opened(ann, "update")
    assert submit(ann, view) == {"ok": True}
    updated = ann.view()["view"]
    assert (updated["id"], updated["callback_id"]) == (view["id"], "updated")
    assert updated["hash"] != view["hash"]

    view = opened(ann, "push")
    assert submit(ann, view) == {"ok": True}
    on_top = ann.view()
    assert (on_top["stack_depth"], on_top["view"]["callback_id"]) == (2, "pushed")
    assert on_top["view"]["previous_view_id"] == view["id"]
    assert submit(ann, on_top["view"]) == {"ok": True}
    assert ann.view()["stack_depth"] == 0


@pytest.mark.parametrize("metadata", ["invalid", "errors elsewhere"])
def test_an_ack_that_slack_can_not_use_is_trouble(slack: Running, seen: list[Json], ann: Person, metadata: str) -> None:
    view = opened(ann, metadata)
    assert submit(ann, view) == {"ok": False, "error": "We had some trouble connecting. Try again?"}
    assert slack.workspace.refusals[-1].where == "ack of view_submission"
    assert ann.view()["view"]["hash"] == view["hash"]


def test_a_closed_modal_is_told_and_is_gone(slack: Running, seen: list[Json], ann: Person) -> None:
    view = opened(ann, "close")
    assert ann.do("view/close", view_id=view["id"]) == {"ok": True}
    assert (seen[1]["type"], seen[1]["view"]["id"]) == ("view_closed", view["id"])
    assert ann.try_("view/submit", view_id=view["id"], values={})[0] == 404
    with pytest.raises(SlackApiError, match="not_found"):
        slack.client().views_update(view_id=view["id"], view=modal())


def test_a_click_in_a_modal_may_push_upon_it(slack: Running, seen: list[Json], ann: Person) -> None:
    view = opened(ann, "close")
    ann.do(
        "view/action", view_id=view["id"], block_id="deeds", action_id="go", state={"reason": {"why": {"value": "x"}}}
    )
    body = seen[1]
    assert body["container"] == {"type": "view", "view_id": view["id"]}
    assert body["view"]["state"]["values"]["reason"]["why"]["value"] == "x"
    slack.client().views_push(trigger_id=body["trigger_id"], view=modal("pushed"))
    assert ann.view()["stack_depth"] == 2
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        slack.client().views_push(trigger_id=body["trigger_id"], view=modal("pushed"))
