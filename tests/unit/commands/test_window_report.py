"""What a message about a maintenance window says of its work: as it is, for the nodes of that environment."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.views.window_notices import reminder
from commands.window_report import WindowReport, window_report
from patching.agenda import Opening
from patching.documents import PatchOperation
from patching.model import Node
from patching.nodes import EnvironmentKey
from patching.planned import Agenda, PlannedTask, PlannedWindow, TargetList
from storage import agenda, environment_readings, window_executions
from storage.window_executions import Execution
from tests.unit.commands.desk import NOW, Desk
from tests.unit.views.made import DEBIAN, opening
from tests.unit.views.seen import shown

KEY = EnvironmentKey("orders-db", "prod")
WHERE = ("222222222222", "eu-west-1", "")
PRIMARY: TargetList = (("tag:Role", ("primary",)),)
OTHERS: TargetList = (("tag:PatchGroup", ("somebody-elses",)),)
ALL: TargetList = (("tag:PatchGroup", ("prod",)),)
CHOSEN: TargetList = (("resource-groups:Name", ("some",)),)


def planned(desk: Desk, *tasks: tuple[PatchOperation | None, TargetList]) -> Opening:
    """A window over two nodes of the environment, one of them the primary."""
    soon = opening()
    window = PlannedWindow(
        id=soon.window_id,
        name=soon.name,
        enabled=True,
        schedule="rate(7 days)",
        timezone="UTC",
        duration_hours=3,
        cutoff_hours=1,
        written="[]",
        targets=(ALL,),
        tasks=tuple(
            PlannedTask(f"task-{number}", "AWS-RunPatchBaseline", operation, (targets,))
            for number, (operation, targets) in enumerate(tasks)
        ),
        looked_at=NOW,
    )
    nodes = [
        Node(f"i-{number}", f"db-{number}", "running", "Online", DEBIAN, tags={"PatchGroup": "prod", "Role": role})
        for number, role in enumerate(("primary", "replica"))
    ]
    with desk.store.transaction() as tx:
        agenda.keep(tx, WHERE, NOW, Agenda((window,), ((window.id, soon.opens),), ()), None)
        environment_readings.keep(tx, NOW, *KEY, nodes)
    return soon


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([("Install", PRIMARY)], "*Its own tasks install patches* by themselves: 1 node may be patched and rebooted."),
        ([("Install", OTHERS)], "None of its own tasks patches the 2 nodes"),
        ([("Install", OTHERS), ("Scan", ALL)], "Its own tasks scan: they install nothing on the 2 nodes."),
        ([("unknown", ALL)], "*Its own tasks may install patches* by themselves: 2 nodes may be patched"),
        ([("Install", CHOSEN)], "*Its own tasks install patches* by themselves: nodes may be patched and rebooted."),
    ],
)
def test_I5_a_reminder_tells_what_is_done_to_this_environments_nodes(
    desk: Desk, tasks: list[tuple[PatchOperation | None, TargetList]], expected: str
) -> None:
    soon = planned(desk, *tasks)
    payload = {"application": KEY.application, "environment": KEY.environment, "production": True}
    report = window_report(desk.store, desk.config, {**payload, "opening": soon.as_json()}, NOW)
    assert expected in shown(reminder(report, NOW))


def test_I5_a_late_reminder_names_no_time_that_was_taken_back_meanwhile(desk: Desk) -> None:
    """Moved by an hour, and by another hour; and then off."""
    first = planned(desk)
    second, third = (replace(first, opens=first.opens + timedelta(hours=hours)) for hours in (1, 2))
    payload = {"application": KEY.application, "environment": KEY.environment, "production": True}

    def keep(moved: Opening, to: Opening | None) -> WindowReport:
        with desk.store.transaction() as tx:
            gone = Execution(KEY, moved, (), None, gone_at=NOW, moved_to=to.opens if to else None)
            window_executions.keep(tx, NOW, gone)
        return window_report(desk.store, desk.config, {**payload, "opening": first.as_json()}, NOW)

    assert keep(first, second).moved_to == second.opens
    assert keep(second, third).moved_to == third.opens
    assert keep(third, None).moved_to is None
