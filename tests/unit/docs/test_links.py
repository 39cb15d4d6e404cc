"""Relative links in the docs lead to files and headings that exist."""

import re
from pathlib import Path

import pytest

from tests.unit.docs.tree import markdown, name_of

_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+)$", re.MULTILINE)


def test_there_are_docs() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"} <= {name_of(path) for path in markdown()}


@pytest.mark.parametrize("page", markdown(), ids=name_of)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert [link for link in _relative_links(page) if not _leads_somewhere(page, link)] == []


def _relative_links(page: Path) -> list[str]:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return [link for link in _LINK.findall(text) if "://" not in link and not link.startswith("mailto:")]


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return False
    return not anchor or anchor in _anchors(target)


def _anchors(page: Path) -> set[str]:
    """Heading anchors as GitHub makes them: lower case, punctuation dropped, spaces to hyphens."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
