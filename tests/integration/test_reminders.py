"""Everybody affected is told of windows and Installs: at the newest lead, once, corrected, and truthfully late (I7)."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.rendering import render
from bot.views.tables import Flavour
from commands.acknowledge import Acknowledge
from commands.install import Install
from commands.subscribe import Subscribe
from patching.states import NoticeState, RunState
from sandbox.aws.fleet import Fleet
from scheduler.reminders import Reminders
from storage import outbox, runs
from storage.database import to_text
from storage.outbox import Medium, Notice
from tests.integration.small_house import built, recipients, words
from tests.integration.small_town import fleet_of
from tests.integration.window_house import client, opens_at, window
from tests.stateful.house import House
from tests.stateful.street import Street
from tests.town import words_of
from tests.unit.storage.rows import notices

WEEK, DAY, HOUR, MINUTE = (timedelta(**{unit: 1}) for unit in ("weeks", "days", "hours", "minutes"))
TAGS = {"Owner": "U0BEN ben@example.com", "Contact": "dba@example.com", "Channel": "C0CACHE"}


def tagged(fleet: Fleet) -> Fleet:
    """Every node names people and a channel."""
    return replace(
        fleet,
        applications=tuple(
            replace(
                application,
                environments=tuple(
                    replace(each, nodes=tuple(replace(node, tags={**node.tags, **TAGS}) for node in each.nodes))
                    for each in application.environments
                ),
            )
            for application in fleet.applications
        ),
    )


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("reminders"), tagged(fleet_of([f"told-{number}" for number in range(6)])))
    yield opened
    opened.close()


def house_in(street: Street) -> House:
    house = built(street)
    house.reconfigure(notices={"tags": {"users": "Owner", "emails": "Contact", "channel": "Channel"}})
    return house


def everybody(house: House) -> set[str]:
    """The channel, the owners, and whom the tags name."""
    team = f"{house.name}-team@example.com"
    return {"C0PATCHING", "C0CACHE", "U0EVE", "U0BEN", "ben@example.com", team, "dba@example.com"}


def at(house: House, moment: datetime) -> list[Notice]:
    """Time passes until a second after `moment`, AWS is read, people are reminded; what was owed by that."""
    house.jump(moment - house.clock.now() + timedelta(seconds=1))
    house.read_agenda()
    return tick(house)


def tick(house: House) -> list[Notice]:
    before = {notice.id for notice in notices(house.store)}
    Reminders(house.parts).tick(house.clock.now())
    return [each for each in notices(house.store) if each.id not in before and each.kind.startswith("window-")]


def who(owed: list[Notice]) -> set[str]:
    assert len({each.recipient for each in owed}) == len(owed), "somebody hears the same thing twice"
    return {each.recipient for each in owed}


def leads(owed: list[Notice]) -> set[object]:
    return {each.payload["lead"] for each in owed}


def in_channel(owed: list[Notice]) -> Notice:
    (found,) = (each for each in owed if each.recipient == "C0PATCHING")
    return found


def said(house: House, notice: Notice, now: datetime | None = None) -> str:
    rendering = render(house.store, house.parts.config, notice, Flavour.TEXT, now=now or house.clock.now())
    return words_of({"text": rendering.text, "blocks": rendering.blocks})


def post(house: House, notice: Notice) -> Notice:
    """As `deliver` does."""
    with house.store.transaction() as tx:
        assert outbox.begin_sending(tx, notice)
        outbox.sent(tx, notice, house.clock.now(), "C0PATCHING", "1.0")
    return current(house, notice)


def current(house: House, notice: Notice) -> Notice:
    found = outbox.by_key(house.store.db, notice.key)
    assert found
    return found


def test_I7_each_lead_once_to_everybody_whoever_ticks(street: Street) -> None:
    house = house_in(street)
    opens = opens_at(house, 8 * DAY)
    window_id = window(house, opens)
    assert at(house, opens - 7 * DAY - MINUTE) == []
    first = at(house, opens - WEEK)
    assert (who(first), leads(first)) == (everybody(house), {604800})
    assert {each.medium for each in first} == {Medium.CHANNEL, Medium.USER, Medium.EMAIL}
    assert "PRODUCTION · Maintenance window in 7 d" in said(house, in_channel(first))
    assert "None of its own tasks patches" in said(house, in_channel(first))
    assert tick(house) == []

    house.jump(opens - DAY - house.clock.now() + timedelta(seconds=1))
    house.read_agenda()
    before = {notice.id for notice in notices(house.store)}
    together = threading.Barrier(2)

    def sweep() -> None:
        together.wait(10)
        Reminders(house.parts).tick(house.clock.now())

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(sweep) for _ in range(2)]:
            done.result(30)
    second = [each for each in notices(house.store) if each.id not in before and each.kind == "window-reminder"]
    assert (who(second), leads(second)) == (everybody(house), {86400})
    key = f"window:{window_id}:{opens.isoformat(timespec='microseconds')}:86400:{house.name} prod:channel:C0PATCHING"
    assert in_channel(second).key == key

    house.ask(Subscribe(house.name), "U0KIM")
    assert who(tick(house)) == {"U0KIM"}  # at once, and nobody else again
    third = at(house, opens - HOUR)
    assert (who(third), leads(third)) == (everybody(house) | {"U0KIM"}, {3600})
    assert "Maintenance window in 1 h" in said(house, in_channel(third))
    house.ask(Subscribe(house.name), "U0LEE")
    assert at(house, opens + 6 * MINUTE) == []  # nothing of its own patches; who comes now hears of the next one


def test_who_has_seen_it_shows_and_a_reminder_that_comes_late_says_so(street: Street) -> None:
    house = house_in(street)
    opens = opens_at(house, 2 * DAY)
    window(house, opens)
    notice = post(house, in_channel(at(house, opens - DAY)))
    house.ask(Acknowledge(notice.subject), "U0EVE")
    again = current(house, notice)
    assert (again.state, again.revision) == (NoticeState.DUE, notice.revision + 1)
    assert "Seen by <@U0EVE>" in said(house, again)
    assert "late" not in said(house, again, opens + HOUR)  # it was in time
    late = said(house, replace(notice, ts=None), opens + HOUR)
    assert "*This reminder is late.*" in late
    assert "Maintenance window open" in late
    assert "ended" in said(house, replace(notice, ts=None), opens + DAY)


@pytest.mark.parametrize("patches", [False, True])
def test_I7_after_downtime_only_the_newest_lead(street: Street, patches: bool) -> None:
    house = house_in(street)
    opens = opens_at(house, 8 * DAY)
    window_id = window(house, opens)
    if patches:
        ssm = client(house)
        (target,) = ssm.describe_maintenance_window_targets(WindowId=window_id)["Targets"]
        ssm.register_task_with_maintenance_window(
            WindowId=window_id,
            TaskArn="AWS-RunPatchBaseline",
            TaskType="RUN_COMMAND",
            Targets=[{"Key": "WindowTargetIds", "Values": [target["WindowTargetId"]]}],
            TaskInvocationParameters={"RunCommand": {"Parameters": {"Operation": ["Install"]}}},
            MaxConcurrency="1",
            MaxErrors="0",
        )
    assert who(at(house, opens - WEEK)) == everybody(house)
    house.restart()
    back = at(house, opens + MINUTE)  # neither a day nor an hour before
    assert (who(back), leads(back)) == (everybody(house), {0 if patches else 3600})
    text = said(house, in_channel(back))
    if patches:
        assert {each.kind for each in back} == {"window-started"}
        assert "*Its own tasks install patches* by themselves" in text
        assert "late" not in text
    else:
        assert "*This reminder is late.*" in text
    assert at(house, opens + 7 * MINUTE) == []


def test_what_is_moved_called_off_or_back_is_corrected_for_those_who_were_told(street: Street) -> None:
    house = house_in(street)
    opens, later = opens_at(house, 3 * DAY), opens_at(house, 3 * DAY + 2 * HOUR)
    window_id = window(house, opens)
    unheard = window(house, opens_at(house, 9 * DAY), "unheard")
    ssm = client(house)
    first = in_channel(at(house, house.clock.now() + MINUTE))
    assert first.payload["lead"] == 604800

    ssm.update_maintenance_window(WindowId=window_id, Name="renamed", Duration=5, Cutoff=2)
    ssm.delete_maintenance_window(WindowId=unheard)
    assert at(house, house.clock.now() + 6 * MINUTE) == []

    ssm.update_maintenance_window(WindowId=window_id, Schedule=f"at({later:%Y-%m-%dT%H:%M:%S})")
    house.ask(Subscribe(house.name), "U0KIM")  # who was never told of the old time
    moved = at(house, house.clock.now() + 6 * MINUTE)
    corrected = [each for each in moved if each.kind == "window-correction"]
    assert who(corrected) == everybody(house)
    assert "*was moved* from" in said(house, in_channel(corrected))
    assert who([each for each in moved if each.kind == "window-reminder"]) == {"U0KIM"}
    assert "*It was moved* to" in said(house, first)  # one that waited all the while promises nothing

    ssm.update_maintenance_window(WindowId=window_id, Enabled=False)
    house.jump(40 * MINUTE)  # AWS is not read: nobody knows, so nobody is told anything
    assert tick(house) == []
    off = at(house, house.clock.now())
    assert {each.kind for each in off} == {"window-correction"}
    assert who(off) == everybody(house) | {"U0KIM"}
    assert "*does not take place*" in said(house, in_channel(off))

    ssm.update_maintenance_window(WindowId=window_id, Enabled=True)
    back = at(house, house.clock.now() + 6 * MINUTE)
    assert {each.kind for each in back} == {"window-correction"}
    assert who(back) == everybody(house) | {"U0KIM"}
    assert "*takes place after all*" in said(house, in_channel(back))
    assert "changed once more" in said(house, in_channel(off))
    assert "*This correction is late.*" in said(house, in_channel(back), later + MINUTE)
    assert tick(house) == []
    assert leads(at(house, later - DAY)) == {86400}


def test_everybody_affected_hears_of_an_install_its_first_failure_and_its_end(street: Street) -> None:
    house = house_in(street)
    others = everybody(house) - {"C0PATCHING"}  # where its card stands
    (node_id,) = house.node_ids("nonprod")
    house.read_agenda()
    house.ask(Subscribe(house.name), "U0KIM")
    house.world.fail_package(node_id, "openssl")
    house.ask(Install(house.nonprod), "U0ANN")
    house.settle()
    run = runs.recent(house.store.db, 1)[0]
    assert run.state is RunState.FAILED
    for kind in ("install-started", "install-failing", "install-ended"):
        assert recipients(house, kind) == sorted(others | {"U0KIM"})
    failing = next(each for each in notices(house.store) if each.kind == "install-failing")
    assert "*This message is late.*" in words(house, failing)  # the run has ended since
    house.world.fail_package(node_id, "openssl", fails=False)
    house.ask(Install(house.nonprod), "U0ANN")
    house.settle()
    assert len(recipients(house, "install-failing")) == len(others) + 1
    assert len(recipients(house, "install-ended")) == 2 * (len(others) + 1)


def test_an_environment_is_looked_at_only_when_something_may_be_due(street: Street) -> None:
    """Openings are read from the store at no other time: hundreds of environments are looked at by the same sweep."""
    house = house_in(street)
    opens = opens_at(house, 3 * DAY)
    window(house, opens)
    sweep = Reminders(house.parts)
    house.read_agenda()

    def owed() -> list[Notice]:
        before = {notice.id for notice in notices(house.store)}
        sweep.tick(house.clock.now())
        return [each for each in notices(house.store) if each.id not in before]

    assert leads(owed()) == {604800}
    until = {key.environment: moment for key, (_, moment) in sweep.quiet.items()}
    assert until["prod"] == opens - DAY
    house.ask(Subscribe(house.name), "U0NEW")
    assert who(owed()) == {"U0NEW"}
    house.jump(opens - DAY - house.clock.now() - MINUTE)
    house.read_agenda()
    assert owed() == []
    house.jump(MINUTE + timedelta(seconds=1))
    first = owed()
    assert (who(first), leads(first)) == (everybody(house) | {"U0NEW"}, {86400})
    client(house).delete_maintenance_window(WindowId=first[0].payload["opening"]["window_id"])
    house.jump(6 * MINUTE)
    house.read_agenda()
    assert {each.kind for each in owed()} == {"window-correction"}


def test_I7_an_environment_whose_rows_cannot_be_read_keeps_no_other_from_its_reminders(street: Street) -> None:
    house = house_in(street)
    opens = opens_at(house, 3 * DAY)
    window(house, opens)
    house.read_agenda()
    with house.store.transaction() as tx:
        tx.execute(
            "INSERT INTO window_execution VALUES (?, 'nonprod', 'mw-1', ?, '?', '', NULL, NULL)",
            [house.name, to_text(opens)],
        )
    before = {notice.id for notice in notices(house.store)}
    with pytest.raises(ValueError, match="Expecting value"):
        Reminders(house.parts).tick(house.clock.now())
    assert who([each for each in notices(house.store) if each.id not in before]) == everybody(house)
