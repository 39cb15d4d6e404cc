"""`patchgate scan|install|compare|…`: the commands of Slack from a terminal, for cron and pipelines."""

from collections.abc import Callable
from typing import Any

import click

from commands.command import Command
from commands.registry import discover, subcommands

Ask = Callable[[str, tuple[str, ...], bool, bool], int]
"""(subcommand, words, --json, --wait) → exit status."""

OFFERED = ("scan", "install", "compare", "status", "plan", "preflight", "backups", "approvals", "cancel")
"""In the order of `--help`. None of them decides anything about production."""

FOLLOWED = frozenset({"scan", "install", "status", "plan", "preflight", "backups"})
"""What can be waited for."""

STATUSES = """\b
Exit status:
  0  accepted; with --wait: it ended well
  1  refused, or it failed or ended otherwise than it should
  2  the words are wrong; nothing was done
  3  a change waits for approval, which is given in Slack alone"""


class CommandLine(click.Group):
    """A click group that also takes Patchgate's own commands."""

    def __init__(self, *args: Any, ask: Ask, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self._ask = ask

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *OFFERED]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        if cmd_name in OFFERED:
            return _offered(subcommands()[cmd_name], self._ask)
        known = {command.name for command in discover()}
        return _refused(cmd_name) if cmd_name in {*known, "approve", "reject"} - {"help"} else None


def _offered(command: type[Command], ask: Ask) -> click.Command:
    params: list[click.Parameter] = []
    if command.usage:
        params.append(click.Argument(["words"], nargs=-1, metavar=command.usage))
    if command.name in FOLLOWED:
        text = "Follow it until it has ended or waits for approval; progress goes to standard error."
        params.append(click.Option(["--wait"], is_flag=True, help=text))
    params.append(click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON document."))

    def callback(as_json: bool, wait: bool = False, words: tuple[str, ...] = ()) -> None:
        raise SystemExit(ask(command.name, words, as_json, wait))

    return click.Command(
        command.name,
        params=params,
        callback=callback,
        help=f"{command.summary}\n\n{command.detail}",
        short_help=command.summary,
        epilog=STATUSES,
    )


def _refused(name: str) -> click.Command:
    """What a person is asked for in Slack, where they see what they decide on."""

    def callback(words: tuple[str, ...]) -> None:
        click.echo(
            f"Nothing is approved, waived or settled from a terminal, so {name} did nothing; it is asked for in Slack.",
            err=True,
        )
        raise SystemExit(1)

    words = click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)
    return click.Command(
        name,
        params=[words],
        callback=callback,
        hidden=True,
        add_help_option=False,
        context_settings={"ignore_unknown_options": True},
    )
