"""Between approval and send: what is read again in the transaction of the send itself (I3, I4).

Each Install is held at its look-up at AWS, something changes, and then it is let go.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from patching.states import RunState
from storage import audit
from tests.integration.small_town import (
    CHANNEL,
    hold,
    install_of,
    pending,
    production_installs,
    proven_town,
    release,
    run_of,
    set_group,
)
from tests.town import Town, has_button, wait_for, words_of

APPLICATIONS = ("unreadable", "problem", "role", "stale", "config")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with proven_town(tmp_path_factory.mktemp("rights"), APPLICATIONS) as opened:
        yield opened


def test_I4_nothing_is_sent_while_the_approvers_group_cannot_be_read(town: Town) -> None:
    change, install, held = held_install(town, "unreadable")
    outage = town.around.workspace.faults.add("usergroups.users.list", "outage", times=None)
    release(town, held)
    town.card(install, "Slack did not say who is in S0ONCALL", channel=CHANNEL)
    assert production_installs(town, "unreadable") == []
    town.around.workspace.faults.remove(outage)
    town.card(change, "*Done.*", channel=CHANNEL)
    assert production_installs(town, "unreadable") == ["ok"]


def test_I4_an_approver_who_left_the_group_approves_nothing_any_more(town: Town) -> None:
    change, install, held = held_install(town, "role")
    set_group(town, "S0ONCALL", "U0KIM")
    try:
        release(town, held)
        refused(town, install, f"approvers needed for {change} hold the role now; nothing was sent")
    finally:
        set_group(town, "S0ONCALL", "U0OLA", "U0KIM")
    superseded = town.card(change, "*Superseded.* Nothing was installed by it.", channel=CHANNEL)
    assert f"approvers needed for {change} hold the role now" in words_of(superseded)
    assert production_installs(town, "role") == []

    town.click("U0BEN", superseded, "ask-again")
    card = town.card(f"change-{int(change.rpartition('-')[2]) + 1}", "Waits for approval", channel=CHANNEL)
    assert "Not those who asked: <@U0ANN> and <@U0BEN>." in words_of(card)


def test_I3_a_problem_reported_meanwhile_stops_the_send(town: Town) -> None:
    soaked = next(
        card
        for card in town.messages(CHANNEL)
        if has_button(card, "report-problem") and "problem nonprod" in words_of(card)
    )
    change, install, held = held_install(town, "problem")
    town.click("U0EVE", soaked, "report-problem")
    town.submit("U0EVE", "queries hang since the install")
    town.card(soaked["text"].split(" ")[0], "A problem is reported", channel=CHANNEL)
    release(town, held)
    refused(town, install, "A problem with problem was reported meanwhile; nothing was sent")
    town.card(change, "*Superseded.*", "A problem with problem was reported meanwhile", channel=CHANNEL)
    assert production_installs(town, "problem") == []


def test_I3_scans_that_have_grown_old_send_nothing(town: Town) -> None:
    _, install, held = held_install(town, "stale")
    town.jump(minutes=31)
    release(town, held)
    refused(town, install, "The scans taken for this Install are older than 30 minutes; nothing was sent")
    assert production_installs(town, "stale") == []


def test_I3_another_configuration_sends_nothing_that_was_approved_before(town: Town) -> None:
    """A restart with a shorter soak between approval and send."""
    change, install, held = held_install(town, "config")
    town.stop()
    path = Path(town.environment["PATCHGATE_CONFIG"])
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config["policy"] = {"soak": "6d"}
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    town.start()
    release(town, held)
    refused(town, install, f"The configuration has changed since {change} was judged; nothing was sent")
    assert production_installs(town, "config") == []
    assert town.bot
    assert audit.first_broken(town.bot.store.db) is None


def held_install(town: Town, application: str) -> tuple[str, str, int]:
    """An approved change whose Install waits to be sent: (change, install, what holds it)."""
    change, card = pending(town, application)
    held = hold(town)
    town.click("U0OLA", card, "approve")
    install = install_of(town, change)
    town.card(install, "AWS refused ListCommands", channel=CHANNEL)
    return change, install, held


def refused(town: Town, install: str, sentence: str) -> None:
    card = town.card(install, "*Failed.*", channel=CHANNEL)
    assert sentence in words_of(card)
    wait_for(lambda: run_of(town, install).state is RunState.FAILED, f"{install} to fail")
