"""What somebody may do to a production Install in the middle of it: pause it between two waves, or cancel it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from patching.plan import StepKind
from patching.states import RunState, StepState
from storage import steps
from storage.database import Store
from storage.runs import Run

ASK_EVERY = 0.5  # seconds between two tries of a person who gets no answer


class Whim(StrEnum):
    NONE = ""
    PAUSE = "paused after its first wave"
    CANCEL = "cancelled in its first wave"


@dataclass
class Somebody:
    """Acts on one Install, from when its first wave is with AWS. `say` types a command."""

    whim: Whim
    store: Store
    say: Callable[[str], None]
    _run: int = 0
    _paused: bool = False
    _tried: float = 0.0

    def look(self, run: Run | None) -> None:
        if self.whim is Whim.NONE or run is None or self._run not in {0, run.id}:
            return
        verb = self._verb(run)
        if verb and time.monotonic() - self._tried > ASK_EVERY:
            self._run, self._tried = run.id, time.monotonic()
            self.say(f"/patch {verb} {run.ref}")

    def _verb(self, run: Run) -> str:
        planned = steps.of_run(self.store.db, run.id)
        begun = any(step.kind is StepKind.INSTALL and step.state is not StepState.PLANNED for step in planned)
        under_way = any(not step.state.ended and step.state is not StepState.PLANNED for step in planned)
        if self.whim is Whim.CANCEL:
            return "cancel" if begun and run.state is RunState.RUNNING and run.cancelled_at is None else ""
        if run.state is RunState.PAUSED:
            self._paused = True
            return "" if under_way else "continue"
        return "pause" if begun and run.state is RunState.RUNNING and not self._paused else ""
