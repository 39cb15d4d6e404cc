"""The answer of `/patch windows`, as the views get it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from patching.agenda import Opening
from patching.documents import PatchOperation
from patching.nodes import EnvironmentKey


@dataclass(frozen=True, slots=True)
class OpeningLine:
    opening: Opening
    freezes: tuple[str, ...]  # a sentence for each that is in force then
    changes: tuple[str, ...]  # ids of those that wait for it


@dataclass(frozen=True, slots=True)
class TaskLine:
    document: str
    operation: PatchOperation
    nodes: int | None  # of the environment; None where a resource group chooses


@dataclass(frozen=True, slots=True)
class WindowLine:
    id: str
    name: str
    schedule: str
    timezone: str
    duration: timedelta
    cutoff: timedelta
    nodes: int | None  # of the environment; None where a resource group chooses
    elsewhere: tuple[str, ...]  # other environments with nodes in it
    openings: tuple[OpeningLine, ...]  # the first, of `count`
    count: int
    tasks: tuple[TaskLine, ...]  # those that patch
    other_tasks: int

    @property
    def installs(self) -> bool:
        """Or nobody can tell that it only scans."""
        return any(task.operation != "Scan" for task in self.tasks)


@dataclass(frozen=True, slots=True)
class AssociationLine:
    kind: str  # association, patch policy
    id: str
    name: str
    document: str
    operation: PatchOperation
    schedule: str
    nodes: int | None


@dataclass(frozen=True, slots=True)
class EnvironmentPart:
    """The windows of one environment that are on this page. The rest of it stands after its last window."""

    key: EnvironmentKey
    production: bool
    nodes: int
    owners: tuple[str, ...]  # Slack user ids, "S…" group ids and addresses, as configured
    windows: tuple[WindowLine, ...]
    is_last: bool  # its last window is here
    associations: tuple[AssociationLine, ...]
    disabled: tuple[tuple[str, str], ...]  # (id, name)


@dataclass(frozen=True, slots=True)
class ReadingLine:
    """How old is what is known of an account and Region."""

    account: str
    region: str
    read_at: datetime | None  # None: never
    error: str  # the newest try's sentence, or empty
    too_old: bool  # nothing is decided by it any more


@dataclass(frozen=True, slots=True)
class WindowList:
    application: str | None
    parts: tuple[EnvironmentPart, ...]
    quiet: tuple[str, ...]  # environments of which AWS plans nothing
    readings: tuple[ReadingLine, ...]
    now: datetime
    page: int
    more: bool
