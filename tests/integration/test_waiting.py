"""A change that is sent at a maintenance window: it waits, is announced, passes the gate anew, and never comes late."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from commands import grammar
from commands.emergency import Emergency
from commands.install import Install
from commands.objecting import Object, Overrule, TakeBack
from commands.ports import Role
from commands.postpone import Postpone
from commands.withdraw import Withdraw
from patching.gate import Outcome
from patching.states import ChangeState, RunState
from scheduler import changes as change_sweep
from scheduler import waiting as waiting_sweep
from storage import changes, objections, runs
from storage.runs import Purpose
from tests.integration.small_house import (
    approve,
    asked,
    card,
    failing,
    installs,
    newest,
    outcome,
    owed,
    proven,
    recipients,
    refused,
)
from tests.integration.small_town import fleet_of
from tests.integration.window_house import AHEAD, audited, client, opens_at, two_windows, until, waiting, window
from tests.stateful.house import House
from tests.stateful.street import Street


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("waiting"), fleet_of([f"waits-{number}" for number in range(20)]))
    yield opened
    opened.close()


def installed(house: House) -> None:
    assert newest(house).state is ChangeState.DONE, (newest(house).note, runs.recent(house.store.db, 1)[0].note)
    assert len(installs(house)) == 1


def test_it_waits_through_a_restart_is_announced_and_goes_on_fresh_scans(street: Street) -> None:
    house, first, _ = two_windows(street)
    change = waiting(house)
    assert (change.starts_at, change.opening and change.opening.name) == (first, "first")
    assert {"C0PATCHING", "U0EVE", f"{house.name}-team@example.com"} <= set(recipients(house, "change-announced"))
    assert "waits for the window *first*" in card(house)
    assert installs(house) == []
    house.restart()
    house.jump(AHEAD - timedelta(minutes=5))
    house.read_agenda()
    house.settle()
    assert newest(house).state is ChangeState.WAITING
    until(house, first)
    house.settle()
    installed(house)
    scans = runs.of_change(house.store.db, change.id, Purpose.SEND)
    assert {run.environment for run in scans} == {"nonprod", "prod"}
    assert all(run.requested_at >= first for run in scans)
    steps = ["requested", "pending", "approve clicked", "approve counts", "approved", "waiting", "approved", "used"]
    assert [each for each in audited(house, change) if each in steps] == steps


def test_a_window_that_is_open_now_is_used_at_once(street: Street) -> None:
    house = proven(street)
    opens = opens_at(house, timedelta(hours=1))
    window(house, opens)
    house.read_agenda()
    until(house, opens)  # AWS lists it no more: what was read before tells that it is open
    asked(house, command=Install(house.prod, at_window=True))
    approve(house, "U0OLA")
    house.settle()
    installed(house)
    assert outcome(newest(house), "inside-window") is Outcome.PASS


def test_a_missed_window_is_said_and_the_next_one_is_taken(street: Street) -> None:
    """The bot was down from before the opening until a minute after the cutoff."""
    house, first, second = two_windows(street)
    change = waiting(house)
    until(house, first + timedelta(hours=2, minutes=1))
    house.settle()
    missed = newest(house)
    assert (missed.state, missed.starts_at) == (ChangeState.WAITING, second)
    assert installs(house) == []
    assert "The window first was missed" in card(house)
    assert set(recipients(house, "change-missed")) == set(recipients(house, "change-announced"))
    assert "window missed" in audited(house, change)
    until(house, second)
    house.settle()
    installed(house)


def test_a_second_before_the_cutoff_it_begins_no_more_when_the_scans_end_after_it(street: Street) -> None:
    house, first, second = two_windows(street)
    waiting(house)
    until(house, first + timedelta(hours=2) - timedelta(seconds=2))
    waiting_sweep.tick(house.parts, house.clock.now())
    assert newest(house).state is ChangeState.APPROVED
    house.settle()
    assert installs(house) == []
    assert (newest(house).state, newest(house).starts_at) == (ChangeState.WAITING, second)
    until(house, second)
    house.settle()
    installed(house)  # the scans of the first window count for nothing at the second
    assert len(runs.of_change(house.store.db, newest(house).id, Purpose.SEND)) == 4


def test_what_takes_longer_than_the_window_leaves_is_blocked(street: Street) -> None:
    house = proven(street)
    with house.store.transaction() as tx:
        began = (house.clock.now() - timedelta(days=9)).isoformat()
        tx.execute("UPDATE run SET started_at = ? WHERE operation = 'Install'", [began])
    window(house, opens_at(house))
    house.read_agenda()
    blocked = asked(house, command=Install(house.prod, at_window=True))
    assert blocked.state is ChangeState.BLOCKED
    assert failing(blocked) == {"fits-window"}


def test_a_policy_that_requires_a_window_sends_nothing_outside_of_one(street: Street) -> None:
    house = proven(street, window="required")
    house.read_agenda()
    blocked = asked(house)
    assert (blocked.timing, failing(blocked)) == ("window", {"inside-window"})
    assert "No maintenance window of prod is planned." in card(house)
    window(house, opens_at(house))
    house.jump(timedelta(minutes=6))
    house.read_agenda()
    again = asked(house)
    assert (again.timing, again.state) == ("window", ChangeState.PENDING)


def test_windows_that_cant_be_told_block(street: Street) -> None:
    house = proven(street)
    blocked = asked(house, command=Install(house.prod, at_window=True))
    assert failing(blocked) == {"inside-window"}
    assert "have not been read yet" in card(house)


def test_a_window_that_moves_takes_its_change_along_and_one_that_goes_ends_it(street: Street) -> None:
    house = proven(street)
    opens = opens_at(house)
    made = window(house, opens)
    house.read_agenda()
    change = waiting(house)
    later = opens + timedelta(days=1)
    client(house).update_maintenance_window(WindowId=made, Schedule=f"at({later:%Y-%m-%dT%H:%M:%S})")
    house.jump(timedelta(minutes=6))
    house.read_agenda()
    house.settle()
    assert newest(house).starts_at == later
    assert "was moved, disabled or deleted" in card(house)
    assert len(recipients(house, "change-moved")) == len(recipients(house, "change-announced"))
    client(house).delete_maintenance_window(WindowId=made)
    house.jump(timedelta(minutes=6))
    house.read_agenda()
    house.settle()
    assert newest(house).state is ChangeState.SUPERSEDED
    assert len(recipients(house, "change-off")) == len(recipients(house, "change-announced"))
    assert audited(house, change)[-1] == "superseded"


def test_postponed_it_goes_at_the_next_window_and_everybody_told_hears_of_it(street: Street) -> None:
    house, first, second = two_windows(street)
    change = waiting(house)
    assert "Only those affected" in refused(house, Postpone(change.id, first), "U0TOM")
    assert "starts at another time" in refused(house, Postpone(change.id, second), "U0EVE")
    house.ask(Postpone(change.id, first), "U0EVE")  # an owner
    assert newest(house).starts_at == second
    assert "Postponed from the window first of " in card(house)
    assert len(recipients(house, "change-moved")) == len(recipients(house, "change-announced"))
    assert "postponed" in audited(house, change)
    assert "No later window" in refused(house, Postpone(change.id, second), "U0EVE")
    until(house, first)
    house.settle()
    assert installs(house) == []
    until(house, second)
    house.settle()
    installed(house)


def test_an_objection_holds_it_and_an_admin_who_did_not_ask_overrules(street: Street) -> None:
    house, first, _ = two_windows(street)
    change = waiting(house)
    house.ask(Object(change.id, "Month end runs that night."), "U0EVE")
    assert newest(house).state is ChangeState.HELD
    assert "Month end runs that night." in card(house)
    assert len(recipients(house, "change-held")) == len(recipients(house, "change-announced"))
    (objection,) = objections.standing(house.store.db, change.id)
    assert "stands already" in refused(house, Object(change.id, "Once more."), "U0EVE")
    assert "can take this objection back" in refused(house, TakeBack(objection.id), "U0OLA")
    house.people.held[Role.ADMIN].add("U0ANN")
    assert "another admin has to overrule" in refused(house, Overrule(objection.id, "It is fine."), "U0ANN")
    assert "needs the admin role" in refused(house, Overrule(objection.id, "It is fine."), "U0OLA")
    until(house, first)
    house.settle()
    assert (newest(house).state, installs(house)) == (ChangeState.HELD, [])
    house.ask(Overrule(objection.id, "Month end was moved to Friday."), "U0ADA")
    house.round()
    house.settle()
    installed(house)
    assert "Month end was moved to Friday." in card(house)
    assert audited(house, change).count("objection overruled") == 1
    assert "is done" in refused(house, Object(change.id, "Too late."), "U0EVE")


def test_an_objection_that_is_taken_back_after_the_window_waits_for_the_next(street: Street) -> None:
    house, first, second = two_windows(street)
    change = waiting(house)
    house.ask(Object(change.id, "Not tonight."), "U0EVE")
    until(house, first + timedelta(hours=3))
    house.ask(TakeBack(objections.standing(house.store.db, change.id)[0].id), "U0EVE")
    house.settle()
    assert (newest(house).state, newest(house).starts_at) == (ChangeState.WAITING, second)
    assert "objection taken back" in audited(house, change)
    assert len(recipients(house, "change-resumed")) == len(recipients(house, "change-announced"))


def test_after_the_deadline_nobody_objects_any_more(street: Street) -> None:
    house, first, _ = two_windows(street, notices={"object_until": "1h"})
    change = waiting(house)
    until(house, first - timedelta(hours=1))
    assert "The time for objections" in refused(house, Object(change.id, "Not tonight."), "U0EVE")


def test_a_freeze_holds_the_window_and_its_owners_hear_of_it_and_lifting_lets_it_go(street: Street) -> None:
    house, first, _ = two_windows(street)
    change = waiting(house)
    typed(house, f"freeze add stocktaking --apps {house.name} We count the stock.")
    until(house, first)
    house.settle()
    assert (newest(house).state, installs(house)) == (ChangeState.WAITING, [])
    assert "stocktaking" in card(house)
    assert len(recipients(house, "change-held")) == len(recipients(house, "change-announced"))
    house.round()
    assert len(recipients(house, "change-held")) == len(recipients(house, "change-announced"))
    typed(house, "freeze lift stocktaking Counted, all is there.")
    house.round()
    house.settle()
    installed(house)
    assert change.ref == newest(house).ref


def test_a_freeze_blocks_a_request_and_an_emergency_passes_it_marked(street: Street) -> None:
    house = proven(street)
    typed(house, "freeze add stocktaking --apps all We count the stock.")
    assert failing(asked(house)) == {"no-freeze"}
    house.people.held[Role.ADMIN].add("U0TOM")
    change = asked(house, "U0TOM", Emergency(house.prod, "Exploited in the wild."))
    assert outcome(change, "no-freeze") is Outcome.WAIVED
    assert "stocktaking" in card(house)
    approve(house, "U0OLA")
    approve(house, "U0KIM")
    house.settle()
    installed(house)


def test_I3_a_freeze_a_moment_before_the_send_stops_it(street: Street) -> None:
    house, first, _ = two_windows(street)
    change = waiting(house)
    on_the_brink(house, change.id, first)
    typed(house, "freeze add stocktaking --apps all We count the stock.")
    house.settle()
    assert installs(house) == []
    assert newest(house).state is ChangeState.SUPERSEDED
    assert "stocktaking" in newest(house).note


def typed(house: House, text: str) -> None:
    """By Ada, an admin."""
    house.ask(grammar.parse(text, house.parts.config), "U0ADA")


def test_I3_an_objection_a_moment_before_the_send_stops_it(street: Street) -> None:
    """All is scanned, judged and planned; the objection commits before the Install's own transaction."""
    house, first, _ = two_windows(street, notices={"object_until": "0s"})
    change = waiting(house)
    on_the_brink(house, change.id, first)
    house.ask(Object(change.id, "The disk is full."), "U0EVE")
    house.settle()
    assert installs(house) == []
    assert newest(house).state is ChangeState.SUPERSEDED
    assert f"Somebody objects to {change.ref}: The disk is full." in newest(house).note


def test_I3_a_window_that_closes_a_moment_before_the_send_stops_it(street: Street) -> None:
    house, first, _ = two_windows(street)
    change = waiting(house)
    on_the_brink(house, change.id, first)
    house.jump(timedelta(hours=2))
    house.settle()
    assert installs(house) == []
    assert "is not open to new work any more" in newest(house).note


def on_the_brink(house: House, change_id: int, opens: object) -> None:
    """The Install is planned and has not been sent."""
    held = house.world.faults.add("ssm", "ListCommands", "access-denied", times=10**6)
    until(house, opens)  # type: ignore[arg-type]
    for _ in range(60):
        house.round()
        found = runs.of_change(house.store.db, change_id, Purpose.CHANGE)
        if found:
            break
    house.world.faults.remove(held.id)
    assert changes.get(house.store.db, change_id).state is ChangeState.USED
    assert found[0].state is RunState.RUNNING
    assert installs(house) == []


def test_those_affected_have_their_time_before_a_change_without_a_window(street: Street) -> None:
    """`notify_before` counts from when the last of them was told; while one is not, nothing goes."""
    house = proven(street)
    house.reconfigure(notices={"notify_before": "24h"})
    change = asked(house)
    approve(house, "U0OLA")
    house.settle()
    waits = newest(house)
    assert (waits.state, waits.opening) == (ChangeState.WAITING, None)
    house.jump(timedelta(hours=25))
    house.settle()
    assert "have been told" in newest(house).note
    with house.store.transaction() as tx:
        tx.execute(
            "UPDATE notice SET state = 'sent', sent_at = ? WHERE kind = 'change-announced'",
            [house.clock.now().isoformat()],
        )
    house.settle()
    assert newest(house).state is ChangeState.WAITING
    house.jump(timedelta(hours=24))
    house.settle()
    installed(house)
    judged = changes.evaluations(house.store.db, change.id)[-1]
    assert "They were told 1 d" in next(
        each["evidence"] for each in judged["checks"] if each["name"] == "affected-told"
    )


@pytest.mark.parametrize("soak", [None, "6d"])
def test_a_configuration_that_changes_meanwhile_ends_it_only_where_the_approval_is_about_it(
    street: Street, soak: str | None
) -> None:
    house, first, _ = two_windows(street)
    change = waiting(house)
    house.reconfigure(notices={"leads": ["2h"]})
    if soak:
        house.restart({"soak": soak})
    until(house, first)
    house.settle()
    if soak is None:
        assert changes.get(house.store.db, change.id).configuration == house.parts.config.version
        return installed(house)
    assert installs(house) == []
    assert "policy soak 7d → 6d" in newest(house).note
    return None


def test_withdrawn_while_it_waits_everybody_told_hears_of_it(street: Street) -> None:
    house, first, _ = two_windows(street)
    change = waiting(house)
    house.ask(Withdraw(change.id), "U0ANN")
    assert newest(house).state is ChangeState.WITHDRAWN
    assert len(owed(house, "change-off")) == len(owed(house, "change-announced"))
    until(house, first)
    house.settle()
    assert installs(house) == []
    change_sweep.tick(house.parts, house.clock.now())
    assert newest(house).state is ChangeState.WITHDRAWN
