"""What a command answers: typed results that `bot/views` renders. No Slack here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from commands.freezes import FreezeList
from commands.ports import Job
from commands.reports import ChangeReport, RunReport
from commands.window_list import WindowList
from patching.compare import Comparison
from patching.nodes import EnvironmentKey
from patching.soak import Readiness
from storage.changes import Change
from storage.runs import Run
from storage.waiting import DeadNotice, Waiting
from storage.window_orders import Action


@dataclass(frozen=True, slots=True)
class Accepted:
    """A row is committed: `ref` is the id people see, `sentence` says what happens next."""

    ref: str
    subject: str  # "run:12" or "change:4": the card whose link follows through the response URL
    sentence: str


@dataclass(frozen=True, slots=True)
class Done:
    """A request that is carried out already."""

    sentence: str  # empty where the subject's message shows it


@dataclass(frozen=True, slots=True)
class OpenForm:
    """Nothing is done yet: what is asked for is filled in, or agreed to, in a form."""

    action: Action
    key: EnvironmentKey
    window_id: str = ""  # empty: a new one


@dataclass(frozen=True, slots=True)
class Compared:
    application: str
    source: str
    target: str
    source_at: datetime | None  # when the oldest evidence of each environment was taken
    target_at: datetime | None
    source_nodes: int
    target_nodes: int
    comparison: Comparison
    page: int  # from 0, over comparison.mismatches
    readiness: Readiness | None = None  # how far each patch has soaked at `now`
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class StatusList:
    """The first that are open, of `open_count`, and recent runs, newest first."""

    open_changes: tuple[Change, ...]
    open_runs: tuple[Run, ...]
    open_count: int
    recent: tuple[Run, ...]
    page: int
    more: bool


@dataclass(frozen=True, slots=True)
class RunStatus:
    report: RunReport


@dataclass(frozen=True, slots=True)
class ChangeStatus:
    report: ChangeReport


@dataclass(frozen=True, slots=True)
class Approvals:
    """Changes that wait for somebody's decision."""

    pending: tuple[ChangeReport, ...]
    page: int
    more: bool


@dataclass(frozen=True, slots=True)
class HelpLine:
    name: str
    usage: str
    summary: str
    detail: str
    permitted: bool  # the asker may run it
    role: str | None


@dataclass(frozen=True, slots=True)
class Help:
    lines: tuple[HelpLine, ...]
    topic: str | None
    roles: Mapping[str, bool]  # role → whether the asker has it


@dataclass(frozen=True, slots=True)
class JobList:
    """What happens by itself, what waits to be sent, and a page of what was given up, newest first."""

    jobs: tuple[Job, ...]
    waiting: tuple[Waiting, ...]
    dead: tuple[DeadNotice, ...]
    dead_count: int
    page: int
    more: bool


Reply = (
    Accepted
    | Done
    | OpenForm
    | Compared
    | StatusList
    | RunStatus
    | ChangeStatus
    | Approvals
    | Help
    | FreezeList
    | JobList
    | WindowList
)
