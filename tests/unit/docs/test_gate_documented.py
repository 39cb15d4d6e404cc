"""The guide explains the gate's checks, all of them and in their order."""

import re

from patching.gate import CHECKS
from tests.unit.docs.tree import ROOT


def test_guide_explains_every_gate_check() -> None:
    page = (ROOT / "docs" / "guide" / "production-flow.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE) == list(CHECKS)
