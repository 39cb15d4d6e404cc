"""What AWS plans is read in few calls, kept with its age, shown, and warned about once where it bypasses the gate."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.rendering import render
from bot.views.replies import render as render_reply
from bot.views.tables import Flavour
from commands.agenda import AgendaUnknown, next_opening, openings, seen_everywhere, where_of
from commands.window_list import WindowList
from commands.windows import PAGE, ListWindows
from patching.agenda import Opening
from patching.nodes import EnvironmentKey
from patching.planned import LOOK_AHEAD
from sandbox.aws.fleet import Association, Fleet, Window
from sandbox.fleet import NONPRODUCTION, PRODUCTION
from scheduler.agenda import READ_EVERY, RETRY_AFTER
from storage import agenda
from storage.outbox import Medium, Notice
from tests.integration.small_house import built, owed, words
from tests.integration.small_town import CHANNEL, fleet_of
from tests.integration.window_house import client, opens_at, window
from tests.stateful.house import House
from tests.stateful.street import Street
from tests.town import open_town, wait_for, words_of
from tests.unit.storage.rows import notices

BASELINE = "AWS-RunPatchBaseline"
HOUR = timedelta(hours=1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    street = Street(tmp_path)
    house = built(street)
    yield house
    house.close()
    street.close()


def task(house: House, window_id: str, operation: str | None = "Install", document: str = BASELINE) -> str:
    """A task on the window's targets; without an operation nothing says what it does. Its id."""
    ssm = client(house)
    targets = ssm.describe_maintenance_window_targets(WindowId=window_id)["Targets"]
    parameters = {"Operation": [operation]} if operation else {}
    made = ssm.register_task_with_maintenance_window(
        WindowId=window_id,
        TaskArn=document,
        TaskType="RUN_COMMAND",
        Targets=[{"Key": "WindowTargetIds", "Values": [each["WindowTargetId"] for each in targets]}],
        TaskInvocationParameters={"RunCommand": {"Parameters": parameters}},
        MaxConcurrency="1",
        MaxErrors="0",
    )
    return str(made["WindowTaskId"])


def read(house: House, later: timedelta = READ_EVERY) -> dict[str, Counter[str]]:
    """Time passes and AWS's plans are read; account → SSM's operations that were asked for."""
    house.jump(later)
    before = house.log_length
    house.read_agenda()
    made: dict[str, Counter[str]] = {NONPRODUCTION: Counter(), PRODUCTION: Counter()}
    for call in house.world.ssm_log.after(before):
        made[call.account][call.operation] += 1
    return made


def planned(house: House, key: EnvironmentKey | None = None) -> tuple[Opening, ...]:
    now = house.clock.now()
    return openings(house.store.db, house.parts.config, key or house.prod, now, now + LOOK_AHEAD, now)


def unknown(house: House, key: EnvironmentKey) -> str:
    with pytest.raises(AgendaUnknown) as refused:
        planned(house, key)
    return str(refused.value)


def test_many_windows_in_two_accounts_are_read_in_the_fewest_calls(house: House) -> None:
    windows = [window(house, opens_at(house, timedelta(days=day)), f"weekly-{day}") for day in range(1, 8)]
    for window_id in windows[:4]:
        task(house, window_id, "Scan")
    client(house).register_task_with_maintenance_window(
        WindowId=windows[4], TaskArn="AWS-RestartEC2Instance", TaskType="AUTOMATION", MaxConcurrency="1", MaxErrors="0"
    )
    client(house).update_maintenance_window(WindowId=windows[-1], Enabled=False)
    assert "have not been read yet" in unknown(house, house.prod)

    first = read(house)
    listing = {"DescribeInstanceInformation": 1, "ListAssociations": 1, "DescribeMaintenanceWindows": 1}
    assert first[NONPRODUCTION] == listing  # nothing is enabled there, so nothing is scheduled
    every = {**listing, "DescribeMaintenanceWindowSchedule": 1}
    looked_into = {"DescribeMaintenanceWindowTargets": 7, "DescribeMaintenanceWindowTasks": 7}
    assert first[PRODUCTION] == {**every, **looked_into, "GetMaintenanceWindowTask": 4}
    assert [opening.name for opening in planned(house)] == [f"weekly-{day}" for day in range(1, 7)]
    assert planned(house, house.nonprod) == ()

    assert read(house, READ_EVERY - timedelta(seconds=1)) == {NONPRODUCTION: {}, PRODUCTION: {}}
    assert read(house, timedelta(seconds=1))[PRODUCTION] == every

    client(house).update_maintenance_window(WindowId=windows[0], Name="renamed")
    client(house).delete_maintenance_window(WindowId=windows[1])
    one = {"DescribeMaintenanceWindowTargets": 1, "DescribeMaintenanceWindowTasks": 1, "GetMaintenanceWindowTask": 1}
    assert read(house)[PRODUCTION] == {**every, **one}
    assert [opening.name for opening in planned(house)][:2] == ["renamed", "weekly-3"]

    # AWS's list does not tell that a task has changed, so each window is looked into every hour, and sooner where the
    # change was ours.
    where = where_of(house.parts.config.environments()[house.prod])
    with house.store.transaction() as tx:
        agenda.look_again(tx, where, windows[2])
    assert read(house, timedelta(0))[PRODUCTION] == {**every, **one}
    assert read(house, HOUR)[PRODUCTION]["DescribeMaintenanceWindowTasks"] == 6


def test_a_reading_that_fails_keeps_what_is_known_until_it_is_too_old(house: House) -> None:
    window(house, opens_at(house, timedelta(days=1)))
    read(house)
    fault = house.world.faults.add("ssm", "DescribeMaintenanceWindowSchedule", "access-denied", times=20)
    assert read(house)[NONPRODUCTION]["DescribeMaintenanceWindows"] == 1  # the other account is read all the same
    assert len(planned(house)) == 1
    assert read(house, RETRY_AFTER)[PRODUCTION]["DescribeMaintenanceWindows"] == 1  # sooner than after a good one
    listed = house.ask(ListWindows(house.name), "U0ANN")
    assert isinstance(listed, WindowList)
    shown = words_of({"text": "", "blocks": render_reply(listed)[1]})
    assert "DescribeMaintenanceWindowSchedule" in shown
    assert PRODUCTION in shown
    assert "monthly" in shown

    read(house, timedelta(minutes=25))
    said = unknown(house, house.prod)
    assert "last read 31 min ago: " in said
    assert "DescribeMaintenanceWindowSchedule" in said
    assert planned(house, house.nonprod) == ()
    house.world.faults.remove(fault.id)
    read(house)
    assert len(planned(house)) == 1


def test_a_window_that_is_open_stays_until_it_ends_or_is_changed(house: House) -> None:
    opens = opens_at(house, timedelta(hours=2))
    window_id = window(house, opens)
    read(house)
    read(house, timedelta(hours=2, minutes=10))  # AWS lists only what is to come, and this has begun
    (opening,) = planned(house)
    assert (opening.opens, opening.closes, opening.ends) == (opens, opens + 2 * HOUR, opens + 3 * HOUR)
    ask = partial(next_opening, house.store.db, house.parts.config, house.prod, house.clock.now())
    assert ask() == ask(earliest=opening.closes - timedelta(seconds=1)) == opening
    assert ask(earliest=opening.closes) is ask(opening) is None
    kept = house.store.db.execute("SELECT content FROM agenda_reading WHERE account = ?", [PRODUCTION]).fetchone()[0]

    for change in ({"Enabled": False}, {"Duration": 4}):
        client(house).update_maintenance_window(WindowId=window_id, Enabled=True, Duration=3)
        with house.store.transaction() as tx:
            tx.execute("UPDATE agenda_reading SET content = ? WHERE account = ?", [kept, PRODUCTION])
        read(house)
        assert len(planned(house)) == 1
        client(house).update_maintenance_window(WindowId=window_id, **change)
        read(house)
        assert planned(house) == ()


def test_a_reading_that_a_change_of_ours_overtook_is_not_kept(house: House) -> None:
    window_id = window(house, opens_at(house, timedelta(days=1)))
    read(house)
    where = where_of(house.parts.config.environments()[house.prod])
    db, now = house.store.db, house.clock.now()
    since = agenda.reading(db, where)
    assert since
    assert since.agenda
    with house.store.transaction() as tx:
        agenda.look_again(tx, where, window_id)
        assert not agenda.keep(tx, where, now, since.agenda, since)
    assert read(house, timedelta(0))[PRODUCTION]["DescribeMaintenanceWindowTasks"] == 1


def test_what_another_version_kept_is_read_anew(house: House) -> None:
    window(house, opens_at(house, timedelta(days=1)))
    read(house)
    with house.store.transaction() as tx:
        tx.execute("UPDATE agenda_reading SET content = '{\"windows\": 1}'")
    assert "have not been read yet" in unknown(house, house.prod)
    read(house)
    assert len(planned(house)) == 1


def test_an_install_task_on_production_is_warned_about_once_until_it_changes_or_comes_back_i7(house: House) -> None:
    window_id = window(house, opens_at(house, timedelta(days=20)))
    task_id = task(house, window_id)
    scanning = window(house, opens_at(house, timedelta(days=20)), "scans")
    task(house, scanning, "Scan")

    def warnings() -> list[Notice]:
        return [each for each in owed(house, "bypass") if each.medium is Medium.CHANNEL]

    for day in range(3):
        for _ in range(2):
            read(house, timedelta(hours=12))
        if day == 1:
            house.restart()
            house.read_agenda()
    assert len(warnings()) == 1
    notice = warnings()[0]
    said = words(house, notice)
    assert "installs past the gate" in said
    assert f"`{BASELINE}` (Install) on 2 nodes" in said
    assert f"/patch window edit {house.prod}" in said
    assert f"/patch install {house.prod} window" in said
    assert notice.subject == f"window:{window_id}"

    operate = client(house).update_maintenance_window_task
    for operation, count in (("Scan", 1), ("Install", 2)):
        parameters = {"RunCommand": {"Parameters": {"Operation": [operation]}}}
        operate(WindowId=window_id, WindowTaskId=task_id, TaskInvocationParameters=parameters)
        read(house, 2 * HOUR)
        assert len(warnings()) == count
    operate(WindowId=window_id, WindowTaskId=task_id, TaskInvocationParameters={"RunCommand": {"Parameters": {}}})
    read(house, 2 * HOUR)
    assert len(warnings()) == 3  # nobody can tell any more that it only scans

    client(house).delete_maintenance_window(WindowId=window_id)
    read(house)
    said = words(house, warnings()[-1])
    assert "no longer as it was" in said
    assert f"/patch windows {house.name}" in said
    assert len(warnings()) == 3


def test_owners_hear_of_a_bypass_too_and_windows_that_never_open_bother_nobody(house: House) -> None:
    task(house, window(house, house.clock.now() - timedelta(days=1), "over"))
    read(house)
    assert owed(house, "bypass") == []
    house.restart(owners={"users": ["U0ANN"], "emails": ["dba@example.com"]})
    associate(house, house.prod, "Install")
    associate(house, house.nonprod, "Install")  # no gate stands before non-production
    read(house)
    found = {(each.medium, each.recipient): each for each in notices(house.store) if each.kind == "bypass"}
    assert set(found) == {
        (Medium.CHANNEL, "C0PATCHING"),
        (Medium.USER, "U0ANN"),
        (Medium.EMAIL, "dba@example.com"),
    }
    mail = render(house.store, house.parts.config, found[Medium.EMAIL, "dba@example.com"], Flavour.TEXT)
    assert mail.subject.startswith("[Patchgate] Association installs past the gate: PRODUCTION")
    assert "State Manager" in mail.text
    assert "<p>" in mail.html
    assert mail.blocks == []


def associate(house: House, key: EnvironmentKey, operation: str) -> None:
    settings = house.parts.config.environments()[key]
    targets: list[Any] = [{"Key": name, "Values": list(values)} for name, values in settings.targets.items()]
    association = Association(BASELINE, {"Operation": (operation,)}, f"{operation}-by-itself")
    region = house.world.region(settings.account, settings.region)
    with house.world.lock:
        region.add_association(association, targets, house.clock.now())


def test_windows_are_listed_with_what_they_do_page_by_page(house: House) -> None:
    first = window(house, opens_at(house, timedelta(days=1)), "first", Description="x")
    client(house).update_maintenance_window(WindowId=first, ScheduleTimezone="Australia/Lord_Howe")
    task(house, first)
    task(house, first, "Scan")
    for day in range(2, PAGE + 2):
        window(house, opens_at(house, timedelta(days=day)), f"later-{day}")
    off = window(house, opens_at(house, timedelta(days=9)), "off")
    client(house).update_maintenance_window(WindowId=off, Enabled=False)
    associate(house, house.prod, "Scan")
    read(house)
    house.jump(timedelta(minutes=3))

    def page(number: int) -> tuple[WindowList, str]:
        listed = house.ask(ListWindows(None, number), "U0EVE")
        assert isinstance(listed, WindowList)
        text, blocks = render_reply(listed)
        return listed, words_of({"text": text, "blocks": blocks})

    listed, said = page(0)
    assert listed.more
    assert [line.name for part in listed.parts for line in part.windows] == [
        "first",
        *(f"later-{day}" for day in range(2, PAGE + 1)),
    ]
    assert "Australia/Lord_Howe" in said
    assert "3 h, nothing new begins in the last 1 h" in said
    assert f"`{BASELINE}`: *Install*" in said
    assert f"`{BASELINE}`: *Scan*" in said
    assert "It installs on production past the gate." in said
    assert said.count("past the gate") == 1
    assert f"{PRODUCTION} eu-west-1: read 3 min ago" in said
    assert f"Nothing is planned for {house.nonprod}." in said
    assert "Disabled" not in said

    listed, said = page(1)
    assert not listed.more
    assert f"later-{PAGE + 1}" in said
    assert "Disabled: `off`" in said
    assert "Association `Scan-by-itself`" in said
    assert page(9)[0].parts == ()


def test_slack_is_answered_from_the_store_and_turns_the_page(tmp_path: Path) -> None:
    names = [f"app-{number}" for number in range(PAGE)]
    with open_town(tmp_path, with_windows(fleet_of(names)), rate=1) as town:
        bot = town.bot
        assert bot
        wait_for(lambda: all(each.read_at for each in seen_everywhere(bot.store.db, bot.config).values()), "a reading")
        asked = len(town.around.world.ssm_log.calls("DescribeMaintenanceWindows"))
        assert asked == 2  # one for each account, however many environments it has
        said = town.command("U0EVE", "/patch windows", CHANNEL)
        assert "`app-0-nonprod`" in said
        assert "Europe/Dublin" in said
        assert f"`app-{PAGE - 1}-prod`" not in said
        page = town.answers("U0EVE", CHANNEL)[-1]
        for _ in range((2 * len(names) - 1) // PAGE):
            town.click("U0EVE", page, "windows-page")
        last = f"`app-{PAGE - 1}-prod`"
        wait_for(lambda: last in words_of(town.answers("U0EVE", CHANNEL)[-1]), "the last page")
        assert "There is no application" in town.command("U0EVE", "/patch windows nothing", CHANNEL)
        assert "it has no task" in town.command("U0EVE", "/patch windows app-0", CHANNEL)
        assert len(town.around.world.ssm_log.calls("DescribeMaintenanceWindows")) == asked


def with_windows(fleet: Fleet) -> Fleet:
    """Every environment has a window on Saturdays."""
    return replace(
        fleet,
        applications=tuple(
            replace(
                application,
                environments=tuple(
                    replace(environment, window=Window("cron(0 2 ? * SAT *)", "Europe/Dublin"))
                    for environment in application.environments
                ),
            )
            for application in fleet.applications
        ),
    )
