"""`/patch cancel`: who may, what it stops, what it says of what it does not stop."""

import pytest

from commands.cancel import Cancel
from commands.command import Actor
from commands.pause import Continue, Pause
from commands.ports import Role
from commands.replies import Done
from commands.waves import Reach, reach, seen
from patching.execution import Execution
from patching.states import ChangeState, RunState, StepState
from storage import audit, runs, steps
from storage.runs import Purpose, Run
from tests.unit.commands.desk import ADA, ANN, BEN, EVE, KIM, OLA, Desk
from tests.unit.commands.waved import PRIMARY, REPLICAS, again, end, install, send
from tests.unit.storage.rows import run_in, step_in

LEE = Actor("U0LEE", frozenset())  # asked for the change that Ann asked for again
ANN_WITHOUT_ROLE = Actor("U0ANN", frozenset())


def said(desk: Desk, run: Run, actor: Actor = ANN) -> str:
    reply = desk.ask(Cancel(run.ref), actor)
    assert isinstance(reply, Done)
    return reply.sentence


@pytest.mark.parametrize(
    ("production", "able", "unable"),
    [
        (False, (ANN_WITHOUT_ROLE, BEN), (OLA, ADA, EVE)),
        (True, (ANN_WITHOUT_ROLE, LEE, OLA, KIM, ADA), (BEN, EVE)),
    ],
)
@pytest.mark.parametrize("command", [Cancel, Pause, Continue])
def test_I4_who_asked_may_and_who_could_have_asked_or_decided(
    desk: Desk,
    production: bool,
    able: tuple[Actor, ...],
    unable: tuple[Actor, ...],
    command: type[Cancel | Pause | Continue],
) -> None:
    run = install(desk, RunState.PAUSED if command is Continue else RunState.RUNNING, production=production)
    asked = command(run.ref)
    for actor in unable:
        others = "approvers and admins" if production else "operators"
        sentence = desk.refused(asked, actor).sentence
        assert sentence == f"Only those who asked for {run.ref}, and {others}, can {command.name} it; nothing was done."
    for actor in able:
        with desk.store.transaction() as tx:
            tx.execute("UPDATE run SET state = ?, cancelled_at = NULL WHERE id = ?", [run.state, run.id])
        assert isinstance(desk.ask(asked, actor), Done)


def test_I4_a_scan_of_production_is_the_operators(desk: Desk) -> None:
    run = run_in(desk.store, RunState.REQUESTED, environment="prod")
    assert "and operators, can cancel it" in desk.refused(Cancel(run.ref), OLA).sentence
    assert said(desk, run, BEN) == f"{run.ref} is cancelled; nothing of it was sent."


def test_I6_a_run_that_has_not_begun_ends_at_once(desk: Desk) -> None:
    run = install(desk, RunState.REQUESTED)
    assert said(desk, run, BEN) == f"{run.ref} is cancelled; nothing of it was sent."
    after = again(desk, run)
    assert (after.state, after.cancelled_by, after.note) == (RunState.CANCELLED, "U0BEN", "Nothing of it was sent.")
    rows = [(row.actor, row.action) for row in audit.rows(desk.store.db, run.ref)]
    assert rows[-2:] == [("U0BEN", "cancel asked"), ("U0BEN", "cancelled")]


def test_I9_an_install_under_way_is_not_stopped_and_the_answer_says_on_which_nodes(desk: Desk) -> None:
    """Canary done; of the two replicas after it one has begun and one waits for its turn in the same command."""
    run = install(desk)
    end(desk, run, 1, 2)
    send(desk, run, 3, REPLICAS[1])
    sentence = said(desk, run)
    assert sentence == (
        f"{run.ref} is being cancelled: nothing more of it is sent. It has ended on 1 node. On 1 node it is under way "
        "and goes on to its end. 1 node not begun will be patched too: a command that is with AWS is not stopped, for "
        "that could stop a package manager in the middle. 1 node will be left alone."
    )
    after = again(desk, run)
    assert (after.state, after.cancelled_by) == (RunState.RUNNING, "U0ANN")
    assert {"dispatch", "finish", "deliver"} <= set(desk.woken)
    planned = steps.of_run(desk.store.db, run.id)
    expected = Reach((REPLICAS[0],), (REPLICAS[1],), (REPLICAS[2],), (PRIMARY,))
    assert reach(planned, seen(desk.store.db, planned)) == expected


def test_a_second_click_changes_nothing_and_names_who_was_first(desk: Desk) -> None:
    run = install(desk)
    said(desk, run)
    refusal = desk.refused(Cancel(run.ref), BEN)
    assert refusal.person == "U0ANN"
    assert "is being cancelled already, by {person}" in refusal.sentence
    for command in (Pause(run.ref), Continue(run.ref)):
        assert "is being cancelled already" in desk.refused(command, ANN).sentence


def test_a_paused_run_is_cancelled_and_paused_no_more_by_it(desk: Desk) -> None:
    run = install(desk)
    desk.ask(Pause(run.ref), ANN)
    assert "4 nodes will be left alone" in said(desk, run)
    assert again(desk, run).state is RunState.PAUSED  # until the sweep has let its steps fall
    assert "is being cancelled already" in desk.refused(Continue(run.ref), ANN).sentence


@pytest.mark.parametrize("begun", [True, False])
def test_where_nothing_is_left_to_stop_nothing_is_called_cancelled(desk: Desk, begun: bool) -> None:
    run = install(desk, execution=Execution())
    send(desk, run, 1, *REPLICAS[:2])
    words = "All of install-1 is with AWS already, on its last 4 nodes, 2 of them not begun, and a command that is with"
    if not begun:
        end(desk, run, 1)
        words = "Nothing of install-1 is left to be installed; nothing was done. It only looks at its nodes now."
    assert words in desk.refused(Cancel(run.ref), ANN).sentence


def test_a_scan_is_cancelled_as_long_as_any_of_it_goes_on(desk: Desk) -> None:
    run = run_in(desk.store, RunState.RUNNING)
    step = step_in(desk.store, StepState.SENT, run=run)
    assert said(desk, run) == (
        "scan-1 is being cancelled: nothing more of it is sent, and what was sent is cancelled at AWS."
    )
    assert steps.get(desk.store.db, step.id).cancelled_at is None  # the sweep asks AWS
    assert "cancelling" in desk.woken


@pytest.mark.parametrize("state", [state for state in RunState if state.ended])
@pytest.mark.parametrize("command", [Cancel, Pause, Continue])
def test_what_has_ended_is_left_as_it_is(desk: Desk, state: RunState, command: type[Cancel | Pause | Continue]) -> None:
    run = run_in(desk.store, state)
    sentence = desk.refused(command(run.ref), ANN).sentence
    assert sentence == f"{run.ref} has ended as {state}, so there is nothing to {command.name}; nothing was done."


def test_what_was_cancelled_names_who_did_it(desk: Desk) -> None:
    run = install(desk, RunState.REQUESTED)
    said(desk, run, BEN)
    refusal = desk.refused(Cancel(run.ref), ANN)
    assert refusal.person == "U0BEN"
    assert "was cancelled already, by {person}" in refusal.sentence


def test_I2_a_run_that_needs_a_person_is_settled_first(desk: Desk) -> None:
    run = run_in(desk.store, RunState.NEEDS_HUMAN)
    for command in (Cancel(run.ref), Pause(run.ref), Continue(run.ref)):
        assert "First an admin settles its doubt" in desk.refused(command, ANN).sentence


@pytest.mark.parametrize("ref", ["install-1", "scan-99"])
def test_what_is_not_there_is_said_so(desk: Desk, ref: str) -> None:
    run_in(desk.store, RunState.RUNNING)  # scan-1
    assert desk.refused(Cancel(ref), ANN).sentence.startswith(f"There is no {ref}; nothing was done.")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ChangeState.PENDING, "with Withdraw in its message: `/patch status change-1`"),
        (ChangeState.APPROVED, "change-1 has installed nothing yet"),
        (ChangeState.DONE, "change-1 is done, so there is nothing to cancel"),
        (ChangeState.USED, "change-1 is used, so there is nothing to cancel"),
    ],
)
def test_a_change_is_withdrawn_and_not_cancelled(desk: Desk, state: ChangeState, words: str) -> None:
    assert words in desk.refused(Cancel(desk.change(state).ref), ANN).sentence
    assert "There is no change-99" in desk.refused(Cancel("change-99"), ANN).sentence


def test_a_change_that_installs_names_its_run(desk: Desk) -> None:
    run = install(desk, production=True)
    assert run.purpose is Purpose.CHANGE
    sentence = desk.refused(Pause(f"change-{run.change_id}"), ANN).sentence
    assert f"For that: `/patch pause {run.ref}`" in sentence


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("production", [True, False])
def test_I4_a_role_grants_no_more_than_the_rule_says(desk: Desk, role: Role, production: bool) -> None:
    able = {Role.APPROVER, Role.ADMIN} if production else {Role.OPERATOR}
    run, actor = install(desk, production=production), Actor("U0XYZ", frozenset({role}))
    if role in able:
        said(desk, run, actor)
    else:
        desk.refused(Cancel(run.ref), actor)
    assert (again(desk, run).cancelled_at is not None) == (role in able)


def test_who_was_first_stays_on_record(desk: Desk) -> None:
    run = install(desk)
    with desk.store.transaction() as tx:
        runs.cancel(tx, run, desk.clock.now(), "U0ANN")
        runs.cancel(tx, run, desk.clock.now(), "U0BEN")
    assert again(desk, run).cancelled_by == "U0ANN"
