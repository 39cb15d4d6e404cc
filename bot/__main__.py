"""The command line: run · sandbox · check, and Patchgate's own commands (bot/terminal.py)."""

import logging
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from bot import __version__
from bot.settings import Settings, read_settings
from bot.terminal import CommandLine
from patching.config import ConfigurationError
from storage.database import StorageError, Store


class SystemClock:
    """Real time; the only clock of `patchgate run` (I11)."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def _ask(name: str, words: tuple[str, ...], as_json: bool, wait: bool) -> int:
    from bot.terminal_asking import system_user
    from bot.terminal_session import Session

    return Session(read_settings, SystemClock(), threading.Event().wait, system_user()).run(name, words, as_json, wait)


@click.group(cls=CommandLine, ask=_ask, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="patchgate")
def main() -> None:
    """Patch EC2 fleets through AWS Systems Manager, from Slack, safely."""


@main.command()
@click.option("--http", "address", metavar="HOST:PORT", help="Take signed HTTP requests instead of Socket Mode.")
def run(address: str | None) -> None:
    """Run the bot against Slack and AWS."""
    from bot.serve import serve

    where = _host_and_port(address) if address else None
    _or_exit(lambda: serve(_settings(), SystemClock(), where))


@main.command()
@click.option("--port", default=8000, show_default=True, help="Port of the page, on loopback; 0 takes a free one.")
def sandbox(port: int) -> None:
    """Run the bot with a simulated AWS and a local Slack workspace, in a browser."""
    try:
        from bot.sandbox_command import serve_sandbox
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        raise click.ClickException(
            f"The sandbox is not installed here ({missing} is missing); install patchgate[sandbox]."
        ) from None

    _log_to_stderr("WARNING")
    _or_exit(lambda: serve_sandbox(port))


@main.command()
def check() -> None:
    """Check configuration, Slack and AWS access; exit status 1 when anything is wrong."""
    from bot.check import check_all

    lines = check_all(read_settings, SystemClock())
    for line in lines:
        click.echo(f"{'ok  ' if line.ok else 'FAIL'}  {line.what}{': ' + line.detail if line.detail else ''}")
    sys.exit(0 if all(line.ok for line in lines) else 1)


@main.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--database", is_flag=True, help="Verify the database that PATCHGATE_DATABASE names.")
def verify(file: Path | None, database: bool) -> None:
    """Verify a change's record FILE, or the database: is the audit chain whole? Exit status 1 when it is not."""
    from commands.verification import verify_database, verify_file

    if database == (file is not None):
        raise click.UsageError("Name a record's FILE, or --database; nothing was verified.")
    _or_exit(lambda: _tell(verify_file(file) if file is not None else _with_database(verify_database)))


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Copy the database that PATCHGATE_DATABASE names to FILE; the bot may be running."""
    from bot.restore import back_up

    _or_exit(lambda: _say(back_up(read_settings().database_path, file)))


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def restore(file: Path) -> None:
    """Put the copy FILE in place of the database; open production runs stop, and open approvals expire."""
    from bot.restore import restore as put_back

    _or_exit(lambda: _say(put_back(read_settings().database_path, file, SystemClock())))


def _say(sentences: tuple[str, ...]) -> None:
    for sentence in sentences:
        click.echo(sentence)


def _tell(broken: str | None) -> None:
    click.echo(broken or "The chain is whole, from its first row to its head.")
    sys.exit(1 if broken else 0)


def _with_database(work: Callable[[Store], str | None]) -> str | None:
    path = read_settings().database_path
    if not path.exists():
        return f"There is no database {path}."
    store = Store(path, readonly=True)
    try:
        return work(store)
    finally:
        store.close()


def _settings() -> Settings:
    settings = read_settings()
    _log_to_stderr(settings.log_level)
    return settings


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # They log a line for each request, with headers at DEBUG; ours say what matters.
    for name in ("botocore", "boto3", "urllib3", "slack_sdk", "bot.bolt", "bot.socket", "uvicorn"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    # Bolt reads SLACK_BOT_TOKEN for itself too and warns at every start that it has a client already.
    logging.getLogger("bot.bolt").addFilter(lambda record: "`token` will be unused" not in record.getMessage())
    # A sweep that is woken while it runs makes APScheduler skip a tick, which is as it should be.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def _or_exit(work: Callable[[], None]) -> None:
    """Errors that are for people: a sentence each, no traceback, exit status 1."""
    from bot.serve import StartError

    try:
        work()
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        click.echo("Nothing was started.", err=True)
        sys.exit(1)
    except (StorageError, StartError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise click.BadParameter(f"{text!r} is not HOST:PORT, for example 0.0.0.0:3000", param_hint="--http")
    return host.strip("[]"), int(port)


if __name__ == "__main__":
    main()
