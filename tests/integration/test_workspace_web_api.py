"""The Web API, through Slack's own client: what it does, and every refusal in Slack's words."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.slack.seed import default_seed
from sandbox.slack.workspace import DEFAULT_SCOPES
from tests.unit.workspace.harness import Json, Running, Stopwatch, http, running
from tests.unit.workspace.well_formed import MESSAGE, MODAL

SECTION: Json = {"type": "section", "text": {"type": "mrkdwn", "text": "words"}}
Call = Callable[[WebClient], object]


@pytest.fixture
def slack() -> Iterator[Running]:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    """One workspace for the tables whose every case is refused, and so leaves nothing behind."""
    with running() as started:
        yield started


def refusal(call: Callable[[], object]) -> Json:
    with pytest.raises(SlackApiError) as raised:
        call()
    answer: Json = raised.value.response.data
    return answer


def all_scopes() -> frozenset[str]:
    return DEFAULT_SCOPES | {"channels:read", "channels:history", "reactions:write", "team:read"}


@pytest.mark.parametrize(
    ("method", "token", "error"),
    [
        ("auth.test", "", "not_authed"),
        ("auth.test", "xoxb-other", "invalid_auth"),
        ("auth.test", "xapp-sandbox", "not_allowed_token_type"),
        ("apps.connections.open", "xoxb-sandbox", "not_allowed_token_type"),
        ("chat.explode", "xoxb-sandbox", "unknown_method"),
    ],
)
def test_tokens_and_methods(shared: Running, method: str, token: str, error: str) -> None:
    assert refusal(lambda: shared.client(token).api_call(method))["error"] == error
    last = shared.workspace.refusals[-1]
    assert (last.where, last.error) == (method, error)


def test_who_the_bot_is_and_what_it_may(slack: Running) -> None:
    answer = slack.client().auth_test()
    assert (answer["user_id"], answer["team"], answer["url"]) == ("U0PATCHGATE", "Sandbox", f"{slack.url}/")
    assert set(answer.headers["x-oauth-scopes"].split(",")) == DEFAULT_SCOPES
    assert slack.client().bots_info(bot=answer["bot_id"])["bot"]["user_id"] == "U0PATCHGATE"


@pytest.mark.parametrize(
    ("call", "needed"),
    [
        (lambda it: it.chat_postMessage(channel="C0ORDERS", text="x"), "chat:write"),
        (lambda it: it.conversations_open(users="U0ANN"), "im:write"),
        (lambda it: it.users_lookupByEmail(email="ben@example.com"), "users:read.email"),
        (lambda it: it.usergroups_users_list(usergroup="S0ONCALL"), "usergroups:read"),
        (lambda it: it.team_info(), "team:read"),
        (lambda it: it.files_getUploadURLExternal(filename="a", length=1), "files:write"),
    ],
)
def test_a_missing_scope_is_named(call: Call, needed: str) -> None:
    with running(scopes=frozenset({"commands"})) as slack:
        answer = refusal(lambda: call(slack.client()))
        assert (answer["error"], answer["needed"], answer["provided"]) == ("missing_scope", needed, "commands")


def say(**arguments: Any) -> Call:
    return lambda it: it.chat_postMessage(**{"channel": "C0ORDERS", "text": "x", **arguments})


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (say(channel="C0NOWHERE"), "channel_not_found"),
        (lambda it: it.api_call("chat.postMessage", json={"channel": "C0ORDERS", "text": " "}), "no_text"),
        (lambda it: it.api_call("chat.postMessage", json={"text": "x"}), "channel_not_found"),
        (say(text="x" * 40_001), "msg_too_long"),
        (say(blocks="[{"), "invalid_blocks_format"),
        (say(blocks={"type": "divider"}), "invalid_blocks_format"),
        (say(blocks=[{"type": "marquee"}]), "invalid_blocks"),
        (say(blocks=[{**SECTION, "text": {"type": "mrkdwn", "text": "x" * 3000}}] * 5), "msg_blocks_too_long"),
        (say(thread_ts="1.000001"), "cannot_reply_to_message"),
        (say(attachments=[{"text": "x"}]), "invalid_arguments"),
        (lambda it: it.chat_update(channel="C0ORDERS", ts="1.000001", text="x"), "message_not_found"),
        (lambda it: it.chat_delete(channel="C0ORDERS", ts="1.000001"), "message_not_found"),
        (lambda it: it.chat_getPermalink(channel="C0ORDERS", message_ts="1.000001"), "message_not_found"),
        (lambda it: it.chat_postEphemeral(channel="C0ORDERS", user="U0NOBODY", text="x"), "user_not_in_channel"),
        (lambda it: it.chat_postEphemeral(channel="C0NOWHERE", user="U0ANN", text="x"), "channel_not_found"),
        (lambda it: it.conversations_open(users="U0NOBODY"), "user_not_found"),
        (lambda it: it.conversations_open(users="U0ANN,U0BEN"), "missing_scope"),
        (lambda it: it.conversations_info(channel="C0ORDERS"), "missing_scope"),
        (lambda it: it.users_info(user="U0NOBODY"), "user_not_found"),
        (lambda it: it.users_lookupByEmail(email="nobody@example.com"), "users_not_found"),
        (lambda it: it.usergroups_users_list(usergroup="S0NOBODY"), "no_such_subteam"),
        (lambda it: it.users_list(cursor="?"), "invalid_cursor"),
        (lambda it: it.users_list(limit=1001), "invalid_limit"),
        (lambda it: it.views_open(trigger_id="1.2.3", view=MODAL), "invalid_trigger_id"),
        (lambda it: it.views_update(view_id="V0", view=MODAL), "not_found"),
        (lambda it: it.views_publish(user_id="U0ANN", view=MODAL), "invalid_arguments"),
        (lambda it: it.files_completeUploadExternal(files=[{"id": "F0"}]), "file_not_found"),
    ],
)
def test_refusals(shared: Running, call: Call, error: str) -> None:
    assert refusal(lambda: call(shared.client()))["error"] == error
    assert shared.workspace.calls[-1].error == error
    assert shared.workspace.messages("C0ORDERS") == []


def test_archived_left_and_private_channels(slack: Running) -> None:
    client = slack.client()
    slack.workspace.set_archived("C0SEARCH")
    assert refusal(lambda: client.chat_postMessage(channel="C0SEARCH", text="x"))["error"] == "is_archived"
    slack.workspace.leave("C0BILLING", "U0PATCHGATE")
    assert client.chat_postMessage(channel="C0BILLING", text="x")["ok"]
    assert refusal(lambda: client.chat_postEphemeral(channel="C0BILLING", user="U0ANN", text="x"))["error"] == (
        "not_in_channel"
    )


def test_without_chat_write_public_a_channel_must_be_joined() -> None:
    with running(scopes=DEFAULT_SCOPES - {"chat:write.public"}) as slack:
        slack.workspace.leave("C0BILLING", "U0PATCHGATE")
        assert refusal(lambda: slack.client().chat_postMessage(channel="C0BILLING", text="x"))["error"] == (
            "not_in_channel"
        )


def test_invalid_blocks_are_explained_with_their_place(slack: Running) -> None:
    blocks = [SECTION, {"type": "header", "text": {"type": "mrkdwn", "text": "x"}}]
    answer = refusal(lambda: slack.client().chat_postMessage(channel="C0ORDERS", text="x", blocks=blocks))
    problem = "must be one of plain_text [json-pointer:/blocks/1/text/type]"
    assert answer["errors"] == [problem]
    assert answer["response_metadata"] == {"messages": [f"[ERROR] {problem}"]}
    assert slack.workspace.refusals[-1].details == (problem,)


def test_the_life_of_a_message(slack: Running) -> None:
    client = slack.client()
    posted = client.chat_postMessage(channel="C0ORDERS", text="fallback", blocks=MESSAGE)
    ts = posted["ts"]
    assert all(block["block_id"] for block in posted["message"]["blocks"])
    reply = client.chat_postMessage(channel="C0ORDERS", text="detail", thread_ts=ts)
    link = client.chat_getPermalink(channel="C0ORDERS", message_ts=reply["ts"])["permalink"]
    assert link == f"{slack.url}/archives/C0ORDERS/p{reply['ts'].replace('.', '')}?thread_ts={ts}&cid=C0ORDERS"
    nested = refusal(lambda: client.chat_postMessage(channel="C0ORDERS", text="x", thread_ts=reply["ts"]))
    assert nested["error"] == "cannot_reply_to_message"

    client.chat_update(channel="C0ORDERS", ts=ts, text="still", blocks=[SECTION])
    first = slack.workspace.messages("C0ORDERS")[0]
    assert (first.text, len(first.blocks or ()), first.edited) == ("still", 1, False)
    client.chat_update(channel="C0ORDERS", ts=ts, text="words only")
    first = slack.workspace.messages("C0ORDERS")[0]
    assert (first.text, first.blocks, first.edited) == ("words only", None, True)
    too_long = refusal(lambda: client.chat_update(channel="C0ORDERS", ts=ts, text="x" * 4001))
    assert too_long["error"] == "msg_too_long"

    client.chat_delete(channel="C0ORDERS", ts=ts)
    assert [message.text for message in slack.workspace.messages("C0ORDERS")] == ["detail"]


def test_a_person_s_message_is_not_the_bot_s_to_change(slack: Running) -> None:
    ts = slack.person().do("message", channel="C0ORDERS", text="hello")["ts"]
    client = slack.client()
    assert refusal(lambda: client.chat_update(channel="C0ORDERS", ts=ts, text="x"))["error"] == "cant_update_message"
    assert refusal(lambda: client.chat_delete(channel="C0ORDERS", ts=ts))["error"] == "cant_delete_message"


def test_an_ephemeral_message_can_not_be_updated(slack: Running) -> None:
    ts = slack.client().chat_postEphemeral(channel="C0ORDERS", user="U0ANN", text="psst")["message_ts"]
    answer = refusal(lambda: slack.client().chat_update(channel="C0ORDERS", ts=ts, text="x"))
    assert answer["error"] == "message_not_found"


def test_direct_messages_by_channel_and_by_user(slack: Running) -> None:
    client = slack.client()
    opened = client.conversations_open(users=["U0EVE"])
    assert not opened["already_open"]
    client.chat_postMessage(channel=opened["channel"]["id"], text="one")
    client.chat_postMessage(channel="U0EVE", text="two")
    assert [message.text for message in slack.workspace.dms("U0EVE")] == ["one", "two"]
    assert slack.workspace.dms("U0ANN") == []


def test_conversations_with_the_scopes_to_read_them() -> None:
    with running(scopes=all_scopes()) as slack:
        client = slack.client()
        slack.workspace.set_archived("C0REPORTS")
        names = [channel["name"] for channel in client.conversations_list(exclude_archived=True)["channels"]]
        assert names == [each.name for each in default_seed().channels if each.id != "C0REPORTS"]
        rest = len(names) + 1 - 2
        first = client.conversations_list(limit=2)
        second = client.conversations_list(limit=rest + 1, cursor=first["response_metadata"]["next_cursor"])
        assert (len(first["channels"]), len(second["channels"])) == (2, rest)
        assert second["response_metadata"]["next_cursor"] == ""
        assert client.conversations_info(channel="C0ORDERS")["channel"]["is_member"]
        assert "U0EVE" in client.conversations_members(channel="C0ORDERS")["members"]
        ts = client.chat_postMessage(channel="C0ORDERS", text="top")["ts"]
        client.chat_postMessage(channel="C0ORDERS", text="reply", thread_ts=ts)
        client.reactions_add(channel="C0ORDERS", timestamp=ts, name="eyes")
        history = client.conversations_history(channel="C0ORDERS")["messages"]
        assert [message["text"] for message in history] == ["top"]
        assert history[0]["reactions"][0]["name"] == "eyes"
        thread = client.conversations_replies(channel="C0ORDERS", ts=ts)["messages"]
        assert [message["text"] for message in thread] == ["top", "reply"]
        assert client.conversations_history(channel="C0ORDERS", latest=ts)["messages"] == []
        assert len(client.conversations_history(channel="C0ORDERS", latest=ts, inclusive=True)["messages"]) == 1


def test_people_and_groups(slack: Running) -> None:
    client = slack.client()
    assert client.users_lookupByEmail(email="ben@example.com")["user"]["id"] == "U0BEN"
    assert client.users_info(user="U0EVE")["user"]["tz"] == "America/New_York"
    assert {"U0ANN", "U0KIM", "U0PATCHGATE"} <= {user["id"] for user in client.users_list()["members"]}
    assert client.usergroups_users_list(usergroup="S0ONCALL")["users"] == ["U0OLA", "U0KIM"]
    slack.workspace.set_group("S0ONCALL", ("U0KIM",))
    groups = {group["id"]: group for group in client.usergroups_list(include_users=True)["usergroups"]}
    assert (groups["S0ONCALL"]["handle"], groups["S0ONCALL"]["users"]) == ("oncall", ["U0KIM"])


def test_a_file_goes_up_and_is_posted(slack: Running) -> None:
    client = slack.client()
    answer = client.files_upload_v2(
        channel="C0ORDERS", content="a,b\n", filename="nodes.csv", title="Nodes", initial_comment="see"
    )
    file = slack.workspace.files[0]
    assert (file.id, file.title, file.mimetype, file.content) == (answer["file"]["id"], "Nodes", "text/csv", b"a,b\n")
    message = slack.workspace.messages("C0ORDERS")[0]
    assert (message.text, message.files) == ("see", (file,))
    status, content = http("GET", f"{slack.url}/sandbox/slack/files/{file.id}")
    assert (status, content) == (200, b"a,b\n")


def test_an_upload_must_have_the_length_it_announced(slack: Running) -> None:
    ticket = slack.client().files_getUploadURLExternal(filename="a.txt", length=4)
    assert http("POST", ticket["upload_url"], b"five!")[0] == 400
    answer = refusal(lambda: slack.client().files_completeUploadExternal(files=[{"id": ticket["file_id"]}]))
    assert answer["error"] == "file_not_found"


@pytest.mark.parametrize(("body", "error"), [(b"{", "invalid_json"), (b"[]", "json_not_object")])
def test_bodies_that_are_no_json_object(slack: Running, body: bytes, error: str) -> None:
    status, answer = http("POST", f"{slack.url}/api/auth.test", body, {"Content-Type": "application/json"})
    assert (status, error.encode() in answer) == (200, True)


@pytest.mark.parametrize(
    ("kind", "status", "posted"), [("ratelimited", 429, 0), ("server-error", 500, 0), ("slow", 200, 1)]
)
def test_faults_that_answer(slack: Running, kind: Any, status: int, posted: int) -> None:
    slack.workspace.faults.add("chat.postMessage", kind, seconds=0.01)
    url, token = f"{slack.url}/api/chat.postMessage", {"Authorization": "Bearer xoxb-sandbox"}
    assert http("POST", f"{url}?channel=C0ORDERS&text=x", b"", token)[0] == status
    assert len(slack.workspace.messages("C0ORDERS")) == posted
    assert http("POST", f"{url}?channel=C0ORDERS&text=x", b"", token)[0] == 200


@pytest.mark.parametrize(("kind", "posted"), [("lost-reply", 1), ("outage", 0)])
def test_faults_that_break_the_connection(slack: Running, kind: Any, posted: int) -> None:
    slack.workspace.faults.add("*", kind)
    with pytest.raises(ConnectionError):
        slack.client().chat_postMessage(channel="C0ORDERS", text="x")
    assert len(slack.workspace.messages("C0ORDERS")) == posted
    assert slack.client().auth_test()["ok"]


def test_messages_in_a_channel_are_limited_to_about_one_a_second() -> None:
    watch = Stopwatch()
    with running(rate_limits=True, monotonic=watch) as slack:
        client = slack.client()
        for _ in range(5):
            client.chat_postMessage(channel="C0ORDERS", text="x")
        with pytest.raises(SlackApiError) as limited:
            client.chat_postMessage(channel="C0ORDERS", text="x")
        assert limited.value.response.status_code == 429
        assert limited.value.response.headers["Retry-After"] == "1"
        assert client.chat_postMessage(channel="C0BILLING", text="x")["ok"]
        watch.seconds += 1
        assert client.chat_postMessage(channel="C0ORDERS", text="x")["ok"]
        assert [call.status for call in slack.workspace.calls] == [200] * 5 + [429, 200, 200]


def test_a_method_is_limited_by_its_tier() -> None:
    watch = Stopwatch()
    with running(rate_limits=True, monotonic=watch) as slack:
        for _ in range(20):
            slack.client().users_list()
        with pytest.raises(SlackApiError) as limited:
            slack.client().users_list()
        assert limited.value.response.headers["Retry-After"] == "3"
        watch.seconds += 3
        assert slack.client().users_list()["ok"]
