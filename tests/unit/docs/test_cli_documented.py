"""Every command and option of `patchgate` stands in docs/guide/configuration.md, and nothing else does."""

import re
from collections.abc import Iterator

import click
import pytest

from bot.__main__ import main
from tests.unit.docs.tree import ROOT

PAGE = (ROOT / "docs" / "guide" / "configuration.md").read_text(encoding="utf-8")


def _options(command: click.Command, words: str) -> Iterator[str]:
    """`patchgate run --http` for every option of every command, `patchgate run` for the command itself."""
    yield words
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield f"{words} {parameter.opts[0]}"
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from _options(child, f"{words} {name}")


@pytest.mark.parametrize("words", [words for words in _options(main, "patchgate") if words != "patchgate"])
def test_every_command_and_option_is_documented(words: str) -> None:
    assert re.search(rf"^\| `{re.escape(words)}[ `]", PAGE, re.MULTILINE)


def test_every_documented_command_and_option_exists() -> None:
    documented = re.findall(r"^\| `(patchgate[^`]*)`", PAGE, re.MULTILINE)
    known = {*_options(main, "patchgate"), "patchgate --help"}
    # The value's name is the reader's: `--port N`.
    assert {re.sub(r" [A-Z:]+$", "", words) for words in documented} <= known
