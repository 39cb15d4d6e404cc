"""The manifest that operators paste is the code's, and the guide explains the scopes that it asks for."""

import json
import re

from bot.manifest import SCOPES, manifest
from tests.unit.docs.tree import ROOT


def test_manifest_is_current() -> None:
    written = json.loads((ROOT / "deploy" / "manifest.json").read_text(encoding="utf-8"))
    assert written == manifest(), "run `make manifest`"


def test_guide_explains_every_scope() -> None:
    page = (ROOT / "docs" / "guide" / "getting-started.md").read_text(encoding="utf-8")
    table = page.partition("| Scope | Why |")[2].partition("\n\n")[0]
    first_column = " ".join(line.split("|")[1] for line in table.splitlines() if line.startswith("|"))
    assert sorted(re.findall(r"`([^`]+)`", first_column)) == sorted(SCOPES)
