"""Reported problems: one open for an application, and for how long it held the soak's clock."""

from datetime import datetime, timedelta

import pytest

from patching.states import RunState
from storage import audit, problems
from storage.database import Store
from storage.problems import Problem, ProblemOpen
from tests.unit.storage.rows import NOW, everything, killed_half_way, run_in

HOUR = timedelta(hours=1)


def test_an_application_has_one_open_problem(store: Store) -> None:
    report(store, NOW)
    run = run_in(store, RunState.SUCCEEDED)
    before = everything(store)
    with pytest.raises(ProblemOpen) as known, store.transaction() as tx:
        problems.report(tx, NOW + HOUR, "orders-db", run.id, run.ref, "U0BEN", "queries hang")
    assert known.value.problem.reported_by == "U0EVE"
    assert everything(store) == before
    report(store, NOW, application="billing-db")


def test_I6_reporting_and_clearing_are_in_the_trail_with_their_reasons(store: Store) -> None:
    clear(store, report(store, NOW), NOW + HOUR)
    rows = [row for row in audit.rows(store.db) if row.action.startswith("problem")]
    assert [(row.actor, row.action) for row in rows] == [("U0EVE", "problem reported"), ("U0ANN", "problem cleared")]
    assert "queries hang" in rows[0].detail
    assert "was the network" in rows[1].detail


def test_whoever_clears_second_changes_nothing(store: Store) -> None:
    problem = report(store, NOW)
    assert clear(store, problem, NOW + HOUR)
    before = everything(store)
    assert not clear(store, problem, NOW + 2 * HOUR)
    assert everything(store) == before
    assert problems.open_problem(store.db, "orders-db") is None


def test_a_report_that_dies_half_way_holds_nothing(store: Store) -> None:
    run = run_in(store, RunState.SUCCEEDED)
    with killed_half_way(store) as tx:
        problems.report(tx, NOW, "orders-db", run.id, run.ref, "U0EVE", "queries hang")
    assert problems.open_problem(store.db, "orders-db") is None


@pytest.mark.parametrize(
    ("held", "since", "until", "hours"),
    [
        pytest.param([], 0, 10, 0, id="nothing reported"),
        pytest.param([(2, 5)], 0, 10, 3, id="cleared"),
        pytest.param([(2, None)], 0, 10, 8, id="still open"),
        pytest.param([(2, 5)], 3, 10, 2, id="reported before the soak began"),
        pytest.param([(2, 5)], 0, 4, 2, id="cleared after the moment asked about"),
        pytest.param([(2, 5)], 6, 10, 0, id="over before the soak began"),
        pytest.param([(1, 2), (4, 7)], 0, 10, 4, id="twice"),
    ],
)
def test_the_soak_stands_still_while_a_problem_is_open(
    store: Store, held: list[tuple[int, int | None]], since: int, until: int, hours: int
) -> None:
    for begun, ended in held:
        problem = report(store, NOW + begun * HOUR)
        if ended is not None:
            clear(store, problem, NOW + ended * HOUR)
    assert problems.held(store.db, "orders-db", NOW + since * HOUR, NOW + until * HOUR) == hours * HOUR
    assert problems.held(store.db, "billing-db", NOW, NOW + 10 * HOUR) == timedelta()


def report(store: Store, at: datetime, *, user: str = "U0EVE", application: str = "orders-db") -> Problem:
    run = run_in(store, RunState.SUCCEEDED, application=application)
    with store.transaction() as tx:
        problems.report(tx, at, application, run.id, run.ref, user, "queries hang")
    found = problems.open_problem(store.db, application)
    assert found is not None
    return found


def clear(store: Store, problem: Problem, at: datetime) -> bool:
    with store.transaction() as tx:
        return problems.clear(tx, at, problem, "install-1", "U0ANN", "was the network")
