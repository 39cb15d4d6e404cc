"""docs/guide/terminal.md against the code: what can be asked, its options, the exit statuses, the keys of `--json`."""

import re

import click

from bot.__main__ import main
from bot.terminal import OFFERED
from bot.terminal_following import Status
from bot.views.documents import change_document, run_document
from commands.registry import subcommands
from tests.unit.docs.tree import ROOT
from tests.unit.views.made import change, change_report, report, run

PAGE = (ROOT / "docs" / "guide" / "terminal.md").read_text(encoding="utf-8")


def test_every_command_stands_there_with_its_options() -> None:
    expected = []
    for name in OFFERED:
        made = main.get_command(click.Context(main), name)
        assert made
        options = [f"`{each.opts[0]}`" for each in made.params if isinstance(each, click.Option)]
        usage = f"patchgate {name} {subcommands()[name].usage}".strip()
        expected.append(f"| `{usage}` | {' '.join(options)} | {subcommands()[name].summary} |")
    assert re.findall(r"^\| `patchgate .+$", PAGE, re.MULTILINE) == expected


def test_the_exit_statuses_stand_there() -> None:
    documented = {int(number) for number in re.findall(r"^\| ([0-9]+) \|", PAGE, re.MULTILINE)}
    assert documented == {*(int(status) for status in Status), 130}


def test_the_keys_of_a_run_and_of_a_change_stand_there() -> None:
    table = PAGE.partition("| Key | In | Meaning |")[2].partition("```")[0]
    documented = set(re.findall(r"`([a-z_]+)`", table))
    assert {*run_document(report(run())), *change_document(change_report(change()), None)} <= documented
