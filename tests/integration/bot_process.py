"""`patchgate` as a process of its own: a town at the pace of real time, and what the process says and leaves."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import CliRunner

from bot.__main__ import main
from sandbox.aws.fleet import Fleet
from sandbox.aws.runcommand import Durations
from sandbox.data.debian import candidates, installed_packages
from sandbox.fleet import small_fleet
from tests.town import Town, open_town, wait_for

BRISK = Durations(delivery=0.1, scan=1.5, install_per_package=0.2, reboot=0.3, cancel=0.2)
"""The process has the system's clock, so the world's can't run faster: its nodes do."""

CHANNEL = "C0PATCHING"  # where a small fleet's messages go
_OFFERED = ("openssl", "libssl3", "tzdata", "xz-utils")


def process_fleet(*, prod: int = 0) -> Fleet:
    """One application, `orders-db`, on two nodes with a few real packages to install, and no soak to wait for."""
    installed = {package.name: package for package in installed_packages()}
    releases = tuple(candidates()[name] for name in _OFFERED)
    packages = tuple(installed[name] for name in _OFFERED)
    fleet = small_fleet(nonprod=2, prod=prod, packages=packages, releases=releases, application="orders-db")
    return replace(fleet, applications=tuple(replace(each, policy={"soak": "0s"}) for each in fleet.applications))


@contextmanager
def process_town(folder: Path, fleet: Fleet | None = None, durations: Durations = BRISK) -> Iterator[Town]:
    """A town without a bot yet, whose clock is the system's."""
    with open_town(folder, fleet or process_fleet(), rate=1.0, durations=durations, started=False) as town:
        yield town


def run_connected(town: Town) -> "subprocess.Popen[str]":
    """`patchgate run`, once it has its connection."""
    process = town.spawn("run")
    wait_for(lambda: _alive(town, process) and town.around.workspace.sockets.sent, "the bot's connection")
    return process


def run_on_http(town: Town) -> str:
    """`patchgate run --http`, once it can be asked; the address that the workspace sends to. It has no app token."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    town.environment.pop("SLACK_APP_TOKEN", None)
    process = town.spawn("run", "--http", f"127.0.0.1:{port}")
    wait_for(lambda: process.poll() is not None or "takes requests on" in log_of(town), "the HTTP server")
    assert process.poll() is None, log_of(town)
    town.around.workspace.request_url = f"http://127.0.0.1:{port}/slack/events"
    return town.around.workspace.request_url


def kill(town: Town) -> None:
    """SIGKILL, until the workspace has seen the connection go too."""
    town.kill()
    wait_for(lambda: not town.around.workspace.sockets.sent, "the killed bot's connection to go")


def stop(town: Town, number: signal.Signals) -> int:
    """Ask it to end, and give its exit status."""
    assert town.process is not None
    town.process.send_signal(number)
    town.process.communicate(timeout=30)
    status, town.process = town.process.returncode, None
    return status


def finish(town: Town, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A run of `patchgate …` that ends by itself; an empty value unsets a variable."""
    running, kept, before = town.process, town.environment, len(log_of(town))
    town.environment = {name: value for name, value in {**kept, **environment}.items() if value}
    try:
        process = town.spawn(*arguments)
        output, _ = process.communicate(timeout=60)
    finally:
        town.process, town.environment = running, kept
    return subprocess.CompletedProcess(arguments, process.returncode, output, log_of(town)[before:])


def finish_here(town: Town, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """As `finish`, in this process: one of its own takes more than a second to start.

    Signals are handled as before when it has ended.
    """
    values = {name: value or None for name, value in {**town.environment, **environment}.items()}
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with chdir(town.folder):
            ended = CliRunner().invoke(main, list(arguments), env=values, catch_exceptions=False)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return subprocess.CompletedProcess(arguments, ended.exit_code, ended.stdout, ended.stderr)


def log_of(town: Town) -> str:
    """Everything that the town's processes have written to stderr."""
    path = town.folder / "bot.log"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def freeze(town: Town) -> None:
    """The world stands still: whatever is in progress stays so, however long a restart takes."""
    town.around.clock.set_rate(0)


def thaw(town: Town) -> None:
    """The world goes on, at the system's time again."""
    clock = town.around.clock
    clock.set_rate(1)
    clock.jump(max(datetime.now(UTC) - clock.now(), timedelta(0)))


def invocations(town: Town, operation: str) -> list[str]:
    """The status of every invocation of this operation, in the world itself."""
    world = town.around.world
    with world.lock:
        world.advance()
        return [
            invocation.status
            for region in world.regions()
            for command in region.commands.values()
            if command.values.get("Operation") == operation
            for invocation in command.invocations
        ]


def step_ids(town: Town) -> list[str]:
    """The UUID that each SendCommand in SSM's own log carries in its Comment."""
    return [call.params["Comment"].rpartition(" ")[2] for call in town.sent()]


def _alive(town: Town, process: "subprocess.Popen[str]") -> bool:
    assert process.poll() is None, f"the bot ended with {process.returncode}: {log_of(town)}"
    return True
