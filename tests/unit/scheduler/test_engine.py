"""The engine ends whatever its sweeps do meanwhile, and none of them stops another."""

import threading
from datetime import datetime
from pathlib import Path

from sandbox.clock import SandboxClock
from scheduler.engine import Engine, Sweep
from scheduler.failures import FailureReports
from scheduler.jobs import JobBook
from storage import outbox
from storage.database import Store
from tests.town import wait_for


def test_the_end_waits_for_no_sweep_that_wakes_another() -> None:
    engine, running = Engine(SandboxClock()), threading.Event()

    def tick(_now: datetime) -> None:
        running.set()
        while engine.wake("other"):  # as sweeps do for each row that they have committed
            pass

    engine.start([Sweep("busy", 3600, tick), Sweep("other", 3600, lambda _now: None)])
    assert running.wait(10)
    end = threading.Thread(target=engine.stop, daemon=True)
    end.start()
    end.join(20)
    assert not end.is_alive()


def test_the_end_waits_for_the_sweep_that_is_running() -> None:
    engine, running, go_on = Engine(SandboxClock()), threading.Event(), threading.Event()
    done: list[str] = []

    def tick(_now: datetime) -> None:
        running.set()
        assert go_on.wait(10)
        done.append("tick")

    engine.start([Sweep("busy", 3600, tick)])
    assert running.wait(10)
    end = threading.Thread(target=engine.stop, daemon=True)
    end.start()
    go_on.set()
    end.join(20)
    assert not end.is_alive()
    assert done == ["tick"]


def test_nothing_is_woken_before_the_start_and_after_the_end() -> None:
    engine, ticks = Engine(SandboxClock()), threading.Semaphore(0)
    assert not engine.wake("sweep")
    engine.start([Sweep("sweep", 3600, lambda _now: ticks.release())])
    assert ticks.acquire(timeout=10)  # each sweep ticks at the start
    assert engine.wake("sweep")
    assert ticks.acquire(timeout=10)
    engine.stop()
    assert not engine.wake("sweep")
    assert not ticks.acquire(blocking=False)


def test_sweeps_that_hang_and_sweeps_that_fail_leave_the_others_alone() -> None:
    book = JobBook(SandboxClock())
    engine, go_on, ticks = Engine(SandboxClock(), book), threading.Event(), threading.Semaphore(0)

    def fail(_now: datetime) -> None:
        raise OSError("disk full")

    def hang(_now: datetime) -> None:
        assert go_on.wait(30)

    hanging = [Sweep(f"hangs-{number}", 3600, hang) for number in range(15)]
    engine.start([*hanging, Sweep("fails", 3600, fail), Sweep("works", 0.01, lambda _now: ticks.release())])
    for _ in range(5):
        assert ticks.acquire(timeout=10)
    seen = {job.name: job for job in book.snapshot()}
    assert all(seen[sweep.name].running is not None for sweep in hanging)
    assert (seen["fails"].failures, seen["fails"].error) == (1, "OSError: disk full")
    assert seen["works"].failures == 0
    go_on.set()
    engine.stop()
    assert [job.running for job in book.snapshot()] == [None] * 17


def test_no_number_of_wakes_makes_a_failing_sweep_run_as_if_it_did_not_fail() -> None:
    engine, runs, others = Engine(SandboxClock()), threading.Semaphore(0), threading.Semaphore(0)

    def tick(_now: datetime) -> None:
        runs.release()
        engine.wake("fails")  # as a sweep does that fails after it has committed a row
        raise OSError("disk full")

    engine.start([Sweep("fails", 3600, tick), Sweep("other", 3600, lambda _now: others.release())])
    for _ in range(2):  # at the start, and for the first wake
        assert runs.acquire(timeout=10)
    for _ in range(20):
        assert engine.wake("fails")
        assert engine.wake("other")
        assert others.acquire(timeout=10)
    engine.stop()
    assert not runs.acquire(blocking=False)


def test_a_wake_while_a_sweep_runs_is_not_lost() -> None:
    engine, begun, go_on = Engine(SandboxClock()), threading.Semaphore(0), threading.Semaphore(0)

    def tick(_now: datetime) -> None:
        begun.release()
        assert go_on.acquire(timeout=10)

    engine.start([Sweep("busy", 3600, tick)])
    for _ in range(50):
        assert begun.acquire(timeout=10)
        assert engine.wake("busy")  # now and then between its end and what APScheduler takes for its end
        go_on.release()
    assert begun.acquire(timeout=10)
    go_on.release()
    engine.stop()


def test_I7_a_sweep_that_goes_on_failing_is_tried_again_and_told_once_and_so_is_its_end(tmp_path: Path) -> None:
    clock, store, broken = SandboxClock(), Store(tmp_path / "patchgate.db"), threading.Event()
    book = JobBook(clock, FailureReports(store, clock, "C0PATCHING"))
    engine = Engine(clock, book)
    broken.set()

    def tick(_now: datetime) -> None:
        if broken.is_set():
            raise OSError("disk full")

    engine.start([Sweep("track", 0.01, tick)])
    wait_for(lambda: book.snapshot()[0].failures >= 5, "five failures")
    broken.clear()
    wait_for(
        lambda: len(outbox.due(store.db, clock.now())) and book.snapshot()[0].failures == 0, "a run that ends well"
    )
    engine.stop()
    told = [row["kind"] for row in store.db.execute("SELECT kind FROM notice ORDER BY id")]
    store.close()
    assert told == ["sweep-failing", "sweep-recovered"]
