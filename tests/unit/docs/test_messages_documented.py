"""docs/guide/messages.md against the words that messages use."""

import re

from bot.views.verdicts import counted
from patching.compare import Verdict
from tests.unit.docs.tree import ROOT

PAGE = (ROOT / "docs" / "guide" / "messages.md").read_text(encoding="utf-8")


def _first_column(heading: str) -> list[str]:
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    _, _, *rows = [line for line in section.splitlines() if line.startswith("|")]
    return [re.split(r" \| ", row.strip("| "), maxsplit=1)[0] for row in rows]


def test_every_verdict_is_explained_worst_first_in_the_words_of_messages() -> None:
    words = [counted({verdict: 1}, "nonprod")[0].removeprefix("1 ") for verdict in Verdict]
    documented = _first_column("Verdicts on a patch")
    assert len(documented) == len(words)
    assert all(label.startswith(said) for said, label in zip(documented, words, strict=True))
