"""The list of windows, and the warning of what installs past the gate."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.views.bypass import bypass_warning, email_bypass
from bot.views.windows import window_list
from commands.window_list import (
    AssociationLine,
    EnvironmentPart,
    OpeningLine,
    ReadingLine,
    TaskLine,
    WindowLine,
    WindowList,
)
from patching.agenda import Opening
from patching.nodes import EnvironmentKey
from tests.unit.views.made import ANN, HOSTILE, LONG, NOW
from tests.unit.views.seen import assert_accepted, buttons, shown

HOUR = timedelta(hours=1)
FREEZE = "year end is in force until 3 January 2027, 23:59 Europe/Berlin: closing."


def opening(timezone: str = "Europe/Dublin") -> Opening:
    opens = NOW + timedelta(days=200)  # in June
    return Opening("mw-1", "saturday", opens, opens + 2 * HOUR, opens + 3 * HOUR, timezone)


def window(**changed: Any) -> WindowLine:
    made = WindowLine(
        id="mw-1",
        name="saturday",
        schedule="cron(0 2 ? * SAT *)",
        timezone="Europe/Dublin",
        duration=3 * HOUR,
        cutoff=HOUR,
        nodes=4,
        elsewhere=(),
        openings=(OpeningLine(opening(), (), ()),),
        count=1,
        tasks=(TaskLine("AWS-RunPatchBaseline", "Scan", 4),),
        other_tasks=0,
    )
    return replace(made, **changed)


def part(*windows: WindowLine, **changed: Any) -> EnvironmentPart:
    made = EnvironmentPart(EnvironmentKey("orders-db", "prod"), True, 4, (), windows, True, (), ())
    return replace(made, **changed)


def listing(*parts: EnvironmentPart, **changed: Any) -> WindowList:
    reading = ReadingLine("111111111111", "eu-west-1", NOW - timedelta(minutes=3), "", False)
    return replace(WindowList(None, parts, (), (reading,), NOW, 0, False), **changed)


def words(reply: WindowList) -> str:
    rendered = window_list(reply)
    assert_accepted(rendered)
    return shown(rendered)


def test_a_window_is_told_in_the_readers_time_and_in_its_own_zone() -> None:
    said = words(listing(part(window())))
    assert "2027-06-16 09:00 UTC> (Wed 16 Jun 10:00 Europe/Dublin)" in said
    assert "3 h, nothing new begins in the last 1 h · 4 nodes" in said
    assert "`AWS-RunPatchBaseline`: *Scan*" in said
    assert "past the gate" not in said
    assert "111111111111 eu-west-1: read 3 min ago" in said


def test_a_zone_that_is_not_known_here_is_named_and_not_guessed() -> None:
    line = OpeningLine(opening("Mars/Olympus"), (), ())
    assert "(its schedule is in Mars/Olympus)" in words(listing(part(window(openings=(line,)))))


def test_what_waits_and_what_freezes_stand_beside_the_opening() -> None:
    line = OpeningLine(opening(), (FREEZE,), ("change-4",))
    said = words(listing(part(window(openings=(line,), count=5, elsewhere=("billing-db prod",)))))
    assert "`change-4` waits for it" in said
    assert FREEZE in said
    assert "and 4 times more in 35 days" in said
    assert "also for billing-db prod" in said


@pytest.mark.parametrize(
    ("operation", "production", "warning"),
    [
        ("Install", True, "It installs on production past the gate."),
        ("unknown", True, "It may install on production past the gate."),
        ("Install", False, ""),
        ("Scan", True, ""),
    ],
)
def test_only_what_installs_on_production_is_warned_of(operation: Any, production: bool, warning: str) -> None:
    tasks = (TaskLine("AWS-RunPatchBaseline", operation, 2),)
    said = words(listing(part(window(tasks=tasks), production=production)))
    assert (warning in said) if warning else ("past the gate" not in said)
    assert ("`/patch window edit orders-db prod mw-" in said) == bool(warning)


def test_windows_without_tasks_openings_or_certain_nodes() -> None:
    said = words(listing(part(window(openings=(), count=0, tasks=(), nodes=None), window(tasks=(), other_tasks=2))))
    assert "does not open in the next 35 days (its schedule is `cron(0 2 ? * SAT *)`)" in said
    assert "it has no task" in said
    assert "nodes that a resource group chooses" in said
    assert "2 tasks, none known to patch" in said


def test_associations_and_disabled_windows_come_after_the_last_window() -> None:
    lines = tuple(
        AssociationLine("association", f"a-{number}", "daily", "AWS-RunPatchBaseline", "Install", "rate(1 day)", 4)
        for number in range(7)
    )
    whole = part(window(), associations=lines, disabled=(("mw-9", "old"),))
    said = words(listing(whole))
    assert said.count("Association `daily`") == 5
    assert "and 2 more associations" in said
    assert "in Systems Manager, State Manager" in said
    assert "Disabled: `old` (`mw-9`)." in said
    assert "daily" not in words(listing(replace(whole, is_last=False)))


def test_what_could_not_be_read_is_said_before_anything_else() -> None:
    readings = (
        ReadingLine("111111111111", "eu-west-1", NOW - 2 * HOUR, "Not allowed.", True),
        ReadingLine("222222222222", "eu-west-1", None, "", True),
    )
    said = words(listing(part(window()), readings=readings))
    assert said.index("111111111111 eu-west-1 could not be read: Not allowed.") < said.index("saturday")
    assert "111111111111 eu-west-1 is too old to be relied on" in said
    assert "222222222222 eu-west-1 has not been read yet" in said
    assert "read 2 h ago" in said


def test_an_empty_list_says_how_to_make_a_window() -> None:
    said = words(listing(quiet=("orders-db prod",), readings=()))
    assert "No maintenance window is planned in the next 35 days." in said
    assert "/patch window create APP ENV" in said
    assert "Nothing is planned for orders-db prod." in said


def test_pages_keep_the_application() -> None:
    rendered = window_list(listing(part(window()), application="orders-db", page=1, more=True))
    assert_accepted(rendered)
    assert buttons(rendered)["windows-page"]["value"] == '{"application":"orders-db","page":2}'


def bypass(**changed: Any) -> dict[str, Any]:
    return {
        "application": "orders-db",
        "environment": "prod",
        "kind": "maintenance window",
        "id": "mw-1",
        "name": "saturday",
        "doing": [["AWS-RunPatchBaseline", "Install"]],
        "nodes": 4,
        "next_at": NOW.isoformat(),
        "timezone": "Europe/Dublin",
        **changed,
    }


def test_the_warning_says_what_it_is_when_and_what_to_do() -> None:
    rendered = bypass_warning(bypass(), stands=True, read_at=NOW, groups=("S0ONCALL",))
    assert_accepted(rendered)
    said = shown(rendered)
    assert "PRODUCTION · Maintenance window installs past the gate · orders-db prod" in said
    assert "runs `AWS-RunPatchBaseline` (Install) on 4 nodes of *orders-db prod*" in said
    assert "It opens next" in said
    assert "For <!subteam^S0ONCALL>." in said
    assert "`/patch window edit orders-db prod mw-" in said


@pytest.mark.parametrize(("kind", "place"), [("association", "State Manager"), ("patch policy", "Quick Setup")])
def test_what_has_no_window_is_changed_where_it_was_made(kind: str, place: str) -> None:
    payload = bypass(kind=kind, next_at=None, nodes=None, doing=[["AWS-RunPatchBaseline", "unknown"]])
    said = shown(bypass_warning(payload, stands=True, read_at=NOW))
    assert f"{kind.capitalize()} may install past the gate" in said
    assert f"in Systems Manager, {place}" in said
    assert "perhaps some" in said
    assert "window edit" not in said


def test_a_warning_that_came_too_late_claims_nothing() -> None:
    said = shown(bypass_warning(bypass(), stands=False, read_at=NOW))
    assert "no longer as it was" in said
    assert "was to run" in said
    assert "installs past" not in said


@pytest.mark.parametrize("text", [HOSTILE, LONG])
def test_text_from_outside_stays_text_i10(text: str) -> None:
    line = OpeningLine(replace(opening(text), name=text), (text,) * 3, (text,) * 3)
    tasks = (TaskLine(text, "Install", 1),) * 20
    hostile = window(id=text, name=text, schedule=text, elsewhere=(text,) * 9, openings=(line,) * 3, tasks=tasks)
    associations = (AssociationLine("association", text, text, text, "Install", text, 1),) * 9
    of = EnvironmentKey(text, text)
    full = part(*(hostile,) * 5, key=of, owners=(ANN, text), associations=associations, disabled=((text, text),) * 9)
    reading = ReadingLine(text, text, NOW, text, True)
    rendered = window_list(listing(full, readings=(reading,) * 5, quiet=(text,) * 20))
    alone = window_list(listing(part(hostile)))
    warning = bypass_warning(
        bypass(**dict.fromkeys(("application", "name", "id", "timezone"), text)), stands=True, read_at=NOW
    )
    for each in (rendered, alone, warning):
        assert_accepted(each)
    assert "<!channel>" not in email_bypass(bypass(name=text), stands=True, read_at=NOW).html
