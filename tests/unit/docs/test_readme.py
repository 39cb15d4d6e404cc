"""The README in the order of its reader: what it is, a picture, two commands, how to run it for real, the rest."""

import re

import pytest

from tests.unit.docs.tree import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
_COMMAND = re.compile(r"^\$ make (\w+)", re.MULTILINE)


def test_it_is_in_order() -> None:
    marks = ["# Patchgate\n", "](docs/page.png)", "\n$ make demo\n", "\n## Run it for real\n", "\n## Commands\n"]
    places = [README.find(mark) for mark in marks]
    assert -1 not in places
    assert places == sorted(places)


def test_two_commands_are_enough_to_try_it() -> None:
    trial = README.partition("\n## Try it\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\$ (.+)$", trial, re.MULTILINE) == ["make demo", "make test"]


@pytest.mark.parametrize("target", _COMMAND.findall(README))
def test_every_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


def test_the_picture_is_one() -> None:
    assert (ROOT / "docs" / "page.png").read_bytes().startswith(b"\x89PNG\r\n")
