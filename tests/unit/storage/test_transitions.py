"""Every edge of every table, allowed or refused, with what must be written along with it (I6, I7)."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlite_utils import Database

from patching.states import (
    CHANGE_TRANSITIONS,
    RUN_TRANSITIONS,
    STEP_TRANSITIONS,
    ChangeState,
    IllegalTransition,
    NoticeState,
    RunState,
    StepState,
)
from storage import audit, changes, outbox, runs, steps
from storage.changes import ChangeOpen
from storage.database import Store
from storage.runs import EnvironmentBusy
from tests.unit.storage.rows import (
    NOW,
    audit_count,
    change_in,
    everything,
    killed_half_way,
    run_in,
    step_in,
)


@dataclass(frozen=True)
class Machine:
    """One of the three state machines with an audit trail."""

    table: Any
    begin: Callable[[Store, Any], Any]
    move: Callable[[Database, Any, Any], Any]
    card: Callable[[Any], str]  # the subject whose message must be shown again


MACHINES = {
    "run": Machine(
        RUN_TRANSITIONS,
        run_in,
        lambda tx, row, new: runs.transition(tx, row, new, NOW, "clock", note="why"),
        lambda row: row.subject,
    ),
    "step": Machine(
        STEP_TRANSITIONS,
        step_in,
        lambda tx, row, new: steps.transition(tx, row, new, NOW, "scan-1", note="why"),
        lambda row: f"run:{row.run_id}",
    ),
    "change": Machine(
        CHANGE_TRANSITIONS,
        change_in,
        lambda tx, row, new: changes.transition(tx, row, new, NOW, "clock", note="why"),
        lambda row: row.subject,
    ),
}
PAIRS = [
    pytest.param(MACHINES[name], old, new, new in machine.table[old], id=f"{name} {old} to {new}")
    for name, machine in MACHINES.items()
    for old in machine.table
    for new in machine.table
]


def test_every_pair_of_states_is_in_the_table() -> None:
    assert len(PAIRS) == len(RunState) ** 2 + len(StepState) ** 2 + len(ChangeState) ** 2


@pytest.mark.parametrize(("machine", "old", "new", "allowed"), PAIRS)
def test_I6_an_edge_writes_state_audit_row_and_card_or_nothing(
    store: Store, machine: Machine, old: Any, new: Any, allowed: bool
) -> None:
    row = machine.begin(store, old)
    before = everything(store)
    if not allowed:
        with pytest.raises(IllegalTransition), store.transaction() as tx:
            machine.move(tx, row, new)
        assert everything(store) == before
        return

    with store.transaction() as tx:
        moved = machine.move(tx, row, new)

    assert moved.state is new
    assert moved.note == "why"
    trail = list(audit.rows(store.db))[len(before["audit"]) :]
    assert len(trail) == 1
    assert str(new) in trail[0].action
    assert f'"from":"{old}"' in trail[0].detail
    card = outbox.card(store.db, machine.card(row))
    assert card is not None
    assert (card.state, card.revision) == (NoticeState.DUE, 2)
    assert audit.first_broken(store.db) is None


@pytest.mark.parametrize("name", MACHINES)
def test_I6_whoever_comes_second_loses_and_writes_nothing(store: Store, name: str) -> None:
    machine = MACHINES[name]
    old, new = next((old, sorted(news)[0]) for old, news in machine.table.items() if news)
    row = machine.begin(store, old)
    with store.transaction() as tx:
        assert machine.move(tx, row, new)
    before = everything(store)
    with store.transaction() as tx:
        assert machine.move(tx, row, new) is None
    assert everything(store) == before


@pytest.mark.parametrize("name", MACHINES)
def test_I6_a_transaction_killed_half_way_leaves_nothing(store: Store, name: str) -> None:
    machine = MACHINES[name]
    old, new = next((old, sorted(news)[0]) for old, news in machine.table.items() if news)
    row = machine.begin(store, old)
    before = everything(store)
    with killed_half_way(store) as tx:
        assert machine.move(tx, row, new)
        assert audit_count(store) == len(before["audit"]) + 1
    assert everything(store) == before


@pytest.mark.parametrize("name", MACHINES)
def test_I6_of_twenty_racing_threads_one_moves_the_row(store: Store, name: str) -> None:
    machine = MACHINES[name]
    old, new = next((old, sorted(news)[0]) for old, news in machine.table.items() if news)
    row = machine.begin(store, old)
    audited = audit_count(store)

    def move() -> bool:
        with store.transaction() as tx:
            return machine.move(tx, row, new) is not None

    assert race(20, move).count(True) == 1
    assert audit_count(store) == audited + 1


def test_an_environment_has_one_open_run_under_twenty_threads(store: Store) -> None:
    def ask() -> bool:
        try:
            run_in(store, environment="nonprod")
        except EnvironmentBusy:
            return False
        return True

    assert race(20, ask).count(True) == 1
    assert len(runs.in_state(store.db, RunState.REQUESTED)) == 1
    assert [row.action for row in audit.rows(store.db)] == ["requested"]


def test_an_environment_has_one_open_change_under_twenty_threads(store: Store) -> None:
    def ask() -> bool:
        try:
            change_in(store)
        except ChangeOpen:
            return False
        return True

    assert race(20, ask).count(True) == 1
    assert len(changes.in_state(store.db, ChangeState.PREPARING)) == 1


@pytest.mark.parametrize("state", [state for state in RunState if not state.ended])
def test_an_open_run_in_any_state_locks_its_environment(store: Store, state: RunState) -> None:
    first = run_in(store, state)
    with pytest.raises(EnvironmentBusy) as busy:
        run_in(store)
    assert busy.value.run.id == first.id
    run_in(store, environment="prod")  # another environment is free


@pytest.mark.parametrize("state", [state for state in RunState if state.ended])
def test_an_ended_run_frees_its_environment(store: Store, state: RunState) -> None:
    run_in(store, state)
    assert run_in(store).id == 2


@pytest.mark.parametrize("state", ChangeState)
def test_a_change_locks_its_environment_until_it_has_ended_or_is_blocked(store: Store, state: ChangeState) -> None:
    first = change_in(store, state)
    if state.ended or state is ChangeState.BLOCKED:
        assert change_in(store).id == 2
        return
    with pytest.raises(ChangeOpen) as taken:
        change_in(store)
    assert taken.value.change.id == first.id


def race(count: int, work: Callable[[], bool]) -> list[bool]:
    """What `count` threads got that all began at once."""
    barrier, results = threading.Barrier(count), list[bool]()

    def one() -> None:
        barrier.wait(30)
        results.append(work())

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == count
    return results
