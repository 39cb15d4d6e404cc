"""What the gate is told and what it answers. `patching/gate.py` is the door; import from there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from patching.agenda import Opening
from patching.backups import BackupFacts
from patching.compare import Comparison
from patching.model import Evidence, Node
from patching.outcomes import NodeOutcome
from patching.preflight import NodeInquiry
from patching.ready import Part
from patching.soak import Readiness
from patching.states import RunState


class Outcome(StrEnum):
    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    WAIVED = "waived"  # it failed, and an admin let it pass with a reason


class Action(StrEnum):
    """The one thing that a button can do about a failing check."""

    SCAN_SOURCE = "scan_source"
    INSTALL_SOURCE = "install_source"
    SCAN_TARGET = "scan_target"
    CLEAR_PROBLEM = "clear_problem"
    ASK_AGAIN = "ask_again"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check's answer, in words for an on-call at three in the morning.

    Where `at` is set, exactly one of `evidence` and `remedy` has no full stop: that date ends it. Views render dates.
    """

    name: str
    title: str
    outcome: Outcome
    evidence: str
    remedy: str = ""
    action: Action = Action.NONE
    at: datetime | None = None
    waivable: bool = True  # False: this very failure may not be waived, whatever the policy says
    waiver: str = ""  # why it was waived


@dataclass(frozen=True, slots=True)
class NodeFact:
    """A node as resolved now, its newest evidence, and how it came out of the newest Install of ours there."""

    node: Node
    evidence: Evidence | None
    install_outcome: NodeOutcome | None

    @property
    def label(self) -> str:
        return self.node.name or self.node.id


@dataclass(frozen=True, slots=True)
class EnvironmentFacts:
    name: str
    account: str
    region: str
    production: bool
    nodes: tuple[NodeFact, ...]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(fact.evidence for fact in self.nodes if fact.evidence is not None)

    @property
    def without_evidence(self) -> tuple[str, ...]:
        """Names of the nodes that nothing is known about."""
        return tuple(fact.label for fact in self.nodes if fact.evidence is None)


@dataclass(frozen=True, slots=True)
class InstallFact:
    """The newest Install run of ours on the source."""

    run: str
    state: RunState
    ended_at: datetime
    verified: bool  # its verification Scan was read
    failed_nodes: Mapping[str, str]  # node → reason


@dataclass(frozen=True, slots=True)
class ProblemFact:
    reported_by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class OtherPatcher:
    """Somebody else who installs: a maintenance window's task, an association, a patch policy."""

    what: str  # "maintenance window mw-0c50858d01EXAMPLE (weekly)"
    nodes: tuple[str, ...]  # names of our nodes that it reaches


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """What the configuration's policy says to the gate, beside the times."""

    pinned: bool = True  # False: `pin: off`
    alarms: tuple[str, ...] = ()  # names of CloudWatch alarms that hold the soak


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is sent, or would be: what is known of windows, freezes, and the people who are affected."""

    sending: bool  # right now; otherwise what is planned is judged
    emergency: bool  # it waits for no window and for nobody
    at_window: bool  # it goes at a maintenance window, because somebody or the policy asked for one
    opening: Opening | None  # the one that it is planned for, or is in
    windows_unknown: str  # why nobody can tell the windows, as a sentence; empty where they are known
    estimate: timedelta | None  # how long it takes, by earlier runs
    estimated_from: str  # which runs, in words
    notify_before: timedelta  # those affected are told so long before
    told_at: datetime | None  # when they were
    freezes: tuple[str, ...]  # those in force then, a sentence each
    objections: tuple[str, ...]  # reasons of objections that nobody overruled


@dataclass(frozen=True, slots=True)
class GateInput:
    now: datetime
    planned_start: datetime
    soak: timedelta
    scan_max_age: timedelta
    source: EnvironmentFacts
    target: EnvironmentFacts
    install: InstallFact | None
    last_change: datetime | None  # end of the newest source Install that changed a row, or a later foreign Install
    problem: ProblemFact | None
    artifacts: bool  # a bucket is configured
    conflicts: tuple[str, ...]  # sentences of `patching.nodes.conflicts`
    comparison: Comparison
    part: bool = False  # judge the ready part only
    ready_part: Part | None = None  # what would be sent of it
    readiness: Readiness | None = None  # at the planned start; None: soak is judged by `last_change` alone
    policy: GatePolicy = GatePolicy()
    alarms: Mapping[str, str] = field(default_factory=dict)  # alarm → state as CloudWatch names it
    preflight: Mapping[str, NodeInquiry] | None = None  # node id → what was looked up; None: nothing was
    artifacts_readable: bool | None = None  # None: the API can't tell
    other_patchers: tuple[OtherPatcher, ...] | None = None  # None: nobody looked, so the checks fail
    backup: BackupFacts | None = None  # None: nobody looked, so the checks fail
    moment: Moment | None = None  # None: nobody looked, so the checks fail


Check = Callable[[GateInput], CheckResult]


@dataclass(frozen=True, slots=True)
class Heading:
    """A check's name and title, and the three ways to answer under it."""

    name: str
    title: str

    def passed(self, evidence: str, at: datetime | None = None) -> CheckResult:
        return CheckResult(self.name, self.title, Outcome.PASS, evidence, at=at)

    def warned(self, evidence: str, remedy: str) -> CheckResult:
        return CheckResult(self.name, self.title, Outcome.WARN, evidence, remedy)

    def failed(
        self,
        evidence: str,
        remedy: str,
        action: Action = Action.NONE,
        at: datetime | None = None,
        *,
        waivable: bool = True,
    ) -> CheckResult:
        return CheckResult(self.name, self.title, Outcome.FAIL, evidence, remedy, action, at, waivable)


def scans(source: bool, target: bool) -> Action:
    """The button that gets the scans which are needed: asking again scans both environments where that is due."""
    if source and target:
        return Action.ASK_AGAIN
    if source:
        return Action.SCAN_SOURCE
    return Action.SCAN_TARGET if target else Action.NONE
