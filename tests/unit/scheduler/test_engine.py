"""The engine ends whatever its sweeps do meanwhile."""

import threading
from datetime import datetime

from sandbox.clock import SandboxClock
from scheduler.engine import Engine, Sweep


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
