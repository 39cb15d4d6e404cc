"""What a run's message says of each node while the run is under way."""

from commands.reports import run_report
from patching.outcomes import NodeOutcome
from storage import invocations, runs
from storage.invocations import Invocation
from tests.unit.commands.desk import NOW, Desk
from tests.unit.commands.waved import end, install, send


def test_a_node_on_which_a_step_has_ended_waits_for_nothing_while_others_of_its_wave_go_on(desk: Desk) -> None:
    run = install(desk)
    end(desk, run, 1, 2)
    send(desk, run, 3, "i-2", "i-3")
    succeeded(desk, f"step-{run.id}-3", "i-2")
    assert told(desk, run.id) == {
        "i-1": ("done", ""),
        "i-2": ("running", "installed, to be verified"),
        "i-3": ("running", "installing"),
        "i-4": ("waiting", "wave 3"),
    }
    end(desk, run, 3)
    send(desk, run, 4, "i-2", "i-3")
    succeeded(desk, f"step-{run.id}-4", "i-2")
    assert told(desk, run.id)["i-2"] == ("done", "")
    assert told(desk, run.id)["i-3"] == ("running", "verifying")


def succeeded(desk: Desk, step_id: str, node_id: str) -> None:
    with desk.store.transaction() as tx:
        seen = Invocation(step_id, node_id, "Success", "Success", NodeOutcome.SUCCEEDED, "")
        invocations.record(tx, NOW, seen)


def told(desk: Desk, run_id: int) -> dict[str, tuple[str, str]]:
    report = run_report(desk.store, runs.get(desk.store.db, run_id))
    return {line.id: (line.state, line.detail) for line in report.nodes}
