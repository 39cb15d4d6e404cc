"""One comparison case, and the shorthand in which the tables of Linux families are written.

A row is `STATE name version`, a node is its rows with `;` between them. `name/arch` names another architecture than
the family's. A version of `?` stands for a Title that holds none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from patching.compare import Comparison, Verdict, compare
from patching.model import Evidence, Operation, PatchRow, PatchState, Platform
from patching.rules import RULES, Rule
from tests.unit.patching.build import NOW, evidence

# Where the offered row comes from. Source states are constructed by facts/patch-manager.md sections 2, 3 and 9.
REAL, MADE = "real", "constructed"

MAX_AGE = timedelta(hours=24)
OLD = NOW - MAX_AGE - timedelta(seconds=1)
YOUNG = NOW - MAX_AGE
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BASELINE, ANOTHER = "b" * 64, "c" * 64


@dataclass(frozen=True)
class Case:
    """Would the target's node get `offer` as the source has it? `nodes` are the source's, named np1, np2, …

    `source`, `target`: fields of the last source node's evidence and of the target's. `rejected`: the list in both
    baselines. `foreign`: names of nodes.
    """

    family: str
    name: str
    origin: str
    platform: Platform
    offer: PatchRow
    nodes: tuple[tuple[PatchRow, ...], ...]
    verdict: Verdict
    rejected: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict)
    target: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.family}: {self.verdict}: {self.name}"

    def evidence(self) -> tuple[list[Evidence], list[Evidence]]:
        shared: dict[str, Any] = {"platform": self.platform, "operation_end": NOW - timedelta(hours=1)}
        last = len(self.nodes)
        source = [
            evidence(f"np{number}", rows, **(shared | (dict(self.source) if number == last else {})))
            for number, rows in enumerate(self.nodes, start=1)
        ]
        return source, [evidence("p1", [self.offer], **(shared | dict(self.target)))]

    def compared(self, rules: Sequence[Rule] = RULES) -> Comparison:
        source, target = self.evidence()
        return compare(
            source,
            target,
            now=NOW,
            max_age=MAX_AGE,
            foreign=[f"i-{name}" for name in self.foreign],
            baselines={BASELINE: {"RejectedPatches": list(self.rejected)}},
            rules=rules,
        )


@dataclass(frozen=True)
class Family:
    """A Linux platform with the architecture that its package manager writes."""

    name: str
    platform: Platform
    arch: str

    def row(self, state: PatchState, text: str) -> PatchRow:
        name, _, version = text.strip().partition(" ")
        package, _, arch = name.partition("/")
        kb_id = f"{package}.{arch or self.arch}"
        return PatchRow(kb_id, f"{package}, some version" if version == "?" else f"{kb_id}:{version}", state)

    def case(self, origin: str, name: str, offer: str, nodes: Sequence[str], verdict: Verdict, **options: Any) -> Case:
        return Case(
            family=self.name,
            name=name,
            origin=origin,
            platform=self.platform,
            offer=self.row(PatchState.MISSING, offer),
            nodes=tuple(tuple(map(self._shown, filter(None, node.split(";")))) for node in nodes),
            verdict=verdict,
            **options,
        )

    def _shown(self, text: str) -> PatchRow:
        state, _, rest = text.strip().partition(" ")
        return self.row(PatchState(state), rest)


INSTALL_REPORT: Mapping[str, Any] = {"operation": Operation.INSTALL}
FAILED_SCAN: Mapping[str, Any] = {"counts": {"MissingCount": -1}}
