"""A maintenance window from the form that somebody fills in to the simulated AWS: made, edited, disabled, deleted."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from commands.agenda import windows_of
from patching.nodes import EnvironmentKey
from sandbox.aws.windows import MaintenanceWindow
from storage import window_orders
from storage.environment_readings import of_environment
from tests.integration.small_town import CHANNEL, fleet_of, wait_for_words
from tests.town import Message, Town, button_of, open_town, wait_for, words_of

ROLE = "arn:aws:iam::111111111111:role/windows"
TOPIC = "arn:aws:sns:eu-west-1:111111111111:patching"
FILLED = {
    "name": "app-patch-tuesday",
    "rhythm": "nth-weekday",
    "position": "2",
    "weekday": "TUE",
    "time": "23:30",
    "schedule_offset": "3",
    "timezone": "Europe/Dublin",
    "duration_hours": "4",
    "cutoff_hours": "2",
    "operation": "Install",
    "reboot_option": "NoReboot",
    "priority": "5",
    "max_concurrency": "25%",
    "max_errors": "2",
    "delivery_seconds": "900",
    "cutoff_behavior": "CANCEL_TASK",
    "comment": "for the app's team",
    "service_role_arn": ROLE,
    "s3_bucket": "acme-output",
    "s3_prefix": "windows/",
    "sns_topic_arn": TOPIC,
    "sns_events": ["Failed", "TimedOut"],
    "sns_role_arn": ROLE,
}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with open_town(tmp_path, fleet_of(["app"])) as opened:
        assert opened.bot
        store = opened.bot.store
        wait_for(lambda: all(of_environment(store.db, "app", name)[0] for name in ("nonprod", "prod")), "a reading")
        yield opened


def type_in(town: Town, text: str, user: str = "U0ANN") -> None:
    answer = town.post("/sandbox/slack/command", user=user, channel=CHANNEL, text=text)
    assert answer.get("ok"), answer


def form_of(town: Town, user: str = "U0ANN", *, inputs: tuple[str, ...] = ()) -> Message:
    """The modal that is open, once it has these inputs."""

    def find() -> Message | None:
        view: Message | None = town.get(f"/sandbox/slack/view?user={user}")["view"]
        return view if view and set(inputs) <= {block["block_id"] for block in view["blocks"]} else None

    return wait_for(find, f"a form with {inputs}")


def state(view: Message, entered: dict[str, Any]) -> dict[str, Any]:
    """`state.values`: what is entered, in the shape of each input that the form has."""
    elements = {block["block_id"]: block["element"] for block in view["blocks"] if block["type"] == "input"}
    return {name: {name: _held(elements[name], value)} for name, value in entered.items() if name in elements}


def _held(element: Message, value: Any) -> dict[str, Any]:
    kind = element["type"]
    if kind == "static_select":
        return {"type": kind, "selected_option": {"value": value}}
    if kind == "multi_static_select":
        return {"type": kind, "selected_options": [{"value": each} for each in value]}
    return {"type": kind, "selected_time" if kind == "timepicker" else "value": value}


def submit(town: Town, view: Message, entered: dict[str, Any], user: str = "U0ANN") -> Any:
    return town.post("/sandbox/slack/view/submit", user=user, view_id=view["id"], values=state(view, entered))


def changed(town: Town, view: Message, name: str, entered: dict[str, Any]) -> None:
    """Somebody changes one input, which reports it with all that stands in the form."""
    values = state(view, entered)
    answer = town.post(
        "/sandbox/slack/view/action",
        user="U0ANN",
        view_id=view["id"],
        block_id=name,
        action_id=name,
        **values[name][name],
        state={"values": values},
    )
    assert answer.get("ok"), answer


def card(town: Town, *words: str) -> Message:
    def find() -> Message | None:
        shown = [each for each in town.messages(CHANNEL) if "Maintenance window of app" in each["text"]]
        return next((each for each in shown if all(word in words_of(each) for word in words)), None)

    return wait_for(find, f"an order's message with {words}")


def windows(town: Town) -> list[MaintenanceWindow]:
    return [window for region in town.around.world.regions() for window in region.windows.values()]


def previewed(view: Message) -> str:
    return str(next(block["text"]["text"] for block in view["blocks"] if block["block_id"] == "preview"))


def test_a_window_is_made_edited_disabled_and_deleted_in_forms(town: Town) -> None:
    assert town.bot
    type_in(town, "/patch window create app nonprod")
    view = form_of(town)
    assert "`cron(0 2 ? * SAT *)` in `UTC`" in previewed(view)

    changed(town, view, "rhythm", {**FILLED, "time": "11:11"})
    view = form_of(town, inputs=("position", "schedule_offset"))
    town.around.workspace.faults.add("views.update", "slow", times=2, seconds=1.0)
    changed(town, view, "weekday", {**FILLED, "time": "11:11"})  # two changes before either is drawn
    changed(town, view, "time", FILLED)
    chosen = "`cron(30 23 ? * TUE#2 *)`, 3 days later, in `Europe/Dublin`"
    wait_for(lambda: chosen in previewed(form_of(town)), "the preview of what was chosen")
    view = form_of(town)
    assert "hash_conflict" in {call.error for call in town.around.workspace.calls}
    foreseen = re.findall(r"<!date\^([0-9]+)\^", previewed(view))
    assert len(foreseen) == 5

    wrong = {"name": "a b", "timezone": "Mars/Base", "cutoff_hours": "4", "targets": "PatchGroup", "sns_role_arn": ""}
    refused = submit(town, view, {**FILLED, **wrong})
    assert set(refused["errors"]) == set(wrong)
    assert "it must be less than the duration, which is 4 h" in refused["errors"]["cutoff_hours"]
    reaching = submit(town, view, {**FILLED, "targets": "PatchGroup=anything"})
    assert set(reaching["errors"]) == {"targets"}
    assert windows(town) == []
    assert window_orders.due(town.bot.store.db, town.around.clock.now()) == []

    assert submit(town, view, FILLED)["ok"]
    made = card(town, "*Created:* `app-patch-tuesday` (`mw-", "It opens next, as AWS plans it")
    (window,) = windows(town)
    assert window.settings == {
        "Name": "app-patch-tuesday",
        "Schedule": "cron(30 23 ? * TUE#2 *)",
        "ScheduleTimezone": "Europe/Dublin",
        "ScheduleOffset": 3,
        "Duration": 4,
        "Cutoff": 2,
        "AllowUnassociatedTargets": False,
    }
    (target,) = window.targets.values()
    (task,) = window.tasks.values()
    nonprod = town.bot.config.applications["app"].environments["nonprod"]
    assert target.targets == [{"Key": key, "Values": list(values)} for key, values in nonprod.targets.items()]
    assert {name: value for name, value in task.params.items() if name not in ("WindowId", "Targets")} == {
        "TaskArn": "AWS-RunPatchBaseline",
        "TaskType": "RUN_COMMAND",
        "Priority": 5,
        "MaxConcurrency": "25%",
        "MaxErrors": "2",
        "ServiceRoleArn": ROLE,
        "CutoffBehavior": "CANCEL_TASK",
        "TaskInvocationParameters": {
            "RunCommand": {
                "Comment": "for the app's team",
                "TimeoutSeconds": 900,
                "Parameters": {"Operation": ["Install"], "RebootOption": ["NoReboot"]},
                "OutputS3BucketName": "acme-output",
                "OutputS3KeyPrefix": "windows/",
                "NotificationConfig": {
                    "NotificationArn": TOPIC,
                    "NotificationEvents": ["Failed", "TimedOut"],
                    "NotificationType": "Command",
                },
                "ServiceRoleArn": ROLE,
            }
        },
    }
    planned = re.findall(r"<!date\^([0-9]+)\^", words_of(made).partition("as AWS plans it")[2])
    assert planned[:5] == foreseen
    assert datetime.fromtimestamp(int(planned[0]), UTC).minute == 30

    edit(town, {"operation": "Scan", "max_errors": "10%"})
    (task,) = window.tasks.values()
    assert task.params["MaxErrors"] == "10%"
    assert task.params["TaskInvocationParameters"]["RunCommand"]["Parameters"]["Operation"] == ["Scan"]
    assert task.params["TaskInvocationParameters"]["RunCommand"]["OutputS3BucketName"] == "acme-output"

    type_in(town, "/patch window disable app nonprod")
    question = form_of(town)
    assert "It won't open any more until somebody enables it." in words_of({"text": "", "blocks": question["blocks"]})
    assert submit(town, question, {})["ok"]
    card(town, "*Disabled:* `app-patch-tuesday`")
    assert not window.enabled

    type_in(town, "/patch window delete app nonprod app-patch-tuesday")
    question = form_of(town, inputs=("name",))
    assert submit(town, question, {"name": "app"})["errors"]["name"].startswith("That is not app-patch-tuesday")
    type_in(town, "/patch window enable app nonprod", "U0BEN")
    overtaken = form_of(town, "U0BEN")
    held = town.around.world.faults.add("ssm", "DeleteMaintenanceWindow", "throttling", times=10**6)
    assert submit(town, question, {"name": "app-patch-tuesday"})["ok"]
    assert submit(town, overtaken, {}, "U0BEN")["ok"]  # a form without an input has its refusal in its own place
    instead = form_of(town, "U0BEN")
    assert "to delete app-patch-tuesday of app nonprod, has not ended yet; nothing was done" in words_of(
        {"text": "", "blocks": instead["blocks"]}
    )
    assert not instead.get("submit")
    assert town.around.world.faults.remove(held.id)
    card(town, "*Deleted:* `app-patch-tuesday`")
    assert windows(town) == []

    for user, words, said in (
        ("U0EVE", "create app nonprod", "needs the operator role, which you don't have; nothing was done"),
        ("U0ANN", "create app prod", "needs the admin role, which you don't have; nothing was done"),
    ):
        type_in(town, f"/patch window {words}", user)
        wait_for_words(town, user, said)
        assert town.get(f"/sandbox/slack/view?user={user}")["view"] is None
    type_in(town, "/patch window create app prod", "U0ADA")
    operation = next(each for each in form_of(town, "U0ADA")["blocks"] if each["block_id"] == "operation")
    assert [option["value"] for option in operation["element"]["options"]] == ["Scan"]


def edit(town: Town, entered: dict[str, Any]) -> None:
    """Ask for the window's settings, press the button that follows, and change something."""
    bot, key = town.bot, EnvironmentKey("app", "nonprod")
    assert bot
    wait_for(lambda: windows_of(bot.store.db, bot.config, key, town.around.clock.now()), "the new window to be known")
    type_in(town, "/patch window edit app nonprod app-patch-tuesday")

    def offer() -> Message | None:
        told = [each for each in town.ephemerals("U0ANN", CHANNEL) if "are read." in each["text"]]
        return told[-1] if told else None

    offered = wait_for(offer, "the settings to be read")
    assert button_of(offered, "edit-window")[1]["text"]["text"] == "Edit app-patch-tuesday"
    town.click("U0ANN", offered, "edit-window")
    view = form_of(town, inputs=("position",))
    held = {name: block["element"] for block in view["blocks"] if (name := block["block_id"]) in FILLED}
    assert held["time"]["initial_time"] == "23:30"
    assert held["schedule_offset"]["initial_option"]["value"] == "3"
    assert held["comment"]["initial_value"] == "for the app's team"
    assert submit(town, view, {})["errors"]["sns_role_arn"].startswith("Nothing differs from its settings")
    assert submit(town, view, entered)["ok"]
    card(town, "*Edited:* `app-patch-tuesday`")
