"""How far what was asked for has come: read from the store again and again, for `--wait` and the exit status."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from enum import IntEnum

from sqlite_utils import Database

from bot.views.change import change_words
from bot.views.run import state_words
from bot.views.text import code, plural, prose
from commands.ports import Clock
from patching.gate import Outcome
from patching.states import ChangeState, RunState
from storage import changes, invocations, outbox, runs, steps
from storage.changes import Change
from storage.database import Store
from storage.outbox import Notice
from storage.runs import Purpose, Run

EVERY = 1.0  # seconds between two looks
SILENT = 30.0  # seconds without a first step before somebody should look whether the bot is running


class Status(IntEnum):
    """Exit statuses. Those of open things are of no use to `--wait`, which goes on."""

    ACCEPTED = 0
    SUCCEEDED = 0
    FAILED = 1
    USAGE = 2
    WAITS = 3


@dataclass(frozen=True, slots=True)
class Standing:
    status: Status
    over: bool  # waiting brings nothing more
    taken_up: bool  # the bot has seen it
    words: str  # one line of markup


def standing(db: Database, ref: str) -> Standing:
    """`ref`: scan-12, install-13, change-4, inquiry-5. Raises KeyError for one that is not there."""
    kind, _, number = ref.partition("-")
    match kind:
        case "change":
            return _change(db, changes.get(db, int(number)))
        case "inquiry":
            return _inquiry(db, ref)
        case _:
            return _run(db, runs.get(db, int(number)))


def follow(
    open_store: Callable[[], Store],
    ref: str,
    clock: Clock,
    pause: Callable[[float], object],
    say: Callable[[str], None],
) -> Status:
    """Until it is over or waits for people; `say` gets a line of markup whenever it has moved.

    Each look opens the database anew, so that one which was restored or upgraded meanwhile is not misread.
    Raises StorageError.
    """
    began, said, hinted = clock.monotonic(), "", False
    while True:
        with closing(open_store()) as store:
            found = standing(store.db, ref)
        if found.words != said:
            said = found.words
            say(said)
        if found.over:
            return found.status
        if not found.taken_up and not hinted and clock.monotonic() - began >= SILENT:
            hinted = True
            say(f"Nothing has taken {code(ref)} up yet: is `patchgate run` running on this database?")
        pause(EVERY)


def answer_to(db: Database, ref: str) -> Notice | None:
    """The notice that answers an inquiry; None while there is none."""
    return outbox.by_key(db, f"{ref.replace('-', ':')}:answer")


def _run(db: Database, run: Run) -> Standing:
    words = f"{_run_words(db, run)}{_note(run.note)}"
    taken_up = run.state is not RunState.REQUESTED or bool(run.note)
    match run.state:
        case RunState.SUCCEEDED:
            return Standing(Status.SUCCEEDED, True, taken_up, words)
        case RunState.REQUESTED | RunState.RUNNING | RunState.PAUSED:
            return Standing(Status.ACCEPTED, False, taken_up, words)
        case _:
            return Standing(Status.FAILED, True, taken_up, words)


def _change(db: Database, change: Change) -> Standing:
    own = [run for purpose in Purpose for run in runs.of_change(db, change.id, purpose)]
    current = next((run for run in own if not run.state.ended), None)
    words = f"{code(change.ref)} {change_words(change)}"
    if current is not None:
        words = f"{words}; {_run_words(db, current)}"
    words = f"{words}{_note(change.note)}"
    match change.state:
        case ChangeState.PENDING | ChangeState.HELD:
            return Standing(Status.WAITS, True, True, words)
        case ChangeState.PREPARING:
            return Standing(Status.ACCEPTED, False, bool(own or change.note), words)
        case ChangeState.APPROVED | ChangeState.WAITING | ChangeState.USED:
            return Standing(Status.ACCEPTED, False, True, words)
        case ChangeState.DONE:
            installs = runs.of_change(db, change.id, Purpose.CHANGE)
            well = bool(installs) and installs[-1].state is RunState.SUCCEEDED
            return Standing(Status.SUCCEEDED if well else Status.FAILED, True, True, words)
        case _:
            return Standing(Status.FAILED, True, True, words)


def _inquiry(db: Database, ref: str) -> Standing:
    answer = answer_to(db, ref)
    if answer is None:
        return Standing(Status.ACCEPTED, False, False, f"{code(ref)} is being looked up")
    checks = answer.payload.get("checks", ())
    failed = answer.payload.get("error") or any(each["outcome"] == Outcome.FAIL for each in checks)
    return Standing(Status.FAILED if failed else Status.SUCCEEDED, True, True, f"{code(ref)} is answered")


def _run_words(db: Database, run: Run) -> str:
    """`scan-12 running: scan 1 of 2 nodes`; counted from the rows, since a report reads every node's evidence."""
    planned = [] if run.state.ended else steps.of_run(db, run.id)
    current = next((step for step in planned if not step.state.ended), None)
    if current is None:
        return f"{code(run.ref)} {state_words(run)}"
    same = [step for step in planned if step.kind is current.kind]
    ended = sum(found.outcome is not None for step in same for found in invocations.of_step(db, step.id).values())
    nodes = plural(sum(len(step.node_ids) for step in same), "node")
    return f"{code(run.ref)} {state_words(run)}: {current.kind.value} {ended:,} of {nodes}"


def _note(note: str) -> str:
    return f". {prose(note, 500)}" if note else ""
