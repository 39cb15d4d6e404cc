"""Every malformed payload of the table, sent through Slack's own client: each is refused, and the count is printed."""

from collections.abc import Iterator

import pytest
from slack_sdk.errors import SlackApiError

from sandbox.slack.workspace import Workspace
from tests.unit.workspace.case import Case, broken
from tests.unit.workspace.harness import Running, running
from tests.unit.workspace.malformed_messages import MESSAGE_CASES
from tests.unit.workspace.malformed_views import HOME_CASES, MODAL_CASES
from tests.unit.workspace.well_formed import HOME, MESSAGE, MODAL


@pytest.fixture(scope="module")
def slack() -> Iterator[Running]:
    with running() as started:
        yield started


def trigger(workspace: Workspace) -> str:
    with workspace.lock:
        return workspace.tickets.new_trigger("U0ANN")


def post(slack: Running, case: Case) -> None:
    slack.client().chat_postMessage(channel="C0ORDERS", text="x", blocks=broken(MESSAGE, case))


def open_modal(slack: Running, case: Case) -> None:
    slack.client().views_open(trigger_id=trigger(slack.workspace), view=broken(MODAL, case))


def publish(slack: Running, case: Case) -> None:
    slack.client().views_publish(user_id="U0ANN", view=broken(HOME, case))


def test_none_of_them_is_accepted(slack: Running, capsys: pytest.CaptureFixture[str]) -> None:
    table = [
        *((post, case, "invalid_blocks") for case in MESSAGE_CASES),
        *((open_modal, case, "invalid_arguments") for case in MODAL_CASES),
        *((publish, case, "invalid_arguments") for case in HOME_CASES),
    ]
    refused = 0
    for send, case, error in table:
        with pytest.raises(SlackApiError) as raised:
            send(slack, case)
        answer = raised.value.response
        assert answer["error"] == error, case.name
        assert any(case.refusal in message for message in answer["response_metadata"]["messages"]), case.name
        refused += 1
    assert refused >= 80
    assert slack.workspace.messages("C0ORDERS") == []
    assert slack.workspace.views("U0ANN") == []
    assert slack.workspace.home("U0ANN") is None
    with capsys.disabled():
        print(f"\n{refused} malformed payloads sent to the local workspace, {refused} refused")


def test_the_well_formed_ones_are(slack: Running) -> None:
    client = slack.client()
    assert client.chat_postMessage(channel="C0SEARCH", text="x", blocks=MESSAGE)["ok"]
    assert client.views_open(trigger_id=trigger(slack.workspace), view=MODAL)["ok"]
    assert client.views_publish(user_id="U0ANN", view=HOME)["ok"]
