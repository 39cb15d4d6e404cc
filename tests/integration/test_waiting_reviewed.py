"""Changes that wait, where windows, people and databases move under them: nothing goes that nobody expects any more."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.rendering import render
from bot.views.tables import Flavour
from commands.emergency import Emergency
from commands.objecting import Object, TakeBack
from commands.ports import Role
from commands.postpone import Postpone
from commands.withdraw import Withdraw
from patching.states import ChangeState, OrderState
from scheduler import decisions, restored
from scheduler import waiting as waiting_sweep
from storage import changes, objections
from storage.database import to_text
from storage.window_orders import Action
from tests.integration.ordered_windows import carried_out, order_for, ours, settings
from tests.integration.small_house import approve, asked, card, installs, newest, owed, proven, recipients, refused
from tests.integration.small_town import fleet_of
from tests.integration.test_waiting import installed, on_the_brink, typed
from tests.integration.window_house import client, two_windows, until, waiting
from tests.stateful.house import House
from tests.stateful.street import Street
from tests.town import words_of


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("reviewed"), fleet_of([f"waited-{number}" for number in range(12)]))
    yield opened
    opened.close()


def update(house: House, **settings: object) -> None:
    """Somebody changes the window of the change at AWS."""
    opening = newest(house).opening
    assert opening
    client(house).update_maintenance_window(WindowId=opening.window_id, **settings)


def test_a_window_that_is_disabled_once_it_is_open_is_left(street: Street) -> None:
    """A freeze holds the change; when it is lifted, its window is not there any more."""
    house, first, second = two_windows(street)
    waiting(house)
    typed(house, f"freeze add stocktaking --apps {house.name} We count the stock.")
    until(house, first)
    house.settle()
    update(house, Enabled=False)
    typed(house, "freeze lift stocktaking Counted, all is there.")
    until(house, first + timedelta(minutes=10))
    house.settle()
    assert installs(house) == []
    assert (newest(house).state, newest(house).starts_at) == (ChangeState.WAITING, second)


def test_nothing_goes_at_a_window_of_which_nobody_can_tell_that_it_opened(street: Street) -> None:
    """AWS has not told its plans for hours, so the window may have been moved or deleted."""
    house, first, _ = two_windows(street)
    waiting(house)
    house.jump(first - house.clock.now() + timedelta(seconds=1))
    house.settle()
    assert (newest(house).state, installs(house)) == (ChangeState.WAITING, [])
    assert "is open. The maintenance windows of" in card(house)
    house.read_agenda()  # AWS lists it no more; what was read before tells that it is open
    house.settle()
    installed(house)


def test_a_cutoff_that_comes_sooner_by_now_is_the_one_that_counts(street: Street) -> None:
    house, first, second = two_windows(street)
    waiting(house)
    update(house, Cutoff=2)
    house.jump(timedelta(minutes=6))
    house.read_agenda()
    house.settle()
    opening = newest(house).opening
    assert (newest(house).starts_at, opening and opening.closes) == (first, first + timedelta(hours=1))
    assert recipients(house, "change-moved") == []
    until(house, first + timedelta(minutes=90))
    house.settle()
    assert installs(house) == []
    assert newest(house).starts_at == second


def test_I3_a_window_that_is_disabled_a_moment_before_the_send_stops_it(street: Street) -> None:
    house, first, _ = two_windows(street)
    change = waiting(house)
    on_the_brink(house, change.id, first)
    update(house, Enabled=False)
    house.jump(timedelta(minutes=6))
    house.read_agenda()
    house.settle()
    assert installs(house) == []
    assert "is not open to new work any more" in newest(house).note


def test_I3_in_a_database_that_was_put_back_nothing_waits_and_those_told_hear_of_it(street: Street) -> None:
    """Nobody knows whether it was sent, or the order carried out, after the copy was made."""
    house, first, _ = two_windows(street)
    change = waiting(house)
    order = order_for(house, Action.CREATE, house.prod, settings(house, house.prod))
    before = len(ours(house))
    with house.store.transaction() as tx:
        stopped = restored.stop(tx, house.clock.now(), "restored from a copy", {})
    assert [[each.ref for each in stopped.changes], [each.ref for each in stopped.orders]] == [
        [change.ref],
        [order.ref],
    ]
    assert sorted(recipients(house, "change-off")) == sorted(recipients(house, "change-announced"))
    told = render(house.store, house.parts.config, owed(house, "change-off")[0], Flavour.TEXT)
    words = words_of({"text": told.text, "blocks": told.blocks})
    assert "Counts no more" in words
    assert "Will not be installed" not in words
    ended = carried_out(house, order)
    assert (ended.state, len(ours(house))) == (OrderState.FAILED, before)
    assert "replaced by an older copy" in ended.note
    until(house, first)
    house.settle()
    assert (newest(house).state, installs(house)) == (ChangeState.EXPIRED, [])


def test_an_approval_that_nobody_carried_out_for_hours_starts_nothing_by_itself(street: Street) -> None:
    """The bot was down from the approval on, or was upgraded in between."""
    house = proven(street)
    asked(house)
    approve(house, "U0OLA")
    decisions.tick(house.parts, house.clock.now())
    assert (newest(house).state, newest(house).released_at) == (ChangeState.APPROVED, None)
    house.jump(timedelta(hours=7))
    house.settle()
    assert (newest(house).state, installs(house)) == (ChangeState.SUPERSEDED, [])
    assert "within 6 hours of its approval" in card(house)


def test_a_time_that_passed_hours_ago_starts_nothing_by_itself(street: Street) -> None:
    house = proven(street)
    house.reconfigure(notices={"notify_before": "24h"})
    asked(house)
    approve(house, "U0OLA")
    house.settle()
    with house.store.transaction() as tx:
        sent = "UPDATE notice SET state = 'sent', sent_at = ? WHERE kind = 'change-announced'"
        tx.execute(sent, [to_text(house.clock.now())])
    house.jump(timedelta(hours=31))
    house.settle()
    assert (newest(house).state, installs(house)) == (ChangeState.SUPERSEDED, [])
    assert "within 6 hours of its approval, or of its time" in card(house)
    assert len(recipients(house, "change-off")) == len(recipients(house, "change-announced"))


def test_what_was_postponed_stays_so_whatever_happens_to_it_afterwards(street: Street) -> None:
    """An objection is taken back, a look of the sweep was under way, the later window is deleted: never the first."""
    house, first, second = two_windows(street)
    read_before = waiting(house)
    house.ask(Postpone(read_before.id, first), "U0EVE")
    house.ask(Object(read_before.id, "Not that night either."), "U0EVE")
    house.ask(TakeBack(objections.standing(house.store.db, read_before.id)[0].id), "U0EVE")
    house.settle()
    assert (newest(house).state, newest(house).starts_at) == (ChangeState.WAITING, second)
    until(house, first)
    waiting_sweep.look(house.parts, read_before)
    assert (newest(house).state, newest(house).starts_at) == (ChangeState.WAITING, second)
    opening = newest(house).opening
    assert opening
    client(house).delete_maintenance_window(WindowId=opening.window_id)
    house.jump(timedelta(minutes=6))
    house.read_agenda()
    house.settle()
    assert (newest(house).state, installs(house)) == (ChangeState.SUPERSEDED, [])
    with house.store.transaction() as tx:
        changes.set_note(tx, read_before, "Waits for nothing.")
    assert "was moved, disabled or deleted" in newest(house).note


def test_an_admin_withdraws_a_change_that_waits_while_an_emergency_needs_its_place(street: Street) -> None:
    house, _, _ = two_windows(street)
    change = waiting(house)
    house.people.held[Role.ADMIN].add("U0TOM")
    assert f"{change.ref} is still waiting" in refused(house, Emergency(house.prod, "Exploited in the wild."), "U0TOM")
    assert "and admins once it is approved" in refused(house, Withdraw(change.id), "U0OLA")
    house.ask(Withdraw(change.id), "U0ADA")
    assert newest(house).state is ChangeState.WITHDRAWN
    assert len(recipients(house, "change-off")) == len(recipients(house, "change-announced"))
    house.ask(Emergency(house.prod, "Exploited in the wild."), "U0TOM")
    assert newest(house).ref != change.ref


def test_a_window_that_is_moved_nearer_gives_those_affected_their_time_again(street: Street) -> None:
    """They know of another moment than the one at which it would go now."""
    house, first, second = two_windows(street, notices={"notify_before": "24h"})
    waiting(house)
    with house.store.transaction() as tx:
        sent = "UPDATE notice SET state = 'sent', sent_at = ? WHERE kind = 'change-announced'"
        tx.execute(sent, [to_text(house.clock.now())])
    house.jump(timedelta(hours=25))
    house.read_agenda()
    house.settle()
    assert newest(house).starts_at == first
    nearer = (house.clock.now() + timedelta(hours=2)).replace(second=0, microsecond=0)
    update(house, Schedule=f"at({nearer:%Y-%m-%dT%H:%M:%S})")
    house.jump(timedelta(minutes=6))
    house.read_agenda()
    house.settle()
    assert (newest(house).state, newest(house).starts_at) == (ChangeState.WAITING, second)
