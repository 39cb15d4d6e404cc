"""Show 1 of issue 3: what the comparison says for every family and every verdict, and that each rule is needed."""

import json
from collections import Counter

import pytest

from patching.compare import Verdict
from patching.rules import RULES, Rule
from tests.unit.docs.tree import ROOT
from tests.unit.patching.build import only
from tests.unit.patching.cases import amazon_suse, apt, redhat, windows
from tests.unit.patching.cases.case import MADE, REAL, Case

CASES = (*apt.CASES, *redhat.CASES, *amazon_suse.CASES, *windows.CASES)
FAMILIES = (
    *("Debian", "Ubuntu", "RHEL 8", "AlmaLinux and Rocky 9", "Amazon Linux 2", "Amazon Linux 2023", "SLES 15"),
    *("Windows", "Oracle Linux and CentOS"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_verdict(case: Case) -> None:
    finding = only(case.compared())
    assert finding.verdict is case.verdict
    assert finding.detail.endswith(".")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.verdict.value)
def test_every_rule_is_needed(rule: Rule) -> None:
    """Without it, a case that it decides comes out otherwise."""
    others = [each for each in RULES if each is not rule]
    mine = [case for case in CASES if case.verdict is rule.verdict]
    changed = [case for case in mine if only(case.compared(others)).verdict is not rule.verdict]
    assert changed


def test_there_is_one_rule_for_each_verdict_worst_first() -> None:
    assert [rule.verdict for rule in RULES] == list(Verdict)


def test_the_tables_are_as_large_as_promised() -> None:
    assert len(CASES) >= 120
    assert len({case.id for case in CASES}) == len(CASES)
    assert all(count >= 10 for count in Counter(case.family for case in CASES).values())
    assert {case.family for case in CASES} == set(FAMILIES)
    verdicts = Counter(case.verdict for case in CASES)
    assert all(verdicts[verdict] >= 2 for verdict in Verdict)
    assert {case.origin for case in CASES} == {REAL, MADE}


def test_rows_marked_real_are_real() -> None:
    """Debian's against the packages of a real machine, Windows' against AWS's own example."""
    packages = json.loads((ROOT / "sandbox/data/debian12-packages.json").read_text(encoding="utf-8"))["packages"]
    known = {f"{each['name']}.{each['arch']}:{each['candidate']}" for each in packages if "candidate" in each}
    rows = json.loads((ROOT / "tests/data/aws/describe-instance-patches.windows.json").read_text(encoding="utf-8"))
    known |= {each["Title"] for each in rows["Patches"]} | {windows.TOOL_NEXT.title}
    real = {case.offer.title for case in CASES if case.origin == REAL and case.family in {"Debian", "Windows"}}
    assert real <= known
