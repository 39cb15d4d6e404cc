"""The gate: named checks between non-production and production, each a pure function of `GateInput`.

A check without its evidence fails. The order is the order in which people read them.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from patching import gate_source, gate_target
from patching.gate_facts import (
    Action,
    Check,
    CheckResult,
    EnvironmentFacts,
    GateInput,
    InstallFact,
    NodeFact,
    Outcome,
    ProblemFact,
)

__all__ = [
    "CHECKS",
    "Action",
    "Check",
    "CheckResult",
    "EnvironmentFacts",
    "GateInput",
    "InstallFact",
    "NodeFact",
    "Outcome",
    "ProblemFact",
    "evaluate",
    "passes",
    "remedy",
]

CHECKS: Final[Mapping[str, Check]] = {
    "install-verified": gate_source.install_verified,
    "nodes-succeeded": gate_source.nodes_succeeded,
    "no-pending-reboot": gate_source.no_pending_reboot,
    "no-problem": gate_source.no_problem,
    "soak-over": gate_source.soak_over,
    "patches-tested": gate_target.patches_tested,
    "same-baseline": gate_target.same_baseline,
    "nodes-seen": gate_target.nodes_seen,
    "evidence-fresh": gate_target.evidence_fresh,
    "nodes-in-place": gate_target.nodes_in_place,
    "artifacts": gate_target.artifacts,
    "something-to-install": gate_target.something_to_install,
}


def evaluate(gate: GateInput) -> tuple[CheckResult, ...]:
    return tuple(check(gate) for check in CHECKS.values())


def passes(results: Sequence[CheckResult]) -> bool:
    """Every check was asked and none failed: stored results that lack a check, an empty list too, don't pass."""
    asked = {result.name for result in results}
    return asked >= CHECKS.keys() and all(result.outcome is not Outcome.FAIL for result in results)


def remedy(results: Sequence[CheckResult]) -> Action | None:
    """The single button, where one thing does it; None where nothing failed, or where people must do more.

    An Install in the source ends with a scan of it, and whatever is done, people ask again afterwards.
    """
    actions = {result.action for result in results if result.outcome is Outcome.FAIL}
    if Action.INSTALL_SOURCE in actions:
        actions.discard(Action.SCAN_SOURCE)
    if actions == {Action.SCAN_SOURCE, Action.SCAN_TARGET}:
        return Action.ASK_AGAIN
    if len(actions) > 1:
        actions.discard(Action.ASK_AGAIN)
    return next(iter(actions)) if len(actions) == 1 and Action.NONE not in actions else None
