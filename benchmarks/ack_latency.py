"""How long people wait for an ack: Patchgate beside a bare Bolt app, in turns in the same run.

    python -m benchmarks.ack_latency [--commands N]

Both are processes of their own, each on a local workspace, over Socket Mode. A command's time runs from its envelope's
sending to its ack's arrival at the workspace. Printed are p50 and p99 in milliseconds, and the ratio of Patchgate's p99
to the bare app's, which is to be 2 at most.
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import quantiles

import click
from starlette.websockets import WebSocket

from sandbox.fleet import small_fleet
from sandbox.neighbourhood import open_neighbourhood
from sandbox.slack import interactions
from sandbox.slack.app import create_app
from sandbox.slack.bot import Bot
from sandbox.slack.rules import Json
from sandbox.slack.seed import default_seed
from sandbox.slack.server import WorkspaceServer
from sandbox.slack.sockets import Sockets
from sandbox.slack.workspace import Workspace

IN_FLIGHT = 50
CHANNEL, USER = "C0PATCHING", "U0ANN"


class TimedSockets(Sockets):
    """Keeps the seconds from each envelope's sending to its ack's arrival."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__(changed)
        self.seconds: list[float] = []

    async def serve(self, socket: WebSocket, host: str, app_id: str) -> None:
        self.loop = asyncio.get_running_loop()
        await super().serve(socket, host, app_id)

    async def deliver(self, kind: str, payload: Json, takes_payload: bool, seconds: float, **more: object) -> Json:
        began = time.perf_counter()
        answer = await super().deliver(kind, payload, takes_payload, seconds, **more)
        self.seconds.append(time.perf_counter() - began)
        return answer


@dataclass(frozen=True)
class Door:
    """A workspace with a stopwatch, and the bot that is connected to it."""

    workspace: Workspace
    sockets: TimedSockets

    @classmethod
    def of(cls, workspace: Workspace) -> "Door":
        workspace.sockets = sockets = TimedSockets(workspace.news.stir)
        return cls(workspace, sockets)

    @contextmanager
    def bot(self, environment: dict[str, str], *module: str) -> Iterator[None]:
        """`python -m …` as the workspace's bot while the block runs."""
        with subprocess.Popen([sys.executable, "-m", *module], env={**os.environ, **environment}) as process:
            try:
                if not self.workspace.wait_until(lambda: self.sockets.sent, 30):
                    raise click.ClickException(f"{' '.join(module)} did not connect")
                yield
            finally:
                process.kill()

    def ask(self, texts: list[str], at_once: int = 1) -> list[float]:
        """Have these typed, so many at once; the milliseconds to each one's ack. All must come in time."""
        self.sockets.seconds.clear()
        asyncio.run_coroutine_threadsafe(self._type(texts, at_once), self.sockets.loop).result()
        return [seconds * 1000 for seconds in self.sockets.seconds]

    async def _type(self, texts: list[str], at_once: int) -> None:
        bot, waiting = Bot(self.workspace), iter(texts)

        async def person() -> None:
            for text in waiting:
                answer = await interactions.command(self.workspace, bot, USER, CHANNEL, f"/patch {text}", None)
                if not answer["ok"]:
                    raise click.ClickException(f"/patch {text} was not acked: {answer['error']}")

        await asyncio.gather(*(person() for _ in range(at_once)))


@dataclass(frozen=True)
class Street:
    """Both bots beside each other, asked in turns: whatever else the machine does meets both alike."""

    patchgate: Door
    echo: Door

    def compare(self, what: str, texts: list[str], at_once: int = 1) -> None:
        """Ask both the same, a slice each in turn, and print what came of it."""
        size = max(at_once * 2, 10)
        slices = [texts[start : start + size] for start in range(0, len(texts), size)]
        floor, ours = [], []
        for each in slices:
            floor += self.echo.ask(each, at_once)
            ours += self.patchgate.ask(each, at_once)
        figures = [p(values, percent) for values in (floor, ours) for percent in (50, 99)]
        print(f"{what:48}" + "".join(f"{value:8.1f}" for value in figures) + f"{figures[3] / figures[1]:8.2f}")


@contextmanager
def street() -> Iterator[Street]:
    fleets = [small_fleet(application=name) for name in applications()]
    fleet = replace(
        fleets[0],
        applications=tuple(application for each in fleets for application in each.applications),
        repositories=tuple(repository for each in fleets for repository in each.repositories),
    )
    around = open_neighbourhood(fleet, rate_limits=False)
    other = Workspace(around.clock, default_seed(), rate_limits=False)
    patchgate, echo = Door.of(around.workspace), Door.of(other)
    server = WorkspaceServer(create_app(other, None))
    server.start()
    slack = {
        "SLACK_BOT_TOKEN": other.bot_token,
        "SLACK_APP_TOKEN": other.app_token,
        "SLACK_API_URL": f"{server.url}/api/",
    }
    # The slowest AWS that there can be: it takes connections and never answers, which costs our processor nothing.
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0), backlog=500) as silent:
        aws = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        environment = {**around.environment(Path(folder)), **aws, "PATCHGATE_LOG_LEVEL": "ERROR"}
        try:
            with echo.bot(slack, "benchmarks.echo"), patchgate.bot(environment, "bot", "run"):
                yield Street(patchgate, echo)
        finally:
            server.stop()
            around.close()


def applications() -> list[str]:
    return [f"app-{number}" for number in range(IN_FLIGHT)]


@click.command()
@click.option("--commands", default=500, show_default=True, help="How many commands each phase asks.")
def main(commands: int) -> None:
    """Print how long acks take, beside a bare Bolt app's."""
    reads = ["status", "help", "approvals", "status scan-1"] * (commands // 4)
    scans = [f"scan {name} nonprod" for name in applications()]
    with street() as both:
        for door in (both.echo, both.patchgate):
            door.ask(["status"] * 500, IN_FLIGHT)  # what is loaded and opened once, each thread's connection too
        print(f"{'milliseconds':48}{'a bare Bolt app':>16}{'Patchgate':>16}   p99 to")
        print(f"{'':48}{'p50':>8}{'p99':>8}{'p50':>8}{'p99':>8}   floor")
        both.compare("one read at a time", reads)
        both.compare(f"{IN_FLIGHT} reads at once", reads, IN_FLIGHT)
        both.compare(f"{IN_FLIGHT} scans, one asked at a time, AWS silent", scans)
        both.compare(f"one read at a time, {IN_FLIGHT} runs open, AWS silent", reads)
        both.compare(f"{IN_FLIGHT} reads at once, {IN_FLIGHT} runs open, AWS silent", reads, IN_FLIGHT)


def p(values: list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    main()
