"""Acks never wait for AWS: whatever is in flight there, people are answered within Slack's three seconds."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from patching.states import RunState
from sandbox.aws.fleet import Fleet
from sandbox.fleet import small_fleet
from storage import runs
from tests.integration.bot_process import CHANNEL
from tests.town import Town, open_town, wait_for

APPLICATIONS = [f"app-{number}" for number in range(20)]
SLOW = 6.0  # seconds for each answer of AWS: twice as long as Slack waits
ENOUGH = 10_000  # calls that a fault meets: all of them


def many_applications() -> Fleet:
    fleets = [small_fleet(application=name) for name in APPLICATIONS]
    return replace(
        fleets[0],
        applications=tuple(application for fleet in fleets for application in fleet.applications),
        repositories=tuple(repository for fleet in fleets for repository in fleet.repositories),
    )


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with open_town(tmp_path, many_applications()) as opened:
        yield opened


def ask(town: Town, texts: list[str]) -> list[Any]:
    """What the workspace says of each command, all asked at once: an error where the ack came after three seconds."""
    with ThreadPoolExecutor(len(texts)) as people:
        return list(
            people.map(
                lambda text: town.post("/sandbox/slack/command", user="U0ANN", channel=CHANNEL, text=text), texts
            )
        )


def test_acks_come_in_time_while_twenty_runs_wait_for_slow_aws(town: Town) -> None:
    assert town.bot
    faults = [town.around.world.faults.add(service, "*", "slow", ENOUGH, SLOW) for service in ("ssm", "ec2", "sts")]
    try:
        scans = [f"/patch scan {name} nonprod" for name in APPLICATIONS]
        assert ask(town, scans) == [{"ok": True}] * len(scans)
        wait_for(lambda: sum(ENOUGH - fault.left for fault in faults) >= 10, "calls that AWS keeps waiting")
        others = [
            "/patch status",
            "/patch help",
            "/patch approvals",
            "/patch compare app-1",
            "/patch scan app-1 nonprod",
        ]
        assert ask(town, others * 10) == [{"ok": True}] * 50
        still_open = runs.in_state(town.bot.store.db, RunState.REQUESTED, RunState.RUNNING)
        assert len(still_open) == len(APPLICATIONS)
    finally:
        for fault in faults:
            town.around.world.faults.remove(fault.id)
    wait_for(lambda: len(town.sent("Scan")) == len(APPLICATIONS), "every scan to be sent after all")
