"""What is told of failures: one line without secrets, once for each time that something goes on failing (I7)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.failures import LIMIT, FailureReports, described
from storage.database import Store
from storage.failing import Source
from tests.unit.commands.desk import NOW, Clock

TRACK, WORK = Source("sweep", "track"), Source("work", "track")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "patchgate.db")
    yield opened
    opened.close()


def owed(store: Store) -> list[tuple[str, str, str]]:
    rows = store.db.execute("SELECT kind, recipient, key FROM notice ORDER BY id")
    return [(row["kind"], row["recipient"], row["key"]) for row in rows]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("step 7 is gone"), "ValueError: step 7 is gone"),
        (KeyError(), "KeyError"),
        (OSError(28, "No space left on device", "/var/lib/patchgate.db"),
         "OSError: [Errno 28] No space left on device: '/var/lib/patchgate.db'"),
        (RuntimeError("two\n  lines"), "RuntimeError: two lines"),
        (RuntimeError("not taken: xoxb-123-abc and xapp-1-A0-99"), "RuntimeError: not taken: … and …"),
        (RuntimeError("smtp://bot:hunter2@mail.example.com:587 refused"),
         "RuntimeError: smtp://…@mail.example.com:587 refused"),
        (RuntimeError("POST https://hooks.slack.com/commands/T0/1/abc: 500"),
         "RuntimeError: POST https://hooks.slack.com/… 500"),
        (RuntimeError("password=hunter2, user=bot"), "RuntimeError: password=…, user=bot"),
        (RuntimeError("signed with AKIAIOSFODNN7EXAMPLE"), "RuntimeError: signed with …"),
        (RuntimeError("got " + "A1b2" * 15), "RuntimeError: got …"),
    ],
)  # fmt: skip
def test_an_error_is_one_line_without_secrets(error: Exception, line: str) -> None:
    assert described(error) == line


def test_an_error_is_cut() -> None:
    assert len(described(ValueError("word " * 100))) == LIMIT


def test_I7_each_time_is_told_once_and_its_end_too(store: Store) -> None:
    reports = FailureReports(store, Clock(), "C0PATCHING")
    reports.works(TRACK)
    assert owed(store) == []
    for failures in (3, 4, 5):
        reports.fails(TRACK, NOW, failures, "OSError: full")
    reports.fails(WORK, NOW, 3, "OSError: full")
    for _ in range(2):
        reports.works(TRACK)
    again = NOW + timedelta(hours=1)
    reports.fails(TRACK, again, 3, "OSError: full")
    at, later = NOW.isoformat(), again.isoformat()
    assert owed(store) == [
        ("sweep-failing", "C0PATCHING", f"sweep:track:failing:{at}"),
        ("sweep-failing", "C0PATCHING", f"work:track:failing:{at}"),
        ("sweep-recovered", "C0PATCHING", f"sweep:track:recovered:{at}"),
        ("sweep-failing", "C0PATCHING", f"sweep:track:failing:{later}"),
    ]


def test_I7_a_restart_repeats_nothing_and_leaves_no_end_out(store: Store) -> None:
    FailureReports(store, Clock(), "C0PATCHING").fails(TRACK, NOW, 3, "OSError: full")
    after = FailureReports(store, Clock(), "C0PATCHING")
    after.fails(TRACK, NOW + timedelta(minutes=5), 3, "OSError: full")  # as the new process sees it
    after.works(TRACK)
    FailureReports(store, Clock(), "C0PATCHING").works(TRACK)
    assert [kind for kind, _, _ in owed(store)] == ["sweep-failing", "sweep-recovered"]
    assert owed(store)[1][2] == f"sweep:track:recovered:{NOW.isoformat()}"


def test_a_store_that_fails_too_raises_nothing_and_is_told_when_it_works(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    reports = FailureReports(store, Clock(), "C0PATCHING")
    store.db.execute("ALTER TABLE notice RENAME TO elsewhere")
    reports.fails(TRACK, NOW, 3, "OSError: full")
    reports.works(TRACK)
    assert "it can't be read what the channel was told of" in caplog.text
    store.db.execute("ALTER TABLE elsewhere RENAME TO notice")
    reports.works(WORK)  # it is read by now
    store.db.execute("CREATE TRIGGER full BEFORE INSERT ON notice BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    reports.fails(TRACK, NOW, 4, "OSError: full")
    assert owed(store) == []
    assert "the channel is not told that sweep:track is failing" in caplog.text
    store.db.execute("DROP TRIGGER full")
    reports.fails(TRACK, NOW, 5, "OSError: full")
    assert [kind for kind, _, _ in owed(store)] == ["sweep-failing"]
