"""Faults on demand: which calls go wrong, how, and how often."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

KINDS = (
    "throttling",
    "server-error",
    "lost-reply",
    "slow",
    "access-denied",
    "never-answers",
    "never-returns",
    "step-fails",
    "step-hangs",
)
# Those that strike a node at work and no call.
_ON_STEPS = ("step-fails", "step-hangs")
_ON_NODES = ("never-answers", "never-returns", *_ON_STEPS)


@dataclass
class Fault:
    """`service` is the name that requests are signed with (`ssm`, `ec2`, `s3`, `sts`, `iam`, for CloudWatch
    `monitoring`), `operation` AWS's or `*`.

    `left` counts down with each call or, for those that strike a node at work, with each node. `seconds` are real
    seconds, for `slow`. `nodes` narrows those of nodes to these ids. `never-returns` is a reboot that hangs until
    somebody starts the node. `step-fails` lets the step `step` of the document `document` fail without doing
    anything, `step-hangs` lets it run into its timeout.
    """

    id: int
    service: str
    operation: str
    kind: str
    left: int
    seconds: float = 0.0
    nodes: frozenset[str] = field(default_factory=frozenset)
    document: str = ""
    step: str = ""
    passes: int = 0  # calls that it lets go before it strikes

    def strikes(self, service: str, operation: str) -> bool:
        return self.left > 0 and self.service == service and self.operation in (operation, "*")

    def strikes_node(self, kind: str, node_id: str) -> bool:
        return self.kind == kind and self.strikes("ssm", "SendCommand") and (not self.nodes or node_id in self.nodes)


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._added = 0

    def add(
        self,
        service: str,
        operation: str,
        kind: str,
        times: int = 1,
        seconds: float | None = None,
        nodes: Iterable[str] | None = None,
        document: str = "",
        step: str = "",
        after: int = 0,
    ) -> Fault:
        """Let the next `times` calls go wrong, once `after` others have gone well.

        Raises ValueError for a kind or a number that makes no sense.
        """
        if kind not in KINDS:
            raise ValueError(f"kind is {kind!r}; allowed are {', '.join(KINDS)}")
        if times < 1:
            raise ValueError(f"times is {times}; it must be at least 1")
        if seconds is not None and not 0 < seconds <= 120:
            raise ValueError(f"seconds is {seconds}; allowed are more than 0 up to 120")
        if (kind in _ON_STEPS) != bool(document and step):
            raise ValueError(f"document and step go with {' and '.join(_ON_STEPS)}, which need both")
        self._added += 1
        chosen = frozenset(nodes or ())
        fault = Fault(self._added, service, operation, kind, times, seconds or 5.0, chosen, document, step, after)
        self._faults.append(fault)
        return fault

    def remove(self, fault_id: int) -> bool:
        before = len(self._faults)
        self._faults = [fault for fault in self._faults if fault.id != fault_id]
        return len(self._faults) < before

    def active(self) -> list[Fault]:
        return [fault for fault in self._faults if fault.left > 0]

    def for_call(self, service: str, operation: str) -> Fault | None:
        """The fault that this call meets, used up by one."""
        for fault in self._faults:
            if fault.kind in _ON_NODES or not fault.strikes(service, operation):
                continue
            if fault.passes:
                fault.passes -= 1
                continue
            fault.left -= 1
            return fault
        return None

    def node_never_answers(self, node_id: str) -> bool:
        """Whether the command that starts on this node now hangs there."""
        return self._strike(lambda fault: fault.strikes_node("never-answers", node_id))

    def node_never_returns(self, node_id: str) -> bool:
        """Whether the reboot that begins on this node now hangs."""
        return self._strike(lambda fault: fault.strikes_node("never-returns", node_id))

    def of_step(self, node_id: str, document: str, step: str) -> str | None:
        """The fault's kind where this step goes wrong on the node now."""

        def meant(kind: str) -> Callable[[Fault], bool]:
            return lambda fault: fault.strikes_node(kind, node_id) and (fault.document, fault.step) == (document, step)

        return next((kind for kind in _ON_STEPS if self._strike(meant(kind))), None)

    def _strike(self, meant: Callable[[Fault], bool]) -> bool:
        for fault in self._faults:
            if meant(fault):
                fault.left -= 1
                return True
        return False
