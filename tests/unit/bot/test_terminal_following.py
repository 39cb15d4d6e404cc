"""`--wait`: how far each state has come, what is said on the way, and where waiting ends."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.terminal_following import SILENT, Status, follow, standing
from patching.gate import Outcome
from patching.nodes import EnvironmentKey
from patching.states import ChangeState, RunState
from storage import inquiries, outbox
from storage.database import Store
from storage.outbox import Medium
from storage.runs import Purpose
from tests.unit.commands.desk import NOW, Clock
from tests.unit.storage.rows import change_in, run_in

OPEN = (Status.ACCEPTED, False)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "patchgate.db")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (RunState.REQUESTED, OPEN),
        (RunState.RUNNING, OPEN),
        (RunState.PAUSED, OPEN),
        (RunState.SUCCEEDED, (Status.SUCCEEDED, True)),
        (RunState.DEVIATED, (Status.FAILED, True)),
        (RunState.FAILED, (Status.FAILED, True)),
        (RunState.CANCELLED, (Status.FAILED, True)),
        (RunState.NEEDS_HUMAN, (Status.FAILED, True)),
    ],
)
def test_where_a_run_stands(store: Store, state: RunState, expected: tuple[Status, bool]) -> None:
    found = standing(store.db, run_in(store, state).ref)
    assert (found.status, found.over) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ChangeState.PREPARING, OPEN),
        (ChangeState.PENDING, (Status.WAITS, True)),
        (ChangeState.APPROVED, OPEN),
        (ChangeState.WAITING, OPEN),
        (ChangeState.HELD, (Status.WAITS, True)),
        (ChangeState.USED, OPEN),
        (ChangeState.BLOCKED, (Status.FAILED, True)),
        (ChangeState.REJECTED, (Status.FAILED, True)),
        (ChangeState.WITHDRAWN, (Status.FAILED, True)),
        (ChangeState.EXPIRED, (Status.FAILED, True)),
        (ChangeState.SUPERSEDED, (Status.FAILED, True)),
        (ChangeState.DONE, (Status.FAILED, True)),  # nothing was installed
    ],
)
def test_where_a_change_stands(store: Store, state: ChangeState, expected: tuple[Status, bool]) -> None:
    found = standing(store.db, change_in(store, state).ref)
    assert (found.status, found.over) == expected


@pytest.mark.parametrize(
    ("ended", "status"),
    [(RunState.SUCCEEDED, Status.SUCCEEDED), (RunState.DEVIATED, Status.FAILED), (RunState.FAILED, Status.FAILED)],
)
def test_a_change_ends_as_its_install_did(store: Store, ended: RunState, status: Status) -> None:
    change = change_in(store, ChangeState.DONE)
    run = run_in(store, ended, environment="prod")
    with store.transaction() as tx:
        tx.execute("UPDATE run SET change_id = ?, purpose = ? WHERE id = ?", [change.id, Purpose.CHANGE, run.id])
    assert standing(store.db, change.ref).status is status


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        ({"checks": [{"outcome": Outcome.PASS}, {"outcome": Outcome.WARN}]}, Status.SUCCEEDED),
        ({"checks": [{"outcome": Outcome.PASS}, {"outcome": Outcome.FAIL}]}, Status.FAILED),
        ({"checks": [], "error": "AWS refused it."}, Status.FAILED),
        (None, Status.ACCEPTED),
    ],
)
def test_where_an_inquiry_stands(store: Store, payload: dict[str, object] | None, status: Status) -> None:
    with store.transaction() as tx:
        number = inquiries.ask(tx, NOW, "preflight", EnvironmentKey("orders-db", "prod"), "U0ANN", "C0ORDERS")
        if payload is not None:
            subject = f"inquiry:{number}"
            key = f"{subject}:answer"
            to = "C0ORDERS U0ANN"
            outbox.owe(
                tx,
                NOW,
                key=key,
                kind="preflight",
                medium=Medium.EPHEMERAL,
                recipient=to,
                subject=subject,
                payload=payload,
            )
    found = standing(store.db, f"inquiry-{number}")
    assert (found.status, found.over) == (status, payload is not None)


@dataclass
class Follower:
    """Somebody who waits, on a clock that their pauses move; what happens meanwhile, by the pause's number."""

    path: Path
    moves: dict[int, tuple[str, str, str]] = field(default_factory=dict)  # table, state, note
    clock: Clock = field(default_factory=Clock)
    heard: list[str] = field(default_factory=list)
    pauses: int = 0

    def follow(self, ref: str) -> Status:
        return follow(lambda: Store(self.path, readonly=True), ref, self.clock, self.pause, self.heard.append)

    def pause(self, seconds: float) -> None:
        self.pauses += 1
        self.clock.seconds += seconds
        assert self.pauses < 1000
        move = self.moves.get(self.pauses)
        if move:
            table, state, note = move
            bot = Store(self.path, existing=True)
            with bot.transaction() as tx:
                tx.execute(f"UPDATE {table} SET state = ?, note = ? WHERE id = 1", [state, note])
            bot.close()


def test_each_move_is_said_once_and_the_end_ends_it(store: Store) -> None:
    ref = run_in(store).ref
    moves = {2: ("run", "running", ""), 5: ("run", "running", "AWS throttles."), 9: ("run", "failed", "")}
    follower = Follower(store.path, moves)
    assert follower.follow(ref) is Status.FAILED
    assert follower.heard == [
        "`scan-1` requested",
        "`scan-1` running",
        "`scan-1` running. AWS throttles.",
        "`scan-1` failed",
    ]
    assert follower.pauses == 9


def test_a_change_is_followed_until_it_waits_for_approval(store: Store) -> None:
    follower = Follower(store.path, {3: ("change", "pending", "")})
    assert follower.follow(change_in(store).ref) is Status.WAITS


@pytest.mark.parametrize("kind", ["run", "change"])
def test_what_nobody_takes_up_is_pointed_out_once(store: Store, kind: str) -> None:
    ref = run_in(store).ref if kind == "run" else change_in(store).ref
    end = "succeeded" if kind == "run" else "pending"
    follower = Follower(store.path, {int(SILENT) * 3: (kind, end, "")})
    follower.follow(ref)
    hints = [line for line in follower.heard if "is `patchgate run` running" in line]
    assert len(hints) == 1


def test_what_is_taken_up_in_time_is_not_pointed_out(store: Store) -> None:
    moves = {2: ("run", "running", ""), int(SILENT) * 3: ("run", "succeeded", "")}
    follower = Follower(store.path, moves)
    assert follower.follow(run_in(store).ref) is Status.SUCCEEDED
    assert not any("patchgate run" in line for line in follower.heard)
