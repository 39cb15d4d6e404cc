"""What is kept of sweeps and of work in pools, on a clock that moves when told."""

from datetime import UTC, datetime, timedelta

import pytest

from commands.ports import Job
from scheduler.jobs import FORGOTTEN, LONGEST_PAUSE, JobBook
from storage.failing import Source

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
BROKEN = OSError("no space left on device")


class Clock:
    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed


class Said:
    """What reports were asked to tell, in order."""

    def __init__(self) -> None:
        self.failing: list[tuple[str, datetime, int, str]] = []
        self.working: list[str] = []

    def fails(self, source: Source, since: datetime, failures: int, error: str) -> None:
        self.failing.append((str(source), since, failures, error))

    def works(self, source: Source) -> None:
        self.working.append(str(source))


class Desk:
    def __init__(self) -> None:
        self.clock, self.said = Clock(), Said()
        self.book = JobBook(self.clock, self.said)
        self.book.expect("track", 1)

    def run(self, error: Exception | None = None, *, takes: float = 0.0, woken: bool = False) -> float | None:
        self.book.began("track", woken=woken)
        self.clock.passed += takes
        return self.book.ended("track", error)

    @property
    def job(self) -> Job:
        return self.book.snapshot()[0]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_sweep_that_has_not_run_says_so(desk: Desk) -> None:
    job = desk.job
    assert (job.name, job.every, job.runs) == ("track", 1, 0)
    assert (job.started_at, job.took, job.lag, job.running, job.failing_since, job.retry_in) == (None,) * 6


def test_when_it_ran_how_long_it_took_and_how_late_it_began(desk: Desk) -> None:
    desk.clock.passed = 0.25
    assert desk.run(takes=0.5) is None
    assert (desk.job.started_at, desk.job.took, desk.job.lag) == (START + timedelta(seconds=0.25), 0.5, 0.25)
    desk.clock.passed = 4.25  # it was due at 1.25
    desk.run(takes=2)
    assert (desk.job.took, desk.job.lag, desk.job.runs) == (2, 3, 2)
    desk.clock.passed = 6.3
    desk.run(woken=True)
    assert desk.job.lag is None
    desk.clock.passed = 7  # sooner than it had to
    desk.run()
    assert desk.job.lag == 0


def test_a_sweep_that_hangs_is_seen_running(desk: Desk) -> None:
    desk.run()
    desk.clock.passed = 1
    desk.book.began("track", woken=False)
    desk.clock.passed = 91
    assert (desk.job.running, desk.job.started_at, desk.job.runs) == (90, START + timedelta(seconds=1), 1)
    desk.book.ended("track", None)
    assert (desk.job.running, desk.job.took) == (None, 90)


def test_pauses_double_up_to_five_minutes_and_success_resets_them(desk: Desk) -> None:
    pauses = []
    for _ in range(11):
        pause = desk.run(BROKEN)
        assert pause is not None
        pauses.append(pause)
        assert desk.job.retry_in == pause
        desk.clock.passed += pause
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
    assert (desk.job.failures, desk.job.failing_since) == (11, START)
    assert desk.job.error == "OSError: no space left on device"
    assert desk.job.lag == 0  # its time was that of the pause
    assert desk.run() is None
    assert (desk.job.failures, desk.job.failing_since, desk.job.error, desk.job.retry_in) == (0, None, "", None)
    assert desk.run(BROKEN) == 2


def test_a_sweep_that_runs_seldom_is_tried_no_more_seldom_for_failing(desk: Desk) -> None:
    desk.book.expect("track", 900)
    assert desk.run(BROKEN) == 900


def test_one_wake_in_a_pause_is_honoured_and_its_failure_leaves_the_pause_as_it_is(desk: Desk) -> None:
    assert desk.book.honours_wake("track")
    assert desk.book.honours_wake("track")
    desk.run(BROKEN)
    desk.clock.passed = 0.5
    assert desk.book.honours_wake("track")
    assert desk.run(BROKEN, woken=True) == 1.5
    assert not desk.book.honours_wake("track")
    desk.clock.passed = 2
    assert desk.run(BROKEN) == 4  # the next pause, in which a wake counts again
    assert desk.job.failures == 3
    assert desk.book.honours_wake("track")
    assert not desk.book.honours_wake("track")
    assert desk.run(woken=True) is None
    assert desk.book.honours_wake("track")
    assert desk.book.honours_wake("track")


def test_people_are_told_from_the_third_failure_in_a_row_on(desk: Desk) -> None:
    desk.run(BROKEN)
    desk.run()
    desk.clock.passed = 10
    desk.run(BROKEN)
    desk.run(BROKEN)
    assert (desk.said.failing, desk.said.working) == ([], ["sweep:track"])
    desk.run(BROKEN)
    since = START + timedelta(seconds=10)
    assert desk.said.failing == [("sweep:track", since, 3, "OSError: no space left on device")]
    desk.run()
    assert desk.said.working == ["sweep:track"] * 2


def work(desk: Desk, row: int, error: Exception | None = None) -> None:
    desk.book.work_began(("collect", row))
    desk.book.work_ended(("collect", row), error)


def test_a_row_that_always_fails_is_seen_among_others_that_do_not(desk: Desk) -> None:
    for _ in range(3):
        work(desk, 7, ValueError("step 7"))
        work(desk, 8)
        desk.clock.passed += 1
    work(desk, 9, ValueError("step 9"))
    (_, job) = desk.book.snapshot()
    assert (job.name, job.every, job.runs, job.failures) == ("collect", None, 7, 3)
    assert (job.failing_since, job.error) == (START, "ValueError: step 9")
    assert [(source, failures) for source, _, failures, _ in desk.said.failing] == [("work:collect", 3)] * 3
    assert desk.said.working == []
    work(desk, 7)
    work(desk, 9)
    assert desk.said.working == ["work:collect"]
    assert desk.book.snapshot()[1].failures == 0


def test_a_row_that_is_not_worked_on_any_more_fails_no_more(desk: Desk) -> None:
    for _ in range(3):
        work(desk, 7, BROKEN)
    desk.clock.passed = FORGOTTEN
    work(desk, 8)
    assert desk.said.working == []
    desk.clock.passed += 1
    assert desk.book.snapshot()[1].failures == 0
    work(desk, 8)
    assert desk.said.working == ["work:collect"]


def test_of_work_in_a_pool_the_longest_is_shown(desk: Desk) -> None:
    desk.book.work_began(("collect", 1))
    desk.clock.passed = 30
    desk.book.work_began(("collect", 2))
    desk.book.work_began("a key without a sweep")
    desk.clock.passed = 40
    desk.book.work_ended(("collect", 2), None)
    running = {job.name: (job.running, job.took) for job in desk.book.snapshot()}
    assert running == {"track": (None, None), "collect": (40, 10), "other": (10, None)}
