"""What a step of a document comes to: how long a node works on it, and its result."""

from dataclasses import dataclass
from datetime import datetime

from sandbox.aws.documents import Step

SUCCESS_AND_EXIT, FAILURE_AND_EXIT = 168, 169


@dataclass
class Durations:
    """Seconds of the world's time. A scan takes about 6 s, an install of 30 packages about 20 with its reboot."""

    delivery: float = 0.4
    scan: float = 6.0
    install_per_package: float = 0.25
    reboot: float = 6.0
    cancel: float = 1.0
    script: float = 0.5


@dataclass(frozen=True)
class Wait:
    seconds: float
    reboot: bool = False


class CutShort(Exception):
    """The work on the node ends here."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at.isoformat())
        self.at = at


@dataclass
class StepResult:
    """`status` is Success also for what was skipped, as SSM's API has no word for that."""

    started: datetime
    ended: datetime | None = None
    status: str = "InProgress"
    code: int = -1
    output: str = ""
    error: str = ""
    skipped: bool = False

    def end(self, at: datetime, code: int, output: str = "", error: str = "") -> None:
        self.ended, self.code, self.output, self.error = at, code, output, error
        self.status = "Success" if code in (0, SUCCESS_AND_EXIT) else "Failed"

    def time_out(self, at: datetime, output: str = "", error: str = "") -> None:
        """onFailure takes this for no failure (the agent's runpluginutil.go)."""
        self.end(at, -1, output, error)
        self.status = "TimedOut"

    def ends_document(self, step: Step) -> bool:
        """Whether only a final step may still follow it."""
        if self.skipped:
            return False
        steering = step.on_failure if self.status == "Failed" else step.on_success
        return self.code in (SUCCESS_AND_EXIT, FAILURE_AND_EXIT) or steering == "exit"
