"""The gate: named checks between non-production and production, each a pure function of `GateInput`.

A check without its evidence fails. The order is the order in which people read them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from patching import gate_backups, gate_source, gate_surroundings, gate_target, gate_windows
from patching.gate_facts import (
    Action,
    Check,
    CheckResult,
    EnvironmentFacts,
    GateInput,
    GatePolicy,
    InstallFact,
    Moment,
    NodeFact,
    OtherPatcher,
    Outcome,
    ProblemFact,
)

__all__ = [
    "CHECKS",
    "NEVER_WAIVABLE",
    "Action",
    "Check",
    "CheckResult",
    "EnvironmentFacts",
    "GateInput",
    "GatePolicy",
    "InstallFact",
    "Moment",
    "NodeFact",
    "OtherPatcher",
    "Outcome",
    "ProblemFact",
    "evaluate",
    "passes",
    "remedy",
    "waive",
]

CHECKS: Final[Mapping[str, Check]] = {
    "install-verified": gate_source.install_verified,
    "nodes-succeeded": gate_source.nodes_succeeded,
    "no-pending-reboot": gate_source.no_pending_reboot,
    "no-problem": gate_source.no_problem,
    "alarms-quiet": gate_surroundings.alarms_quiet,
    "soak-over": gate_source.soak_over,
    "patches-tested": gate_target.patches_tested,
    "same-baseline": gate_target.same_baseline,
    "nodes-seen": gate_target.nodes_seen,
    "preflight": gate_surroundings.preflight,
    "evidence-fresh": gate_target.evidence_fresh,
    "nodes-in-place": gate_target.nodes_in_place,
    "other-patchers": gate_surroundings.other_patchers,
    "backup-instance": gate_backups.backup_instance,
    "backup-database": gate_backups.backup_database,
    "artifacts": gate_target.artifacts,
    "artifacts-readable": gate_surroundings.artifacts_readable,
    "something-to-install": gate_target.something_to_install,
    "no-freeze": gate_windows.no_freeze,
    "inside-window": gate_windows.inside_window,
    "fits-window": gate_windows.fits_window,
    "affected-told": gate_windows.affected_told,
    "no-objection": gate_windows.no_objection,
}

_GOOD: Final = frozenset({Outcome.PASS, Outcome.WARN, Outcome.WAIVED})

# Unreadable evidence (a title that can't be read, too: `patches-tested` marks that itself), I13, and what is no check
# but judged elsewhere: a document's hash and four eyes. Without a list, or with an empty one, `artifacts` and
# `something-to-install` would send what nobody has proven; `pin: off` is the way to do that on purpose. An objection
# is overruled, where everybody sees it.
NEVER_WAIVABLE: Final = frozenset(
    {
        "evidence-fresh",
        "nodes-in-place",
        "document-hash",
        "four-eyes",
        "artifacts",
        "something-to-install",
        "no-objection",
    }
)


def evaluate(gate: GateInput) -> tuple[CheckResult, ...]:
    return tuple(check(gate) for check in CHECKS.values())


def passes(results: Sequence[CheckResult]) -> bool:
    """Every check was asked and none failed, but for what was waived: results that lack a check don't pass."""
    asked = {result.name for result in results}
    return asked >= CHECKS.keys() and all(result.outcome in _GOOD for result in results)


def waive(
    results: Sequence[CheckResult], waivers: Mapping[str, str], waivable: Collection[str]
) -> tuple[CheckResult, ...]:
    """The results with every failure waived that has a waiver with a reason, and that may be waived.

    `waivers`: check → reason. `waivable`: the names that the policy lets an admin waive, in an emergency `soak-over`
    and `no-freeze` besides. What may not be waived stays failed; a waiver of a check that passes changes nothing.
    """
    allowed = frozenset(waivable) - NEVER_WAIVABLE
    return tuple(
        replace(each, outcome=Outcome.WAIVED, waiver=waivers[each.name].strip())
        if each.outcome is Outcome.FAIL
        and each.waivable
        and each.name in allowed
        and waivers.get(each.name, "").strip()
        else each
        for each in results
    )


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
