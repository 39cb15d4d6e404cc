import json
from typing import Any

import pytest

from bot.views.change import change_card
from bot.views.compare import compared
from bot.views.replies import refusal, render
from bot.views.run import run_card
from commands.replies import Accepted, Approvals, ChangeStatus, Done, Help, HelpLine, Reply, RunStatus, StatusList
from patching.compare import Verdict
from patching.states import ChangeState, RunState
from tests.unit.views.made import (
    EVE,
    change,
    change_report,
    comparison,
    finding,
    production_run,
    report,
    run,
    unpinned_parts,
)
from tests.unit.views.seen import all_buttons, assert_accepted, buttons, shown


def status(**changed: Any) -> StatusList:
    values: dict[str, Any] = {"open_changes": (), "open_runs": (), "recent": (), "page": 0, "more": False}
    count = len(changed.get("open_changes", ())) + len(changed.get("open_runs", ()))
    return StatusList(**{**values, "open_count": count, **changed})


HELP_LINES = (
    HelpLine("scan", "/patch scan APP ENV", "Find what is missing.", "Runs a Scan.", True, "operator"),
    HelpLine("approvals", "/patch approvals", "List what waits.", "", True, None),
    HelpLine("install", "/patch install APP ENV", "Install patches.", "Installs.", False, "admin"),
)


def help_reply(topic: str | None = None, **roles: bool) -> Help:
    lines = tuple(line for line in HELP_LINES if topic in {None, line.name})
    return Help(lines, topic, roles or {"operator": True, "approver": False})


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Accepted("scan-12", "run:12", "scan-12 is recorded."), "scan-12 is recorded."),
        (Accepted("scan-12", "run:12", "It is recorded."), "`scan-12`: It is recorded."),
        (Done("The problem is cleared."), "The problem is cleared."),
        (Done("There is no <!channel> & no more."), "There is no &lt;!channel&gt; &amp; no more."),
    ],
)
def test_one_sentence(reply: Reply, expected: str) -> None:
    rendered = render(reply)
    assert_accepted(rendered)
    assert rendered[0] == shown(rendered) == expected


@pytest.mark.parametrize("sentence", ["", "\x00", "x" * 3000, "<!channel> " * 300])
def test_a_refusal_of_anything_renders(sentence: str) -> None:
    assert_accepted(refusal(sentence))


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        (EVE, "<@U0EVE> asked for it."),
        ("U0EVE> <!channel", "`U0EVE&gt; &lt;!channel` asked for it."),
        (None, "{person} asked for it."),
    ],
)
def test_a_refusal_names_a_person(person: str | None, expected: str) -> None:
    rendered = refusal("{person} asked for it.", person)
    assert_accepted(rendered)
    assert shown(rendered) == rendered[0] == expected


def test_cards_and_comparisons_are_the_same_as_elsewhere() -> None:
    of_run, of_comparison = report(run()), comparison([finding(Verdict.AHEAD)])
    assert render(RunStatus(of_run)) == run_card(of_run)
    assert render(of_comparison) == compared(of_comparison)


def test_a_change_is_its_card_and_says_that_the_record_follows() -> None:
    of_change = change_report(change())
    rendered, card = render(ChangeStatus(of_change)), change_card(of_change)
    assert_accepted(rendered)
    assert (rendered[0], rendered[1][:-1]) == card
    assert "The whole record follows by direct message" in shown((rendered[0], rendered[1][-1:]))


def test_status_lists_what_is_open_and_recent() -> None:
    running = production_run(id=15, state=RunState.NEEDS_HUMAN)
    reply = status(open_changes=(change(),), open_runs=(running,), recent=(running, run()))
    rendered = render(reply)
    assert_accepted(rendered)
    text = shown(rendered)
    assert "*Open now*\n`change-4` PRODUCTION · orders-db prod: waits for approval, asked for by <@U0ANN>" in text
    assert "`install-15` PRODUCTION · orders-db prod: needs a person" in text
    assert "*Recent*\n`scan-12` orders-db nonprod: succeeded" in text
    assert text.count("install-15") == 1
    assert rendered[0] == "Status: 2 open"


def test_lists_mark_what_is_unusual() -> None:
    of = change(emergency="Exploited in the wild.", parts=unpinned_parts())
    waiting = render(Approvals((change_report(of),), 0, False))
    assert_accepted(waiting)
    for rendered in (render(status(open_changes=(of,))), waiting):
        line = "`change-4` :rotating_light: EMERGENCY · PRODUCTION · orders-db prod · NOT PINNED: waits for approval"
        assert line in shown(rendered)
    assert "> Exploited in the wild." in shown(waiting)
    assert "EMERGENCY" not in shown(render(status(open_changes=(change(),))))


def test_status_of_nothing_says_how_to_begin() -> None:
    text = shown(render(status()))
    assert "*Open now*: nothing." in text
    assert "*Recent*: nothing yet; `/patch help` shows how to begin." in text


def test_status_of_very_much_fits() -> None:
    rendered = render(
        status(open_changes=(change(),) * 5, open_runs=(run(),) * 10, open_count=600, recent=(run(id=1),) * 10)
    )
    assert_accepted(rendered)
    assert "and 585 more not shown" in shown(rendered)


@pytest.mark.parametrize(
    ("page", "more", "pages"), [(0, False, []), (0, True, [1]), (2, True, [1, 3]), (2, False, [1])]
)
@pytest.mark.parametrize("action", ["status-page", "approvals-page"])
def test_pages(page: int, more: bool, pages: list[int], action: str) -> None:
    reply = status(page=page, more=more) if action == "status-page" else Approvals((), page, more)
    rendered = render(reply)
    assert_accepted(rendered)
    found = all_buttons(rendered)
    assert [each["action_id"] for each in found] == [action] * len(pages)
    assert [json.loads(each["value"]) for each in found] == [{"page": number} for number in pages]


def test_approvals_point_to_the_checks_and_hold_no_approve() -> None:
    rendered = render(Approvals((change_report(change()), change_report(change(id=7))), 0, False))
    assert_accepted(rendered)
    text = shown(rendered)
    for words in ("`change-4`", "`change-7`", "31 patches on 3 nodes", "May approve:", "`/patch status change-7`"):
        assert words in text
    assert buttons(rendered) == {}


@pytest.mark.parametrize(("page", "expected"), [(0, "No change waits for approval."), (1, "No more changes wait.")])
def test_no_approvals(page: int, expected: str) -> None:
    assert expected in shown(render(Approvals((), page, False)))


def test_help_shows_first_what_the_asker_may_run() -> None:
    rendered = render(help_reply())
    assert_accepted(rendered)
    text = shown(rendered)
    assert "`/patch scan APP ENV` Find what is missing." in text
    assert "`/patch install APP ENV` Install patches. Needs the `admin` role." in text
    assert text.index("*You may run*") < text.index("/patch approvals") < text.index("*Others may run*")
    assert "Your roles: `operator`." in text
    assert "Runs a Scan." not in text


@pytest.mark.parametrize(
    ("topic", "expected"),
    [("scan", "Runs a Scan."), ("install", "*You may not run*"), ("approvals", "List what waits.")],
)
def test_help_on_one_command(topic: str, expected: str) -> None:
    rendered = render(help_reply(topic))
    assert_accepted(rendered)
    assert expected in shown(rendered)
    assert f"/patch {topic}" in shown(rendered)


def test_help_without_a_role() -> None:
    assert "You have no role: you may read." in shown(render(help_reply(operator=False)))


def test_a_superseded_change_in_a_list() -> None:
    assert "superseded" in shown(render(status(open_changes=(change(state=ChangeState.SUPERSEDED),))))
