"""What people get wrong, and what text from outside tries (issue 2 section 6, I10).

Each gives its one answer, to the person alone, changes no row and sends nothing.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from sandbox.aws.fleet import Package, Release
from sandbox.fleet import small_fleet
from sandbox.slack.model import BOT
from storage.database import Store
from tests.integration.small_town import BASH, CHANNEL, OPENSSL, SECURE_OPENSSL, ask
from tests.town import Message, Town, open_town, wait_for, words_of
from tests.unit.storage.rows import everything

EVIL = "<!channel> <@U0INJECTED> <https://evil.example|click me> & *bold*"
EVIL_PACKAGE = Package("<!here>&<@U0INJECTED>", "amd64", "1.0")
FORBIDDEN = ("<!channel>", "<!here>", "<!everyone>", "<@U0INJECTED>", "<https://evil.example", "<!subteam^S0ONCALL>")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One application whose first node and whose newest patch carry markup in their names."""
    evil_release = Release(replace(EVIL_PACKAGE, version="1.0<!channel>", suite="security"))
    fleet = small_fleet(
        application="orders-db",
        nonprod=2,
        prod=1,
        packages=(OPENSSL, BASH, EVIL_PACKAGE),
        releases=(SECURE_OPENSSL, evil_release),
    )
    (application,) = fleet.applications
    nonprod, prod = application.environments
    first, *others = nonprod.nodes
    evil = replace(first, tags={**first.tags, "Name": EVIL})
    nonprod = replace(nonprod, nodes=(evil, *others))
    fleet = replace(fleet, applications=(replace(application, environments=(nonprod, prod)),))
    with open_town(tmp_path_factory.mktemp("bad"), fleet) as opened:
        yield opened


REFUSED = [
    # a subcommand that is not there
    ("scna orders-db nonprod", "Did you mean scan?"),
    ("instal orders-db nonprod", "Did you mean install?"),
    ("stauts", "Did you mean status?"),
    ("halp", "Did you mean help?"),
    ("approve change-1", "Did you mean approvals?"),
    ("reboot everything", "There are: "),
    ("--help", "Did you mean help?"),
    ("/patch scan orders-db nonprod", "There is no subcommand"),
    ("<!channel>", "There is no subcommand “&lt;!channel&gt;”"),
    ("<@U0INJECTED> scan", "There is no subcommand"),
    ("decide 1", "There is no subcommand"),
    ("settle x", "There is no subcommand"),
    ("report-problem 1", "There is no subcommand"),
    # an application that is not there
    ("scan ordersdb nonprod", "Did you mean orders-db?"),
    ("scan ORDERS-DB nonprod", "Did you mean orders-db?"),
    ("scan zzz nonprod", "There are: orders-db."),
    ("install zzz prod", "There is no application “zzz”"),
    ("compare zzz", "There is no application “zzz”"),
    ("scan <!channel> nonprod", "There is no application “&lt;!channel&gt;”"),
    ("scan <!here|x> nonprod", "There is no application"),
    ("scan <@U0INJECTED> nonprod", "There is no application “&lt;@U0INJECTED&gt;”"),
    ("scan <!subteam^S0ONCALL> nonprod", "There is no application"),
    ("scan <https://evil.example|orders-db> nonprod", "There is no application"),
    ("scan &lt;!channel&gt; nonprod", "There is no application “&lt;!channel&gt;”"),
    ("scan &amp;lt;!channel&amp;gt; nonprod", "There is no application"),
    ("scan `orders-db` nonprod", "There is no application"),
    ("scan *orders-db* nonprod", "There is no application"),
    ("scan ../../etc/passwd nonprod", "There is no application"),
    ("scan orders-db;drop nonprod", "There is no application"),
    ("scan '' nonprod", "There is no application “”"),
    ("scan {person} nonprod", "There is no application “{person}”"),
    ("scan оrders-db nonprod", "There is no application"),  # a Cyrillic o
    ("scan orders\u200b-db nonprod", "There is no application"),
    ("scan \u202ebd-sredro nonprod", "There is no application"),
    ("scan 🐘 nonprod", "There is no application “🐘”"),
    # an environment that is not there
    ("scan orders-db prd", "Did you mean prod?"),
    ("scan orders-db staging", "has no environment “staging”"),
    ("scan orders-db PROD", "Did you mean prod?"),
    ("install orders-db <!everyone>", "has no environment “&lt;!everyone&gt;”"),
    ("compare orders-db nonprod stage", "has no environment “stage”"),
    ("compare orders-db prod prod", "can't be compared with itself"),
    # an id that is not there, or is none
    ("status scan-99", "There is no scan-99"),
    ("status install-99", "There is no install-99"),
    ("status change-99", "There is no change-99"),
    ("status 99", "is not an id"),
    ("status scan-", "is not an id"),
    ("status scan--1", "is not an id"),
    ("status scan-0x1", "is not an id"),
    ("status scan-99999999999999999999", "is not an id"),
    ("status <!channel>", "is not an id"),
    ("help scna", "Did you mean scan?"),
    ("help <!channel>", "There is no subcommand"),
    # words too few or too many
    ("scan", "is missing something"),
    ("scan orders-db", "is missing something"),
    ("install", "is missing something"),
    ("scan orders-db nonprod please", "has words too many"),
    ("install orders-db nonprod prod", "has words too many"),
    ("compare", "either no environment or two"),
    ("compare orders-db prod", "either no environment or two"),
    ("status scan-1 scan-2", "one id at most"),
    ("approvals now", "has words too many"),
    ("help scan install", "one command at most"),
    # quotes
    ('scan "orders-db nonprod', "A quote is opened but not closed"),
    ("scan 'orders-db nonprod", "A quote is opened but not closed"),
    ("scan “orders-db nonprod", "A quote is opened but not closed"),
    ("scan orders-db” nonprod", "A quote is opened but not closed"),
    ("scan orders-db nonprod\\", "A quote is opened but not closed"),
    ('scan "orders-db nonprod"', "is missing something"),
    # length and control characters
    ("scan " + "x" * 3000, "That is 3005 characters"),
    ("scan " + "<!channel>" * 300, "That is 3005 characters"),
    ("scan orders-db " + "y" * 900, "has no environment “yyy"),
    ("scan orders-db\x00nonprod", "control characters"),
    ("scan orders-db \x1b[2Jnonprod", "control characters"),
    ("scan orders-db \x07nonprod", "control characters"),
    ("scan orders-db\x85nonprod", "control characters"),
]


def test_the_table_is_long_enough() -> None:
    assert len({text for text, _ in REFUSED}) >= 60


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_what_is_typed_wrong_is_answered_and_changes_nothing(town: Town, text: str, words: str) -> None:
    with nothing_changes(town):
        said = town.command("U0ANN", f"/patch {text}", CHANNEL)
    assert words in said
    assert "nothing was" in said
    assert len(said) < 1500
    assert_harmless(said)


@pytest.mark.parametrize("user", ["U0OLA", "U0EVE", "U0ADA"])
@pytest.mark.parametrize("text", ["scan orders-db nonprod", "install orders-db nonprod", "install orders-db prod"])
def test_I4_who_may_not_is_told_so_and_changes_nothing(town: Town, user: str, text: str) -> None:
    with nothing_changes(town):
        assert "needs the operator role" in town.command(user, f"/patch {text}", CHANNEL)


BUTTONS: list[tuple[str, str, object, str]] = [
    ("U0OLA", "approve", {"change": 99, "digest": "d" * 64}, "That change is not known here"),
    ("U0OLA", "approve", {"change": "<!channel>", "digest": "d"}, "not one of Patchgate's any more"),
    ("U0OLA", "approve", "<!channel>", "not one of Patchgate's any more"),
    ("U0OLA", "reject", {"change": 99, "digest": "d" * 64}, "no longer waiting for a decision"),
    ("U0ADA", "settle-ran", {"step": "00000000-0000-0000-0000-000000000000"}, "settled already"),
    ("U0ADA", "settle-not", {"step": "<!channel>"}, "settled already"),
    ("U0ANN", "settle-not", {"step": "x"}, "needs the admin role"),
    ("U0EVE", "report-problem", {"run": 99}, "That install is not known here"),
    ("U0ANN", "clear-problem", {"application": "orders-db"}, "No problem is reported there any more"),
    ("U0ANN", "clear-problem", {"application": "<!channel>"}, "No problem is reported there any more"),
    ("U0ANN", "ask-again", {"change": 99}, "That change is not known here"),
    ("U0ANN", "install-source", {"application": "<!channel>", "environment": "nonprod"}, "There is no application"),
    ("U0ANN", "scan-source", {"application": "orders-db", "environment": "gone"}, "has no environment “gone”"),
    ("U0EVE", "scan-target", {"application": "orders-db", "environment": "prod"}, "needs the operator role"),
    ("U0EVE", "install-source", {"application": "orders-db", "environment": "nonprod"}, "needs the operator role"),
    ("U0EVE", "compare-page", {"application": "gone", "source": "a", "target": "b", "page": 1}, "no application"),
    ("U0EVE", "compare-page", {"application": "orders-db"}, "not one of Patchgate's any more"),
    ("U0EVE", "status-page", {"page": "<!channel>"}, "not one of Patchgate's any more"),
]


@pytest.mark.parametrize(("user", "action_id", "value", "words"), BUTTONS)
def test_a_button_on_an_old_message_is_answered_and_changes_nothing(
    town: Town, user: str, action_id: str, value: object, words: str
) -> None:
    message = old_message(town, action_id, value)
    with nothing_changes(town):
        said = town.click_and_hear(user, message, action_id)
    assert words in said
    assert_harmless(said)


def test_a_button_clicked_twice_starts_one_run(town: Town) -> None:
    message = old_message(town, "scan-source", {"application": "orders-db", "environment": "nonprod"})
    assert "scan-1 is recorded" in town.click_and_hear("U0ANN", message, "scan-source")
    said = town.click_and_hear("U0ANN", message, "scan-source")
    assert "scan-1 is still" in said
    assert "nothing was done" in said
    town.card("scan-1", "*Done*", channel=CHANNEL)
    assert len(town.sent()) == 1


def test_I10_names_and_titles_from_aws_reach_nobody_as_markup(town: Town) -> None:
    """Everything that the bot said to anybody, in all of a scan's, an install's and a comparison's messages."""
    installed = ask(town, "/patch install orders-db nonprod")
    town.card(installed, "*Done*", channel=CHANNEL)
    prod = ask(town, "/patch scan orders-db prod")
    card = town.card(prod, "*Done*", channel=CHANNEL)
    for text in ("compare orders-db", "status", f"status {installed}", "approvals"):
        town.command("U0EVE", f"/patch {text}", CHANNEL)
    change = ask(town, "/patch install orders-db prod")
    town.card(change, "Blocked by the gate", channel=CHANNEL)
    wait_for(lambda: len(town.replies(card)) > 1, "the details in the thread")
    said = [call for call in town.around.workspace.calls if call.method.startswith("chat.") and not call.error]
    shown = "\n".join(str(call.args) for call in said)
    assert "&lt;!channel&gt;" in shown  # the names were there to be shown
    assert "&lt;!here&gt;" in shown
    for call in said:
        for text in marked_up(call.args):
            assert_harmless(text)
    assert not town.around.workspace.refusals


def test_a_modal_submitted_after_its_state_moved_on_says_so(town: Town) -> None:
    card = town.card("install-2", "*Done*", channel=CHANNEL)
    for user in ("U0EVE", "U0BEN"):
        town.click(user, card, "report-problem")
    town.submit("U0EVE", f"queries hang {EVIL}")
    reported = town.card("install-2", "A problem is reported", channel=CHANNEL)
    assert_harmless(words_of(reported))
    with nothing_changes(town):
        answer = town.submit("U0BEN", "me too, they hang")
    assert "has reported a problem with orders-db already" in json.dumps(answer)

    for user in ("U0ANN", "U0BEN"):
        close_modals(town, user)
        town.click(user, reported, "clear-problem")
    assert town.submit("U0ANN", f"was the network {EVIL}")["ok"]
    with nothing_changes(town):
        answer = town.submit("U0BEN", "was the disk")
    assert "No problem is reported on orders-db any more" in json.dumps(answer)


def old_message(town: Town, action_id: str, value: object) -> Message:
    """A message of the bot's with one button."""
    text = value if isinstance(value, str) else json.dumps(value)
    button = {
        "type": "button",
        "action_id": action_id,
        "value": text,
        "text": {"type": "plain_text", "text": "Old"},
    }
    workspace = town.around.workspace
    with workspace.lock:
        posted = workspace.post(
            workspace.directory.channel(CHANNEL), BOT, "old", [{"type": "actions", "elements": [button]}]
        )
    return {"channel": CHANNEL, "ts": posted.ts, "text": posted.text, "blocks": list(posted.blocks or ())}


@contextmanager
def nothing_changes(town: Town) -> Iterator[None]:
    """No row of any table, nothing sent, nothing said in the channel."""
    assert town.bot
    store = town.bot.store
    wait_for(lambda: not store.db.execute("SELECT 1 FROM notice WHERE state IN ('due', 'sending')").fetchall(), "peace")
    before, sent, public = written(store), len(town.sent()), len(town.around.workspace.messages(CHANNEL))
    yield
    assert written(store) == before
    assert len(town.sent()) == sent
    assert len(town.around.workspace.messages(CHANNEL)) == public


def written(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row but what sweeps read of AWS by themselves, whenever that is."""
    return {name: rows for name, rows in everything(store).items() if not name.endswith("_reading")}


def assert_harmless(text: str) -> None:
    assert [bad for bad in FORBIDDEN if bad in text] == []


def marked_up(item: Any) -> Iterator[str]:
    """Every text that Slack reads as markup: a message's own text and mrkdwn objects; plain_text is safe."""
    if isinstance(item, str) and item[:1] in "[{":
        item = json.loads(item) if item[-1:] in "]}" else item
    if isinstance(item, list):
        for each in item:
            yield from marked_up(each)
    elif isinstance(item, dict):
        text = item.get("text")
        if isinstance(text, str) and item.get("type") in {None, "mrkdwn"}:
            yield text
        for each in item.values():
            if isinstance(each, dict | list) or (isinstance(each, str) and each[:1] in "[{"):
                yield from marked_up(each)


def close_modals(town: Town, user: str) -> None:
    while (view := town.get(f"/sandbox/slack/view?user={user}")["view"]) is not None:
        town.post("/sandbox/slack/view/close", user=user, view_id=view["id"])
