"""Plans as people see them: the answer to `/patch plan`, and what a change shows of its own."""

from datetime import UTC
from typing import Any

import pytest

from bot.terminal import OFFERED
from bot.views.blocks import Rendered
from bot.views.change import change_card, change_details
from bot.views.documents import change_document
from bot.views.modals import approve_modal
from bot.views.plan import plan_answer, plan_file
from bot.views.terminal import Screen
from commands.reports import ChangeReport
from patching.execution import Execution
from patching.plan import Documents, install_plan
from patching.plan_json import step_json
from patching.states import ChangeState
from scheduler.foreseen import MOST_TEXT
from tests.unit.patching.plans import DOCUMENT, node
from tests.unit.views.made import HOSTILE, LONG, change, change_report
from tests.unit.views.seen import assert_accepted, assert_inert, shown


def payload(count: int = 2, name: str = "db", *, pinned: bool = True, **changes: Any) -> dict[str, Any]:
    nodes = [node(f"i-{number:017x}", Role=name) for number in range(count)]
    execution = Execution.model_validate({"waves": [{"tag:Role": [name[:256]]}], "canary": 1})
    steps = install_plan(execution, Documents(DOCUMENT, DOCUMENT), nodes, pinned=pinned, gated=True)
    return {
        "application": "orders-db",
        "environment": "prod",
        "production": True,
        "nodes": [{"id": each.id, "name": f"{name}-{index}"} for index, each in enumerate(nodes, start=1)],
        "plan": [step_json(step) for step in steps],
        "notes": [],
        "long": False,
        **changes,
    }


def answered(given: dict[str, Any]) -> Rendered:
    rendered, file = plan_answer(given)
    assert file is None, "what only the asker may see carries no file"
    return rendered


def test_the_sentence_comes_first_then_every_step() -> None:
    rendered = answered(payload(3))
    assert_accepted(rendered)
    text = shown(rendered)
    assert "*Asked for now, this would be done:* 2 waves: canary (db-1) → Role=db (db-2 and db-3); reboots" in text
    assert "    3 gate       AWS-RunPatchBaseline version 1" in text
    assert "      db-2 (i-00000000000000001)  db-3 (i-00000000000000002)" in text
    assert DOCUMENT.hash in text
    assert "To ask: `/patch install orders-db prod`; its approval is bound" in text
    assert text.count("```") % 2 == 0


def test_what_is_probably_misspelt_or_out_of_reach_is_a_warning() -> None:
    text = shown(answered(payload(notes=["waves: no node has Role=replcia."])))
    assert ":warning: waves: no node has Role=replcia." in text
    assert "NOT PINNED" not in text


def test_production_without_a_list_is_said_and_elsewhere_is_as_it_should_be() -> None:
    assert ":warning: NOT PINNED: nodes install what" in shown(answered(payload(pinned=False)))
    elsewhere = shown(answered(payload(pinned=False, production=False, environment="nonprod")))
    assert "NOT PINNED" not in elsewhere
    assert "To ask: `/patch install orders-db nonprod`." in elsewhere


def test_where_there_is_no_plan_the_reason_is_the_answer() -> None:
    rendered = answered({"application": "orders-db", "environment": "prod", "error": "It has no node."})
    assert_accepted(rendered)
    assert ":x: *There is no plan for orders-db prod*: It has no node." in shown(rendered)


def test_a_long_plan_comes_as_a_file_in_a_direct_message() -> None:
    given = payload(150, long=True)
    said = answered(given)
    assert_accepted(said)
    assert "Every step is in the file that comes as a direct message." in shown(said)
    assert "AWS-RunPatchBaseline" not in shown(said)
    rendered, file = plan_answer(given, direct=True)
    assert_accepted(rendered)
    assert file
    assert len(file.content) > MOST_TEXT
    assert file.filename == "orders-db-prod-plan.txt"
    assert file.content.startswith("Install on orders-db prod\n150 nodes in 2 waves, 11 steps.\n")


@pytest.mark.parametrize("text", [HOSTILE, LONG])
@pytest.mark.parametrize("direct", [True, False])
def test_I10_whatever_stands_in_names_and_tags_it_is_accepted(text: str, direct: bool) -> None:
    given = payload(40, text, notes=[text] * 30, application=text, environment=text)
    assert_accepted(plan_answer(given, direct=direct)[0])
    assert_accepted(plan_answer({**given, "error": text}, direct=direct)[0])


def test_a_terminal_shows_every_step_and_what_was_misspelt() -> None:
    screen = Screen(UTC, OFFERED)
    text = screen.plan(payload(120, notes=["waves: no node has Role=replcia."], long=True))
    assert text.startswith("2 waves: canary (db-1) → Role=db (119 nodes); reboots if needed.\nwaves: no node has")
    assert "    1 install    AWS-RunPatchBaseline version 1" in text
    assert "db-120 (i-00000000000000077)" in text
    assert screen.plan({"application": "a", "environment": "b", "error": "It has no node."}).endswith("It has no node.")
    hostile = screen.plan(payload(3, HOSTILE + "\x1b[31m"))
    assert all(line.isprintable() for line in hostile.splitlines())


# --- A change's own


def with_plan(state: ChangeState = ChangeState.PENDING, name: str = "db", **changed: Any) -> ChangeReport:
    given = payload(3, name)
    facts = {"names": {each["id"]: each["name"] for each in given["nodes"]}, **changed.pop("facts", {})}
    return change_report(change(state=state, parts={"nodes": [], "plan": given["plan"]}, facts=facts, **changed))


@pytest.mark.parametrize("state", ChangeState)
def test_the_card_says_the_plan_while_it_is_to_be_carried_out(state: ChangeState) -> None:
    rendered = change_card(with_plan(state, facts={"doubts": ["ha_group: no node has the tag Clutser."]}))
    assert_accepted(rendered)
    said = "*Plan*: 2 waves: canary (db-1) → Role=db (db-2 and db-3); reboots if needed. Every step is in the thread."
    to_come = state in {
        ChangeState.BLOCKED,
        ChangeState.PENDING,
        ChangeState.APPROVED,
        ChangeState.WAITING,
        ChangeState.HELD,
    }
    assert (said in shown(rendered)) == to_come
    assert (":warning: ha_group: no node has the tag Clutser." in shown(rendered)) == to_come


def test_who_approves_reads_the_plan_in_the_form() -> None:
    view = approve_modal(with_plan())
    assert "*Plan*: 2 waves: canary (db-1) → Role=db (db-2 and db-3)" in shown(("", view["blocks"]))


def test_the_thread_says_the_plan_and_its_file_has_every_step() -> None:
    report = with_plan()
    details, _ = change_details(report)
    assert_accepted(details)
    assert "if needed. Every step is in the file `change-4-plan.txt`." in shown(details)
    file = plan_file(report.change)
    assert file
    assert file.filename == "change-4-plan.txt"
    assert file.content.startswith("change-4: Install on orders-db prod\n3 nodes in 2 waves, 5 steps.\n")
    assert "      db-2 (i-00000000000000001)  db-3 (i-00000000000000002)" in file.content


def test_a_terminal_shows_a_change_with_every_step_and_prints_them_as_json() -> None:
    report = with_plan()
    assert "    3 gate       AWS-RunPatchBaseline version 1" in Screen(UTC, OFFERED).change(report)
    assert change_document(report, None)["plan"] == (report.change.parts or {})["plan"]


@pytest.mark.parametrize("parts", [None, {"nodes": []}, {"nodes": [], "plan": [{"kind": "install", "position": 1}]}])
def test_a_change_without_a_plan_of_this_release_shows_none(parts: dict[str, Any] | None) -> None:
    report = change_report(change(parts=parts))
    assert "*Plan*" not in shown(change_card(report))
    assert plan_file(report.change) is None
    assert "Documents" not in Screen(UTC, OFFERED).change(report)


@pytest.mark.parametrize("text", [HOSTILE, LONG])
def test_I10_hostile_names_and_tags_in_a_change_s_plan_are_accepted(text: str) -> None:
    report = with_plan(name=text, facts={"doubts": [text] * 30})
    assert_accepted(change_card(report))
    assert_accepted(change_details(report)[0])
    assert_inert(shown(("", approve_modal(report)["blocks"])))
