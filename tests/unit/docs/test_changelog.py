"""CHANGELOG.md in the form of Keep a Changelog."""

import re

from bot import __version__
from tests.unit.docs.tree import ROOT

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
_KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_versions_are_newest_first_below_unreleased() -> None:
    first, *released = re.findall(r"^## \[([^\]]+)\]", CHANGELOG, re.MULTILINE)
    assert first == "Unreleased"
    numbers = [tuple(int(part) for part in version.split(".")) for version in released]
    assert numbers == sorted(numbers, reverse=True)
    # Until the first release nothing stands below Unreleased.
    assert not released or released[0] == __version__


def test_entries_stand_under_the_six_kinds() -> None:
    kinds = re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE)
    assert kinds
    assert set(kinds) <= _KINDS
