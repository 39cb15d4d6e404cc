"""What the buttons on a run's message do: report and clear a problem, settle a doubt (I2)."""

import pytest

from commands.command import Command
from commands.problem import ClearProblem, ReportProblem
from commands.reasons import LONGEST_REASON
from commands.replies import Done
from commands.settle import Settle
from patching.model import Operation
from patching.states import RunState, StepState
from storage import audit, problems, runs, steps
from storage.runs import Purpose, Run
from tests.unit.commands.desk import ADA, ANN, EVE, Desk
from tests.unit.storage.rows import run_in, step_in


def install(desk: Desk, state: RunState = RunState.SUCCEEDED, *, production: bool = False) -> Run:
    with desk.store.transaction() as tx:
        run = runs.create(
            tx,
            desk.clock.now(),
            operation=Operation.INSTALL,
            application="orders-db",
            environment="prod" if production else "nonprod",
            production=production,
            purpose=Purpose.REQUEST,
            requested_by="U0ANN",
        )
        tx.execute("UPDATE run SET state = ? WHERE id = ?", [state, run.id])
    return runs.get(desk.store.db, run.id)


@pytest.mark.parametrize("state", [state for state in RunState if state.ended])
def test_anybody_reports_a_problem_after_an_install_whatever_came_of_it(desk: Desk, state: RunState) -> None:
    desk.ask(ReportProblem(install(desk, state).id, "  queries\n hang "), EVE)
    problem = problems.open_problem(desk.store.db, "orders-db")
    assert problem is not None
    assert (problem.reported_by, problem.reason) == ("U0EVE", "queries hang")


@pytest.mark.parametrize("state", [state for state in RunState if not state.ended])
def test_no_problem_is_reported_on_an_install_that_goes_on(desk: Desk, state: RunState) -> None:
    assert "that has ended" in desk.refused(ReportProblem(install(desk, state).id, "queries hang"), EVE).sentence


def test_no_problem_is_reported_on_a_scan_production_or_nothing(desk: Desk) -> None:
    scan = run_in(desk.store, RunState.SUCCEEDED)
    production = install(desk, production=True)
    for run_id in (scan.id, production.id, 99):
        assert "non-production install" in desk.refused(ReportProblem(run_id, "queries hang"), EVE).sentence


def test_a_second_report_names_the_first(desk: Desk) -> None:
    run = install(desk)
    desk.ask(ReportProblem(run.id, "queries hang"), EVE)
    refusal = desk.refused(ReportProblem(run.id, "me too"), ANN)
    assert refusal.person == "U0EVE"
    assert "Nothing more was recorded" in refusal.sentence


@pytest.mark.parametrize(
    ("reason", "words"),
    [("", "A reason is needed"), (" \n\t ", "A reason is needed"), ("x" * 601, "has 601 characters")],
)
@pytest.mark.parametrize("what", ["report", "clear"])
def test_a_reason_is_asked_for_and_bounded(desk: Desk, reason: str, words: str, what: str) -> None:
    run = install(desk)
    asked: Command = ReportProblem(run.id, reason)
    if what == "clear":
        desk.ask(ReportProblem(run.id, "x" * LONGEST_REASON), EVE)
        asked = ClearProblem("orders-db", reason)
    assert words in desk.refused(asked, ANN).sentence


def test_a_problem_is_cleared_once(desk: Desk) -> None:
    desk.ask(ReportProblem(install(desk).id, "queries hang"), EVE)
    desk.ask(ClearProblem("orders-db", "was the network"), ANN)
    assert problems.open_problem(desk.store.db, "orders-db") is None
    assert "No problem is reported" in desk.refused(ClearProblem("orders-db", "again"), ANN).sentence


@pytest.mark.parametrize("ran", [True, False])
def test_I2_a_doubt_is_settled_and_nothing_can_be_sent_again(desk: Desk, ran: bool) -> None:
    run = run_in(desk.store, RunState.NEEDS_HUMAN)
    step, later = step_in(desk.store, StepState.UNKNOWN, run=run), step_in(desk.store, run=run)
    reply = desk.ask(Settle(step.id, ran), ADA)
    assert isinstance(reply, Done)
    settled, after = steps.get(desk.store.db, step.id), steps.get(desk.store.db, later.id)
    assert settled.state is (StepState.SENT if ran else StepState.FAILED)
    assert after.state is (StepState.PLANNED if ran else StepState.FAILED)
    assert runs.get(desk.store.db, run.id).state is RunState.RUNNING
    said = next(row for row in audit.rows(desk.store.db) if row.action == "settled")
    assert (said.actor, f'"ran":{str(ran).lower()}' in said.detail) == ("U0ADA", True)
    assert "dispatch" not in desk.woken


@pytest.mark.parametrize("state", [state for state in StepState if state is not StepState.UNKNOWN])
def test_I2_only_a_doubt_can_be_settled(desk: Desk, state: StepState) -> None:
    run = run_in(desk.store, RunState.NEEDS_HUMAN)
    step = step_in(desk.store, state, run=run)
    assert "settled already" in desk.refused(Settle(step.id, True), ADA).sentence


def test_I2_a_doubt_is_not_settled_while_it_is_still_looked_up(desk: Desk) -> None:
    step = step_in(desk.store, StepState.UNKNOWN, run=run_in(desk.store, RunState.RUNNING))
    assert "settled already" in desk.refused(Settle(step.id, False), ADA).sentence


def test_I2_two_admins_who_disagree_do_not_both_count(desk: Desk) -> None:
    step = step_in(desk.store, StepState.UNKNOWN, run=run_in(desk.store, RunState.NEEDS_HUMAN))
    desk.ask(Settle(step.id, False), ADA)
    assert "settled already" in desk.refused(Settle(step.id, True), ADA).sentence
