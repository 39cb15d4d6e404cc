"""A plan that is walked by hand: what is sent and how it ends, as the executor's rows would say it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from patching.execution import Backup, BackupKind, Execution, Health, Rate
from patching.model import Node
from patching.plan import Document, Documents, PlanStep, StepKind, install_plan
from patching.sequence import Progress, fallen, next_to_send
from patching.states import StepState
from tests.unit.patching.plans import DOCUMENT, node

CHECK, DUMP = Document("CheckOrders", "1", "c" * 64, frozenset()), Document("DumpOrders", "1", "e" * 64, frozenset())
CANCELLED = "It was cancelled before this was sent."
END = 10_000  # more than any walk here takes


class Walk:
    """Of an `install_plan`; positions go from 1."""

    def __init__(self, planned: Sequence[PlanStep]) -> None:
        self.steps = [_progress(step) for step in planned]
        self.paused = False
        self.cancelled = ""

    def step(self, position: int) -> Progress:
        return self.steps[position - 1]

    def next(self) -> int | None:
        return next_to_send(self.steps, paused=self.paused)

    def fallen(self) -> dict[int, str]:
        return dict(fallen(self.steps, cancelled=self.cancelled))

    def send(self, position: int, state: StepState = StepState.SENT) -> None:
        self._set(position, state=state, sent=True)

    def end(self, position: int, failed: Iterable[str] = ()) -> None:
        nodes = frozenset(failed)
        self._set(position, state=StepState.FAILED if nodes else StepState.DONE, failed=nodes)

    def fail(self, position: int) -> None:
        """As a whole: given up before it was sent, not well, or a person says that it did not run."""
        self._set(position, state=StepState.FAILED, failed=self.step(position).node_ids)

    def let_fall(self) -> dict[int, str]:
        """What the executor does first of all; the reasons."""
        reasons = self.fallen()
        for position in reasons:
            self.fail(position)
        return reasons

    def send_all(self, until: int = END) -> list[int]:
        """Everything up to this position whose turn it is, as it goes out while nothing ends."""
        self.let_fall()
        positions = []
        while (position := self.next()) is not None and position <= until:
            self.send(position)
            positions.append(position)
        return positions

    def go(self, until: int = END) -> list[int]:
        """Everything is sent and ends well, up to this position; what was sent."""
        sent = []
        while batch := self.send_all(until):
            for position in batch:
                self.end(position)
            sent += batch
        return sent

    def positions(self, kind: StepKind, wave: int | None = None) -> list[int]:
        return [step.position for step in self.steps if step.kind is kind and wave in (None, step.wave)]

    def _set(self, position: int, **changes: object) -> None:
        self.steps[position - 1] = replace(self.step(position), **changes)  # type: ignore[arg-type]


def walk(
    *roles: str,
    canary: int = 0,
    rate: tuple[str, str] = ("100%", "0"),
    wait: bool = False,
    check: bool = False,
    snapshots: bool = False,
    dump: bool = False,
    gated: bool = True,
) -> Walk:
    """A wave for each role that is told; `replica*3` is three nodes of it. `rate` is (max_concurrency, max_errors)."""
    nodes: list[Node] = []
    names = []
    for role in roles:
        name, _, count = role.partition("*")
        names.append(name)
        nodes += [node(f"i-{name}-{number:03}", Role=name) for number in range(int(count or 1))]
    execution = Execution(
        waves=tuple({"tag:Role": (name,)} for name in names) if len(names) > 1 else (),
        canary=canary,
        rate=Rate(max_concurrency=rate[0], max_errors=rate[1]),
        health=Health(document=CHECK.name if check else None, wait=timedelta(minutes=5 if wait else 0)),
        backup=Backup(
            kind=BackupKind.SNAPSHOTS if snapshots else BackupKind.NONE, document=DUMP.name if dump else None
        ),
    )
    return Walk(planned(execution, nodes, gated=gated))


def planned(execution: Execution, nodes: Sequence[Node], *, gated: bool = True) -> tuple[PlanStep, ...]:
    found = Documents(
        DOCUMENT,
        DOCUMENT,
        health=CHECK if execution.health.document else None,
        backup=DUMP if execution.backup.document else None,
    )
    return install_plan(execution, found, nodes, pinned=True, gated=gated)


def _progress(step: PlanStep) -> Progress:
    at_once, errors = step.settings.get("at_once", 0), step.settings.get("errors", 0)
    assert isinstance(at_once, int)
    assert isinstance(errors, int)
    return Progress(
        position=step.position,
        kind=step.kind,
        wave=step.wave,
        document=step.document.name,
        state=StepState.PLANNED,
        node_ids=frozenset(step.node_ids),
        sent=False,
        at_once=at_once,
        errors=errors,
        concurrency=min(at_once, len(step.node_ids)),
    )
