"""Changes that wait, where windows, people and databases move under them: nothing goes that nobody expects any more."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.rendering import render
from bot.views.tables import Flavour
from patching.states import ChangeState, OrderState
from scheduler import restored
from storage.window_orders import Action
from tests.integration.ordered_windows import carried_out, order_for, ours, settings
from tests.integration.small_house import card, installs, newest, owed, recipients
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
