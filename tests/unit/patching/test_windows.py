"""Windows: a listed KB installs only where the baseline approves it too (facts/patch-manager.md section 1)."""

from typing import Any

import pytest

from patching.model import Evidence, PatchRow, PatchState, PinnedPatch
from patching.windows import ListedKbs, listed_kbs
from tests.unit.patching.build import DEBIAN, FAILED, INSTALLED, MISSING, WINDOWS, evidence

KB = "KB9000010"
PINS = [PinnedPatch(KB, f"2026-10 Cumulative Update ({KB})")]
AVAILABLE, NOT_APPLICABLE = PatchState.AVAILABLE_SECURITY_UPDATE, PatchState.NOT_APPLICABLE
APPROVED = ListedKbs((KB,), (), ())


def node(name: str, state: PatchState | None, content: str = "b") -> Evidence:
    rows = [PatchRow(KB, f"2026-10 Cumulative Update ({KB})", state, "SecurityUpdates", "Critical")] if state else []
    return evidence(name, rows, platform=WINDOWS, baseline_content=content)


def refused(why: str) -> ListedKbs:
    return ListedKbs((), ((KB, f"it would not install on p2: {why}"),), ())


def untold(name: str) -> ListedKbs:
    return ListedKbs((), (), ((KB, f"whether the baseline of {name} approves it can't be told"),))


def baseline(*filters: tuple[str, str], **lists: Any) -> dict[str, Any]:
    """One rule with these filters."""
    group = {"PatchFilters": [{"Key": key, "Values": [value]} for key, value in filters]}
    return {"ApprovalRules": {"PatchRules": [{"PatchFilterGroup": group}]}, **lists}


# What a second node says, and the whole verdict; the first one misses the KB under the content "b".
STATES: dict[str, tuple[Evidence, ListedKbs]] = {
    "it misses it too": (node("p2", MISSING), APPROVED),
    "it has it": (node("p2", INSTALLED), APPROVED),
    "superseded there": (node("p2", NOT_APPLICABLE), APPROVED),
    "not meant for it, by the same baseline": (node("p2", None), APPROVED),
    "there and not approved": (node("p2", AVAILABLE), refused("it is available there, and not approved")),
    "not shown under another baseline, which nobody has": (node("p2", None, "other"), untold("p2")),
    "failed there before": (node("p2", FAILED), untold("p2")),
    "not Windows": (evidence("p2", platform=DEBIAN), APPROVED),
}


@pytest.mark.parametrize(("second", "expected"), STATES.values(), ids=STATES)
def test_what_a_node_says(second: Evidence, expected: ListedKbs) -> None:
    assert listed_kbs(PINS, [node("p1", MISSING), second], {}) == expected


BY_RULE = "no rule of the baseline approves its classification and severity"
# The content under which the second node does not show the KB.
CONTENTS: dict[str, tuple[dict[str, Any], ListedKbs]] = {
    "rejected": (baseline(RejectedPatches=["KB90000*"]), refused("the baseline rejects KB90000*")),
    "another classification": (baseline(("CLASSIFICATION", "CriticalUpdates")), refused(BY_RULE)),
    "another severity": (baseline(("MSRC_SEVERITY", "Low")), refused(BY_RULE)),
    "no rule at all": ({}, refused(BY_RULE)),
    "globally left out": (
        baseline(GlobalFilters={"PatchFilters": [{"Key": "CLASSIFICATION", "Values": ["Drivers"]}]}),
        refused("the baseline's global filters leave it out"),
    ),
    "every classification": (baseline(("CLASSIFICATION", "*"), ("MSRC_SEVERITY", "critical")), untold("p2")),
    "a product, which no row tells": (baseline(("PRODUCT", "WindowsServer2016")), untold("p2")),
    "named as approved": ({"ApprovedPatches": [KB.lower()]}, untold("p2")),
}


@pytest.mark.parametrize(("content", "expected"), CONTENTS.values(), ids=CONTENTS)
def test_what_another_baseline_s_content_says(content: dict[str, Any], expected: ListedKbs) -> None:
    target = [node("p1", MISSING), node("p2", None, "other")]
    assert listed_kbs(PINS, target, {"other": content}) == expected


def test_a_list_without_kbs_or_nodes_without_windows_have_nothing_to_compare() -> None:
    assert listed_kbs(PINS, [evidence("p1")], {}).count == 0
    assert listed_kbs([PinnedPatch("bash.x86_64", "bash.x86_64:1")], [node("p1", MISSING)], {}).count == 0
