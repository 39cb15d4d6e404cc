"""Read models of what is told of a maintenance window, read from the store as it is now (I5)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from commands.agenda import seen
from commands.freezes import in_force
from patching.agenda import Opening
from patching.bypasses import node_count
from patching.config import Configuration
from patching.nodes import EnvironmentKey
from patching.states import ChangeState
from storage import acknowledgements, changes, window_executions
from storage.changes import Change
from storage.database import Store
from storage.window_executions import Execution, subject_of


@dataclass(frozen=True, slots=True)
class WindowReport:
    """One execution of a window, for one environment."""

    key: EnvironmentKey
    production: bool
    opening: Opening  # as it was told
    nodes: int | None  # of the environment, that its tasks patch, or that it means; None: nobody can tell how many
    operations: tuple[str, ...] | None  # what its tasks that patch them do: Install, Scan, unknown; None: nobody knows
    changes: tuple[Change, ...]  # that wait for it
    freezes: tuple[str, ...]  # sentences, of those in force when it opens
    seen_by: tuple[str, ...]
    gone: bool  # it does not take place then
    moved_to: datetime | None

    @property
    def subject(self) -> str:
        return subject_of(self.opening)


@dataclass(frozen=True, slots=True)
class Corrected:
    """One thing that is no longer so. `outdated`: it has changed once more, which another correction says."""

    opening: Opening  # as it was told
    back: bool
    moved_to: Opening | None
    outdated: bool

    @property
    def stands(self) -> Opening | None:
        """The execution that takes place, where one does."""
        if self.outdated:
            return None
        return self.opening if self.back else self.moved_to


@dataclass(frozen=True, slots=True)
class CorrectionReport:
    key: EnvironmentKey
    production: bool
    items: tuple[Corrected, ...]
    seen_by: tuple[str, ...]


def window_report(store: Store, config: Configuration, payload: Mapping[str, Any], now: datetime) -> WindowReport:
    """`payload` of a notice: application, environment, production, opening (`Opening.as_json`)."""
    db = store.db
    key = _key(payload)
    opening = Opening.from_json(payload["opening"])
    execution = window_executions.find(db, key, opening)
    nodes, operations = _work(store, config, key, opening)
    waiting = changes.in_state(db, ChangeState.WAITING, ChangeState.HELD)
    return WindowReport(
        key=key,
        production=bool(payload["production"]),
        opening=opening,
        nodes=nodes,
        operations=operations,
        changes=tuple(
            each
            for each in waiting
            if (each.application, each.environment) == (key.application, key.environment)
            and each.opening
            and each.opening.key == opening.key
        ),
        freezes=tuple(each.sentence for each in in_force(db, config, key.application, opening.opens, now)),
        seen_by=_seen_by(store, opening),
        gone=execution is not None and execution.gone_at is not None,
        moved_to=_moved_to(db, execution),
    )


def _moved_to(db: Database, execution: Execution | None) -> datetime | None:
    """Where it stands now: what it was moved to may have been moved on, or be off."""
    moved_to = execution.moved_to if execution else None
    while execution and moved_to:
        execution = window_executions.find(db, execution.key, replace(execution.opening, opens=moved_to))
        if execution is None or execution.gone_at is None:
            return moved_to
        moved_to = execution.moved_to
    return None


def correction_report(store: Store, payload: Mapping[str, Any]) -> CorrectionReport:
    """`payload` of a notice: application, environment, production, corrections [{opening, back, moved_to}]."""
    key = _key(payload)
    items = tuple(_corrected(store, key, each) for each in payload["corrections"])
    first = items[0].moved_to or items[0].opening
    return CorrectionReport(key, bool(payload["production"]), items, _seen_by(store, first))


def _corrected(store: Store, key: EnvironmentKey, item: Mapping[str, Any]) -> Corrected:
    opening = Opening.from_json(item["opening"])
    moved_to = Opening.from_json(item["moved_to"]) if item["moved_to"] else None
    back = bool(item["back"])
    standing = opening if back else moved_to
    known = window_executions.find(store.db, key, standing or opening)
    gone = known is not None and known.gone_at is not None
    return Corrected(opening, back, moved_to, outdated=gone if standing else not gone)


def _key(payload: Mapping[str, Any]) -> EnvironmentKey:
    return EnvironmentKey(str(payload["application"]), str(payload["environment"]))


def _seen_by(store: Store, opening: Opening) -> tuple[str, ...]:
    return tuple(user for user, _ in acknowledgements.of_subject(store.db, subject_of(opening)))


def _work(
    store: Store, config: Configuration, key: EnvironmentKey, opening: Opening
) -> tuple[int | None, tuple[str, ...] | None]:
    """(how many nodes, operations) as in a WindowReport."""
    known = seen(store.db, config, key)
    window = next((each for each in known.agenda.windows if each.id == opening.window_id), None) if known else None
    if known is None or window is None:
        return None, None
    tasks = window.patching(known.nodes)
    targets = [each for task in tasks for each in task.targets] if tasks else window.alternatives
    return node_count(known.nodes, targets), tuple(sorted({str(task.operation) for task in tasks}))
