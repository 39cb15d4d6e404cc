"""Pause and Continue between waves: when they can be asked for, whom they name, and that a doubt ends no pause."""

import pytest

from commands.command import Command
from commands.pause import Continue, Pause
from commands.replies import Done
from commands.settle import Settle
from commands.waves import Paused, next_wave, paused, seen, waves
from patching.execution import Execution
from patching.states import RunState
from storage import audit, pauses, runs, steps
from storage.runs import Run
from tests.unit.commands.desk import ADA, ANN, BEN, Desk
from tests.unit.commands.waved import again, end, install, send
from tests.unit.storage.rows import run_in


def said(desk: Desk, command: Command) -> str:
    reply = desk.ask(command, ANN)
    assert isinstance(reply, Done)
    return reply.sentence


def standing(desk: Desk, run: Run) -> Paused | None:
    return paused(desk.store.db, again(desk, run), steps.of_run(desk.store.db, run.id))


def test_I6_the_wave_that_has_begun_goes_on_and_the_pause_begins_at_its_end(desk: Desk) -> None:
    run = install(desk)
    send(desk, run, 1)
    asked = desk.clock.now()
    assert said(desk, Pause(run.ref)) == (
        "install-1 pauses after wave 1 of 3 (canary): that goes on to its end, and no further wave begins before "
        "somebody continues it."
    )
    row = list(audit.rows(desk.store.db, run.ref))[-1]
    assert (row.actor, row.action) == ("U0ANN", "paused")
    assert standing(desk, run) == Paused("U0ANN", None, row.id)
    desk.later(minutes=20)
    end(desk, run, 1, 2)
    assert standing(desk, run) == Paused("U0ANN", desk.clock.now(), row.id)
    assert desk.clock.now() > asked


def test_between_two_waves_it_pauses_at_once(desk: Desk) -> None:
    run = install(desk)
    end(desk, run, 1, 2)
    desk.later(minutes=5)
    assert said(desk, Pause(run.ref)) == "install-1 is paused after wave 1 of 3 (canary), until somebody continues it."
    found = standing(desk, run)
    assert found
    assert found.since == desk.clock.now()


def test_before_anything_was_sent_it_pauses_before_the_first_wave(desk: Desk) -> None:
    assert said(desk, Pause(install(desk).ref)) == (
        "install-1 pauses before its first wave, until somebody continues it."
    )


def test_I6_it_goes_on_with_the_next_wave(desk: Desk) -> None:
    run = install(desk, production=True)
    end(desk, run, 1, 2)
    desk.ask(Pause(run.ref), ADA)
    assert said(desk, Continue(run.ref)) == "install-1 goes on with wave 2 of 3 (Role=replica)."
    assert again(desk, run).state is RunState.RUNNING
    assert [row.action for row in audit.rows(desk.store.db, run.ref)][-2:] == ["paused", "running"]
    assert desk.woken[-2:] == ["dispatch", "deliver"]
    assert standing(desk, run) is None


def test_double_clicks_change_nothing(desk: Desk) -> None:
    run = install(desk)
    assert "is running, not paused" in desk.refused(Continue(run.ref), ANN).sentence
    desk.ask(Pause(run.ref), BEN)
    refusal = desk.refused(Pause(run.ref), ANN)
    assert (refusal.sentence, refusal.person) == (
        "install-1 is paused already, by {person}; nothing was done.",
        "U0BEN",
    )
    desk.ask(Continue(run.ref), ANN)
    assert "is running, not paused" in desk.refused(Continue(run.ref), ANN).sentence


def test_without_a_wave_to_come_there_is_nothing_to_pause(desk: Desk) -> None:
    one = install(desk, execution=Execution())
    assert "goes in one piece, without waves" in desk.refused(Pause(one.ref), ANN).sentence
    scan = run_in(desk.store, RunState.RUNNING, environment="elsewhere")
    assert "goes in one piece, without waves" in desk.refused(Pause(scan.ref), ANN).sentence
    fresh = install(desk, RunState.REQUESTED, production=True)
    assert "has not begun" in desk.refused(Pause(fresh.ref), ANN).sentence


def test_in_the_last_wave_there_is_none_to_pause_before(desk: Desk) -> None:
    run = install(desk)
    end(desk, run, 1, 2, 3, 4)
    send(desk, run, 5)
    assert "The last wave of install-1 has begun" in desk.refused(Pause(run.ref), ANN).sentence


@pytest.mark.parametrize("was", [RunState.PAUSED, RunState.RUNNING])
def test_I2_a_doubt_that_is_settled_ends_no_pause(desk: Desk, was: RunState) -> None:
    """Whoever paused it must not find the next wave begun because an admin answered a question."""
    run = install(desk)
    send(desk, run, 1)
    if was is RunState.PAUSED:
        desk.ask(Pause(run.ref), BEN)
    with desk.store.transaction() as tx:
        tx.execute("UPDATE step SET state = 'unknown' WHERE run_id = ? AND position = 1", [run.id])
        runs.transition(tx, again(desk, run), RunState.NEEDS_HUMAN, desk.clock.now(), "clock", note="Who knows.")
    (doubt,) = [step for step in steps.of_run(desk.store.db, run.id) if step.position == 1]
    desk.ask(Settle(doubt.id, ran=True), ADA)
    assert again(desk, run).state is was
    known = pauses.of_run(desk.store.db, again(desk, run))
    assert (known.by if known else None) == ("U0BEN" if was is RunState.PAUSED else None)


def test_waves_count_the_nodes_on_which_the_install_has_ended(desk: Desk) -> None:
    run = install(desk)
    end(desk, run, 1, 2)
    send(desk, run, 3, "i-2")
    planned = steps.of_run(desk.store.db, run.id)
    found = waves(planned, seen(desk.store.db, planned))
    assert [(each.name, each.nodes, each.finished, each.begun, each.ended) for each in found] == [
        ("canary", 1, 1, True, True),
        ("Role=replica", 2, 0, True, False),
        ("Role=primary", 1, 0, False, False),
    ]
    following = next_wave(found)
    assert following
    assert (following.number, following.of) == (3, 3)
