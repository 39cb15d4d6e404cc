"""Changes: requests for production, with every evaluation."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from patching.agenda import Opening
from patching.gate import Action, CheckResult, Outcome
from patching.model import PinnedPatch
from patching.states import CHANGE_TRANSITIONS, ChangeState, require
from storage import audit, outbox
from storage.database import compare_and_set, to_json, to_text, to_time

_TIMES = ("requested_at", "evaluated_at", "approved_at", "ended_at", "starts_at", "released_at")


class ChangeOpen(Exception):
    """The environment has an open change; the exception carries it."""

    def __init__(self, change: "Change") -> None:
        super().__init__(f"{change.ref} is still open on {change.application} {change.environment}")
        self.change = change


@dataclass(frozen=True, slots=True)
class Change:
    id: int
    application: str
    environment: str
    source: str  # the environment that gates it
    state: ChangeState
    requested_by: str
    requested_at: datetime
    requesters: tuple[str, ...]  # everyone who asked, in the chain of superseded requests too (I4)
    supersedes: int | None
    configuration: str  # version of the configuration that it was evaluated under
    digest: str | None
    parts: Mapping[str, Any] | None
    checks: tuple[CheckResult, ...] | None
    pins: tuple[PinnedPatch, ...] | None
    facts: Mapping[str, Any] | None  # numbers for the message: nodes, patches, verdicts
    evaluated_at: datetime | None
    approved_at: datetime | None
    ended_at: datetime | None
    note: str
    part: bool = False  # only what is proven and has soaked
    emergency: str = ""  # the reason, when an admin started it in the emergency lane
    waivers: Mapping[str, str] = field(default_factory=dict)  # check → an admin's reason
    eligible: tuple[str, ...] = ()  # who could approve when it was asked
    required: int = 1  # approvals
    timing: str = "now"  # or "window": at the next one of its environment
    starts_at: datetime | None = None  # when a waiting change is let go at the soonest
    opening: Opening | None = None  # the execution of a window that it waits for, or was let go in
    released_at: datetime | None = None  # since when it may be carried out
    postponed_from: Opening | None = None  # it goes at a later window than this one

    @property
    def ref(self) -> str:
        return f"change-{self.id}"

    @property
    def subject(self) -> str:
        return f"change:{self.id}"


def create(
    tx: Database,
    now: datetime,
    *,
    application: str,
    environment: str,
    source: str,
    requested_by: str,
    configuration: str,
    supersedes: Change | None = None,
    part: bool = False,
    emergency: str = "",
    waivers: Mapping[str, str] | None = None,
    timing: str = "now",
    rights: Collection[str] = (),
) -> Change:
    """Open a change. `rights`: the roles with which it was asked for. Raises ChangeOpen when there is an open one."""
    requesters = sorted({requested_by, *(supersedes.requesters if supersedes else ())})
    try:
        cursor = tx.execute(
            """INSERT INTO change (application, environment, source, state, requested_by, requested_at, requesters,
                                   supersedes, configuration, part, emergency, waivers, timing)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [
                application,
                environment,
                source,
                ChangeState.PREPARING,
                requested_by,
                to_text(now),
                to_json(requesters),
                supersedes.id if supersedes else None,
                configuration,
                int(part),
                emergency,
                to_json(waivers or {}),
                timing,
            ],
        )
    except sqlite3.IntegrityError:
        other = open_change(tx, application, environment)
        if other is None:
            raise
        raise ChangeOpen(other) from None
    change = get(tx, int(cursor.lastrowid or 0))
    detail = {
        "supersedes": supersedes.ref if supersedes else None,
        "part": part,
        "emergency": emergency,
        "waivers": dict(waivers or {}),
        "timing": timing,
        "rights": sorted(rights),
    }
    audit.append(tx, now, requested_by, change.ref, "requested", detail)
    return change


def get(db: Database, change_id: int) -> Change:
    found = find(db, change_id)
    if found is None:
        raise KeyError(f"change {change_id}")
    return found


def find(db: Database, change_id: int) -> Change | None:
    return next(iter(_select(db, "WHERE id = ?", change_id)), None)


def open_change(db: Database, application: str, environment: str) -> Change | None:
    return next(
        iter(
            _select(
                db,
                "WHERE application = ? AND environment = ?"
                " AND state IN ('preparing', 'pending', 'approved', 'waiting', 'held', 'used')",
                application,
                environment,
            )
        ),
        None,
    )


def newest(db: Database, application: str, environment: str) -> Change | None:
    return next(
        iter(
            _select(db, "WHERE application = ? AND environment = ? ORDER BY id DESC LIMIT 1", application, environment)
        ),
        None,
    )


def in_state(db: Database, *states: ChangeState, most: int = -1) -> list[Change]:
    """Oldest first, `most` of them where it is not negative: a change is dear to read."""
    marks = ", ".join("?" for _ in states)
    return _select(db, f"WHERE state IN ({marks}) ORDER BY id LIMIT ?", *states, most)


def count(db: Database, *states: ChangeState) -> int:
    return int(db["change"].count_where(f"state IN ({', '.join('?' for _ in states)})", list(states)))


def recent(db: Database, limit: int, offset: int = 0) -> list[Change]:
    return _select(db, "ORDER BY id DESC LIMIT ? OFFSET ?", limit, offset)


def transition(
    tx: Database,
    change: Change,
    new: ChangeState,
    now: datetime,
    actor: str,
    *,
    note: str = "",
    **columns: Any,
) -> Change | None:
    """Compare-and-set the change's state; None when it has moved on since `change` was read."""
    require(CHANGE_TRANSITIONS, change.state, new)
    if new.ended:
        columns["ended_at"] = to_text(now)
    if new is ChangeState.APPROVED and change.state is ChangeState.PENDING:
        columns["approved_at"] = to_text(now)
    columns["state"], columns["note"] = new, note
    if not compare_and_set(tx, "change", change.id, change.state, columns):
        return None
    digest = columns.get("digest", change.digest)
    audit.append(tx, now, actor, change.ref, str(new), {"from": change.state, "note": note, "digest": digest})
    outbox.touch(tx, change.subject)
    return get(tx, change.id)


def release(tx: Database, change: Change, now: datetime, opening: Opening | None) -> Change | None:
    """From now on an approved change may be carried out, in `opening` where it goes at a window."""
    columns = {"released_at": to_text(now), "starts_at": to_text(now), "window": opening_to_json(opening)}
    if not compare_and_set(tx, "change", change.id, ChangeState.APPROVED, columns):
        return None
    audit.append(tx, now, "clock", change.ref, "released", {"window": columns["window"]})
    outbox.touch(tx, change.subject)
    return get(tx, change.id)


def opening_to_json(opening: Opening | None) -> str | None:
    return to_json(opening.as_json()) if opening else None


def reschedule(
    tx: Database,
    change: Change,
    now: datetime,
    actor: str,
    opening: Opening | None,
    starts_at: datetime | None,
    note: str,
    action: str,
    postponed_from: Opening | None = None,
) -> Change | None:
    """Another time for a change that waits, with its audit row; None when it has moved on since `change` was read.

    With `postponed_from` it goes at no window that opens before that one has, from now on.
    """
    columns = {
        "starts_at": to_text(starts_at),
        "window": opening_to_json(opening),
        "note": note,
        "postponed_from": opening_to_json(postponed_from or change.postponed_from),
    }
    if change.state not in {ChangeState.WAITING, ChangeState.HELD}:
        raise ValueError(f"{change.ref} is {change.state}, so it waits for nothing")
    if not compare_and_set(tx, "change", change.id, change.state, columns):
        return None
    audit.append(tx, now, actor, change.ref, action, {"note": note, **columns})
    outbox.touch(tx, change.subject)
    return get(tx, change.id)


def is_as_read(tx: Database, change: Change) -> bool:
    """Whether it still is in the state, and waits for the moment, that it was read with."""
    now = get(tx, change.id)
    return all(getattr(now, name) == getattr(change, name) for name in ("state", "starts_at", "opening", "released_at"))


def set_note(tx: Database, change: Change, note: str) -> None:
    """What a person should know while it waits. Not a transition; nothing where it has moved on since it was read."""
    if change.note != note:
        tx.execute("UPDATE change SET note = ? WHERE id = ? AND state = ?", [note, change.id, change.state])
        outbox.touch(tx, change.subject)


def record_evaluation(
    tx: Database,
    now: datetime,
    change: Change,
    moment: str,
    *,
    passed: bool,
    digest: str,
    parts: Mapping[str, Any],
    checks: Sequence[CheckResult],
) -> None:
    tx.execute(
        "INSERT INTO evaluation (change_id, moment, at, passed, digest, parts, checks) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [change.id, moment, to_text(now), int(passed), digest, to_json(parts), checks_to_json(checks)],
    )


def evaluations(db: Database, change_id: int) -> list[dict[str, Any]]:
    """Every judgement of a change, as it was recorded."""
    rows = db.execute("SELECT * FROM evaluation WHERE change_id = ? ORDER BY id", [change_id])
    return [
        {
            "moment": row["moment"],
            "at": row["at"],
            "passed": bool(row["passed"]),
            "digest": row["digest"],
            "parts": json.loads(row["parts"]),
            "checks": json.loads(row["checks"]),
        }
        for row in rows
    ]


def checks_to_json(checks: Sequence[CheckResult]) -> str:
    return to_json([{**asdict(check), "at": to_text(check.at)} for check in checks])


def _checks(text: str | None) -> tuple[CheckResult, ...] | None:
    if text is None:
        return None
    return tuple(
        CheckResult(
            **{
                **item,
                "outcome": Outcome(item["outcome"]),
                "action": Action(item["action"]),
                "at": to_time(item["at"]),
            }
        )
        for item in json.loads(text)
    )


def _select(db: Database, rest: str, *arguments: object) -> list[Change]:
    return [_change(row) for row in db.execute(f"SELECT * FROM change {rest}", list(arguments))]


def _change(row: Any) -> Change:  # noqa: ANN401 - sqlite3.Row is untyped
    values = dict(row)
    values["state"] = ChangeState(values["state"])
    values["requesters"] = tuple(json.loads(values["requesters"]))
    values["checks"] = _checks(values["checks"])
    pins = values["pins"]
    values["pins"] = None if pins is None else tuple(PinnedPatch(**pin) for pin in json.loads(pins))
    values["part"] = bool(values["part"])
    values["waivers"] = json.loads(values["waivers"])
    values["eligible"] = tuple(json.loads(values["eligible"]))
    for name in ("parts", "facts"):
        values[name] = None if values[name] is None else json.loads(values[name])
    for column, name in (("window", "opening"), ("postponed_from", "postponed_from")):
        window = values.pop(column)
        values[name] = Opening.from_json(json.loads(window)) if window else None
    for name in _TIMES:
        values[name] = to_time(values[name])
    return Change(**values)
