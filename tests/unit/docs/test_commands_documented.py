"""The README's table of subcommands is the registry's, and so is what the sandbox suggests while somebody types."""

import re

from commands.registry import subcommands, usage_hint
from sandbox.slack.seed import COMMANDS
from tests.unit.docs.tree import ROOT


def test_readme_lists_every_subcommand_with_its_usage_and_summary() -> None:
    expected = [
        f"| `{f'/patch {command.name} {command.usage}'.strip()}` | {command.summary} |"
        for command in subcommands().values()
    ]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `/patch .+$", readme, re.MULTILINE) == expected


def test_the_sandbox_s_workspace_suggests_every_subcommand_with_its_usage() -> None:
    (command,) = COMMANDS
    assert sorted(command.usage_hint.split(" | ")) == sorted(usage_hint().split(" | "))
